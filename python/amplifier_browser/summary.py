"""Summarizes a page, whole: at once if it fits the model's context, else section by section and then all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import prompts
from .citations import cite, passages, without_marks
from .engine import Engine
from .modules.loop_streaming import TurnOptions
from .page import Page
from .sections import Section, blocks, pack
from .sessions import Services, open_session, section_plan
from .transcript import MessageSink, SectionSink, Transcript

MARGIN = 40  # tokens of the system message, the chat template and the joints between blocks
SECTION_REPLY_TOKENS = 120
# The likeliest word each time: a small model that summarizes should add nothing of its own. The slight penalty ends the loops
# that it falls into otherwise.
SAMPLING = {"temperature": 0.0, "repetition_penalty": 1.03, "max_output_tokens": 200}
SECTION_SAMPLING = {**SAMPLING, "max_output_tokens": SECTION_REPLY_TOKENS}
MUCH_LEFT_OUT = 0.7  # the user is told when less than this share of the visible text was taken for the article
KEPT_IN_MIND = 0.75  # a text that takes more of the room than this leaves none for the next question and its answer
CONDENSED = 0.9  # notes that are summarized again should come to less than this share, or it is of no use

ONLY_THE_SUMMARY = (
    "The text fills the model's memory, so only this summary is kept in it. What you ask next is answered from the summary."
)
SUMMARY_CUT = "This summary reached its greatest length, so it may end in the middle. Ask to go on if you want more of it."
NO_PASSAGES = "No sentence of this summary could be matched to a passage of the page: read it with care."
NOTES_CUT = "The summaries of the sections did not all fit the model's memory: the end of each was left out of the whole."


@dataclass
class Summarizer:
    """Runs one summary into the message `answer_id`; `session` is the conversation that will remember it."""

    session: Any
    services: Services
    transcript: Transcript
    answer_id: str
    notes: list[str]  # of the sections that are done; filled here, and kept by the caller for a summary that is continued

    @property
    def engine(self) -> Engine:
        """Counts tokens."""
        return self.services.engine

    async def run(self, page: Page) -> None:
        """Summarizes `page`. Stopping keeps what is done."""
        parts = blocks(page.markdown)
        counts = await self.engine.count([block.text for block in parts])
        room = await self._room(page.title)  # known only now: counting waits for a model
        if not self.notes:  # what is gone on with goes on in the same cut, whatever the model
            page.sections = pack(parts, counts, room)
        if page.kept < MUCH_LEFT_OUT:
            self._sink.note(f"Read as the article: {page.kept:.0%} of the text that can be seen on the page.")
        if len(page.sections) <= 1:
            await self._answer(page.title, prompts.summarize_page(page.title, page.markdown), sum(counts) / room)
            self._has_read(page, [] if self._cancelled else page.sections)
            self._cite(page)
            return
        self._show(page.sections)
        for index in range(len(self.notes), len(page.sections)):
            if self._cancelled:
                return
            label = f"Reading section {index + 1} of {len(page.sections)}"
            sink = SectionSink(self.transcript, self.answer_id, index, label)
            if note := await self._one(page.title, page.sections[index], sink):
                self.notes.append(note)
                self._has_read(page, page.sections[: index + 1])
        await self._whole(page.title, room)
        self._cite(page)

    def _cite(self, page: Page) -> None:
        """Lays each sentence of the summary beside the passage that it is from."""
        answer = self.transcript.get(self.answer_id)
        written = without_marks(answer.get("text", ""))
        text, citations = cite(written, passages(page.markdown))
        if not citations:
            if text != written:
                self._sink.note(NO_PASSAGES)
            return
        listed = [{"number": each.number, "quote": each.quote, "url": page.url, "tab": page.tab} for each in citations]
        self.transcript.update(self.answer_id, text=text, citations=listed)

    def _has_read(self, page: Page, sections: list[Section]) -> None:
        """Tells how much of the page the model has read; the words of its title count for nothing."""
        whole = sum(len(section.text.split()) for section in page.sections) or 1
        share = sum(len(section.text.split()) for section in sections) / whole
        self.transcript.update(self.answer_id, source={**page.source, "read": round(page.words * share)})

    def _show(self, sections: list[Section]) -> None:
        shown = self.transcript.get(self.answer_id).get("sections")
        waiting = [{"title": section.title, "state": "waiting", "text": ""} for section in sections]
        kept = shown[: len(self.notes)] if shown else []
        self.transcript.update(self.answer_id, sections=[*kept, *waiting[len(kept) :]])

    async def _whole(self, title: str, room: int) -> None:
        text = await self._fitting(title, room)
        if not self._cancelled:
            self._sink.progress("Summing up", 0, 0)
            await self._answer(title, prompts.summarize_notes(title, text), await self._size(text) / room)

    async def _answer(self, title: str, prompt: str, fill: float) -> None:
        """Streams the summary. A text that fills the room would be dropped at the next question, and the summary with it, so
        of such a text only the summary is remembered. `fill` is the share of the room that the text takes."""
        answer = await self.session.execute(prompt)
        usage = self.transcript.get(self.answer_id).get("usage", {})
        if usage.get("output_tokens", 0) >= SAMPLING["max_output_tokens"] and not self._cancelled:
            self._sink.note(SUMMARY_CUT)
        if fill <= KEPT_IN_MIND or not answer:
            return
        context = self.session.coordinator.get("context")
        *earlier, _question, summary = await context.get_messages()
        await context.set_messages([*earlier, {"role": "user", "content": prompts.summarized(title)}, summary])
        self._sink.note(ONLY_THE_SUMMARY)

    async def _fitting(self, title: str, room: int) -> str:
        """The notes as a text that fits one prompt: if it is too long it is summarized again, and cut where that is no help."""
        text = _listed(self.notes)
        size = await self._size(text)
        while size > room and not self._cancelled:
            self._sink.progress("Condensing the notes", 0, 0)
            parts = blocks(text)
            sections = pack(parts, await self.engine.count([block.text for block in parts]), min(room, size // 2))
            text = _listed([await self._one(title, section, None) for section in sections])
            before, size = size, await self._size(text)
            if size > CONDENSED * before:
                return await self._cut(text, size, room)
        return text

    async def _cut(self, text: str, size: int, room: int) -> str:
        """The beginning of every paragraph, together of at most `room` tokens; the user is told."""
        while size > room:
            share = 0.9 * room / size
            text = _listed([part[: int(len(part) * share)] for part in text.split("\n\n")])
            size = await self._size(text)
            self._sink.note(NOTES_CUT)
        return text

    async def _one(self, title: str, section: Section, sink: SectionSink | None) -> str:
        """Summarizes a section in a child session of its own, so that it does not pay for the text of the others. Returns
        nothing for one that was stopped."""
        child = await open_session(self.services, lambda: sink, _section_options, parent=self.session, plan=section_plan())
        cancellation = self.session.coordinator.cancellation
        if sink:
            sink.set(state="streaming")
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

    async def _room(self, title: str) -> int:
        """Tokens of page text that one prompt takes."""
        empty = [ask(title, "") for ask in (prompts.summarize_page, prompts.summarize_section, prompts.summarize_notes)]
        prompt = max(await self.engine.count(empty))
        defaults = self.session.coordinator.get("providers")["webllm"].get_info().defaults
        return defaults["context_window"] - defaults["max_output_tokens"] - prompt - MARGIN

    async def _size(self, text: str) -> int:
        return (await self.engine.count([text]))[0]

    @property
    def _sink(self) -> MessageSink:
        return MessageSink(self.transcript, self.answer_id)

    @property
    def _cancelled(self) -> bool:
        return self.session.coordinator.cancellation.is_cancelled


def _listed(notes: list[str]) -> str:
    return "\n\n".join(notes)


def _section_options() -> TurnOptions:
    return TurnOptions(sampling=SECTION_SAMPLING)
