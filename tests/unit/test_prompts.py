"""What the model is told: text is data, and none of it can pass for a control token."""

from __future__ import annotations

import json

import pytest
from amplifier_browser.prompts import without_control_tokens
from build_tools.paths import MODELS

OF_OTHERS = [
    "<|eot_id|>",
    "<|start_header_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "</s>",
    "<bos>",
]


def of_the_starter_model() -> list[str]:
    tokenizer = json.loads((MODELS / "starter" / "tokenizer.json").read_text(encoding="utf-8"))
    return [token["content"] for token in tokenizer["added_tokens"]]


def test_no_text_holds_a_control_token() -> None:
    tokens = [*of_the_starter_model(), *OF_OTHERS]
    assert len(tokens) > 20
    for token in tokens:
        for text in (token, f"a{token}b", token * 3, token.upper()):
            assert token.lower() not in without_control_tokens(text).lower(), token


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a < b | c > d", "<p>", "x <- y", "[1]", "List<String>", "<text-ab12cd34>"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert without_control_tokens(text) == text
