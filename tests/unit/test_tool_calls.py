"""Calls as text: what the model is told, the grammar, and how an answer that streams is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from amplifier_browser.tool_calls import CallFormat, CallReader, signature, written_call
from amplifier_browser.tooling import Traits
from amplifier_core import InvalidToolCallError, ToolSpec

PYTHON = ToolSpec(
    name="python",
    description="Runs code.",
    parameters={"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]},
)
CLOCK = ToolSpec(
    name="current_time", description="The time.", parameters={"type": "object", "properties": {"zone": {"type": "string"}}}
)
TRAITS = {
    "python": Traits("Run Python code", instruction="Write code.", raw_argument="code", language="python"),
    "current_time": Traits("Tell the time"),
}
AUTO = CallFormat([PYTHON, CLOCK], TRAITS)
FORCED_CODE = CallFormat([PYTHON], TRAITS, forced="python")
FORCED_JSON = CallFormat([CLOCK], TRAITS, forced="current_time")


def read(format: CallFormat, text: str, size: int = 1) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    reader = CallReader(format)
    shown = "".join(reader.feed(text[i : i + size]) for i in range(0, len(text), size))
    rest, calls = reader.finish()
    return shown + rest, [(call.name, call.arguments) for call in calls]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_text_before_a_call_is_shown_and_the_call_is_not(size: int) -> None:
    call = {"name": "current_time", "arguments": {"zone": "Asia/Tokyo"}}
    text = f"Let me look.\n<tool_call>\n{json.dumps(call)}\n</tool_call>"
    assert read(AUTO, text, size) == ("Let me look.\n", [("current_time", {"zone": "Asia/Tokyo"})])


@pytest.mark.parametrize("text", ["a < b", "ends with <tool", "<", "<tool_cal", "no mark at all", "", "<<tool_"])
def test_text_that_only_looks_like_a_call_is_shown_whole(text: str) -> None:
    assert read(AUTO, text) == (text, [])


def test_code_is_read_from_its_fence_as_it_is() -> None:
    code = 'print("a\\nb")\nx = {"k": "```"}\nprint(x)'
    assert read(FORCED_CODE, f"```python\n{code}\n```") == ("", [("python", {"code": code})])


def test_forced_json_is_read() -> None:
    assert read(FORCED_JSON, '```json\n{"zone": "UTC"}\n```') == ("", [("current_time", {"zone": "UTC"})])


@pytest.mark.parametrize(
    ("format", "text"),
    [
        (FORCED_CODE, "```python\nprint(1"),
        (FORCED_CODE, ""),
        (FORCED_JSON, '```json\n{"zone": "UT'),
        (FORCED_JSON, "```json\n[1]\n```"),
        (AUTO, '<tool_call>\n{"name": "python", "arg'),
        (AUTO, "<tool_call>\nnot json\n</tool_call>"),
    ],
)
def test_a_call_that_was_cut_off_is_no_call(format: CallFormat, text: str) -> None:
    with pytest.raises(InvalidToolCallError, match="tool-call"):
        read(format, text)


def test_a_call_is_rendered_as_the_model_would_have_written_it() -> None:
    code = written_call("python", {"code": "print(1)"}, TRAITS["python"])
    assert read(FORCED_CODE, code)[1] == [("python", {"code": "print(1)"})]
    other = written_call("current_time", {}, TRAITS["current_time"])
    assert read(AUTO, other)[1] == [("current_time", {})]


def test_tools_are_told_in_a_line_each() -> None:
    assert signature(PYTHON) == "python(code): Runs code."
    assert signature(CLOCK) == "current_time(zone?): The time."
    assert "python(code): Runs code.\ncurrent_time(zone?): The time." in AUTO.system_text()
    assert (FORCED_CODE.system_text(), FORCED_CODE.instruction()) == ("", "Write code.")


def test_grammars_name_every_tool_and_its_schema() -> None:
    tag = AUTO.response_format()["structural_tag"]["format"]
    assert [each["begin"].split('"')[3] for each in tag["tags"]] == ["python", "current_time"]
    assert tag["tags"][0]["content"] == {"type": "json_schema", "json_schema": PYTHON.parameters}
    assert tag["at_least_one"] is False and tag["stop_after_first"] is True
    forced = FORCED_CODE.response_format()["structural_tag"]["format"]
    assert (forced["begin"], forced["content"], forced["end"]) == ("```python\n", {"type": "any_text"}, "\n```")
