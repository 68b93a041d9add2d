"""The open conversation: what is asked of it, what waits, and how it is left, kept and taken up again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .asking import asks_for_summary
from .citations import without_marks
from .documents.desk import Desk
from .history.keeper import Keeper
from .history.records import BadRecord, Kept
from .history.troubles import in_a_line
from .host import Host
from .images import question_about
from .links import link_of
from .page import PLACE
from .preferences import Preferences
from .problems import citation_problem
from .timeline import Timeline
from .transcript import Transcript
from .turn_runner import TurnRunner
from .turns import Turn, resumable
from .wishes import wish_of

Message = dict[str, Any]

NEXT_CONVERSATION = "The system prompt counts from the next conversation on; this one goes on with the one that it began with."


@dataclass
class Conversation:
    """One at a time; its turns run one after the other."""

    runner: TurnRunner
    transcript: Transcript
    keeper: Keeper
    desk: Desk
    preferences: Preferences
    timeline: Timeline
    host: Host
    spawn: Callable[[Coroutine[Any, Any, Any]], None]

    def __post_init__(self) -> None:
        self._turns: list[Turn] = []
        self._waiting: list[Turn] = []
        self._asked = asyncio.Event()
        self._is_prepared = False  # for the first question
        self._renew = False  # a new session is wanted, as soon as the running turn has ended
        self._resumed: Kept | None = None  # what the next session goes on from
        self._system = ""  # the user's own system prompt, as this conversation began with it

    async def open(self, left_off: Callable[[], Awaitable[Kept | None]]) -> None:
        """Goes on where this window, or a browser that crashed, left off; then with what was asked meanwhile."""
        self._system = self.preferences.system_prompt
        await self._take_up(left_off)
        await self._open_session()

    async def go_on(self) -> None:
        """Does what is next; waits for it, if there is nothing."""
        if self._renew:
            await self._open_session()
        elif self._waiting:
            turn = self._waiting.pop(0)
            if turn not in self._turns:
                self._turns.append(turn)
            await self.runner.run(turn, self.keeper.remember)
        else:
            self._asked.clear()
            if not self._is_prepared:
                self._is_prepared = True
                self.spawn(self.runner.prepare())
            await self._asked.wait()

    async def _open_session(self) -> None:
        self._renew = False
        kept, self._resumed = self._resumed, None
        await self.runner.open(self.keeper.record.id, kept, self._system)

    # -- what is asked

    def ask(self, turn: Turn) -> None:
        """Shows a question, and answers it when those before it are answered."""
        sent_with = {"attachments": turn.attachments} if turn.attachments else {}
        self.transcript.put({"id": turn.question_id, "role": "user", "state": "queued", "text": turn.text, **sent_with})
        self._enqueue(turn)

    def prompt(self, message: Message) -> None:
        """Asks what the user typed."""
        self.ask(self._turn(message["id"], message["text"], self.desk.send(message.get("attachments") or [])))

    def _turn(self, question_id: str, text: str, sent: list[Message]) -> Turn:
        """What the user typed; images may be sent without a word."""
        prompt = "" if text.strip() else question_about(sent)
        return Turn(question_id, text, self._is_summary(text, sent), attachments=sent, prompt=prompt)

    def summarize(self, question_id: str, style: str | None = None, language: str | None = None) -> None:
        """Asks for the summary of the page in front; what is not said of it is the saved preference."""
        line = self.preferences.chosen(style, language).line
        self.ask(Turn(question_id, line, is_summary=True, style=style, language=language))

    def _is_summary(self, text: str, sent: list[Message]) -> bool:
        """Whether a message asks for the summary of the page in front, or of the one tab that it was sent with."""
        if sent:
            return self.desk.only_tab(sent) is not None and asks_for_summary(text, of_attached=True)
        return asks_for_summary(text)

    def wish(self, message: Message) -> None:
        """What the user chose in the page's context menu, or by a key."""
        if message["action"] == "summarize-page":
            self.summarize(message["id"])
        elif message["action"] == "ask":
            self.desk.select(message["id"], message["title"], message["text"])
        elif wish := wish_of(message["action"], message["text"], self.preferences.choice.language or message["language"]):
            self.ask(Turn(message["id"], wish.line, prompt=wish.prompt))
        elif message["action"] == "summarize-link" and (link := link_of(message.get("link", ""))):
            self.ask(Turn(message["id"], link.line, is_summary=True, link=link))

    def _enqueue(self, turn: Turn) -> None:
        self._waiting.append(turn)
        self.keeper.remember()
        self._asked.set()

    def stop(self) -> None:
        """Ends the running turn and takes back those that wait; their questions stay in the panel."""
        for turn in self._waiting:
            asked_before = turn.answer_id in self.transcript
            self.transcript.update(turn.answer_id if asked_before else turn.question_id, state="stopped")
        self._waiting.clear()
        self.runner.stop()

    def again(self, answer_id: str, keep: bool) -> None:
        """Answers the turn of `answer_id` anew, or goes on with what its answer had come to."""
        turn = next((turn for turn in self._turns if turn.answer_id == answer_id), None)
        if turn is None or turn is self.runner.current or turn.question_id not in self.transcript:
            return
        self._drop_after(turn)
        answer = self.transcript.get(answer_id)
        written = answer.get("text", "")
        turn.prefix = (without_marks(written) if answer.get("citations") else written) if keep else ""
        if keep:
            self.transcript.update(answer_id, state="queued", error=None, text=turn.prefix, citations=None)
        else:
            turn.is_retried = self.transcript.get(answer_id).get("state") == "done"
            self.transcript.remove([answer_id])
            turn.answer_id, turn.notes, turn.reread = str(uuid.uuid4()), [], True
            self.transcript.put({"id": turn.answer_id, "role": "assistant", "state": "queued", "text": ""})
        self._enqueue(turn)

    def edit(self, question_id: str, text: str) -> None:
        """Asks an earlier question in other words; what followed it goes."""
        self._waiting = [turn for turn in self._waiting if turn.question_id != question_id]
        turn = next((turn for turn in self._turns if turn.question_id == question_id), None)
        if turn is None:  # its turn has not come, or it was taken back before
            if question_id in self.transcript:
                sent: list[Message] = self.transcript.get(question_id).get("attachments", [])
                self.ask(self._turn(question_id, text, sent))
            return
        self.stop()
        self._drop_after(turn)
        if turn.answer_id:
            self.transcript.remove([turn.answer_id])
        self._turns.remove(turn)
        is_same = text.strip() == turn.text
        still_summary = self._is_summary(text, turn.attachments) or (turn.is_summary and is_same)
        prompt, link = (turn.prompt, turn.link) if is_same else ("", None)
        again = Turn(question_id, text, still_summary, attachments=turn.attachments, prompt=prompt, link=link, before=turn.before)
        self.ask(again)

    def _drop_after(self, turn: Turn) -> None:
        index = self._turns.index(turn)
        later = self._turns[index + 1 :]
        self._turns = self._turns[: index + 1]
        self.transcript.remove([name for each in later for name in (each.question_id, each.answer_id) if name])

    async def show_citation(self, answer_id: str, number: int) -> None:
        """Marks the passage of a citation in the page it is from; says why not, if it cannot be."""
        citations: list[Message] = self.transcript.get(answer_id).get("citations", [])
        for citation in citations:
            if citation["number"] == number:
                place = {name: citation[name] for name in ("tab", "url", "quote", *PLACE) if name in citation}
                shown = await self.host.call("page.show", **place)
                if problem := citation_problem(shown):
                    self._notice("warning", problem)

    # -- which one is open

    def begin(self, is_temporary: bool) -> None:
        """Begins a new conversation; the old one stays on the disk, unless it is temporary."""
        self._leave()
        self._enter([], [])
        self.keeper.begin(is_temporary=is_temporary)
        self._tell_window()

    async def resume(self, kept: Kept, is_temporary: bool = False) -> None:
        """Goes on with a kept conversation; with an answer that was cut off, too. Raises BadRecord, and then nothing changes."""
        turns = [Turn.of(each, kept) for each in kept.memory["turns"]]
        waiting = [Turn.of(each, kept) for each in kept.memory.get("waiting", [])]
        self._leave()
        self._resumed = kept
        self._enter(kept.messages, turns)
        self.keeper.begin(kept, is_temporary)
        self._tell_window()
        if kept.record.answering:
            self.keeper.remember()
        for turn in resumable(turns, kept.messages):
            self.again(turn.answer_id, keep=True)
        for turn in waiting:
            self.ask(turn)

    def taken(self, session_id: str) -> None:
        """Another window goes on with this conversation."""
        if session_id == self.keeper.record.id:
            self.begin(is_temporary=False)
            self._notice("info", "This conversation was taken over by another window. A new one begins here.")

    def adopt_settings(self, is_system: bool) -> None:
        """Other settings count for this conversation while nothing has been asked in it. `is_system`: also the system prompt."""
        if self._turns or self._waiting:
            if is_system and self.preferences.system_prompt != self._system:
                self._notice("info", NEXT_CONVERSATION)
        else:
            self._system = self.preferences.system_prompt
            self._begin_session()

    def _leave(self) -> None:
        """Ends what runs: it would go on only to be forgotten."""
        self.stop()
        if turn := self.runner.current:
            self.transcript.update(turn.answer_id, state="stopped", progress=None)
        self.keeper.end()

    def _enter(self, messages: list[Message], turns: list[Turn]) -> None:
        self.transcript.clear()
        self.transcript.fill(messages)
        self._turns = turns
        kept = self._resumed
        self._system = kept.memory.get("system", "") if kept else self.preferences.system_prompt
        if self.runner.session:  # else the panel has just started, and what was sent is not of any older conversation
            self.desk.forget_conversation()  # now: what is sent from here on belongs to the new one
        self.desk.restore(kept.memory.get("attachments", []) if kept else [], kept.pages if kept else {})
        self._begin_session()

    def _begin_session(self) -> None:
        self._renew = True
        self._asked.set()

    def _tell_window(self) -> None:
        """So that this window opens it again, and no other one writes it."""
        self.spawn(self.host.call("sessions.open", id="" if self.keeper.is_temporary else self.keeper.record.id))

    async def _take_up(self, left_off: Callable[[], Awaitable[Kept | None]]) -> None:
        kept = None
        try:
            kept = await left_off()
        except Exception as error:  # the panel works without its past
            self._tell_closed(error)
        if self.keeper.is_looking:  # the user has begun a new one meanwhile
            return
        early, self._waiting = self._waiting, []
        if not (kept and await self._resumes(kept)):
            kept = None
            self.keeper.begin()
            self._tell_window()
        known = {message["id"] for message in kept.messages} if kept else set[str]()
        for turn in early:
            if turn.question_id not in known:
                self.ask(turn)

    async def _resumes(self, kept: Kept) -> bool:
        try:
            await self.resume(kept)
        except BadRecord as error:
            self._tell_closed(error)
            return False
        if kept.messages:
            self.timeline.taken_up(kept.record.title, kept.record.answering)
        return True

    def _tell_closed(self, error: Exception) -> None:
        left = "What there is of it stays in the list of conversations."
        self._notice("warning", in_a_line("The last conversation could not be opened", f"{error}. {left}"))

    def _notice(self, level: str, text: str) -> None:
        self.host.emit({"type": "notice", "level": level, "text": text})

    # -- what is kept

    async def snapshot(self) -> Kept:
        """The conversation as it stands."""
        return Kept(self.keeper.record, self.shown(), self.memory(), self.pages())

    def shown(self) -> list[Message]:
        """All messages in the order of the panel: each question with its answer, then those that wait."""
        answered = [name for turn in self._turns for name in (turn.question_id, turn.answer_id)]
        names = dict.fromkeys([*answered, *self.transcript.ids])
        return [self.transcript.get(name) for name in names if name in self.transcript]

    def memory(self) -> Message:
        """Kept.memory; while a turn runs, of the conversation before it."""
        context = self.runner.context
        if self._renew:  # what runs is of another conversation
            context = self._resumed.memory["context"] if self._resumed else []
        waiting = [turn for turn in self._waiting if turn not in self._turns]
        return {
            "turns": [each.stored() for each in self._turns],
            "waiting": [each.stored() for each in waiting],
            "context": context,
            "attachments": self.desk.stored(),
            **({"system": self._system} if self._system else {}),
        }

    def pages(self) -> dict[str, Message]:
        """Kept.pages."""
        about = [turn.page for turn in [*self._turns, *self._waiting]]
        return {page.id: page.stored for page in [*about, *self.desk.pages()] if page}
