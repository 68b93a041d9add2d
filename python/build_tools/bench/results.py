"""What a benchmark gives: tables, targets and plots; printed, kept as JSON and SVG below tests/bench/results, and judged."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..environment import find_browser
from ..paths import ROOT
from ..steps import BuildError
from . import readme
from .plots import Plot, draw

__all__ = ["RESULTS", "Plot", "Result", "Table", "Target", "keep"]

RESULTS = ROOT / "tests" / "bench" / "results"
LIBRARIES = {
    "web-llm": "@mlc-ai/web-llm",
    "pyodide": "pyodide",
    "transformers": "@huggingface/transformers",
    "wllama": "@wllama/wllama",
}


@dataclass
class Target:
    """One number that should be at most, or at least, its limit."""

    what: str
    value: float
    limit: float
    at_most: bool = True
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is; a value that is not a number keeps nothing."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def line(self) -> str:
        """As it is printed."""
        unit = f" {self.unit}" if self.unit else ""
        bound = "at most" if self.at_most else "at least"
        verdict = "kept" if self.kept else "MISSED"
        return f"{verdict:7} {self.what}: {number(self.value)}{unit} ({bound} {number(self.limit)}{unit})"


@dataclass
class Table:
    """Rows under named columns; the first column is words."""

    title: str
    columns: list[str]
    rows: list[list[str | float]]

    def lines(self) -> list[str]:
        """As it is printed: aligned, numbers to the right."""
        cells = [self.columns, *([cell if isinstance(cell, str) else number(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        lines = ["  ".join([row[0].ljust(widths[0]), *(map(str.rjust, row[1:], widths[1:]))]).rstrip() for row in cells]
        return [self.title, *(f"  {line}" for line in lines)]


@dataclass
class Result:
    """All that one benchmark found; `raw` is anything that JSON takes."""

    name: str
    tables: list[Table]
    targets: list[Target]
    plots: list[Plot] = field(default_factory=list[Plot])
    raw: dict[str, Any] = field(default_factory=dict[str, Any])


def keep(result: Result, command: str, adapter: str = "", folder: Path = RESULTS) -> int:
    """Prints tables and targets, writes NAME.json and NAME-PLOT.svg; returns 1 if a target was missed, else 0.

    `command`: the one that gives these numbers again. `adapter`: the graphics card's name, where one took part.
    """
    for table in result.tables:
        print("\n".join(table.lines()), flush=True)
    for target in result.targets:
        print(target.line(), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "name": result.name,
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "adapter": adapter,
        "machine": machine(),
        "versions": versions(),
        "targets": [{**asdict(target), "kept": target.kept} for target in result.targets],
        "tables": [asdict(table) for table in result.tables],
        "raw": result.raw,
    }
    (folder / f"{result.name}.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    for plot in result.plots:
        (folder / f"{result.name}-{plot.name}.svg").write_text(draw(plot))
    if folder == RESULTS:
        readme.refresh(ROOT / "README.md", folder)
    return 0 if all(target.kept for target in result.targets) else 1


def number(value: float) -> str:
    """Three significant digits below a hundred, whole above, thousands apart."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"


def machine() -> dict[str, str | float]:
    """What the numbers depend on; no names of the machine or of its user."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def _cpu() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of the browser, of the libraries that do the work, and of ourselves."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    ours = json.loads((ROOT / "manifest.json").read_text())["version"]
    libraries = {name: str(locked[f"node_modules/{package}"]["version"]) for name, package in LIBRARIES.items()}
    return {"chromium": _browser_version(), **libraries, "amplifier-browser": ours}


def _browser_version() -> str:
    try:
        done = subprocess.run([find_browser(), "--version"], capture_output=True, text=True, check=False)
    except (BuildError, OSError):
        return ""
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found else ""
