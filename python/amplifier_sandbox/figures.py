"""What people get to see of values: tables and pictures, as the panel draws them (Display in sidepanel/types.js)."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Display = dict[str, Any]

ROWS = 50
COLUMNS = 20
CELL = 200  # characters
PICTURE_BYTES = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n"
WIDTH, HEIGHT, MARGIN = 480, 280, 40


class Figure:
    """A drawing, as SVG."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "<figure>"


def display_of(value: Any) -> Display | None:
    """A value as a picture or a table; None where it is neither."""
    return _picture(value) or _table(value)


def _picture(value: Any) -> Display | None:
    """SVG and PNG, as they are or by the methods that notebooks use."""
    svg = value if isinstance(value, str) else _by_method(value, "_repr_svg_")
    if isinstance(svg, str) and _is_svg(svg):
        return {"type": "svg", "text": svg} if len(svg) <= PICTURE_BYTES else _too_large(len(svg))
    png = value if isinstance(value, bytes) else _by_method(value, "_repr_png_")
    if isinstance(png, bytes) and png.startswith(PNG):
        if len(png) > PICTURE_BYTES:
            return _too_large(len(png))
        return {"type": "image", "mime": "image/png", "data": base64.b64encode(png).decode()}
    return None


def _is_svg(text: str) -> bool:
    head = text[:1000].lstrip()
    return head.startswith("<svg") or (head.startswith("<?xml") and "<svg" in head)


def _by_method(value: Any, name: str) -> Any:
    method: Callable[[], Any] | None = None if isinstance(value, type) else getattr(value, name, None)
    return method() if callable(method) else None


def _too_large(size: int) -> Display:
    return {"type": "text", "text": f"The picture is too large to be shown: {size:,} bytes."}


def _table(value: Any) -> Display | None:
    """Lists of dicts, lists of equally long rows, and dicts of equally long columns."""
    if isinstance(value, dict) and value and all(isinstance(column, list | tuple) for column in value.values()):
        columns: list[Any] = list(value.values())
        if len({len(column) for column in columns}) == 1 and columns[0]:
            return table(zip(*columns, strict=True), list(value), total=len(columns[0]))
    if not isinstance(value, list | tuple) or not value:
        return None
    rows: Sequence[Any] = value
    if all(isinstance(row, dict) and row for row in rows):
        names = list(dict.fromkeys(name for row in rows for name in row))
        return table(([row.get(name, "") for name in names] for row in rows), names, total=len(rows))
    if all(isinstance(row, list | tuple) for row in rows) and len({len(row) for row in rows}) == 1 and rows[0]:
        return table(rows, [str(number + 1) for number in range(len(rows[0]))], total=len(rows))
    return None


def table(rows: Iterable[Iterable[Any]], columns: Sequence[Any], total: int) -> Display:
    """The first rows and columns of a table, as text."""
    shown = [[_cell(value) for value in list(row)[:COLUMNS]] for row, _ in zip(rows, range(ROWS), strict=False)]
    return {
        "type": "table",
        "columns": [_cell(name) for name in columns[:COLUMNS]],
        "rows": shown,
        "more": max(0, total - ROWS),
    }


def _cell(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL else f"{text[:CELL]}…"


def plot(xs: Iterable[float], ys: Iterable[float] | None = None, kind: str = "line", title: str = "") -> Figure:
    """A simple chart: `plot(xs, ys)` or `plot(ys)`; `kind` is "line", "points" or "bars"."""
    across = [float(x) for x in xs]
    up = [float(y) for y in ys] if ys is not None else across
    if ys is None:
        across = [float(index) for index in range(len(up))]
    if len(across) != len(up) or not up:
        raise ValueError(f"plot needs as many xs as ys, and some: it got {len(across)} and {len(up)}")
    low, high = min(up), max(up)
    if kind == "bars":
        low, high = min(low, 0.0), max(high, 0.0)
    x_at = _scale(min(across), max(across), MARGIN, WIDTH - MARGIN / 2)
    y_at = _scale(low, high, HEIGHT - MARGIN, MARGIN)
    points = [(x_at(x), y_at(y)) for x, y in zip(across, up, strict=True)]
    parts = [_marks(kind, points, y_at(0.0) if kind == "bars" else 0.0)]
    for y in (low, high):
        parts.append(f'<text x="{MARGIN - 4}" y="{y_at(y):.1f}" text-anchor="end">{y:.4g}</text>')
    for x in (min(across), max(across)):
        parts.append(f'<text x="{x_at(x):.1f}" y="{HEIGHT - MARGIN / 2}" text-anchor="middle">{x:.4g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="20" text-anchor="middle">{html.escape(title)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
    frame = f'<path d="M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN / 2}" fill="none" stroke="#888"/>'
    return Figure(f'{head}<rect width="100%" height="100%" fill="#fff"/>{frame}{"".join(parts)}</svg>')


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low
    return lambda value: (start + end) / 2 if span == 0 else start + (value - low) / span * (end - start)


def _marks(kind: str, points: list[tuple[float, float]], ground: float) -> str:
    if kind == "points":
        return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#2563eb"/>' for x, y in points)
    if kind == "bars":
        width = (WIDTH - 2 * MARGIN) / len(points) * 0.6
        return f'<path stroke="#2563eb" stroke-width="{width:.1f}" d="' + (
            "".join(f"M{x:.1f} {ground:.1f}V{y:.1f}" for x, y in points) + '"/>'
        )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/>'
