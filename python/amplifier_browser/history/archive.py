"""The kept conversations, by the page's database (sidepanel/sessions-store.js): lists, searches, reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .parts import Parts
from .records import BadRecord, Kept, Message, Record

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call
WORDS = re.compile(r"\S+")


@dataclass(frozen=True)
class Hit:
    """A conversation of the list; `snippet`: where the words of a search were found in it, "" without one."""

    record: Record
    snippet: str


class Archive:
    """Raises HostError where the database fails."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def list(self) -> list[Record]:
        """All that can be listed: pinned ones first, then the latest. A record that cannot be read has its id as its title."""
        records = [_listed(stored) for stored in await self._call("sessions.list") or []]
        return sorted(records, key=_rank)

    async def search(self, query: str) -> list[Hit]:
        """Those that hold all words of `query`, in the order of the list."""
        words = [word.lower() for word in WORDS.findall(query)]
        found = await self._call("sessions.search", words=words) if words else []
        return in_order([Hit(_listed(each["session"]), each["snippet"]) for each in found])

    async def expect_search(self) -> None:
        """Says that somebody looks at the list, and may search in it."""
        await self._call("sessions.expect-search")

    async def read(self, session_id: str) -> Kept:
        """A whole conversation; raises BadRecord."""
        stored = await self._call("sessions.read", id=session_id)
        if not stored:
            raise BadRecord("it is not there any more")
        return Kept.of(stored)

    async def raw(self, session_id: str) -> Message | None:
        """What is stored, unchecked; None if nothing is."""
        return await self._call("sessions.read", id=session_id)

    async def write(self, kept: Kept, text: str) -> None:
        """Writes a whole conversation; `text` is what searches look through."""
        await self._call(
            "sessions.write",
            session=kept.record.stored(),
            messages=kept.messages,
            order=[message["id"] for message in kept.messages],
            **Parts().change(kept),
            text=text,
        )

    async def change(self, session_id: str, **changes: Any) -> None:
        """Changes fields of a record."""
        await self._call("sessions.change", id=session_id, changes=changes)

    async def delete(self, ids: Sequence[str]) -> None:
        """Takes conversations away, those that cannot be read too."""
        await self._call("sessions.delete", ids=list(ids))

    async def restore(self, ids: Sequence[str]) -> None:
        """Brings back what the last deletion took, as it was."""
        await self._call("sessions.restore", ids=list(ids))


def in_order(hits: Sequence[Hit]) -> list[Hit]:
    """As they are listed."""
    return sorted(hits, key=lambda hit: _rank(hit.record))


def _rank(record: Record) -> tuple[bool, int]:
    return not record.pinned, -record.updated


def _listed(stored: Message) -> Record:
    try:
        return Record.of(stored)
    except (BadRecord, TypeError):
        return Record(id=str(stored.get("id")), title="This conversation cannot be read")
