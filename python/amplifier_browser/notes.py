"""What the user wants remembered: short texts in the extension's storage, until they are deleted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from .lexical import plain, rank
from .storage import Storage

Note = dict[str, str]  # {id, text, created: ISO 8601 in UTC}

NAME = "notes"
MOST_NOTES = 500
MOST_CHARACTERS = 2000


class NoteError(Exception):
    """The note cannot be kept; its text says why and what to do."""


class Notes:
    """The notes of all windows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def list(self) -> list[Note]:
        """All notes, newest first."""
        return (await self._storage.get(NAME, []))[::-1]

    async def add(self, text: str) -> Note:
        """Keeps a text; the same text again is the same note. Raises NoteError."""
        text = text.strip()
        if not text:
            raise NoteError("There is nothing to remember. Write what to remember.")
        if len(text) > MOST_CHARACTERS:
            raise NoteError(f"A note can have {MOST_CHARACTERS:,} characters, this one has {len(text):,}. Write it shorter.")
        created = datetime.now(UTC).isoformat(timespec="seconds")
        note = {"id": uuid.uuid4().hex[:12], "text": text, "created": created}
        kept = await self._storage.update(NAME, lambda notes: _with(notes, note), [])
        return next(known for known in kept if plain(known["text"]) == plain(text))

    async def delete(self, id: str) -> None:
        """Forgets a note; one that is gone already is no error."""
        await self._storage.update(NAME, lambda notes: [note for note in notes if note["id"] != id], [])

    async def search(self, about: str) -> list[Note]:
        """Notes that share words with `about`, best first."""
        notes = await self.list()
        return [notes[i] for i in rank(about, [note["text"] for note in notes])]


def _with(notes: list[Any], note: Note) -> list[Any]:
    if any(plain(known["text"]) == plain(note["text"]) for known in notes):
        return notes
    if len(notes) >= MOST_NOTES:
        raise NoteError(f"There are {MOST_NOTES} notes already. Delete some in Settings first.")
    return [*notes, note]
