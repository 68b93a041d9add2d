"""The catalogue of models to choose from, made of WebLLM's own list of those that it has compiled libraries for.

A library is code, so one is loaded only if its bytes are known by their hash: model_libraries.json has the hashes of those that
were ever vendored (`python3 build.py package --models ID ...`), and what is vendored lies in the package itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amplifier_browser.models.shape import shape

from .model_families import family, layers, parameters, stored_parameters
from .paths import LIBRARIES, MODELS, ROOT
from .steps import BuildError

Json = dict[str, Any]

HERE = Path(__file__).parent
KNOWN_LIBRARIES = HERE / "model_libraries.json"
SOURCES = [Path(__file__), HERE / "model_families.py", KNOWN_LIBRARIES]
FILE = "catalogue.json"  # below models/ in the package
VENDORED = "lib"  # folder beside it

READ_CONFIGURATION = """
import { functionCallingModelIds, prebuiltAppConfig } from "@mlc-ai/web-llm";
console.log(JSON.stringify({ models: prebuiltAppConfig.model_list, calling: functionCallingModelIds }));
"""
IS_VISION, IS_EMBEDDING = 2, 1  # model_type of WebLLM's ModelRecord
QUANTIZED = re.compile(r"-(q4f(?:16|32)_1)-MLC(?:-1k)?$")
BITS = 4.5  # a parameter of q4f16_1 and q4f32_1, with its share of the scales of its group of 32
# What models that share a library have in common.
OF_LIBRARY = ("lib", "lib_sha256", "vram_bytes", "size_bytes", "needs", "context_window")
SHORT = {"it": "", "hf": "", "MLC": "", "BF16": "", "Instruct": "", "instruct": ""}


@functools.cache
def read_configuration() -> Json:
    """WebLLM's list: {models: [ModelRecord], calling: [ids of models that call functions]}."""
    command = ["node", "--input-type=module", "--eval", READ_CONFIGURATION]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"WebLLM's list of models could not be read:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def known_libraries() -> dict[str, Json]:
    """Libraries whose bytes are known: {file name: {sha256, bytes, shape}}."""
    return json.loads(KNOWN_LIBRARIES.read_text())


def catalogue(configuration: Json, known: dict[str, Json], vendored: Sequence[str] = ()) -> Json:
    """All text models of four bits a parameter, one entry a model with its variants; `vendored`: file names of libraries that
    are in the package. Where a library lies elsewhere is told only if its bytes are known."""
    entries: dict[str, Json] = {}
    for record in configuration["models"]:
        found = QUANTIZED.search(record["model_id"])
        if found is None or record.get("model_type") == IS_EMBEDDING:
            continue
        name = record["model_id"][: found.start()]
        entry = entries.setdefault(name, _entry(name, record, configuration["calling"]))
        entry["variants"].append(_variant(record, found[1], name, known, vendored))
    return {"models": list(entries.values()), "libraries": [*_bundled_libraries(), *_shaped(entries.values(), known)]}


def _entry(name: str, record: Json, calling: Sequence[str]) -> Json:
    about = family(name)
    return {
        "id": name,
        "name": readable(name),
        "publisher": about.publisher,
        "licence": about.licence,
        "good_for": about.good_for,
        "rank": about.rank,
        "is_special": about.special,
        "thinks": about.thinks,
        "parameters": parameters(name),
        "layers": layers(name),
        "is_vision": record.get("model_type") == IS_VISION,
        "is_embedding": False,
        "calls_functions": any(each.startswith(f"{name}-q4") for each in calling),
        "variants": [],
    }


def _variant(record: Json, quantization: str, name: str, known: dict[str, Json], vendored: Sequence[str]) -> Json:
    url = record["model_lib"]
    file = url.rsplit("/", 1)[-1]
    sha256 = known.get(file, {}).get("sha256")
    overrides = record.get("overrides") or {}
    # WebLLM's list leaves out for some models what their quantization says: half precision needs the feature.
    needs = sorted({*(record.get("required_features") or []), *(["shader-f16"] if "f16" in quantization else [])})
    return {
        "id": record["model_id"],
        "quantization": quantization,
        "base": f"{record['model'].removesuffix('/')}/resolve/main/",
        "lib": f"models/{VENDORED}/{file}" if file in vendored else url if sha256 else file,
        "lib_sha256": sha256,
        "context_window": overrides.get("context_window_size", 4096),
        "vram_bytes": round(record["vram_required_MB"] * 1e6),
        "buffer_bytes": record.get("buffer_size_required_bytes"),
        "size_bytes": round(stored_parameters(name) * 1e6 * BITS / 8),
        "needs": needs,
        "overrides": overrides,
    }


def _shaped(entries: Any, known: dict[str, Json]) -> list[Json]:
    """The known libraries with what runs on them, for models by address."""
    libraries: dict[str, Json] = {}
    for entry in entries:
        for variant in entry["variants"]:
            facts = known.get(variant["lib"].rsplit("/", 1)[-1])
            if facts and facts.get("shape"):
                same = {
                    name: variant[name] for name in ("lib", "lib_sha256", "vram_bytes", "size_bytes", "needs", "context_window")
                }
                libraries.setdefault(variant["lib"], {**same, "shape": facts["shape"], "parameters": entry["parameters"]})
    return list(libraries.values())


def _bundled_libraries() -> list[Json]:
    """The starter model's library, which runs other models of its shape as well."""
    library, config = LIBRARIES / "starter.wasm", MODELS / "starter" / "mlc-chat-config.json"
    if not config.exists():
        return []
    settings = json.loads(config.read_text())
    weights = sum(path.stat().st_size for path in config.parent.glob("params_shard_*.bin"))
    return [
        {
            "lib": "models/starter/library.wasm",
            "lib_sha256": hashlib.sha256(library.read_bytes()).hexdigest(),
            "shape": shape(settings),
            "parameters": 135,
            "vram_bytes": 2 * weights,
            "size_bytes": weights,
            "needs": [],
            "context_window": settings["context_window_size"],
        }
    ]


def readable(name: str) -> str:
    """The name for people: "Llama 3.2 1B", "Qwen 2.5 Coder 3B"."""
    words = [SHORT.get(word, word) for word in re.split(r"[-_]", name.replace("1_6b", "1.6B").replace("1_5", "1.5"))]
    text = " ".join(word for word in words if word)
    text = re.sub(r"\b(Qwen|gemma)(?=\d)", r"\1 ", text)
    text = re.sub(r"\b(gemma|phi|stablelm)\b", lambda found: found[0].capitalize(), text)
    return re.sub(r"\b(\d+(?:\.\d+)?)b\b", r"\1B", text)


def write(out: Path, vendored: Sequence[str] = ()) -> None:
    """Writes the catalogue below `out`, the package's folder models/."""
    whole = catalogue(read_configuration(), known_libraries(), vendored)
    if not whole["models"]:
        raise BuildError("WebLLM's list of models looks otherwise than expected: mend model_catalogue.py.")
    (out / FILE).write_text(json.dumps(whole, indent=1))
