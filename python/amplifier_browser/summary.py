"""Summarizes a page, whole: at once if it fits the model's context, else section by section and then all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import prompts
from .citations import Citation, cite, passages, without_marks
from .engine import Engine
from .languages import is_language_of
from .modules.loop_streaming import TurnOptions
from .other_language import KEPT_TO_THE_PAGE, NOT_MATCHED, SMALL_MODEL, cite_names, is_foreign
from .page import Page
from .reading_time import Paces, ReadingTime
from .sections import Section, blocks, pack
from .sessions import Services, open_session, own_system, section_plan
from .summary_styles import ENGLISH, Choice, joined, tidied
from .tool_choice import Offer, is_small
from .transcript import MessageSink, SectionSink, Transcript

MARGIN = 40  # tokens of the system message, the chat template and the joints between blocks
MUCH_LEFT_OUT = 0.7  # the user is told when less than this share of the visible text was taken for the article
KEPT_IN_MIND = 0.75  # a text that takes more of the room than this leaves none for the next question and its answer
CONDENSED = 0.9  # notes that are summarized again should come to less than this share, or it is of no use
FILLED = 0.6  # the share of its greatest length that an answer is expected to have, until some have been seen

ONLY_THE_SUMMARY = (
    "The text fills the model's memory, so only this summary is kept in it. What you ask next is answered from the summary."
)
SUMMARY_CUT = "This summary reached its greatest length, so it may end in the middle. Ask to go on if you want more of it."
ONLY_THE_BEGINNING = "This summary is longer than the model's memory: what you ask next is answered from its beginning."
NO_PASSAGES = "No sentence of this summary could be matched to a passage of the page: read it with care."
NOTES_CUT = "The summaries of the sections did not all fit the model's memory: the end of each was left out of the whole."


@dataclass
class Summarizer:
    """Runs one summary into the message `answer_id`; `session` is the conversation that will remember it."""

    session: Any
    services: Services
    transcript: Transcript
    answer_id: str
    sections: list[Section]  # the page as cut; filled here, and kept by the caller for a summary that is gone on with
    notes: list[str]  # of the sections that are done; filled and kept likewise
    choice: Choice
    sink: MessageSink  # the conversation's own, into the message
    paces: Paces
    remember: Callable[[], None]  # called when there is something to be kept

    @property
    def engine(self) -> Engine:
        """Counts tokens."""
        return self.services.engine

    async def run(self, page: Page) -> None:
        """Summarizes `page`. Stopping keeps what is done."""
        parts = blocks(page.markdown)
        counts = await self.engine.count([block.text for block in parts])
        asked = await self._asked(page.title)
        room = self._room(asked)  # known only now: counting waits for a model
        if not self.notes:  # what is gone on with goes on in the same cut, whatever the model
            self.sections[:] = page.retitled(pack(parts, counts, min(room, self.choice.style.most_read or room)))
            self.remember()
        self._tell(page)
        await self._take_time(self.sections, asked)
        if len(self.sections) <= 1:
            await self._answer(page.title, self.choice.page(page.title, page.markdown), sum(counts) / room)
            self._has_read(page, [] if self._cancelled else self.sections)
        else:
            await self._read(page)
            await self._whole(page, room)
        self._cite(page)

    def _tell(self, page: Page) -> None:
        """What the user should know before there is a summary."""
        language = self.choice.language
        if page.kept < MUCH_LEFT_OUT:
            self.sink.note(f"Read as the article: {page.kept:.0%} of the text that can be seen on the page.")
        for note in page.notes:
            self.sink.note(note)
        if language not in ("", ENGLISH) and is_small(self.engine.model):
            self.sink.note(SMALL_MODEL.format(language=language))

    async def _take_time(self, sections: list[Section], asked: int) -> None:
        """Begins to tell how long it will take. `asked`: tokens of a prompt without the text."""
        style, is_long = self.choice.style, len(sections) > 1
        writes = FILLED * (style.section_tokens if is_long else style.tokens)
        whole = FILLED * style.tokens if is_long and style.notes else 0
        pace = await self.paces.of(self._model)
        reads = [section.tokens + asked + MARGIN for section in sections]
        self.sink.time = ReadingTime(pace, reads, writes, whole, len(self.notes) if is_long else 0)

    @property
    def _model(self) -> str:
        return self.engine.model_id or ""

    async def _read(self, page: Page) -> None:
        """Has the sections summarized that are not yet."""
        self._show(self.sections)
        for index in range(len(self.notes), len(self.sections)):
            if self._cancelled:
                return
            label = f"Reading section {index + 1} of {len(self.sections)}"
            sink = SectionSink(self.transcript, self.answer_id, index, label, self.sink.time)
            if note := await self._one(page.title, self.sections[index], sink):
                self.notes.append(note)
                self.remember()
                self._has_read(page, self.sections[: index + 1])
            await self.paces.learn(self._model, sink.measured)

    def _cite(self, page: Page) -> None:
        """Lays each sentence of the summary beside the passage that it is from."""
        written = without_marks(self.transcript.get(self.answer_id).get("text", ""))
        if self.choice.style.begins:
            written = tidied(written)
        text, citations = self._cited(written, page)
        if not citations and text != written:
            self.sink.note(NO_PASSAGES)
            text = written
        listed = [
            {"number": each.number, "quote": each.quote, "url": page.url, "tab": page.tab, **page.place_of(each.quote)}
            for each in citations
        ]
        self.transcript.update(self.answer_id, text=text, citations=listed or None)

    def _cited(self, written: str, page: Page) -> tuple[str, list[Citation]]:
        """The summary with its marks. One that is not in the page's language has its own."""
        parts = passages(page.markdown)
        wanted = self.choice.language
        is_other = bool(wanted) and not is_language_of(wanted, page.language)
        if (is_other or not is_language_of(ENGLISH, page.language or "en")) and is_foreign(written, parts):
            self.sink.note(NOT_MATCHED)
            return cite_names(written, parts)
        if is_other and written and not is_small(self.engine.model):
            self.sink.note(KEPT_TO_THE_PAGE.format(language=wanted))
        return cite(written, parts)

    def _has_read(self, page: Page, sections: list[Section]) -> None:
        """Tells how much of the page the model has read; the words of its title count for nothing."""
        whole = sum(len(section.text.split()) for section in self.sections) or 1
        share = sum(len(section.text.split()) for section in sections) / whole
        self.transcript.update(self.answer_id, source={**page.source, "read": round(page.words * share)})

    def _show(self, sections: list[Section]) -> None:
        shown = self.transcript.get(self.answer_id).get("sections")
        waiting = [{"title": section.title, "state": "waiting", "text": ""} for section in sections]
        kept = shown[: len(self.notes)] if shown else []
        self.transcript.update(self.answer_id, sections=[*kept, *waiting[len(kept) :]])

    async def _whole(self, page: Page, room: int) -> None:
        if self._cancelled:
            return
        if not self.choice.style.notes:
            await self._join(page, room)
            return
        text = await self._fitting(page.title, room)
        if not self._cancelled:
            if self.sink.time:
                self.sink.time.begin(len(self.sections))
            self.sink.progress("Summing up", 0, 0)
            await self._answer(page.title, self.choice.notes(page.title, text), await self._size(text) / room)

    async def _join(self, page: Page, room: int) -> None:
        """Makes the summaries of the sections the summary, and the conversation remember of it what the model has room for."""
        notes = [
            (section.title, note.removeprefix(f"{section.title}: "))
            for section, note in zip(self.sections, self.notes, strict=False)
        ]
        text = joined(notes)
        self.transcript.update(self.answer_id, text=text, sections=None, progress=None)
        kept, most = text, int(KEPT_IN_MIND * room)
        if (size := await self._size(text)) > most:
            kept = text[: len(text) * most // size]
            self.sink.note(ONLY_THE_BEGINNING)
        context = self.session.coordinator.get("context")
        asked = {"role": "user", "content": prompts.summarized(page.title)}
        await context.set_messages([*await context.get_messages(), asked, {"role": "assistant", "content": kept}])

    async def _answer(self, title: str, prompt: str, fill: float) -> None:
        """Streams the summary. A text that fills the room would be dropped at the next question, and the summary with it, so
        of such a text only the summary is remembered. `fill` is the share of the room that the text takes."""
        answer = await self.session.execute(prompt)
        usage = self.transcript.get(self.answer_id).get("usage", {})
        if usage.get("output_tokens", 0) >= self.choice.style.tokens and not self._cancelled:
            self.sink.note(SUMMARY_CUT)
        if fill <= KEPT_IN_MIND or not answer:
            return
        context = self.session.coordinator.get("context")
        *earlier, _question, summary = await context.get_messages()
        await context.set_messages([*earlier, {"role": "user", "content": prompts.summarized(title)}, summary])
        self.sink.note(ONLY_THE_SUMMARY)

    async def _fitting(self, title: str, room: int) -> str:
        """The notes as a text that fits one prompt: if it is too long it is summarized again, and cut where that is no help."""
        text = _listed(self.notes)
        size = await self._size(text)
        while size > room and not self._cancelled:
            self.sink.progress("Condensing the notes", 0, 0)
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
            self.sink.note(NOTES_CUT)
        return text

    async def _one(self, title: str, section: Section, sink: SectionSink | None) -> str:
        """Summarizes a section in a child session of its own, so that it does not pay for the text of the others. Returns
        nothing for one that was stopped."""
        child = await open_session(self.services, lambda: sink, self._options, parent=self.session, plan=section_plan())
        cancellation = self.session.coordinator.cancellation
        if sink:
            sink.begin()
        state = "error"
        try:
            note = await child.execute(self.choice.section(title, section.text))
            state = "stopped" if self._cancelled else "done"
            return f"{section.title}: {note.strip()}" if state == "done" else ""
        finally:
            if sink:
                sink.set(state=state)
            cancellation.unregister_child(child.coordinator.cancellation)
            await child.cleanup()

    async def _asked(self, title: str) -> int:
        """Tokens of the longest prompt, without the text."""
        choice = self.choice
        system = own_system(self.session)  # ours is short
        return max(await self.engine.count([system + ask(title, "") for ask in (choice.page, choice.section, choice.notes)]))

    def _room(self, asked: int) -> int:
        """Tokens of page text that one prompt takes."""
        defaults = self.session.coordinator.get("providers")["webllm"].get_info().defaults
        return defaults["context_window"] - defaults["max_output_tokens"] - asked - MARGIN

    def _options(self) -> TurnOptions:
        """How a section is answered."""
        begun = Offer(tools=(), answer_prefix=self.choice.begins)
        return TurnOptions(sampling=self.choice.style.sampling(is_section=True), offer=lambda *_asked: begun)

    async def _size(self, text: str) -> int:
        return (await self.engine.count([text]))[0]

    @property
    def _cancelled(self) -> bool:
        return self.session.coordinator.cancellation.is_cancelled


def _listed(notes: list[str]) -> str:
    return "\n\n".join(notes)
