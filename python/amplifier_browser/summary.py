"""Summarizes a page, whole: at once if it fits the model's context, else section by section and then all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import prompts
from .modules.loop_streaming import TurnOptions
from .page import Page
from .sections import Section, blocks, pack
from .sessions import Panel, open_session
from .transcript import MessageSink, SectionSink, Transcript

PROMPT_TOKENS = 120  # the words around the text, the template and the system message
SECTION_REPLY_TOKENS = 120
# The likeliest word each time: a small model that summarizes should add nothing of its own.
SAMPLING = {"temperature": 0.0, "repetition_penalty": 1.0, "max_output_tokens": 200}
SECTION_SAMPLING = {**SAMPLING, "max_output_tokens": SECTION_REPLY_TOKENS}
MUCH_LEFT_OUT = 0.7  # the user is told when less than this share of the visible text was taken for the article


@dataclass
class Summarizer:
    """Runs one summary into the message `answer_id`; `session` is the conversation that will remember it."""

    session: Any
    engine: Any
    transcript: Transcript
    answer_id: str
    display: Panel
    notes: list[str]  # of the sections that are done; filled here, and kept by the caller for a summary that is continued

    async def run(self, page: Page) -> None:
        """Summarizes `page`. Stopping keeps what is done."""
        room = self._room()
        parts = blocks(page.markdown)
        counts = await self.engine.count([block.text for block in parts])
        sections = pack(parts, counts, room)
        if page.kept < MUCH_LEFT_OUT:
            note = f"Read as the article: {page.kept:.0%} of the text that can be seen on the page."
            MessageSink(self.transcript, self.answer_id).note(note)
        if len(sections) <= 1:
            await self.session.execute(prompts.summarize_page(page.title, page.markdown))
            return
        self._show(sections)
        for index in range(len(self.notes), len(sections)):
            if self._cancelled:
                return
            label = f"Reading section {index + 1} of {len(sections)}"
            sink = SectionSink(self.transcript, self.answer_id, index, label)
            if note := await self._one(page.title, sections[index], sink):
                self.notes.append(note)
        await self._whole(page.title, room)

    def _show(self, sections: list[Section]) -> None:
        shown = self.transcript.get(self.answer_id).get("sections")
        waiting = [{"title": section.title, "state": "waiting", "text": ""} for section in sections]
        kept = shown[: len(self.notes)] if shown else []
        self.transcript.update(self.answer_id, sections=[*kept, *waiting[len(kept) :]])

    async def _whole(self, title: str, room: int) -> None:
        """Summarizes the notes; notes too long for one prompt are themselves summarized first."""
        text = _listed(self.notes)
        while (size := (await self.engine.count([text]))[0]) > room and not self._cancelled:
            parts = blocks(text)
            # Half the room at most a time, so that every round makes the notes shorter.
            sections = pack(parts, await self.engine.count([block.text for block in parts]), min(room, size // 2))
            MessageSink(self.transcript, self.answer_id).progress("Condensing the notes", 0, 0)
            text = _listed([await self._one(title, section, None) for section in sections])
        if not self._cancelled:
            MessageSink(self.transcript, self.answer_id).progress("Summing up", 0, 0)
            await self.session.execute(prompts.summarize_notes(title, text))

    async def _one(self, title: str, section: Section, sink: SectionSink | None) -> str:
        """Summarizes a section in a child session of its own, so that it does not pay for the text of the others. Returns
        nothing for one that was stopped."""
        child = await open_session(self.engine, lambda: sink, self.display, options=_section_options, parent=self.session)
        cancellation = self.session.coordinator.cancellation
        if sink:
            sink.set(state="streaming", text="")
        state = "error"
        try:
            note = await child.execute(prompts.summarize_section(title, section.text))
            state = "stopped" if self._cancelled else "done"
            return f"{section.title}: {note.strip()}" if state == "done" else ""
        finally:
            if sink:
                sink.set(state=state)
            cancellation.unregister_child(child.coordinator.cancellation)
            await child.cleanup()

    def _room(self) -> int:
        """Tokens of page text that one prompt takes."""
        defaults = self.session.coordinator.get("providers")["webllm"].get_info().defaults
        return defaults["context_window"] - defaults["max_output_tokens"] - PROMPT_TOKENS

    @property
    def _cancelled(self) -> bool:
        return self.session.coordinator.cancellation.is_cancelled


def _section_options() -> TurnOptions:
    return TurnOptions(sampling=SECTION_SAMPLING)


def _listed(notes: list[str]) -> str:
    return "\n\n".join(notes)
