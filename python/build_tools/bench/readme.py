"""The README's table of what `build.py bench` measured last, from the results that it kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ORDER = ("overhead", "startup", "long", "embeddings", "size")
BEGIN, END = "<!-- measured by build.py bench -->", "<!-- end of what was measured -->"


def table(folder: Path) -> str:
    """Every target of the results in `folder`, with the machine that each was measured on."""
    kept: list[dict[str, Any]] = []
    for name in ORDER:
        if (path := folder / f"{name}.json").exists():
            kept.append(json.loads(path.read_text()))
    lines = ["| | measured | target | |", "|---|---|---|---|"]
    for each in kept:
        for target in each["targets"]:
            bound = "at most" if target["at_most"] else "at least"
            shown = [_shown(target[name], target["unit"]) for name in ("value", "limit")]
            verdict = "kept" if target["kept"] else "**missed**"
            lines.append(f"| {each['name']}: {target['what']} | {shown[0]} | {bound} {shown[1]} | {verdict} |")
    return "\n".join([*lines, "", *_machines(kept)])


def refresh(readme: Path, folder: Path) -> None:
    """Puts the table between its two marks."""
    text = readme.read_text()
    between = re.compile(f"(?s){re.escape(BEGIN)}.*?{re.escape(END)}")
    fresh = between.sub(lambda _: f"{BEGIN}\n\n{table(folder)}\n\n{END}", text)
    if fresh != text:
        readme.write_text(fresh)


def _machines(kept: list[dict[str, Any]]) -> list[str]:
    """Once each: which results are of which machine, browser and day."""
    found: dict[str, list[str]] = {}
    for each in kept:
        machine = each["machine"]
        where = f"{machine['cores']} cores of {machine['cpu']}, Chromium {each['versions']['chromium']}, {each['date']}"
        found.setdefault(where, []).append(each["name"])
    return [f"{', '.join(names)}: {where}." for where, names in found.items()]


def _shown(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()
