"""Prompts that the user keeps for later: a list of {id, title, text}, in the order of their titles."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, cast

Prompt = dict[str, str]

MOST_PROMPTS = 100
MOST_TITLE = 60  # characters
MOST_TEXT = 4000


def checked(value: Any) -> list[Prompt]:
    """The prompts of a stored list; raises ValueError."""
    if not isinstance(value, list):
        raise ValueError("The saved prompts cannot be read.")
    prompts: list[Prompt] = []
    for each in cast(list[Any], value):
        if not isinstance(each, dict):
            raise ValueError("A saved prompt cannot be read.")
        stored = cast(dict[str, Any], each)
        prompts.append(_prompt(str(stored.get("id") or ""), stored.get("title"), stored.get("text")))
    return _sorted(prompts)


def with_prompt(prompts: Sequence[Prompt], id: str | None, title: str, text: str) -> list[Prompt]:
    """The list with one more, or with a changed one in the place of that with this id. Raises ValueError."""
    prompt = _prompt(id or uuid.uuid4().hex[:12], title, text)
    others = without_prompt(prompts, prompt["id"])
    if len(others) >= MOST_PROMPTS:
        raise ValueError(f"There are {MOST_PROMPTS} saved prompts already. Delete some first.")
    if any(other["title"].casefold() == prompt["title"].casefold() for other in others):
        raise ValueError(f"There is a prompt “{prompt['title']}” already. Give this one another title.")
    return _sorted([*others, prompt])


def without_prompt(prompts: Sequence[Prompt], id: str) -> list[Prompt]:
    """The list without that one; one that is gone already is no error."""
    return [prompt for prompt in prompts if prompt["id"] != id]


def _prompt(id: str, title: Any, text: Any) -> Prompt:
    if not isinstance(title, str) or not isinstance(text, str) or not title.split() or not text.strip():
        raise ValueError("A saved prompt needs a title and a text.")
    title, text = " ".join(title.split()), text.strip()
    if len(title) > MOST_TITLE:
        raise ValueError(f"The title can have {MOST_TITLE} characters, this one has {len(title):,}.")
    if len(text) > MOST_TEXT:
        raise ValueError(f"A saved prompt can have {MOST_TEXT:,} characters, this one has {len(text):,}.")
    return {"id": id, "title": title, "text": text}


def _sorted(prompts: Sequence[Prompt]) -> list[Prompt]:
    return sorted(prompts, key=lambda prompt: prompt["title"].casefold())
