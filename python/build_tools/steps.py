"""Steps that run only when what they are made from has changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .paths import BUILD, ROOT


class BuildError(Exception):
    """A step cannot go on; the message names the next step for the person at the keyboard."""


def fingerprint(inputs: Iterable[Path], extra: str = "") -> str:
    """Hash of the contents of files, and of all files below folders, by name."""
    digest = hashlib.sha256(extra.encode())
    for path in sorted(_files(inputs)):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(inputs: Iterable[Path]) -> Iterable[Path]:
    for path in inputs:
        if path.is_dir():
            yield from (p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        elif path.exists():
            yield path


def step(name: str, inputs: Iterable[Path], outputs: Iterable[Path], work: Callable[[], None], extra: str = "") -> bool:
    """Runs `work` unless `inputs` are as they were and all `outputs` exist; says what it does. Returns whether it ran."""
    stamp = BUILD / "stamps" / f"{name.replace(' ', '-')}.json"
    now = fingerprint(inputs, extra)
    if all(path.exists() for path in outputs) and stamp.exists() and json.loads(stamp.read_text())["inputs"] == now:
        return False
    stamp.unlink(missing_ok=True)
    print(f"- {name} ...", flush=True)
    began = time.monotonic()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    written = stamp.with_suffix(".new")
    written.write_text(json.dumps({"inputs": now}))
    written.replace(stamp)
    print(f"  {name}: {time.monotonic() - began:.1f} s", flush=True)
    return True
