"""Answers a question from what the user attached: finds the passages, asks the model, and says what each sentence is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import prompts
from .documents import answering
from .documents.answering import NOT_FOUND, Source
from .documents.desk import Desk
from .engine import Engine
from .tool_choice import is_small
from .transcript import MessageSink, Transcript

SMALL_ROOM = 450  # tokens of passages for a small model, which loses the thread in more
DEFAULT_CONTEXT = 2048


@dataclass
class DocumentAnswer:
    """One answer, into the message `answer_id`; `session` is the conversation that will remember it."""

    session: Any
    engine: Engine
    desk: Desk
    transcript: Transcript
    answer_id: str

    async def run(self, question: str) -> bool:
        """Answers `question`; False if nothing was answered, since what is attached has nothing to do with it. Raises
        EngineError."""
        sink = MessageSink(self.transcript, self.answer_id)
        retrieved = await self.desk.find(question, self._room())
        shown = retrieved.sources if retrieved else []
        selections = self.desk.selections()
        if retrieved and retrieved.note:
            sink.note(retrieved.note)
        if not shown and not selections:
            return False
        answer = await self.session.execute(self._prompt(question, shown, selections))
        self._show_sources(answer, shown)
        await self._remember(question)
        return True

    def refuse(self) -> None:
        """Says that it is not in the documents, in place of the model, which would make something up."""
        sink = MessageSink(self.transcript, self.answer_id)
        sink.append(NOT_FOUND)
        sink.note("Nothing in what you attached has to do with this question. Ask it in other words, or without attachments.")

    @property
    def _is_small(self) -> bool:
        return is_small(self.engine.model)

    def _room(self) -> int:
        model = self.engine.model
        room = answering.room(model["context_window"] if model else DEFAULT_CONTEXT)
        return min(room, SMALL_ROOM) if self._is_small else room

    def _prompt(self, question: str, shown: list[Source], selections: list[str]) -> str:
        if selections or self._is_small:
            passages = [f"{source.place}\n\n{source.chunk.text}" for source in shown]
            return prompts.ask_text("\n\n".join([*selections, *passages]), question)
        return answering.prompt(question, shown)

    def _show_sources(self, answer: str, shown: list[Source]) -> None:
        if not shown:
            return
        text = answering.with_citations(answer, shown)
        cited = [_citation(source) for source in answering.cited(text, shown)]
        seen = [_seen(source) for source in shown]
        self.transcript.update(self.answer_id, text=text, citations=cited or None, seen=seen)

    async def _remember(self, question: str) -> None:
        """Of the passages only the answer stays in the conversation: the next question finds its own."""
        context = self.session.coordinator.get("context")
        messages: list[dict[str, Any]] = await context.get_messages()
        if len(messages) > 1 and messages[-1]["role"] == "assistant":
            *earlier, asked, answered = messages
            await context.set_messages([*earlier, {**asked, "content": question}, answered])


def _citation(source: Source) -> dict[str, Any]:
    page = {"page": source.chunk.page} if source.chunk.page else {}
    return {"number": source.number, "quote": source.chunk.text, "document": source.chunk.document, "name": source.title, **page}


def _seen(source: Source) -> dict[str, Any]:
    page = {"page": source.chunk.page} if source.chunk.page else {}
    return {"number": source.number, "name": source.title, "heading": source.chunk.heading, "text": source.chunk.text, **page}
