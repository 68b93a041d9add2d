"""Emscripten's part: TVM's browser runtime out of the apache-tvm wheel's sources, and the link. Standard library only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SHIMS = Path(__file__).parent / "runtime"
UNITS = ("wasm_runtime", "tvmjs_support", "webgpu_runtime")  # the longest first
COMPILE = ("em++", "-O2", "-std=c++17", "-Wno-ignored-attributes", "-c")
LINK = (
    "em++",
    "-O2",
    "--no-entry",
    *("-s", "WASM_BIGINT=1"),
    *("-s", "ERROR_ON_UNDEFINED_SYMBOLS=0"),
    *("-s", "STANDALONE_WASM=1"),
    *("-s", "ALLOW_MEMORY_GROWTH=1"),
    *("-s", "TOTAL_MEMORY=64MB"),
)


def ensure_emscripten() -> str:
    """em++'s version; installs Debian's package when root, else exits with what to do."""
    if shutil.which("em++") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise SystemExit("the model library needs em++ (Debian: apt-get install emscripten)")
        subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-y", "-q", "emscripten"], check=True, stdout=subprocess.DEVNULL)
    banner = subprocess.run(["em++", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", banner)
    return found.group() if found else "unknown"


def build_runtime(site_packages: Path, out: Path) -> list[Path]:
    """Compile the runtime's three translation units in `out`; their objects, in link order."""
    root = out / "source"
    _copy_sources(site_packages, root)
    # Relative, since names of lambdas and assertions carry the path of their file into the library.
    includes = ("", "/include", "/3rdparty/tvm-ffi/include", "/3rdparty/tvm-ffi/3rdparty/dlpack/include")
    flags = [f"-ffile-prefix-map={SHIMS}=shims", f"-I{SHIMS / 'include'}", *(f"-Isource{path}" for path in includes)]

    def compile_unit(unit: str) -> Path:
        subprocess.run([*COMPILE, *flags, "-o", f"{unit}.o", f"source/web/emcc/{unit}.cc"], check=True, cwd=out)
        return out / f"{unit}.o"

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(compile_unit, UNITS))


def _copy_sources(site_packages: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("src", "include", "web/emcc"):
        shutil.copytree(site_packages / "tvm" / folder, root / folder)
    shutil.copytree(SHIMS / "support", root / "src/support", dirs_exist_ok=True)
    (root / "3rdparty").mkdir()
    (root / "3rdparty/tvm-ffi").symlink_to(site_packages / "tvm_ffi")
    # RPC and the CPU sort include headers that the wheel lacks; WebLLM uses neither.
    _edit_lines(root / "web/emcc/wasm_runtime.cc", _without("src/runtime/rpc/", "contrib/sort/sort.cc"))
    _edit_lines(root / "web/emcc/tvmjs_support.cc", _before_rpc)
    _edit_lines(root / "src/runtime/vm/paged_kv_cache.cc", _append_with_rope)


def _edit_lines(path: Path, edit: Callable[[list[str]], Iterable[str]]) -> None:
    before = path.read_text(encoding="utf-8").splitlines()
    after = list(edit(before))
    if before == after:
        raise SystemExit(f"{path.name} is not as expected: another TVM version?")
    path.write_text("\n".join(after) + "\n", encoding="utf-8")


def _without(*needles: str) -> Callable[[list[str]], Iterable[str]]:
    return lambda lines: [line for line in lines if not any(needle in line for needle in needles)]


def _before_rpc(lines: list[str]) -> Iterable[str]:
    """The includes; all that follows them in this file serves RPC."""
    end = next(index for index, line in enumerate(lines) if line.startswith("namespace tvm {"))
    return [line for line in lines[:end] if "rpc_local_session.h" not in line]


def _append_with_rope(lines: list[str]) -> Iterable[str]:
    """recipe/rope.py's kernel puts keys and values into the cache itself, which saves a dispatch a layer."""
    text = "\n".join(lines)
    plain = "static_cast<int64_t>(rope_mode_ == RoPEMode::kNormal)"
    append = re.compile(
        r"f_transpose_append_mha_\.value\(\)\(pages_\[local_layer_id\], k_data, v_data,\s+append_position_map_view_\);"
    )
    # The first call is AttentionWithFusedQKV's; the appends follow it.
    before, _call, after = text.partition(plain)
    after, appends = append.subn("", after, count=2)
    if appends != 2:
        return lines
    return (before + "pages_[local_layer_id], append_position_map_view_" + after).splitlines()


def link(objects: list[Path], wasm: Path) -> None:
    """Link a model library. The undefined TVMFFIWasm* symbols are the imports that WebLLM supplies."""
    done = subprocess.run([*LINK, "-o", wasm, *objects], check=False, capture_output=True, text=True)
    wanted = [line for line in done.stderr.splitlines() if "undefined symbol: TVMFFIWasm" not in line]
    if done.returncode != 0 or not wasm.exists():
        raise SystemExit("\n".join(["linking failed", *wanted]))
    wasm.chmod(0o644)
