"""The compiled model libraries and the check that they belong to the sources. Standard library only.

starter.wasm and tiny.wasm are what WebLLM loads as `model_lib` where a processor stands in for the graphics card, the same
with -gpu where there is one; tiny.params.json lists the tiny model's parameters;
manifest.json says which sources and tools made them. `python -m starter_model.library [WORK]` makes all of them anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.parent
RESULTS = ("starter.wasm", "starter-gpu.wasm", "tiny.wasm", "tiny-gpu.wasm", "tiny.params.json")
SOURCE_SUFFIXES = {".py", ".h", ".txt"}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def source_hashes(package: Path = PACKAGE) -> dict[str, str]:
    """Relative path -> sha256 of every file that the compiled libraries depend on."""
    recipe = sorted(path for path in (package / "recipe").rglob("*") if path.suffix in SOURCE_SUFFIXES)
    return {path.relative_to(package).as_posix(): _sha256(path) for path in [*recipe, package / "shape.py"]}


def result_hashes(package: Path = PACKAGE) -> dict[str, dict[str, Any]]:
    """Name -> sha256 and size of every result that is there."""
    files = [package / FOLDER.name / name for name in RESULTS]
    return {path.name: {"sha256": _sha256(path), "size": path.stat().st_size} for path in files if path.exists()}


def write_manifest(tools: dict[str, str]) -> None:
    """Record that the sources as they are made the results as they are."""
    manifest = {"tools": tools, "results": result_hashes(), "sources": source_hashes()}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def check_manifest(package: Path = PACKAGE) -> list[str]:
    """What no longer belongs together, one line each; empty if the libraries are those of the sources."""
    manifest = json.loads((package / FOLDER.name / "manifest.json").read_text(encoding="utf-8"))
    return [
        *_differences("source", manifest["sources"], source_hashes(package)),
        *_differences("result", manifest["results"], result_hashes(package)),
    ]


def _differences(kind: str, recorded: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{kind} {name}: {'changed' if name in recorded and name in found else 'missing' if name in recorded else 'new'}"
        for name in sorted(recorded.keys() | found.keys())
        if recorded.get(name) != found.get(name)
    ]
