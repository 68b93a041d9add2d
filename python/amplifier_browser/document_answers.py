"""Answers a question from what the user attached: finds the passages, asks the model, and says what each sentence is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import prompts
from .asking import asks_for_summary
from .documents import answering
from .documents.answering import Source
from .documents.material import Material
from .engine import Engine, context_window
from .images import said_anew
from .tool_choice import is_small
from .transcript import MessageSink, Transcript

SMALL_ROOM = 450  # tokens of passages for a small model, which loses the thread in more


def room(engine: Engine) -> int:
    """Tokens that the model in use can read of what is attached."""
    most = answering.room(context_window(engine.model))
    return min(most, SMALL_ROOM) if is_small(engine.model) else most


@dataclass
class DocumentAnswer:
    """One answer, into the message `answer_id`; `session` is the conversation that will remember it."""

    session: Any
    engine: Engine
    material: Material
    transcript: Transcript
    answer_id: str

    async def run(self, question: str) -> bool:
        """Answers `question` from the material, which is prepared; False if nothing was answered, since nothing in it has to do
        with the question. Raises EngineError."""
        shown = await self.material.find(question)
        sink = MessageSink(self.transcript, self.answer_id)
        for note in self.material.notes:
            sink.note(note)
        if not shown:
            return False
        try:
            answer = await self.session.execute(self._prompt(question, shown))
            self._show_sources(answer, shown)
        finally:
            await self._remember(question)
        return True

    def refuse(self) -> None:
        """Says that it is not in there, in place of the model, which would make something up."""
        sink = MessageSink(self.transcript, self.answer_id)
        sink.append(self.material.not_found)
        sink.note("Nothing in what you attached has to do with this question. Ask it in other words, or without attachments.")

    def _prompt(self, question: str, shown: list[Source]) -> str:
        if not is_small(self.engine.model):
            return answering.prompt(question, shown, self.material.not_found)
        text = "\n\n".join(f"{source.place}\n\n{source.chunk.text}" for source in shown)
        return prompts.summarize_text(text) if asks_for_summary(question, of_attached=True) else prompts.ask_text(text, question)

    def _show_sources(self, answer: str, shown: list[Source]) -> None:
        is_numbered = answering.is_numbered(shown) and not is_small(self.engine.model)
        text, citations = answering.cited(answer, shown, is_numbered)
        self.transcript.update(self.answer_id, text=text, citations=citations or None, seen=[source.seen() for source in shown])

    async def _remember(self, question: str) -> None:
        """Of the passages only the answer stays in the conversation: the next question finds its own."""
        context = self.session.coordinator.get("context")
        messages: list[dict[str, Any]] = await context.get_messages()
        asked = next((at for at in reversed(range(len(messages))) if messages[at]["role"] == "user"), None)
        if asked is not None:
            messages[asked] = {**messages[asked], "content": said_anew(messages[asked]["content"], question)}
            await context.set_messages(messages)
