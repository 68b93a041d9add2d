"""Small plots as SVG, without a library: lines over numbers, and bars beside names. Legible on light and dark pages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 70, 56
NAMES = 230  # width of the names beside bars
BAR, GAP = 18, 14
COLOURS = ("#3d7ff0", "#e0662b", "#2a9d63", "#a05bd6", "#c99a06", "#d6457f")  # enough contrast on white and on black
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8884; stroke-width: 1 }
.series { fill: none; stroke-width: 2.5; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>"""


@dataclass
class Plot:
    """Series of points. Of bars, the x of a point is the place of its name in `labels`; `log`: both axes of a line plot."""

    name: str
    title: str
    x: str
    y: str
    series: dict[str, list[tuple[float, float]]]
    kind: Literal["line", "bar"] = "line"
    labels: list[str] = field(default_factory=list[str])
    log: bool = False


@dataclass
class Axis:
    """Maps numbers to places between `start` and `end`, and says which of them to mark."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, value: float) -> float:
        """Pixels."""
        low, high, at = (math.log10(max(each, 1e-9)) if self.log else each for each in (self.low, self.high, value))
        return self.start + (at - low) / ((high - low) or 1) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers, about six."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1) if self.low <= 10.0**power <= self.high * 1.0001]
        step = nice_step((self.high - self.low) / 6)
        first = math.ceil(self.low / step - 1e-9)
        return [step * at for at in range(first, math.floor(self.high / step + 1e-9) + 1)]


def nice_step(rough: float) -> float:
    """The next of 1, 2, 5, 10, 20 ... that is at least `rough`."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)


def draw(plot: Plot) -> str:
    """The plot as one SVG document."""
    return _lines(plot) if plot.kind == "line" else _bars(plot)


def _document(plot: Plot, height: float, body: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
        f' role="img" aria-label="{escape(plot.title, {chr(34): "&quot;"})}">'
    )
    return "\n".join([head, STYLE, _text(16, 24, plot.title, kind="title"), *_legend(plot), *body, "</svg>", ""])


def _legend(plot: Plot) -> list[str]:
    if len(plot.series) < 2:
        return []
    parts: list[str] = []
    at = 16.0
    for name, colour in zip(plot.series, _colours(plot), strict=True):
        parts += [f'<rect x="{at:.0f}" y="37" width="12" height="12" rx="2" fill="{colour}"/>', _text(at + 18, 48, name)]
        at += 36 + 7 * len(name)
    return parts


def _colours(plot: Plot) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(len(plot.series))]


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "", turned: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.0f} {y:.0f})"' if turned else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}{turn}>{escape(words)}</text>'


def _lines(plot: Plot) -> str:
    points = [point for series in plot.series.values() for point in series]
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    across = Axis(*_range(xs, plot.log), LEFT, WIDTH - RIGHT, plot.log)
    up = Axis(*_range(ys, plot.log, from_zero=True), HEIGHT - BOTTOM, TOP, plot.log)
    body: list[str] = []
    for tick in up.ticks():
        y = up.place(tick)
        body += [f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>', _text(LEFT - 8, y + 4, short(tick), "end")]
    for tick in across.ticks():
        x = across.place(tick)
        body += [f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>']
        body += [_text(x, HEIGHT - BOTTOM + 18, short(tick), "middle")]
    body += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, plot.x, "middle")]
    body += [_text(20, (TOP + HEIGHT - BOTTOM) / 2, plot.y, "middle", turned=True)]
    for series, colour in zip(plot.series.values(), _colours(plot), strict=True):
        places = [(across.place(x), up.place(y)) for x, y in series]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        body += [f'<polyline class="series" stroke="{colour}" points="{path}"/>']
        if len(places) <= 24:
            body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return _document(plot, HEIGHT, body)


def _range(values: list[float], log: bool, from_zero: bool = False) -> tuple[float, float]:
    if log:
        above = [value for value in values if value > 0] or [1.0]
        return 10 ** math.floor(math.log10(min(above)) + 1e-9), 10 ** math.ceil(math.log10(max(above)) - 1e-9)
    low, high = min(0.0, *values) if from_zero else min(values), max(values)
    return low, high * 1.05 if from_zero else high


def _bars(plot: Plot) -> str:
    places = sorted({x for series in plot.series.values() for x, _ in series})
    group = BAR * len(plot.series) + GAP
    height = TOP + group * len(places) + 44
    right = WIDTH - RIGHT - 60  # room for the number beside the longest bar
    across = Axis(0, max([y for series in plot.series.values() for _, y in series] or [1.0]), NAMES, right)
    body: list[str] = []
    for tick in across.ticks():
        x = across.place(tick)
        body += [f'<path class="grid" d="M{x:.1f} {TOP - 8}V{height - 40}"/>', _text(x, height - 24, short(tick), "middle")]
    for row, place in enumerate(places):
        top = TOP + group * row
        name = plot.labels[int(place)] if plot.labels else short(place)
        body += [_text(NAMES - 10, top + BAR * len(plot.series) / 2 + 4, name, "end")]
        for at, (series, colour) in enumerate(zip(plot.series.values(), _colours(plot), strict=True)):
            for value in (y for x, y in series if x == place):
                width, y = across.place(value) - NAMES, top + BAR * at
                body += [f'<rect x="{NAMES}" y="{y}" width="{max(width, 1):.1f}" height="{BAR - 3}" rx="2" fill="{colour}"/>']
                body += [_text(NAMES + width + 6, y + BAR - 6, short(value))]
    body += [_text((NAMES + right) / 2, height - 6, plot.y, "middle")]
    return _document(plot, height, body)


def short(value: float) -> str:
    """A number beside a mark."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
