"""The list of kept conversations: what the view's commands do to it, and to the one that is open."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .archive import Archive, Hit, in_order
from .export import as_json, as_markdown, file_name, from_json, images_in
from .keeper import Keeper, Outbox
from .pictures import gathered, unpacked
from .records import TITLE_CHARACTERS, BadRecord, Kept, Message, Record, text_of
from .troubles import in_a_line, lost_conversations, unreadable

PATIENCE = 3  # seconds until the page that was before this one, in this window, has let go of its conversation
OPEN_ELSEWHERE = "This conversation is open in another window. Close it there, or take it over here."


class Conversation(Protocol):
    """What the list asks of the application."""

    async def resume(self, kept: Kept, is_temporary: bool = False) -> None:
        """Goes on with a conversation that is on the disk, unless it is temporary, in the place of the open one."""
        ...

    def begin(self, is_temporary: bool) -> None:
        """Begins a new one."""
        ...

    async def snapshot(self) -> Kept:
        """The open one as it stands."""
        ...


@dataclass
class SessionList:
    """Takes the view's commands; each failure is told, and changes nothing."""

    archive: Archive
    keeper: Keeper
    conversation: Conversation
    call: Callable[..., Awaitable[Any]]
    emit: Callable[[Message], None]

    def __post_init__(self) -> None:
        self._dropped: list[Outbox] = []  # by the last deletion: what had not been on the disk
        self._query = ""
        self.takers: dict[str, Callable[[Message], Awaitable[None]]] = {
            "list-sessions": self._list,
            "search-sessions": self._search,
            "open-session": self._open,
            "rename-session": self._rename,
            "pin-session": self._pin,
            "delete-session": self._delete,
            "restore-sessions": self._restore,
            "fork-session": self._fork,
            "export-session": self._export,
            "import-session": self._import,
            "delete-all-sessions": self._delete_all,
        }

    async def handle(self, command: Message) -> None:
        """Does what a command asks, and shows the list anew."""
        try:
            await self.takers[command["type"]](command)
        except BadRecord as error:
            self._notice("error", f"This conversation cannot be opened: {error}. Export it to keep what is there, or delete it.")
        except Exception as error:
            self._notice("error", in_a_line("The list of conversations could not be read or changed", str(error)))
        await self.show()

    async def show(self) -> None:
        """Sends the list, or what was searched for in it."""
        error = None
        hits: list[Hit] = []
        try:
            await self.keeper.flush()
            hits = await self._found()
        except Exception as failure:
            error = unreadable(str(failure))
        if not self._query.strip():
            hits = self._with_unsaved(hits)
        shown = [self._shown(hit.record, hit.snippet) for hit in hits]
        self.emit({"type": "sessions", "query": self._query, "sessions": shown, "error": error})

    async def _found(self) -> list[Hit]:
        if self._query.strip():
            return await self.archive.search(self._query)
        return [Hit(record, "") for record in await self.archive.list()]

    def _with_unsaved(self, hits: list[Hit]) -> list[Hit]:
        """What could not be written is in no database, or in it as it was before."""
        unsaved = {kept.record.id: kept.record for kept in self.keeper.unsaved()}
        return in_order([*(hit for hit in hits if hit.record.id not in unsaved), *(Hit(each, "") for each in unsaved.values())])

    def _shown(self, record: Record, snippet: str) -> Message:
        fields = ("id", "title", "created", "updated", "pinned", "messages", "model")
        found = {"snippet": snippet} if snippet else {}
        is_open = record.id == self.keeper.record.id
        return {**{name: getattr(record, name) for name in fields}, "open": is_open, **found}

    async def left_off(self) -> Kept | None:
        """The conversation that was open in this window, or one that was being answered when the browser went; if no other
        window has it. Raises BadRecord."""
        last = await self.call("sessions.last")
        candidates = [last] if last else []
        records = await self.archive.list()
        if not records:
            await self._tell_lost()
        candidates += [record.id for record in records if record.answering and record.id != last]
        for session_id in candidates:
            if await self.call("sessions.claim", id=session_id, seconds=PATIENCE if session_id == last else 0):
                stored = await self.archive.raw(session_id)
                if stored:
                    return Kept.of(stored)
        return None

    async def _tell_lost(self) -> None:
        """Of a database that Chrome threw away nothing is left, not even that there was one."""
        if lost := await self.call("sessions.lost"):
            self._notice("warning", lost_conversations(lost["count"], lost["last"]))

    # -- commands

    async def _list(self, _command: Message) -> None:
        self._query = ""
        await self.archive.expect_search()

    async def _search(self, command: Message) -> None:
        self._query = command["query"]

    async def _open(self, command: Message) -> None:
        session_id = command["id"]
        if session_id == self.keeper.record.id:
            return
        kept = self._unsaved(session_id) or await self.archive.read(session_id)
        if not await self.call("sessions.claim", id=session_id, steal=bool(command.get("take"))):
            action = {"label": "Take it over", "command": {"type": "open-session", "id": session_id, "take": True}}
            self._notice("warning", OPEN_ELSEWHERE, action)
            return
        await self.conversation.resume(kept)

    async def _rename(self, command: Message) -> None:
        title = " ".join(command["title"].split())[:TITLE_CHARACTERS]
        if not title:
            return
        if command["id"] == self.keeper.record.id:
            self.keeper.rename(title)
        else:
            await self.archive.change(command["id"], title=title, is_titled=True)

    async def _pin(self, command: Message) -> None:
        if command["id"] == self.keeper.record.id:
            self.keeper.record.pinned = command["pinned"]
            self.keeper.remember()
        await self.archive.change(command["id"], pinned=command["pinned"])

    async def _delete(self, command: Message) -> None:
        await self._forget([command["id"]])

    async def _delete_all(self, _command: Message) -> None:
        listed = self._with_unsaved([Hit(record, "") for record in await self.archive.list()])
        await self._forget([hit.record.id for hit in listed if not hit.record.pinned])

    async def _forget(self, ids: list[str]) -> None:
        await self.keeper.flush()
        for session_id in list(ids):
            if session_id != self.keeper.record.id and not await self.call("sessions.claim", id=session_id):
                self._notice("warning", "A conversation that is open in another window was not deleted.")
                ids.remove(session_id)
        if self.keeper.record.id in ids:
            self.conversation.begin(is_temporary=False)
            await self.keeper.flush()  # the last of it, before it is deleted, or it would be written once more
        self._dropped = await self.keeper.drop(ids)
        try:
            await self.archive.delete(ids)
        except Exception:
            self.keeper.take_back(self._dropped)
            raise

    async def _restore(self, command: Message) -> None:
        await self.archive.restore(command["ids"])
        self.keeper.take_back([outbox for outbox in self._dropped if outbox.record.id in command["ids"]])
        self._dropped = []

    def _unsaved(self, session_id: str) -> Kept | None:
        return next((kept for kept in self.keeper.unsaved() if kept.record.id == session_id), None)

    async def _fork(self, command: Message) -> None:
        """A new conversation with all up to a message, which goes on by itself; the old one stays as it is."""
        forked = fork(await self.conversation.snapshot(), command["message"])
        if not self.keeper.is_temporary:
            await self.archive.write(forked, text_of(forked.messages))
        await self.conversation.resume(forked, self.keeper.is_temporary)

    async def _export(self, command: Message) -> None:
        is_open = command["id"] == self.keeper.record.id
        whole = await self.conversation.snapshot() if is_open else self._unsaved(command["id"])
        stored = whole.stored() if whole else await self.archive.raw(command["id"])
        if not stored:
            raise BadRecord("it is not there any more")
        title = str(stored["session"].get("title", ""))
        if command["format"] == "markdown":
            text, name, mime = as_markdown(Kept.of(stored)), file_name(title, "md"), "text/markdown"
        else:
            images = await gathered(stored, self.call)
            text, name, mime = as_json({**stored, **images}), file_name(title, "json"), "application/json"
        await self.call("file.save", name=name, text=text, mime=mime)

    async def _import(self, command: Message) -> None:
        try:
            kept = from_json(command["text"])
        except BadRecord as error:
            self._notice("error", f"{command.get('name', 'This file')} was not imported: {error}.")
            return
        kept = strangers(await unpacked(kept, images_in(command["text"]), self.call))
        known = {record.id for record in await self.archive.list()}
        if kept.record.id in known:
            kept.record = replace(kept.record, id=str(uuid.uuid4()))
        await self.archive.write(kept, text_of(kept.messages))
        self._notice("info", f"“{kept.record.title}” was imported.")

    def _notice(self, level: str, text: str, action: Message | None = None) -> None:
        self.emit({"type": "notice", "level": level, "text": text, **({"action": action} if action else {})})


def fork(kept: Kept, message_id: str) -> Kept:
    """A copy of a conversation up to a message, under a new id; raises BadRecord if it is not in it."""
    ids = [message["id"] for message in kept.messages]
    if message_id not in ids:
        raise BadRecord("this message is not in it any more")
    messages = kept.messages[: ids.index(message_id) + 1]
    names = {message["id"] for message in messages}
    turns = [turn for turn in kept.memory["turns"] if turn.get("answer_id") in names]
    later = [turn for turn in kept.memory["turns"] if turn.get("answer_id") not in names]
    known = later[0].get("before") if later else None
    context = kept.memory["context"] if known is None else kept.memory["context"][:known]
    now = int(time.time() * 1000)
    title = f"{kept.record.title} (copy)"
    record = replace(kept.record, id=str(uuid.uuid4()), title=title, is_titled=True, pinned=False, created=now, updated=now)
    pages = {turn["page"]: kept.pages[turn["page"]] for turn in turns if turn.get("page") in kept.pages}
    return Kept(record, messages, {"turns": turns, "context": context}, pages)


def strangers(kept: Kept) -> Kept:
    """A conversation from a file, which anybody may have written: nothing of it is asked or gone on with by itself, its system
    prompt is not the user's, and what the model is told of it counts as a stranger's text."""
    ended = ("done", "stopped", "error")
    messages = [each if each.get("state") in ended else {**each, "state": "stopped"} for each in kept.messages]
    context = [{**each, "metadata": {"untrusted": True}} for each in kept.memory["context"]]
    memory = {"turns": kept.memory["turns"], "context": context}
    return Kept(replace(kept.record, answering=False), messages, memory, kept.pages)
