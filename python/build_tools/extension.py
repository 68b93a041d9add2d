"""Puts the unpacked extension together: bundled scripts, Pyodide with our archives, and the bundled models."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from . import archives, embedding_model, model_catalogue
from .environment import ensure_node, ensure_npm_packages, ensure_venv, run
from .model_vendor import Vendor
from .paths import ARCHIVES, BUILD, DIST, LIBRARIES, MODELS, NODE_MODULES, PYTHON, ROOT, TEST_EXTENSION, venv_python
from .steps import BuildError, step

SOURCES = [ROOT / "manifest.json", ROOT / "background", ROOT / "sidepanel", ROOT / "icons", ROOT / "package-lock.json"]
MODULES = [
    "background/service-worker.js",
    "background/offscreen.js",
    "background/engines/webllm.js",
    "background/engines/wllama.js",
    "background/engines/gpu-probe.js",
    "background/engines/server.js",
    "background/library/worker.js",
    "background/library/embedding-worker.js",
    "background/models/worker.js",
    "sidepanel/panel.js",
    "sidepanel/python-worker.js",
    "sidepanel/snapshot-worker.js",
    "sidepanel/sandbox-worker.js",
    "sidepanel/documents/parse-worker.js",
    "sidepanel/documents/pdf-worker.js",
]
PYODIDE_FILES = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json"]
# ONNX Runtime for the processor, and the one with WebGPU whose wasm waits by JSPI: the one for Chrome before 137 is 10 MB larger.
# Loaded from the package's own files by a script that fits both.
ONNX_RUNTIME = NODE_MODULES / "onnxruntime-web" / "dist"
ONNX_FILES = [f"ort-wasm-simd-threaded{kind}.{part}" for kind in ("", ".jspi") for part in ("mjs", "wasm")]
BUNDLED_ONNX = ["--alias:onnxruntime-web/webgpu=onnxruntime-web/jspi", "--conditions=onnxruntime-web-use-extern-wasm,module"]
# llama.cpp in wasm, for machines without a GPU. Its script is a classic one that reads a global Module; wllama starts it from a
# blob, which the CSP forbids, so background/engines/llama.js imports it as a module, and its threads run it as it is.
LLAMA = NODE_MODULES / "@wllama" / "wllama"
LLAMA_GLOBAL = 'var Module=typeof Module!="undefined"?Module:{};'
# Addresses of scripts and wasm that libraries carry as defaults. Never reached, since the CSP forbids it, but a store takes
# them for remote code.
REMOTE_CODE = re.compile(
    rb"https?://(?:cdn\.jsdelivr\.net|unpkg\.com|raw\.githubusercontent\.com|esm\.sh|cdnjs\.cloudflare\.com|cdn\.skypack\.dev"
    rb"|ga\.jspm\.io)"
)
# Bundled packages that come without the text of their licence, and a bundled one under the same licence that has it.
LICENCE_TEXTS = {
    "pyodide": "webextension-polyfill",
    "onnxruntime-common": "@types/chrome",
    "onnxruntime-web": "@types/chrome",
}
# Only Node needs them, or parts of packages that are not bundled. Two are stand-ins for what only Node needs; see "overrides"
# in package.json.
NOT_BUNDLED = {f"node_modules/{name}" for name in ("ws", "onnxruntime-node", "sharp", "guid-typescript")}
LICENCE_FILE = re.compile(r"(licen[cs]e|notice|copying)", re.I)
LICENCE_IN_README = "Permission is hereby granted"
MODEL_NAMES = {"starter": "SmolLM2 135M (starter)", "tiny": "Tiny random model (for tests)"}
MODEL_PARAMETERS = {"starter": 135, "tiny": 3}  # millions


def build(models: tuple[str, ...] = ("starter",), out: Path = DIST, libraries: tuple[str, ...] = ()) -> Path:
    """Makes the unpacked extension in `out`; the first model is the default. `libraries`: file names of compiled libraries that
    model_vendor.Vendor has, to go into the package. Returns `out`."""
    ensure_node()
    ensure_npm_packages()
    ensure_venv()
    archives.build()
    embedding_model.build()
    weights = [PYTHON / "starter_model" / name for name in ("convert.py", "gguf_recipe.py", "tiny_weights.py", "weights.py")]
    step("model weights", weights, [MODELS / "starter", MODELS / "tiny"], _convert_weights)
    inputs = [*SOURCES, *model_catalogue.SOURCES, Path(__file__), ROOT / "LICENSE"]
    made_from = "".join(_identity(path) for path in [*ARCHIVES.iterdir(), *_model_files(models), *_embedding_files()])
    made_from += "".join(libraries)
    step(f"extension {out.name}", inputs, [out / "manifest.json"], lambda: _assemble(models, out, libraries), extra=made_from)
    return out


def package(folder: Path) -> Path:
    """Zips the unpacked extension for a store: the same folder always gives the same bytes."""
    version = json.loads((folder / "manifest.json").read_text())["version"]
    archive = BUILD / f"amplifier-browser-{version}.zip"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name in names:
            entry = zipfile.ZipInfo(name, archives.FIXED_TIME)
            entry.external_attr = 0o644 << 16
            out.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return archive


def _convert_weights() -> None:
    command = [str(venv_python()), "-m", "starter_model.weights", "--out", str(MODELS)]
    if subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PYTHON)}, check=False).returncode:
        raise BuildError(
            "The starter model's weights could not be made; the reason stands above. Run this again once it is mended."
        )


def _identity(path: Path) -> str:
    """Large files that a step of ours made are told apart by size and time, not by reading 100 MB."""
    facts = path.stat()
    return f"{path.name}:{facts.st_size}:{facts.st_mtime_ns};"


def _model_files(models: tuple[str, ...]) -> list[Path]:
    files = [LIBRARIES / f"{model}{family}.wasm" for model in models for family in ("", "-gpu")]
    for model in models:
        files += sorted(p for p in (MODELS / model).iterdir() if p.is_file())
    return files


def _embedding_files() -> list[Path]:
    return sorted(path for path in embedding_model.EMBEDDING_MODEL.rglob("*") if path.is_file())


def _assemble(models: tuple[str, ...], out: Path, libraries: tuple[str, ...] = ()) -> None:
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    shutil.copy(ROOT / "manifest.json", fresh)
    shutil.copytree(ROOT / "icons", fresh / "icons", ignore=shutil.ignore_patterns("*.svg", "*.py"))
    _bundle(fresh)
    _add_pyodide(fresh / "pyodide")
    # Tables of character codes that Chinese, Japanese and Korean PDFs refer to; pdf.js fetches the one it needs.
    shutil.copytree(NODE_MODULES / "pdfjs-dist" / "cmaps", fresh / "sidepanel" / "documents" / "cmaps")
    _add_models(models, fresh / "models")
    Vendor().copy(libraries, fresh / "models")
    model_catalogue.write(fresh / "models", libraries)
    _add_embedding(fresh / "embedding")
    _add_llama(fresh / "llama")
    _add_licences(fresh / "licences")
    _strip_remote_code(fresh)
    _tell_python_versions(fresh)
    _replace(out, fresh)


def _replace(folder: Path, fresh: Path) -> None:
    """Puts `fresh` in the place of `folder`, which stays as it was until then; a browser that loaded it keeps its path."""
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _bundle(out: Path) -> None:
    esbuild = NODE_MODULES / ".bin" / "esbuild"
    common = [
        "--bundle",
        "--target=chrome124",
        "--charset=utf8",
        "--legal-comments=linked",
        f"--outdir={out}",
        "--outbase=.",
    ]
    modules = [*MODULES, "--format=esm", "--alias:pyodide=../pyodide/pyodide.mjs", "--external:../pyodide/pyodide.mjs"]
    run([esbuild, *modules, *BUNDLED_ONNX, *common], cwd=ROOT)
    # Injected into pages; what chrome.scripting gets back is the value of the script's last expression.
    reader = ["--format=iife", "--global-name=amplifierPage", "--footer:js=amplifierPage.read();"]
    run([esbuild, "sidepanel/extract.js", *reader, *common], cwd=ROOT)
    for page in ("background/offscreen.html", "sidepanel/index.html", "sidepanel/styles.css", "sidepanel/first-paint.js"):
        shutil.copy(ROOT / page, out / page)


def _add_pyodide(out: Path) -> None:
    out.mkdir()
    for name in PYODIDE_FILES:
        shutil.copy(NODE_MODULES / "pyodide" / name, out)
    for archive in ARCHIVES.iterdir():
        shutil.copy(archive, out)


def _tell_python_versions(out: Path) -> None:
    """What Python's kept memory was made from: it fits no other (sidepanel/python-snapshot.js)."""
    workers = [out / "sidepanel" / name for name in ("python-worker.js", "snapshot-worker.js")]
    digest = hashlib.sha256()
    for path in [*sorted((out / "pyodide").iterdir()), *workers]:
        digest.update(path.read_bytes())
    (out / "pyodide" / "made-from.txt").write_text(digest.hexdigest())


def _add_models(models: tuple[str, ...], out: Path) -> None:
    """Weights where WebLLM looks for them, hard-linked where the file system allows: the package is the only copy."""
    listed: list[dict[str, object]] = []
    for model in models:
        folder = out / model / "resolve" / "main"
        folder.mkdir(parents=True)
        for source in sorted(p for p in (MODELS / model).iterdir() if p.is_file()):
            _link(source, folder / source.name)
        for family in ("", "-gpu"):  # background/engines/own-library.js chooses
            _link(LIBRARIES / f"{model}{family}.wasm", out / model / f"library{family}.wasm")
        config = json.loads((folder / "mlc-chat-config.json").read_text())
        files = ["tensor-cache.json", *(p.name for p in sorted(folder.glob("*.bin")))]
        listed.append(
            {
                "id": model,
                "name": MODEL_NAMES[model],
                "origin": "package",
                "path": f"models/{model}/",
                "lib": f"models/{model}/library.wasm",
                "context_window": config["context_window_size"],
                "parameters": MODEL_PARAMETERS[model],
                "layers": config["model_config"]["num_hidden_layers"],
                "files": [f"resolve/main/{name}" for name in files],
                "bytes": sum((folder / name).stat().st_size for name in files),
                "licence": "Apache-2.0",
                "gguf": f"models/{model}/resolve/main/gguf.json",
            }
        )
    (out / "index.json").write_text(json.dumps({"default": models[0], "models": listed}, indent=2))


def _add_embedding(out: Path) -> None:
    """The embedding model and the runtime that it needs, where background/library/embedder.js looks for them."""
    for source in _embedding_files():
        target = out / "minilm" / source.relative_to(embedding_model.EMBEDDING_MODEL)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, target)
    for name in ONNX_FILES:
        shutil.copy(ONNX_RUNTIME / name, out)


def _add_llama(out: Path) -> None:
    """llama.cpp's wasm and its script, once as a module and once for its threads."""
    out.mkdir()
    script = (LLAMA / "src" / "wasm" / "wllama.js").read_text()
    if not script.startswith(LLAMA_GLOBAL):
        raise BuildError("wllama's script begins otherwise than expected: look at its new version and mend extension.py.")
    module = script.removeprefix(LLAMA_GLOBAL)
    (out / "llama.mjs").write_text(f"export default function run(Module){{{module}\nreturn Module}}\n")
    (out / "llama-thread.js").write_text(script)
    shutil.copy(LLAMA / "esm" / "wasm" / "wllama.wasm", out)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def _add_licences(out: Path) -> None:
    """Licences of all that is bundled: ours, npm's, and the wheels'. The models' lie beside their weights."""
    out.mkdir()
    shutil.copy(ROOT / "LICENSE", out / "amplifier-browser.txt")
    shutil.copy(ROOT / "background" / "engines" / "llama-licences.txt", out / "llama.txt")
    for folder, facts in bundled_packages().items():
        texts = _licence_texts(folder) or _licence_texts(NODE_MODULES / LICENCE_TEXTS.get(folder.name, "nowhere"))
        if not texts:
            raise BuildError(f"{folder.name} comes without the text of its licence: name a package that has it in extension.py.")
        name = "-".join(part.lstrip("@") for part in folder.relative_to(NODE_MODULES).parts if part != "node_modules")
        head = f"{folder.name} {facts['version']}, {facts['license']}\n{_source_of(folder)}\n"
        (out / f"npm-{name}.txt").write_text("\n".join([head, *texts]))
    stage = BUILD / "stage" / "app"
    for path in [*stage.glob("*.dist-info/**/*"), *stage.glob("*/*")]:
        if path.is_file() and LICENCE_FILE.match(path.name):
            package = path.relative_to(stage).parts[0].removesuffix(".dist-info")
            shutil.copy(path, out / f"python-{package}.txt")
    # Pyodide holds CPython and its library; typing-extensions is a part of it and has its licence.
    shutil.copy(next(out.glob("python-typing_extensions-*.txt")), out / "python-cpython.txt")


def bundled_packages() -> dict[Path, dict[str, str]]:
    """npm packages that are part of the extension, with their entries in package-lock.json: not those for development, nor
    type declarations, nor what only Node needs."""
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return {
        ROOT / folder: facts
        for folder, facts in locked.items()
        if folder
        and not facts.get("dev")
        and "/@types/" not in folder
        and folder not in NOT_BUNDLED
        and not facts.get("optional")
    }


def _licence_texts(package: Path) -> list[str]:
    files = [path.read_text(errors="replace") for path in sorted(package.glob("*")) if LICENCE_FILE.match(path.name)]
    readmes = [path.read_text(errors="replace") for path in sorted(package.glob("README*"))]
    return files or [text for text in readmes if LICENCE_IN_README in text]


def _source_of(package: Path) -> str:
    """Where its source code is, which some licences want to be said."""
    repository = json.loads((package / "package.json").read_text()).get("repository", "")
    return (repository["url"] if isinstance(repository, dict) else repository).removeprefix("git+")


def _strip_remote_code(out: Path) -> None:
    for script in [*out.rglob("*.js"), *out.rglob("*.mjs")]:
        text = script.read_bytes()
        stripped = REMOTE_CODE.sub(b"https://remote-code.invalid", text)
        if stripped != text:
            script.write_bytes(stripped)


def test_variant() -> Path:
    """The same extension with the tiny model as its default and the starter model beside it, for tests."""
    return build(("tiny", "starter"), TEST_EXTENSION)


def rebuild_library() -> None:
    """Rebuilds the starter model's compiled library: needs emscripten, and TVM, which it installs apart."""
    ensure_venv()
    command = [str(venv_python()), "-m", "starter_model.library", str(BUILD / "model-library")]
    if subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PYTHON)}, check=False).returncode:
        sys.exit(1)
