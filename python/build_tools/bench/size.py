"""`build.py bench size`: the package by part, as it lies on the disk and as a store's zip, and without the starter model."""

from __future__ import annotations

import argparse
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from ..extension import package
from .plots import Plot
from .results import Result, Table, Target, keep

COMMAND = "python3 build.py bench size"
REST = "not classified"
MOST_REST = 0.01
MOST_ZIPPED_MB = 250  # of a store's limit of 2 GB; more is a long download on a slow line
STARTER = ("starter model: weights", "starter model: compiled libraries")

# The first pattern that fits counts; `*` crosses folders.
PARTS: list[tuple[str, tuple[str, ...]]] = [
    ("starter model: weights", ("models/starter/resolve/*",)),
    ("starter model: compiled libraries", ("models/starter/*",)),
    ("model catalogue and other libraries", ("models/*",)),
    ("WebLLM", ("background/engines/webllm.js",)),
    ("llama.cpp (wllama)", ("llama/*", "background/engines/wllama.js")),
    ("MiniLM (embeddings)", ("embedding/minilm/*",)),
    ("ONNX Runtime", ("embedding/*",)),
    ("Transformers.js", ("background/library/embedding-worker.js",)),
    ("Pyodide", ("pyodide/pyodide*",)),
    ("Python's standard library", ("pyodide/stdlib.zip",)),
    ("Python packages: pydantic, Amplifier, ours", ("pyodide/*",)),
    ("documents: pdf.js and parsers", ("sidepanel/documents/*", "sidepanel/extract.js")),
    ("panel and background", ("sidepanel/*", "background/*", "icons/*", "manifest.json")),
    ("licences", ("licences/*",)),
]


def main() -> int:
    """Prints a table, keeps the numbers; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--browser", help="not needed")
    options = parser.parse_args()
    return keep(_result(sizes(package(options.extension))), COMMAND)


def part_of(name: str) -> str:
    """The part that a file of the package belongs to."""
    return next((part for part, patterns in PARTS if any(fnmatch(name, pattern) for pattern in patterns)), REST)


def sizes(archive: Path) -> dict[str, tuple[int, int]]:
    """Bytes of each part, as they are and in the zip, largest first."""
    found: dict[str, tuple[int, int]] = {}
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            raw, small = found.get(part_of(entry.filename), (0, 0))
            found[part_of(entry.filename)] = (raw + entry.file_size, small + entry.compress_size)
    return dict(sorted(found.items(), key=lambda each: -each[1][0]))


def _result(found: dict[str, tuple[int, int]]) -> Result:
    total = (sum(raw for raw, _ in found.values()), sum(small for _, small in found.values()))
    without = tuple(total[at] - sum(found[part][at] for part in STARTER) for at in (0, 1))
    rows: list[list[str | float]] = [
        [part, raw / 1e6, small / 1e6, f"{raw / total[0]:.1%}"] for part, (raw, small) in found.items()
    ]
    rows += [
        ["all", total[0] / 1e6, total[1] / 1e6, ""],
        ["all without the starter model", without[0] / 1e6, without[1] / 1e6, ""],
    ]
    rest = found.get(REST, (0, 0))[0] / total[0]
    targets = [
        Target("share of what is not classified", rest, MOST_REST),
        Target("the package, zipped", total[1] / 1e6, MOST_ZIPPED_MB, unit="MB"),
    ]
    labels = list(found)
    series = {
        "unpacked": [(float(at), found[part][0] / 1e6) for at, part in enumerate(labels)],
        "zipped": [(float(at), found[part][1] / 1e6) for at, part in enumerate(labels)],
    }
    plot = Plot("parts", "The package by part", "", "MB", series, "bar", labels)
    raw = {"bytes": {part: {"unpacked": a, "zipped": b} for part, (a, b) in found.items()}}
    return Result("size", [Table("The package, MB", ["part", "unpacked", "zipped", "share"], rows)], targets, [plot], raw)


if __name__ == "__main__":
    sys.exit(main())
