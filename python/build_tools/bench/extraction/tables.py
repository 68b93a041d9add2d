"""The tables that the benchmark prints: ours / Readability alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .pages import Page
from .score import Figures, Share

COUNTED = ("headings", "rows", "code", "links")
SHARES = ("kept", "clutter", "score")
NOTABLE = 0.98  # who kept less is said to have lost something


@dataclass(frozen=True)
class Row:
    """One page. `method`: how ours read it, "article" or "page"."""

    page: Page
    method: str
    ours: Figures
    alone: Figures


def by_page(rows: Sequence[Row]) -> list[str]:
    """A line for each page, with what the numbers mean above."""
    return [
        "What our reader and Readability alone kept of pages, by the text that each was made from; ours / alone, in per cent.",
        "kept: of the text's words. clutter: of the result's words, those that are not of the text. score: the harmonic mean of",
        "kept and what is no clutter. Counted: headings that are headings, table rows with each cell in a cell, code with its",
        "lines, links whose words came.",
        "",
        _line("page", ["kind"], SHARES, COUNTED),
        *(_line(row.page.name, [row.page.kind], _shares([row]), _counts([row])) for row in rows),
    ]


def by_kind(rows: Sequence[Row]) -> list[str]:
    """Means and sums of each kind, and of all."""
    lines = [_line("kind", ["pages"], SHARES, COUNTED)]
    for kind in [*dict.fromkeys(row.page.kind for row in rows), "all"]:
        chosen = [row for row in rows if kind in (row.page.kind, "all")]
        lines.append(_line(kind, [str(len(chosen))], _shares(chosen), _counts(chosen)))
    return lines


def lost(rows: Sequence[Row]) -> list[str]:
    """The longest piece that each lost of a page."""
    lines = ["The longest piece lost of each page:"]
    for row in rows:
        for who, each in (("ours", row.ours), ("alone", row.alone)):
            if each.kept < NOTABLE and each.lost:
                lines.append(f"  {row.page.name:18} {who:6} {each.lost[0][:90]}")
    return lines


def _line(name: str, second: Sequence[str], shares: Sequence[str], counts: Sequence[str]) -> str:
    return f"{name:18} {second[0]:13} " + " ".join(f"{each:>9}" for each in shares) + " ".join(f"{each:>17}" for each in counts)


def _shares(rows: Sequence[Row]) -> list[str]:
    def mean(side: str, name: str) -> str:
        return f"{100 * fmean(getattr(getattr(row, side), name) for row in rows):.0f}"

    return [f"{mean('ours', name)} / {mean('alone', name)}" for name in SHARES]


def _counts(rows: Sequence[Row]) -> list[str]:
    cells: list[str] = []
    for name in COUNTED:
        ours: list[Share] = [getattr(row.ours, name) for row in rows]
        alone: list[Share] = [getattr(row.alone, name) for row in rows]
        total = sum(of for _, of in ours)
        cells.append(f"{sum(n for n, _ in ours)} / {sum(n for n, _ in alone)} of {total}" if total else "-")
    return cells
