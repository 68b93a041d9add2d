"""The application: takes the panel's commands, runs one turn at a time in an Amplifier session, and keeps the transcript."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from .approvals import Grants, PanelApprovals
from .asking import asks_for_summary
from .citations import without_marks
from .document_answers import DocumentAnswer
from .documents.desk import Desk, UnreadableAttachment
from .documents.library import LibraryClient
from .engine import Engine
from .host import Host
from .module_capabilities import ModuleCapabilities
from .modules.loop_streaming import TurnOptions
from .page import Page, UnreadablePage, read_page
from .problems import answer_problem, citation_problem, engine_problem, start_problem
from .sandbox import Sandboxes
from .sessions import RETRY_SAMPLING, Panel, Services, open_session
from .settings import Settings
from .status import status
from .storage import Storage
from .summary import SAMPLING, Summarizer
from .tool_choice import Offer, Round, asked_for, is_small, offer
from .transcript import MessageSink, Transcript
from .user_modules import UserModules
from .wishes import wish_of

Message = dict[str, Any]


@dataclass
class Turn:
    """One question and its answer. `before` is the conversation as it was when the turn began."""

    question_id: str
    text: str
    is_summary: bool = False
    attachments: list[Message] = field(default_factory=lambda: list[Message]())
    prompt: str = ""  # what the model is asked, where it is not the user's line: a stranger's text is in it
    answer_id: str = ""
    is_from_documents: bool = False
    page: Page | None = None
    reread: bool = True  # before it is answered: the page may have changed since
    before: list[Message] | None = None
    is_retried: bool = False  # another answer is wanted than the one there was
    prefix: str = ""  # what an interrupted answer had come to, to go on with
    notes: list[str] = field(default_factory=list)  # summaries of a page's sections that are done


class App:
    """One panel's conversation."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """`post` takes one JSON text for the page."""
        self._host = Host(post)
        self._engine = Engine(lambda message: self._host.emit({"type": "to-engine", "message": message}))
        self._engine.on_state = self._show_engine
        self._services = self._make_services()
        self._desk = Desk(self._services.library, self._host.emit, self._engine.count)
        self._engine.on_library = self._library_changed
        self._preparing: asyncio.Future[Any] | None = None  # what an answer waits for before the model is asked
        self._settings = Settings(self._services, self._host.emit, lambda: self._session)
        self._transcript = Transcript(self._host.emit)
        self._session: Any = None
        self._turns: list[Turn] = []
        self._waiting: list[Turn] = []
        self._asked = asyncio.Event()
        self._current: Turn | None = None
        self._sink: MessageSink | None = None
        self._renew = False  # a new session is wanted, as soon as the running turn has ended
        self._tasks: set[asyncio.Future[Any]] = set()
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

    def _builtin_tools(self) -> list[str]:
        tools = self._session.coordinator.get("tools") if self._session else {}
        return [name for name in tools if name not in self._services.modules.tools()]

    async def run(self) -> None:
        """Opens the session, then answers turn after turn, for as long as the panel is open."""
        try:
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
        self._session = await open_session(self._services, sink=lambda: self._sink, options=self._turn_options)

    def _turn_options(self) -> TurnOptions:
        turn = self._current
        if turn is None:
            return TurnOptions()
        sampling = {**(SAMPLING if turn.is_summary else {}), **(RETRY_SAMPLING if turn.is_retried else {})}
        return TurnOptions(turn.prefix, sampling, offer=self._offer)

    def _offer(self, prompt: str, tools: Message, rounds: list[Round]) -> Offer:
        """A page is summarized, a selection explained, and an answer gone on with, without tools."""
        turn = self._current
        if turn is None or turn.is_summary or turn.prompt or turn.prefix or turn.is_from_documents:
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
            "summarize": lambda message: self._summarize(message.get("id") or _new_id()),
            "stop": lambda _message: self._stop(),
            "retry": lambda message: self._again(message["id"], keep=False),
            "continue": lambda message: self._again(message["id"], keep=True),
            "edit": lambda message: self._edit(message["id"], message["text"]),
            "new-session": lambda _message: self._new_session(),
            "choose-model": lambda message: self._choose_model(message["model"]),
            "reload-engine": lambda _message: self._engine.load(),
            "show-citation": lambda message: spawn(self._show_citation(message["id"], message["number"])),
            "approve": lambda message: approvals.approve(message["id"], message["scope"]),
            "deny": lambda message: approvals.deny(message["id"]),
            "attach-started": self._desk.started,
            "attach-document": lambda message: spawn(self._desk.attach(message)),
            "ask-documents": lambda message: self._desk.collect(_new_id(), message["collection"]),
            "detach": lambda message: self._desk.detach(message["id"]),
            **dict.fromkeys(Settings.COMMANDS, lambda message: spawn(self._change_settings(message))),
        }

    async def _change_settings(self, command: Message) -> None:
        await self._settings.handle(command)
        if command["type"] == "enable-module" and not self._turns and not self._waiting:  # this session counts as a new one
            self._begin_session()

    def _show_engine(self, state: Message) -> None:
        model = self._engine.model
        shown = {
            "state": state["state"],
            "model": model and {name: model[name] for name in ("id", "name", "context_window")},
            "models": [{"id": each["id"], "name": each["name"]} for each in state["models"]],
            "progress": state["progress"],
            "text": state["text"],
            "error": engine_problem(state["error"], state["state"]),
        }
        self._host.emit({"type": "engine", "engine": shown})

    # -- commands

    def _ask(self, turn: Turn) -> None:
        sent_with = {"attachments": turn.attachments} if turn.attachments else {}
        self._transcript.put({"id": turn.question_id, "role": "user", "state": "queued", "text": turn.text, **sent_with})
        self._enqueue(turn)

    def _summarize(self, question_id: str) -> None:
        self._ask(Turn(question_id, "Summarize this page", is_summary=True))

    def _prompt(self, message: Message) -> None:
        used = self._desk.use(message.get("attachments") or [])
        is_summary = asks_for_summary(message["text"]) and not used
        self._ask(Turn(message["id"], message["text"], is_summary=is_summary, attachments=used))

    def _library_changed(self, state: Message) -> None:
        self._desk.library_changed(state)
        self._settings.library_changed(state)

    def _wish(self, message: Message) -> None:
        """What the user chose in the page's context menu, or by a key."""
        if message["action"] == "summarize-page":
            self._summarize(message["id"])
        elif message["action"] == "ask":
            self._desk.select(message["id"], message["title"], message["text"])
        elif wish := wish_of(message["action"], message["text"], message["language"]):
            self._ask(Turn(message["id"], wish.line, prompt=wish.prompt))

    def _enqueue(self, turn: Turn) -> None:
        self._waiting.append(turn)
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
                self._ask(Turn(question_id, text))
            return
        self._stop()
        self._drop_after(turn)
        if turn.answer_id:
            self._transcript.remove([turn.answer_id])
        self._turns.remove(turn)
        still_summary = asks_for_summary(text) or (turn.is_summary and text.strip() == turn.text)
        prompt = turn.prompt if text.strip() == turn.text else ""
        self._ask(Turn(question_id, text, still_summary, attachments=turn.attachments, prompt=prompt, before=turn.before))

    def _drop_after(self, turn: Turn) -> None:
        index = self._turns.index(turn)
        later = self._turns[index + 1 :]
        self._turns = self._turns[: index + 1]
        self._transcript.remove([name for each in later for name in (each.question_id, each.answer_id) if name])

    def _new_session(self) -> None:
        """Forgets the conversation."""
        self._stop()
        self._transcript.clear()
        self._turns = []
        self._begin_session()

    def _begin_session(self) -> None:
        self._renew = True
        self._asked.set()

    async def _replace_session(self) -> None:
        old, self._renew = self._session, False
        self._services.grants.end_session()
        self._desk.forget_conversation()
        await self._open_session()
        await old.cleanup()

    async def _show_citation(self, answer_id: str, number: int) -> None:
        """Marks the passage of a citation in the page it is from; says why not, if it cannot be."""
        citations: list[Message] = self._transcript.get(answer_id).get("citations", [])
        for citation in citations:
            if citation["number"] == number:
                shown = await self._host.call("page.show", **{name: citation[name] for name in ("tab", "url", "quote")})
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

    def _begin(self, turn: Turn) -> None:
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
            page = turn.page = await read_page(self._host.call, page)
            turn.reread = False
        self._transcript.update(turn.answer_id, source=page.source)
        summarizer = Summarizer(self._session, self._services, self._transcript, turn.answer_id, turn.notes)
        await summarizer.run(page)

    async def _answered_from_documents(self, turn: Turn) -> bool:
        """Whether what is attached answers it. A question that has nothing to do with that is answered without, unless it was
        sent with an attachment."""
        if turn.prompt or turn.prefix or not self._desk.is_in_use or self._names_a_tool(turn):
            return False
        MessageSink(self._transcript, turn.answer_id).progress("Preparing the documents", 0, 0)
        if not await self._prepared():
            return True  # the user stopped
        answer = DocumentAnswer(self._session, self._engine, self._desk, self._transcript, turn.answer_id)
        turn.is_from_documents = True
        turn.is_from_documents = await answer.run(turn.text)
        if not turn.is_from_documents and turn.attachments:
            answer.refuse()
        return turn.is_from_documents or bool(turn.attachments)

    async def _prepared(self) -> bool:
        """Waits until what is attached can be searched; False if the user stopped meanwhile."""
        self._preparing = asyncio.ensure_future(self._desk.prepared())
        try:
            await self._preparing
        except asyncio.CancelledError:
            if not self._session.coordinator.cancellation.is_cancelled:
                raise
            return False
        finally:
            self._preparing = None
        return True

    def _names_a_tool(self, turn: Turn) -> bool:
        return asked_for(turn.text, self._session.coordinator.get("tools") or {}) is not None

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
        self._current = None
        self._sink = None
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


def _new_id() -> str:
    return str(uuid.uuid4())
