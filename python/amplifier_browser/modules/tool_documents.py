"""Tool: search the documents that the user attached.

Capabilities: `browser.library` (amplifier_browser.documents.library.Library); `browser.engine` and `browser.count_tokens` for
how many passages fit.
"""

from __future__ import annotations

from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking, asking_only
from ..documents.answering import NOT_FOUND, room, written
from ..documents.retrieval import Retrieved, retrieve
from ..engine import EngineError, context_window
from ..lexical import unquoted
from ..tooling import Permission, Traits, failed, shown_result

__amplifier_module_type__ = "tool"

NO_LIBRARY = "This session has no documents."
NO_DOCUMENTS = "There are no documents yet. The user can attach some to the message."

MY = r"(?:my|our|the|these|those|all|attached)"
DOCUMENTS = rf"(?:{MY} )+(?:own |attached )?(?:documents?|docs?|files?|pdfs?|library|papers|collections?)"

QUERY = r"(?P<query>.{2,300}?)"
SAY = r"(?:say|tell|write|mention|contain|have)"
BY = r"(?:according to|based on|judging by|as stated in)"


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts search_documents."""
    tool = SearchDocuments(coordinator)
    await coordinator.mount("tools", tool, name=tool.name)


class SearchDocuments:
    """Finds the passages that a question is answered from."""

    name = "search_documents"
    description = "Finds passages in the user's documents. Cite them by number, like [1]."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "What to find, as a question or in words"}},
        "required": ["query"],
    }
    traits = Traits(
        title="Search your documents",
        asked_by=(
            *asking_only(
                rf"(?:search|look through|look in|go through|check|scan) {DOCUMENTS} (?:for|about|on) {QUERY}",
                rf"(?:find|look up|look for|search for) {QUERY} (?:in|within|among) {DOCUMENTS}",
                rf"what (?:do|does|did) {DOCUMENTS} {SAY}(?: me)? (?:about|on|of) {QUERY}",
                rf"(?:do|does|did) {DOCUMENTS} {SAY} (?:anything |something )?(?:about |on )?{QUERY}",
                rf"{QUERY},? {BY} {DOCUMENTS}",
            ),
            *asking(rf"(?:{BY}|from|in|using) {DOCUMENTS}[,:]? (?P<query>.{{4,300}})"),
        ),
        instruction="Write what to find, in a few words.",
        raw_argument="query",
        is_trusted=False,  # whoever wrote the documents wrote this
        permission=lambda _arguments: Permission(sees="Passages of the documents that you attached.", free=True),
    )

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """Numbered passages, as many as fit."""
        query = unquoted(str(input.get("query") or "").strip())
        if not query:
            return failed("No question was given. Write what to find.")
        library = self._coordinator.get_capability("browser.library")
        if library is None:
            return failed(NO_LIBRARY)
        count = self._coordinator.get_capability("browser.count_tokens")
        try:
            retrieved = await retrieve(library, query, room(self._context_window()), count)
        except EngineError as error:
            return failed(f"The documents could not be searched: {error}. Try again.")
        return _result(retrieved)

    def _context_window(self) -> int:
        engine = self._coordinator.get_capability("browser.engine")
        return context_window(engine.model if engine else None)


def _result(retrieved: Retrieved) -> ToolResult:
    note = f"\n\n({retrieved.note})" if retrieved.note else ""
    if not retrieved.total:
        return shown_result(NO_DOCUMENTS)
    if not retrieved.sources:
        return shown_result(f"{NOT_FOUND}{note}")
    passages = [written(source) for source in retrieved.sources]
    rows = [[f"[{source.number}]", source.place, _beginning(source.chunk.text)] for source in retrieved.sources]
    return shown_result(
        "\n\n".join(passages) + note, {"type": "table", "columns": ["", "Where", "Passage"], "rows": rows, "more": 0}
    )


def _beginning(text: str, length: int = 200) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else f"{flat[:length].rsplit(' ', 1)[0]} …"
