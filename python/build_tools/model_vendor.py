"""Puts compiled model libraries into the package, so that it loads no code from elsewhere, and records their hashes."""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amplifier_browser.models.shape import NoShape, shape

from .model_catalogue import KNOWN_LIBRARIES, VENDORED, catalogue, read_configuration
from .paths import BUILD
from .steps import BuildError

CACHE = BUILD / "model-libraries"
WASM = b"\0asm"
SECONDS = 60


class Vendor:
    """Fetches libraries once, each checked against its recorded hash; the first time its hash is recorded."""

    def __init__(self, mirror: str | None = None, cache: Path = CACHE, record: Path = KNOWN_LIBRARIES) -> None:
        """`mirror`: address of a server that has the same paths as the hosts that WebLLM names."""
        self._mirror = mirror
        self._cache = cache
        self._record = record

    def vendor(self, models: Sequence[str]) -> list[str]:
        """File names of the libraries of these models, now in the cache. A model is named by its id, or by that of one of its
        variants. Raises BuildError."""
        files: list[str] = []
        for variant in self._variants(models):
            file: str = variant["lib"].rsplit("/", 1)[-1]
            if file not in files:
                self._have(file, variant)
                files.append(file)
        return files

    def copy(self, files: Sequence[str], out: Path) -> None:
        """Copies libraries of the cache below `out`, the package's folder models/."""
        for file in files:
            (out / VENDORED).mkdir(exist_ok=True)
            shutil.copy(self._cache / file, out / VENDORED / file)

    def _variants(self, models: Sequence[str]) -> list[dict[str, Any]]:
        configuration = read_configuration()
        entries = catalogue(configuration, {})["models"]
        urls = {record["model_id"]: record["model_lib"] for record in configuration["models"]}
        chosen: list[dict[str, Any]] = []
        for model in models:
            found = [each for entry in entries for each in entry["variants"] if model in (entry["id"], each["id"])]
            if not found:
                raise BuildError(f"There is no model {model}. The catalogue has: {', '.join(entry['id'] for entry in entries)}")
            chosen += [{**each, "lib": urls[each["id"]]} for each in found]
        return chosen

    def _have(self, file: str, variant: dict[str, Any]) -> None:
        known = self._known()
        path = self._cache / file
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._fetch(variant["lib"], f"put the file into {path} by hand"))
        data = path.read_bytes()
        if not data.startswith(WASM):
            path.unlink()
            raise BuildError(f"What {variant['lib']} gave is no WebAssembly: look at that address with a browser.")
        digest = hashlib.sha256(data).hexdigest()
        recorded = known.get(file, {}).get("sha256")
        if recorded and recorded != digest:
            path.unlink()
            raise BuildError(
                f"{file} has the hash {digest}, but {recorded} is recorded in {self._record.name}: it was changed on its way or "
                "by its publisher. Run this again; if it stays so, find out why before you record the new one."
            )
        if not recorded:
            print(f"  {file}: {len(data) / 1e6:.1f} MB, sha256 {digest}: recorded", flush=True)
        if not recorded or not known[file].get("shape"):
            known[file] = {"sha256": digest, "bytes": len(data), "shape": self._shape(variant)}
            self._record.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")

    def _known(self) -> dict[str, Any]:
        return json.loads(self._record.read_text()) if self._record.exists() else {}

    def _shape(self, variant: dict[str, Any]) -> str | None:
        """What else runs on the library; None if that cannot be found out, and then nothing by address does."""
        try:
            return shape(json.loads(self._fetch(f"{variant['base']}mlc-chat-config.json", "try again")))
        except (BuildError, NoShape, ValueError) as error:
            print(f"  {variant['id']}: what its library was compiled for is not known ({error})", flush=True)
            return None

    def _fetch(self, url: str, otherwise: str) -> bytes:
        parts = urlsplit(url)
        address = f"{self._mirror.rstrip('/')}{parts.path}" if self._mirror else url
        try:
            with urllib.request.urlopen(address, timeout=SECONDS) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise BuildError(
                f"{address} could not be fetched: {reason}.\nRun this where the network allows it, name a mirror with "
                f"--models-from, or {otherwise}."
            ) from error
