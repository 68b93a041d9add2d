"""Runs one turn at a time in an Amplifier session: a question, a summary, or what an interrupted answer had come to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .asking import asks_for_summary, said_of_summary
from .document_answers import DocumentAnswer
from .documents.attachments import UnreadableAttachment
from .documents.desk import Desk
from .history.records import Kept
from .links import read_link
from .models.servers import host_of
from .modules.loop_streaming import TurnOptions
from .page import Page, UnreadablePage, read_page
from .preferences import Preferences
from .problems import answer_problem, image_problem
from .reading_time import Paces
from .sessions import Services, open_session, retried
from .status import status
from .summary import Summarizer
from .summary_styles import STYLES, Choice
from .tool_choice import Offer, Round, asked_for, is_small, offer, prepare
from .transcript import MessageSink, Transcript
from .turns import Turn

Message = dict[str, Any]
Result = TypeVar("Result")

PAGE_TOOLS = ("read_page", "find_in_page")


class Stopped(Exception):
    """The user stopped the turn before the model was asked."""


class TurnRunner:
    """The session of the open conversation, and the turn that runs in it."""

    def __init__(
        self,
        services: Services,
        desk: Desk,
        transcript: Transcript,
        preferences: Preferences,
        emit: Callable[[Message], None],
    ) -> None:
        self._services = services
        self._desk = desk
        self._transcript = transcript
        self._preferences = preferences
        self._emit = emit
        self._paces = Paces(services.storage)
        self._engine = services.engine
        self.session: Any = None
        self.current: Turn | None = None
        self._sink: MessageSink | None = None
        self._preparing: asyncio.Future[Any] | None = None  # what an answer waits for before the model is asked
        self._context: list[Message] = []  # the conversation, as the model was last told of it

    # -- the session

    async def open(self, session_id: str, resumed: Kept | None, system: str) -> None:
        """Opens a session, for a kept conversation or a new one; it takes the place of the one there was."""
        old = self.session
        if old:
            self._services.grants.end_session()
        self._context = resumed.memory["context"] if resumed else []
        where = (self._services, lambda: self._sink, self._turn_options)
        self.session = await open_session(*where, session_id=session_id, resumed=resumed, system=system)
        if old:
            await old.cleanup()

    async def prepare(self) -> None:
        """Does, while nobody waits for it, what the first question would have to wait for: compiling what it is held against."""
        asks_for_summary("")
        for _ in prepare(self.session.coordinator.get("tools") or {}):
            await asyncio.sleep(0)

    @property
    def context(self) -> list[Message]:
        """The conversation that the model knows; while a turn runs, the one before it."""
        return self._context if self.current is None else self.current.before or []

    def _turn_options(self) -> TurnOptions:
        turn = self.current
        if turn is None:
            return TurnOptions()
        chosen = _choice(turn).style.sampling() if turn.is_summary else self._preferences.sampling()
        sampling = retried(chosen) if turn.is_retried else chosen
        return TurnOptions(turn.prefix, sampling, self._offer, [] if turn.is_summary else turn.attachments)

    def _offer(self, prompt: str, tools: Message, rounds: list[Round]) -> Offer:
        """A page is summarized, a selection explained, and an answer gone on with, without tools. So is a picture looked at: what
        is written in it is a stranger's, and calls nothing."""
        turn = self.current
        if turn and turn.is_summary:
            return Offer(tools=(), answer_prefix="" if turn.prefix else _choice(turn).begins)
        if turn is None or turn.prompt or turn.prefix or turn.is_from_documents or _images(turn):
            return Offer(tools=())
        return offer(prompt, _meant(tools, turn), rounds, is_small(self._engine.model))

    async def status(self) -> Message | None:
        """What the model is told of the moment; nothing while it summarizes, where each token counts."""
        is_summary = self.current is not None and self.current.is_summary
        return None if is_summary else await status(self._services.call, self._engine.model)

    # -- a turn

    async def run(self, turn: Turn, remember: Callable[[], None]) -> None:
        """Answers `turn`; whatever fails is shown in its answer. `remember` is called when there is something to be kept."""
        self.current = turn
        self._engine.begin_turn()
        self._emit({"type": "busy", "value": True})
        context = self.session.coordinator.get("context")
        if turn.before is None:
            turn.before = await context.get_messages()
        else:
            await context.set_messages(turn.before)
        self._begin(turn)
        remember()
        problem = None
        try:
            await self._answer(turn, remember)
        except (UnreadablePage, UnreadableAttachment) as unreadable:
            problem = unreadable.problem
        except Exception as error:  # whatever fails is shown, and the next turn can go on
            problem = answer_problem(self._failure(error), turn.answer_id, *self._place())
        if self.session.coordinator.cancellation.is_cancelled:  # what waited was told to give up: that is no failure
            self._finish(turn, "stopped")
        else:
            self._finish(turn, "error" if problem else "done", problem)
        await self._settle(turn, remember)

    def stop(self) -> None:
        """Ends the running turn, which keeps what it has come to."""
        if self.current is None:
            return
        self.session.coordinator.cancellation.request_graceful()
        self._engine.abort_all()
        self._services.approvals.deny_all()
        if self._preparing:
            self._preparing.cancel()
        self.session.coordinator.get("orchestrator").interrupt()

    def engine_changed(self) -> None:
        """An answer that waits for another window says so."""
        if self._sink and self._engine.waits:
            self._sink.progress(self._engine.waits, 0, 0)

    def _begin(self, turn: Turn) -> None:
        if turn.is_summary:
            self._choose(turn)
        self._transcript.update(turn.question_id, state="done")
        if turn.answer_id in self._transcript:
            self._transcript.update(turn.answer_id, state="streaming", error=None)
        else:
            turn.answer_id = str(uuid.uuid4())
            self._transcript.put({"id": turn.answer_id, "role": "assistant", "state": "streaming", "text": ""})
        if host := host_of(self._engine.model):
            hosts = self._transcript.get(turn.answer_id).get("sent_to", [])
            self._transcript.update(turn.answer_id, sent_to=[*hosts, *({host} - set(hosts))])
        self._sink = MessageSink(self._transcript, turn.answer_id)

    def _choose(self, turn: Turn) -> None:
        """Settles the style and language of a summary: asked for by a button, by the words of the question, or saved."""
        said = said_of_summary("" if turn.link else turn.text)  # an address is no word of the user's
        language = said.language if turn.language is None else turn.language
        choice = self._preferences.chosen(turn.style or said.style, language)
        turn.style, turn.language = choice.style.id, choice.language
        if turn.text == Choice().line != choice.line:  # asked for before it was known what is saved
            turn.text = choice.line
            self._transcript.update(turn.question_id, text=turn.text)

    async def _answer(self, turn: Turn, remember: Callable[[], None]) -> None:
        if not turn.is_summary:
            await self._read_images(turn)
            if not await self._answered_from_documents(turn):
                await self.session.execute(turn.prompt or turn.text)
            return
        page = turn.page
        if page is None or turn.reread:
            MessageSink(self._transcript, turn.answer_id).progress("Reading the page", 0, 0)
            page = turn.page = await self._unless_stopped(self._read(turn))
            turn.reread = False
        self._transcript.update(turn.answer_id, source=page.source)
        sink = self._sink = self._sink or MessageSink(self._transcript, turn.answer_id)
        about = (self.session, self._services, self._transcript, turn.answer_id, turn.sections, turn.notes)
        await Summarizer(*about, _choice(turn), sink, self._paces, remember).run(page)

    async def _read_images(self, turn: Turn) -> None:
        if not _images(turn):
            return
        sent = turn.attachments
        turn.attachments = await self._unless_stopped(self._desk.with_images_read(sent))
        self._transcript.update(turn.question_id, attachments=turn.attachments)
        if not (turn.text.strip() or _images(turn)):  # there was nothing but images
            raise UnreadableAttachment(sent[0]["name"], image_problem("damaged", ""))

    async def _read(self, turn: Turn) -> Page:
        """The page in front, or behind the link; one behind a link is not read twice, since its tab may be closed by now."""
        if turn.link:
            return turn.page or await read_link(turn.link, self._services.call, self._services.approvals)
        if tab := self._desk.only_tab(turn.attachments):
            return await self._desk.read(tab)
        return await read_page(self._services.call, turn.page)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What the work gives; raises Stopped if the user stopped meanwhile."""
        self._preparing = asyncio.ensure_future(work)
        try:
            return await self._preparing
        except asyncio.CancelledError:
            if not self.session.coordinator.cancellation.is_cancelled:
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
        answer = DocumentAnswer(self.session, self._engine, material, self._transcript, turn.answer_id)
        turn.is_from_documents = True
        turn.is_from_documents = await answer.run(turn.text)
        self._desk.answered(material)
        if turn.is_from_documents and not turn.attachments:  # what is still in use can be seen
            self._transcript.update(turn.question_id, attachments=[each.sent() for each in material.used])
        is_about_them = len(turn.attachments) > len(_images(turn))
        if not turn.is_from_documents and is_about_them:
            answer.refuse()
        return turn.is_from_documents or is_about_them

    def _names_a_tool(self, turn: Turn) -> bool:
        """Whether it asks for a tool."""
        return asked_for(turn.text, _meant(self.session.coordinator.get("tools") or {}, turn)) is not None

    # -- its end

    def _failure(self, error: Exception) -> str:
        """The provider's own words where it failed; the kernel wraps every exception in a RuntimeError of its own."""
        if self._sink and self._sink.failure:
            return self._sink.failure
        return str(error).partition("Execution failed: ")[2].partition(": ")[2] or str(error)

    def _place(self) -> tuple[str, str]:
        """The engine's state, and the host that answers if it is a server."""
        return self._engine.state["state"], host_of(self._engine.model)

    def _finish(self, turn: Turn, state: str, error: Message | None = None) -> None:
        if turn.answer_id in self._transcript:
            self._transcript.update(turn.answer_id, state=state, error=error, progress=None)

    async def _settle(self, turn: Turn, remember: Callable[[], None]) -> None:
        await self._forget_unanswered(turn)
        if self._transcript.get(turn.answer_id).get("state") == "done":
            turn.sections, turn.notes = [], []
        if turn.is_summary or turn.prompt or turn.is_from_documents or _images(turn):
            await self._mark_untrusted(len(turn.before or []))
        usage, model = self._transcript.get(turn.answer_id).get("usage"), self._engine.model_id
        if usage and model:
            await self._paces.learn(model, usage)
        self._context = await self.session.coordinator.get("context").get_messages()
        self.current = None
        self._sink = None
        self._engine.end_turn()
        remember()
        self.session.coordinator.cancellation.reset()
        self._emit({"type": "busy", "value": False})

    async def _forget_unanswered(self, turn: Turn) -> None:
        """A question without an answer would only confuse the model; notes on a page's sections are an answer of sorts."""
        if self._transcript.get(turn.answer_id).get("text"):
            return
        notes = [{"role": "assistant", "content": "\n\n".join(turn.notes)}] if turn.notes else []
        question = [{"role": "user", "content": turn.text}] if turn.notes else []
        await self.session.coordinator.get("context").set_messages([*(turn.before or []), *question, *notes])

    async def _mark_untrusted(self, first: int) -> None:
        """What a page says, and what was made of it, may ask for tools; whoever approves them must know."""
        context = self.session.coordinator.get("context")
        messages: list[Message] = await context.get_messages()
        marked = [{**message, "metadata": {**(message.get("metadata") or {}), "untrusted": True}} for message in messages[first:]]
        await context.set_messages([*messages[:first], *marked])


def _meant(tools: Message, turn: Turn) -> Message:
    """The tools that its words may ask for. Of a question that was sent with a tab or its picture, "this page" is that tab's."""
    if any(each["kind"] in ("tab", "image") for each in turn.attachments) and not turn.text.lstrip().startswith("/"):
        return {name: tool for name, tool in tools.items() if name not in PAGE_TOOLS}
    return tools


def _images(turn: Turn) -> list[Message]:
    return [each for each in turn.attachments if each["kind"] == "image"]


def _choice(turn: Turn) -> Choice:
    return Choice(STYLES[turn.style or Choice().style.id], turn.language or "")
