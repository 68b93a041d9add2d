"""A memory in parts, as the database has it (sidepanel/sessions-schema.js): few of them change at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .records import Kept, Message

TABLES = ("turns", "contexts", "pages")
Place = tuple[str, Any]  # table and id


class Parts:
    """Knows which parts of a conversation are on the disk."""

    def __init__(self, on_disk: Kept | None = None) -> None:
        self._on_disk: dict[Place, str] = {place: text for place, text, _ in _parts(on_disk)} if on_disk else {}

    def change(self, kept: Kept) -> Message:
        """`memory`, `parts` and `gone` of sessions.write: what is other than on the disk, which from here on counts as there."""
        found = list(_parts(kept))
        gone = self._on_disk.keys() - {place for place, _, _ in found}
        fresh = [(place, value) for place, text, value in found if self._on_disk.get(place) != text]
        self._on_disk = {place: text for place, text, _ in found}
        ids = [turn["question_id"] for turn in kept.memory["turns"]]
        return {
            "memory": {**kept.memory, "turns": ids, "context": len(kept.memory["context"])},
            "parts": {name: [[id, value] for (table, id), value in fresh if table == name] for name in TABLES},
            "gone": {name: sorted(id for table, id in gone if table == name) for name in TABLES},
        }


def _parts(kept: Kept) -> Iterator[tuple[Place, str, Message]]:
    """Each with what tells it from another of its place; that of a page is its id."""
    for turn in kept.memory["turns"]:
        yield ("turns", turn["question_id"]), json.dumps(turn), turn
    for at, message in enumerate(kept.memory["context"]):
        yield ("contexts", at), json.dumps(message), message
    for id, page in kept.pages.items():
        yield ("pages", id), id, page
