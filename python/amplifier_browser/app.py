"""The application: takes the panel's commands, runs one turn at a time in an Amplifier session, and keeps the transcript."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .approvals import Grants, PanelApprovals
from .asking import asks_for_summary, said_of_summary
from .citations import without_marks
from .document_answers import DocumentAnswer, room
from .documents.attachments import UnreadableAttachment
from .documents.desk import Desk
from .documents.library import LibraryClient
from .documents.listing import Listing
from .documents.material import Resources
from .documents.temporary import TemporaryDocuments
from .engine import Engine
from .history.archive import Archive
from .history.keeper import Current, Keeper
from .history.records import BadRecord, Kept
from .history.session_list import SessionList
from .host import Host
from .links import link_of, read_link
from .models.shelf import Models
from .module_capabilities import ModuleCapabilities
from .modules.loop_streaming import TurnOptions
from .page import PLACE, Page, UnreadablePage, read_page
from .problems import answer_problem, citation_problem, engine_problem, start_problem
from .reading_time import Paces
from .sandbox import Sandboxes
from .sessions import Panel, Services, open_session, retried
from .settings import Settings
from .status import status
from .storage import Storage
from .summary import Summarizer
from .summary_styles import STYLES, Choice
from .timeline import Timeline
from .tool_choice import Offer, Round, asked_for, is_small, offer
from .transcript import MessageSink, Transcript
from .turns import Turn, resumable
from .user_modules import UserModules
from .wishes import wish_of

Message = dict[str, Any]
Result = TypeVar("Result")

NEXT_CONVERSATION = "The system prompt counts from the next conversation on; this one goes on with the one that it began with."
PAGE_TOOLS = ("read_page", "find_in_page")


class Stopped(Exception):
    """The user stopped the turn before the model was asked."""


class App:
    """One panel's conversation."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """`post` takes one JSON text for the page."""
        self._host = Host(post)
        self._timeline = Timeline(self._host.emit)
        self._host.on_event = self._timeline.saw
        self._engine = Engine(lambda message: self._host.emit({"type": "to-engine", "message": message}))
        self._engine.on_state = self._show_engine
        self._services = self._make_services()
        self._desk = self._make_desk()
        self._listing = Listing(self._services.library)
        self._listing.tell(self._desk.listed, lambda: self._desk.is_indexing)
        self._engine.on_library = self._listing.library_changed
        self._models = Models(self._engine, self._services.storage, self._host.call, self._host.emit, self._spawn)
        self._engine.on_downloads = self._models.downloads_changed
        self._models.record = self._timeline.add
        self._preparing: asyncio.Future[Any] | None = None  # what an answer waits for before the model is asked
        self._settings = Settings(self._services, self._host.emit, lambda: self._session, self._listing)
        self._listing.tell(lambda _documents: self._spawn(self._settings.show()), lambda: self._settings.is_open)
        self._transcript = Transcript(self._show)
        self._paces = Paces(self._services.storage)
        self._session: Any = None
        self._turns: list[Turn] = []
        self._waiting: list[Turn] = []
        self._asked = asyncio.Event()
        self._current: Turn | None = None
        self._sink: MessageSink | None = None
        self._renew = False  # a new session is wanted, as soon as the running turn has ended
        self._resumed: Kept | None = None  # what the next session goes on from
        self._system = ""  # the user's own system prompt, as this conversation began with it
        self._context: list[Message] = []  # the conversation, as the model was last told of it
        self._tasks: set[asyncio.Future[Any]] = set()
        current = Current(self._shown, self._memory, lambda: str(self._engine.state["model"] or ""))
        self._keeper = Keeper(self._host.call, self._host.emit, current)
        self._kept = SessionList(Archive(self._host.call), self._keeper, self, self._host.call, self._host.emit)
        self._takers = self._make_takers()

    def _make_services(self) -> Services:
        call = self._host.call
        storage, sandboxes, display = Storage(call), Sandboxes(call), Panel(self._host.emit)
        grants, capabilities = Grants(storage), ModuleCapabilities(call, storage, self._engine)
        modules = UserModules(
            storage,
            sandboxes,
            notify=lambda level, text: display.show_message(text, level),
            capabilities=capabilities,
            builtin_tools=self._builtin_tools,
            on_change=lambda: self._spawn(self._settings.show()),
        )
        return Services(
            engine=self._engine,
            library=LibraryClient(self._engine.request),
            call=call,
            storage=storage,
            sandboxes=sandboxes,
            display=display,
            grants=grants,
            approvals=PanelApprovals(self._host.emit, grants),
            modules=modules,
            capabilities=capabilities,
            status=self._status,
        )

    def _make_desk(self) -> Desk:
        engine, library = self._engine, self._services.library
        resources = Resources(library, TemporaryDocuments(library), self._host.call, engine.count, lambda: room(engine))
        return Desk(resources, self._host.emit, self._spawn)

    def _builtin_tools(self) -> list[str]:
        tools = self._session.coordinator.get("tools") if self._session else {}
        return [name for name in tools if name not in self._services.modules.tools()]

    async def run(self) -> None:
        """Opens the session, then answers turn after turn, for as long as the panel is open."""
        try:
            await self._settings.preferences.load()
            self._system = self._settings.preferences.system_prompt
            await self._take_up()
            self._renew = False
            await self._open_session()
        except Exception as error:  # without a session nothing works, and the user must know
            self._host.emit({"type": "fatal", "error": start_problem(str(error))})
            return
        self._host.emit({"type": "ready"})
        self._spawn(self._settings.show())
        while True:
            if self._renew:
                await self._replace_session()
            elif self._waiting:
                await self._answer(self._waiting.pop(0))
            else:
                self._asked.clear()
                await self._asked.wait()

    async def _open_session(self) -> None:
        kept, self._resumed = self._resumed, None
        self._context = kept.memory["context"] if kept else []
        where = (self._services, lambda: self._sink, self._turn_options)
        self._session = await open_session(*where, session_id=self._keeper.record.id, resumed=kept, system=self._system)

    def _turn_options(self) -> TurnOptions:
        turn = self._current
        if turn is None:
            return TurnOptions()
        chosen = _choice(turn).style.sampling() if turn.is_summary else self._settings.preferences.sampling()
        return TurnOptions(turn.prefix, retried(chosen) if turn.is_retried else chosen, offer=self._offer)

    def _offer(self, prompt: str, tools: Message, rounds: list[Round]) -> Offer:
        """A page is summarized, a selection explained, and an answer gone on with, without tools."""
        turn = self._current
        if turn and turn.is_summary:
            return Offer(tools=(), answer_prefix="" if turn.prefix else _choice(turn).begins)
        if turn is None or turn.prompt or turn.prefix or turn.is_from_documents:
            return Offer(tools=())
        return offer(prompt, tools, rounds, is_small(self._engine.model))

    async def _status(self) -> Message | None:
        """What the model is told of the moment; nothing while it summarizes, where each token counts."""
        is_summary = self._current is not None and self._current.is_summary
        return None if is_summary else await status(self._host.call, self._engine.model)

    # -- what the page says

    def receive(self, message: Message) -> None:
        """Takes one message from the page: a command of the view, the engine's word, or the answer to a call."""
        if take := self._takers.get(message["type"]):
            take(message)

    def _make_takers(self) -> dict[str, Callable[[Message], object]]:
        """Who takes which message: sidepanel/types.js has the commands."""
        approvals, sandboxes, spawn = self._services.approvals, self._services.sandboxes, self._spawn
        return {
            "from-engine": lambda message: self._engine.receive(message["message"]),
            "engine-gone": lambda message: self._engine.gone(message["reason"]),
            "returned": self._host.settle,
            "raised": self._host.settle,
            "from-sandbox": sandboxes.receive,
            "sandbox-gone": sandboxes.receive,
            "prompt": self._prompt,
            "wish": self._wish,
            "summarize": lambda message: self._summarize(
                message.get("id") or _new_id(), message.get("style"), message.get("language")
            ),
            "stop": lambda _message: self._stop(),
            "retry": lambda message: self._again(message["id"], keep=False),
            "continue": lambda message: self._again(message["id"], keep=True),
            "edit": lambda message: self._edit(message["id"], message["text"]),
            "new-session": lambda message: self.begin(bool(message.get("temporary"))),
            "session-taken": lambda message: self._taken(message["id"]),
            "restarted": lambda message: self._timeline.go_on(message["entries"], message["reason"]),
            **dict.fromkeys(self._kept.takers, lambda message: spawn(self._kept.handle(message))),
            "choose-model": lambda message: self._choose_model(message["model"]),
            "hide-models": lambda _message: self._models.close(),
            **dict.fromkeys(Models.COMMANDS, lambda message: spawn(self._models.handle(message))),
            "reload-engine": lambda _message: self._engine.load(),
            "show-citation": lambda message: spawn(self._show_citation(message["id"], message["number"])),
            "approve": lambda message: approvals.approve(message["id"], message["scope"]),
            "deny": lambda message: approvals.deny(message["id"]),
            "attach-started": self._desk.started,
            "attach-document": lambda message: spawn(self._desk.attach(message)),
            "ask-documents": lambda message: self._desk.collect(_new_id(), message["collection"]),
            "detach": lambda message: self._desk.detach(message["id"]),
            "mention-tab": self._desk.mention_tab,
            "mention-document": self._desk.mention_document,
            "follow-tab": lambda message: self._desk.followed.follow(message["value"]),
            "tab-changed": lambda message: self._desk.followed.tab_changed(message["tab"]),
            "permissions-changed": lambda message: self._desk.followed.permissions_changed(message["permissions"]),
            **dict.fromkeys(Settings.COMMANDS, lambda message: spawn(self._change_settings(message))),
        }

    async def _change_settings(self, command: Message) -> None:
        await self._settings.handle(command)
        is_system = command.get("name") == "system_prompt" or command["type"] == "reset-settings"
        if self._turns or self._waiting:
            if is_system and self._settings.preferences.system_prompt != self._system:
                self._host.emit({"type": "notice", "level": "info", "text": NEXT_CONVERSATION})
        elif is_system or command["type"] == "enable-module":  # this session counts as a new one
            self._system = self._settings.preferences.system_prompt
            self._begin_session()

    def _show_engine(self, state: Message) -> None:
        model = self._engine.model
        shown = {
            "state": state["state"],
            "engine": state.get("engine"),
            "model": model and {name: model[name] for name in ("id", "name", "context_window")},
            "models": [{"id": each["id"], "name": each["name"]} for each in state["models"]],
            "progress": state["progress"],
            "text": state["text"],
            "error": engine_problem(state["error"], state["state"], state.get("engine")),
        }
        self._host.emit({"type": "engine", "engine": shown})
        self._models.engine_changed()

    # -- commands

    def _ask(self, turn: Turn) -> None:
        sent_with = {"attachments": turn.attachments} if turn.attachments else {}
        self._transcript.put({"id": turn.question_id, "role": "user", "state": "queued", "text": turn.text, **sent_with})
        self._enqueue(turn)

    def _summarize(self, question_id: str, style: str | None = None, language: str | None = None) -> None:
        line = self._settings.preferences.chosen(style, language).line
        self._ask(Turn(question_id, line, is_summary=True, style=style, language=language))

    def _prompt(self, message: Message) -> None:
        sent = self._desk.send(message.get("attachments") or [])
        self._ask(Turn(message["id"], message["text"], self._is_summary(message["text"], sent), attachments=sent))

    def _is_summary(self, text: str, sent: list[Message]) -> bool:
        """Whether a message asks for the summary of the page in front, or of the one tab that it was sent with."""
        if sent:
            return self._desk.only_tab(sent) is not None and asks_for_summary(text, of_attached=True)
        return asks_for_summary(text)

    def _wish(self, message: Message) -> None:
        """What the user chose in the page's context menu, or by a key."""
        if message["action"] == "summarize-page":
            self._summarize(message["id"])
        elif message["action"] == "ask":
            self._desk.select(message["id"], message["title"], message["text"])
        elif wish := wish_of(
            message["action"], message["text"], self._settings.preferences.choice.language or message["language"]
        ):
            self._ask(Turn(message["id"], wish.line, prompt=wish.prompt))
        elif message["action"] == "summarize-link" and (link := link_of(message.get("link", ""))):
            self._ask(Turn(message["id"], link.line, is_summary=True, link=link))

    def _enqueue(self, turn: Turn) -> None:
        self._waiting.append(turn)
        self._keeper.remember()
        self._asked.set()

    def _stop(self) -> None:
        """Ends the running turn and takes back those that wait; their questions stay in the panel."""
        for turn in self._waiting:
            asked_before = turn.answer_id in self._transcript
            self._transcript.update(turn.answer_id if asked_before else turn.question_id, state="stopped")
        self._waiting.clear()
        if self._current:
            self._session.coordinator.cancellation.request_graceful()
            self._engine.abort_all()
            self._services.approvals.deny_all()
            if self._preparing:
                self._preparing.cancel()
            self._session.coordinator.get("orchestrator").interrupt()

    def _again(self, answer_id: str, keep: bool) -> None:
        """Answers the turn of `answer_id` anew, or goes on with what its answer had come to."""
        turn = next((turn for turn in self._turns if turn.answer_id == answer_id), None)
        if turn is None or turn is self._current or turn.question_id not in self._transcript:
            return
        self._drop_after(turn)
        answer = self._transcript.get(answer_id)
        written = answer.get("text", "")
        turn.prefix = (without_marks(written) if answer.get("citations") else written) if keep else ""
        if keep:
            self._transcript.update(answer_id, state="queued", error=None, text=turn.prefix, citations=None)
        else:
            turn.is_retried = self._transcript.get(answer_id).get("state") == "done"
            self._transcript.remove([answer_id])
            turn.answer_id, turn.notes, turn.reread = _new_id(), [], True
            self._transcript.put({"id": turn.answer_id, "role": "assistant", "state": "queued", "text": ""})
        self._enqueue(turn)

    def _edit(self, question_id: str, text: str) -> None:
        """Asks an earlier question in other words; what followed it goes."""
        self._waiting = [turn for turn in self._waiting if turn.question_id != question_id]
        turn = next((turn for turn in self._turns if turn.question_id == question_id), None)
        if turn is None:  # its turn has not come, or it was taken back before
            if question_id in self._transcript:
                sent: list[Message] = self._transcript.get(question_id).get("attachments", [])
                self._ask(Turn(question_id, text, self._is_summary(text, sent), attachments=sent))
            return
        self._stop()
        self._drop_after(turn)
        if turn.answer_id:
            self._transcript.remove([turn.answer_id])
        self._turns.remove(turn)
        is_same = text.strip() == turn.text
        still_summary = self._is_summary(text, turn.attachments) or (turn.is_summary and is_same)
        prompt, link = (turn.prompt, turn.link) if is_same else ("", None)
        again = Turn(question_id, text, still_summary, attachments=turn.attachments, prompt=prompt, link=link, before=turn.before)
        self._ask(again)

    def _drop_after(self, turn: Turn) -> None:
        index = self._turns.index(turn)
        later = self._turns[index + 1 :]
        self._turns = self._turns[: index + 1]
        self._transcript.remove([name for each in later for name in (each.question_id, each.answer_id) if name])

    def begin(self, is_temporary: bool) -> None:
        """Begins a new conversation; the old one stays on the disk, unless it is temporary."""
        self._leave()
        self._enter([], [])
        self._keeper.begin(is_temporary=is_temporary)
        self._tell_window()

    async def resume(self, kept: Kept) -> None:
        """Goes on with a kept conversation; with an answer that was cut off, too. Raises BadRecord, and then nothing changes."""
        turns = [Turn.of(each, kept.memory["context"]) for each in kept.memory["turns"]]
        waiting = [Turn.of(each, kept.memory["context"]) for each in kept.memory.get("waiting", [])]
        self._leave()
        self._resumed = kept
        self._enter(kept.messages, turns)
        self._keeper.begin(kept.record)
        self._tell_window()
        if kept.record.answering:
            self._keeper.remember()
        for turn in resumable(turns, kept.messages):
            self._again(turn.answer_id, keep=True)
        for turn in waiting:
            self._ask(turn)

    async def snapshot(self) -> Kept:
        """The conversation as it stands."""
        return Kept(self._keeper.record, self._shown(), self._memory())

    def _leave(self) -> None:
        """Ends what runs: it would go on only to be forgotten."""
        self._stop()
        if self._current:
            self._transcript.update(self._current.answer_id, state="stopped", progress=None)
        self._keeper.end()

    def _enter(self, messages: list[Message], turns: list[Turn]) -> None:
        self._transcript.clear()
        self._transcript.fill(messages)
        self._turns = turns
        kept = self._resumed
        self._system = kept.memory.get("system", "") if kept else self._settings.preferences.system_prompt
        if self._session:  # else the panel has just started, and what was sent is not of any older conversation
            self._desk.forget_conversation()  # now: what is sent from here on belongs to the new one
        self._desk.restore(self._resumed.memory.get("attachments", []) if self._resumed else [])
        self._begin_session()

    def _tell_window(self) -> None:
        """So that this window opens it again, and no other one writes it."""
        self._spawn(self._host.call("sessions.open", id="" if self._keeper.is_temporary else self._keeper.record.id))

    async def _take_up(self) -> None:
        """Goes on where this window, or a browser that crashed, left off; then with what was asked meanwhile."""
        kept = None
        try:
            kept = await self._kept.left_off()
        except Exception as error:  # the panel works without its past
            self._tell_closed(error)
        if self._keeper.is_looking:  # the user has begun a new one meanwhile
            return
        early, self._waiting = self._waiting, []
        if not (kept and await self._resumes(kept)):
            kept = None
            self._keeper.begin()
            self._tell_window()
        known = {message["id"] for message in kept.messages} if kept else set[str]()
        for turn in early:
            if turn.question_id not in known:
                self._ask(turn)

    async def _resumes(self, kept: Kept) -> bool:
        try:
            await self.resume(kept)
        except BadRecord as error:
            self._tell_closed(error)
            return False
        if kept.messages:
            self._timeline.taken_up(kept.record.title, kept.record.answering)
        return True

    def _tell_closed(self, error: Exception) -> None:
        text = f"The last conversation could not be opened: {error}. What there is of it stays in the list of conversations."
        self._host.emit({"type": "notice", "level": "warning", "text": text})

    def _taken(self, session_id: str) -> None:
        """Another window goes on with this conversation."""
        if session_id == self._keeper.record.id:
            self.begin(is_temporary=False)
            text = "This conversation was taken over by another window. A new one begins here."
            self._host.emit({"type": "notice", "level": "info", "text": text})

    # -- what is kept

    def _show(self, event: Message) -> None:
        """Shows a change of the messages, and has it written."""
        self._host.emit(event)
        self._keeper.saw(event)

    def _shown(self) -> list[Message]:
        """All messages in the order of the panel: each question with its answer, then those that wait."""
        answered = [name for turn in self._turns for name in (turn.question_id, turn.answer_id)]
        return [
            self._transcript.get(name) for name in dict.fromkeys([*answered, *self._transcript.ids]) if name in self._transcript
        ]

    def _memory(self) -> Message:
        """Kept.memory; while a turn runs, of the conversation before it."""
        context = self._context if self._current is None else self._current.before or []
        if self._renew:  # what runs is of another conversation
            context = self._resumed.memory["context"] if self._resumed else []
        waiting = [turn for turn in self._waiting if turn not in self._turns]
        return {
            "turns": [each.stored() for each in self._turns],
            "waiting": [each.stored() for each in waiting],
            "context": context,
            "attachments": self._desk.stored(),
            **({"system": self._system} if self._system else {}),
        }

    def _begin_session(self) -> None:
        self._renew = True
        self._asked.set()

    async def _replace_session(self) -> None:
        old, self._renew = self._session, False
        self._services.grants.end_session()
        await self._open_session()
        await old.cleanup()

    async def _show_citation(self, answer_id: str, number: int) -> None:
        """Marks the passage of a citation in the page it is from; says why not, if it cannot be."""
        citations: list[Message] = self._transcript.get(answer_id).get("citations", [])
        for citation in citations:
            if citation["number"] == number:
                place = {name: citation[name] for name in ("tab", "url", "quote", *PLACE) if name in citation}
                shown = await self._host.call("page.show", **place)
                if problem := citation_problem(shown):
                    self._host.emit({"type": "notice", "level": "warning", "text": problem})

    def _choose_model(self, model: str) -> None:
        self._stop()
        self._engine.load(model)
        self._spawn(self._host.call("settings.set", model=model))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs `work` beside what runs; asyncio itself would forget it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- turns

    async def _answer(self, turn: Turn) -> None:
        self._current = turn
        self._host.emit({"type": "busy", "value": True})
        context = self._session.coordinator.get("context")
        if turn.before is None:
            turn.before = await context.get_messages()
        else:
            await context.set_messages(turn.before)
        if turn not in self._turns:
            self._turns.append(turn)
        self._begin(turn)
        self._keeper.remember()
        problem = None
        try:
            await self._run(turn)
        except (UnreadablePage, UnreadableAttachment) as unreadable:
            problem = unreadable.problem
        except Exception as error:  # whatever fails is shown, and the next turn can go on
            problem = answer_problem(self._failure(error), turn.answer_id, self._engine.state["state"])
        if self._session.coordinator.cancellation.is_cancelled:  # what waited was told to give up: that is no failure
            self._finish(turn, "stopped")
        else:
            self._finish(turn, "error" if problem else "done", problem)
        await self._settle(turn)

    def _choose(self, turn: Turn) -> None:
        """Settles the style and language of a summary: asked for by a button, by the words of the question, or saved."""
        said = said_of_summary("" if turn.link else turn.text)  # an address is no word of the user's
        language = said.language if turn.language is None else turn.language
        choice = self._settings.preferences.chosen(turn.style or said.style, language)
        turn.style, turn.language = choice.style.id, choice.language
        if turn.text == Choice().line != choice.line:  # asked for before it was known what is saved
            turn.text = choice.line
            self._transcript.update(turn.question_id, text=turn.text)

    def _begin(self, turn: Turn) -> None:
        if turn.is_summary:
            self._choose(turn)
        self._transcript.update(turn.question_id, state="done")
        if turn.answer_id in self._transcript:
            self._transcript.update(turn.answer_id, state="streaming", error=None)
        else:
            turn.answer_id = _new_id()
            self._transcript.put({"id": turn.answer_id, "role": "assistant", "state": "streaming", "text": ""})
        self._sink = MessageSink(self._transcript, turn.answer_id)

    async def _run(self, turn: Turn) -> None:
        if not turn.is_summary:
            if not await self._answered_from_documents(turn):
                await self._session.execute(turn.prompt or turn.text)
            return
        page = turn.page
        if page is None or turn.reread:
            MessageSink(self._transcript, turn.answer_id).progress("Reading the page", 0, 0)
            page = turn.page = await self._unless_stopped(self._read(turn))
            turn.reread = False
        self._transcript.update(turn.answer_id, source=page.source)
        sink = self._sink = self._sink or MessageSink(self._transcript, turn.answer_id)
        about = (self._session, self._services, self._transcript, turn.answer_id, turn.notes)
        await Summarizer(*about, _choice(turn), sink, self._paces).run(page)

    async def _read(self, turn: Turn) -> Page:
        """The page in front, or behind the link; one behind a link is not read twice, since its tab may be closed by now."""
        if turn.link:
            return turn.page or await read_link(turn.link, self._host.call, self._services.approvals)
        if tab := self._desk.only_tab(turn.attachments):
            return await self._desk.read(tab)
        return await read_page(self._host.call, turn.page)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What the work gives; raises Stopped if the user stopped meanwhile."""
        self._preparing = asyncio.ensure_future(work)
        try:
            return await self._preparing
        except asyncio.CancelledError:
            if not self._session.coordinator.cancellation.is_cancelled:
                raise
            raise Stopped from None
        finally:
            self._preparing = None

    async def _answered_from_documents(self, turn: Turn) -> bool:
        """Whether what is attached answers it. A question that has nothing to do with that is answered without, unless it was
        sent with an attachment."""
        is_continued_without = bool(turn.prefix) and not turn.is_from_documents
        if turn.prompt or is_continued_without or self._names_a_tool(turn):
            return False
        material = self._desk.material(turn.attachments)
        if not material.all:
            return False
        MessageSink(self._transcript, turn.answer_id).progress(material.label, 0, 0)
        await self._unless_stopped(material.prepare(turn.text))
        answer = DocumentAnswer(self._session, self._engine, material, self._transcript, turn.answer_id)
        turn.is_from_documents = True
        turn.is_from_documents = await answer.run(turn.text)
        self._desk.answered(material)
        if turn.is_from_documents and not turn.attachments:  # what is still in use can be seen
            self._transcript.update(turn.question_id, attachments=[each.sent() for each in material.used])
        if not turn.is_from_documents and turn.attachments:
            answer.refuse()
        return turn.is_from_documents or bool(turn.attachments)

    def _names_a_tool(self, turn: Turn) -> bool:
        """Whether it asks for a tool. Of a question that was sent with a tab, "this page" is that tab's."""
        tools = self._session.coordinator.get("tools") or {}
        if any(each["kind"] == "tab" for each in turn.attachments) and not turn.text.lstrip().startswith("/"):
            tools = {name: tool for name, tool in tools.items() if name not in PAGE_TOOLS}
        return asked_for(turn.text, tools) is not None

    def _failure(self, error: Exception) -> str:
        """The provider's own words where it failed; the kernel wraps every exception in a RuntimeError of its own."""
        if self._sink and self._sink.failure:
            return self._sink.failure
        return str(error).partition("Execution failed: ")[2].partition(": ")[2] or str(error)

    def _finish(self, turn: Turn, state: str, error: Message | None = None) -> None:
        if turn.answer_id in self._transcript:
            self._transcript.update(turn.answer_id, state=state, error=error, progress=None)

    async def _settle(self, turn: Turn) -> None:
        await self._forget_unanswered(turn)
        if turn.is_summary or turn.prompt or turn.is_from_documents:
            await self._mark_untrusted(len(turn.before or []))
        usage, model = self._transcript.get(turn.answer_id).get("usage"), self._engine.state["model"]
        if usage and model:
            await self._paces.learn(model, usage)
        self._context = await self._session.coordinator.get("context").get_messages()
        self._current = None
        self._sink = None
        self._keeper.remember()
        self._session.coordinator.cancellation.reset()
        self._host.emit({"type": "busy", "value": False})

    async def _forget_unanswered(self, turn: Turn) -> None:
        """A question without an answer would only confuse the model; notes on a page's sections are an answer of sorts."""
        if self._transcript.get(turn.answer_id).get("text"):
            return
        notes = [{"role": "assistant", "content": "\n\n".join(turn.notes)}] if turn.notes else []
        question = [{"role": "user", "content": turn.text}] if turn.notes else []
        await self._session.coordinator.get("context").set_messages([*(turn.before or []), *question, *notes])

    async def _mark_untrusted(self, first: int) -> None:
        """What a page says, and what was made of it, may ask for tools; whoever approves them must know."""
        context = self._session.coordinator.get("context")
        messages: list[Message] = await context.get_messages()
        marked = [{**message, "metadata": {**(message.get("metadata") or {}), "untrusted": True}} for message in messages[first:]]
        await context.set_messages([*messages[:first], *marked])


def _choice(turn: Turn) -> Choice:
    return Choice(STYLES[turn.style or Choice().style.id], turn.language or "")


def _new_id() -> str:
    return str(uuid.uuid4())
