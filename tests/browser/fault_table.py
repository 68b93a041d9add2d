"""The table of faults at the end of a run: what each test of one injected, what it expected, and what it saw.

A test says so by @pytest.mark.fault("name", expected="..."), and what it saw through the fixture `seen`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FAULT, SEEN = "fault", "seen"  # names of a report's user properties
WIDTHS = (34, 50, 50)


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    expected: str
    seen: str
    survived: bool


def row(outcome: str, report: Any) -> Row | None:
    """What a report of pytest tells of a fault; None for a test of something else."""
    told = dict(getattr(report, "user_properties", []))
    if FAULT not in told or outcome not in ("passed", "failed", "error", "skipped"):
        return None
    if outcome == "passed":
        seen = told.get(SEEN) or "as expected"
    else:
        crash = getattr(report.longrepr, "reprcrash", None)
        seen = f"{outcome.upper()}: {(crash.message if crash else str(report.longrepr)).splitlines()[0]}"
    return Row(*told[FAULT], seen=seen, survived=outcome == "passed")


def table(rows: Sequence[Row]) -> Iterable[str]:
    """The rows as lines of text, with a verdict below."""
    yield from _lines(("FAULT", "EXPECTED", "SEEN"))
    rule = "-+-".join("-" * width for width in WIDTHS)
    for each in rows:
        yield rule
        yield from _lines((each.fault, each.expected, each.seen))
    yield rule
    lost = [each.fault for each in rows if not each.survived]
    yield f"{len(rows)} faults: " + (f"NOT SURVIVED: {', '.join(lost)}" if lost else "all survived")


def _lines(cells: Sequence[str]) -> Iterable[str]:
    wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True)]
    for at in range(max(map(len, wrapped))):
        parts = [lines[at] if at < len(lines) else "" for lines in wrapped]
        yield " | ".join(part.ljust(width) for part, width in zip(parts, WIDTHS, strict=True)).rstrip()
