"""The overlay is whole, works, and says what it leaves out; the wheels are the pinned ones."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from build_tools import kernel_overlay, wheels
from build_tools.paths import ROOT

ENGINE = ROOT / "python" / "amplifier_core"


def _python(overlay: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(overlay)}, capture_output=True, text=True, timeout=60, check=False
    )


def _left_out() -> dict[str, str]:
    """File in the overlay to module name, for what importing refuses."""
    files = {name + "__init__.py" if name.endswith("/") else name: name for name in kernel_overlay.LEFT_OUT}
    return {file: "amplifier_core." + name.strip("/").removesuffix(".py").replace("/", ".") for file, name in files.items()}


def test_contents(overlay: Path, amplifier_wheel: Path) -> None:
    package = overlay / "amplifier_core"
    inside = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    ours = {path.name for path in ENGINE.glob("*.py")}
    assert ours <= inside
    assert not [name for name in inside if name.endswith((".so", ".pyd", ".pyi", "_pb2.py"))]
    assert "MIT License" in (package / "LICENSE").read_text()
    with zipfile.ZipFile(amplifier_wheel) as archive:
        for name in inside - ours - {"LICENSE"} - set(_left_out()):
            assert (package / name).read_bytes() == archive.read(f"amplifier_core/{name}"), f"{name} was changed"


def test_every_module_of_it_imports_or_says_why_not(overlay: Path) -> None:
    code = """
import importlib, pkgutil, amplifier_core
print(amplifier_core.__file__)
for module in pkgutil.walk_packages(amplifier_core.__path__, "amplifier_core.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
        print(module.name)
    except ImportError as error:
        print("refused:", error)
"""
    result = _python(overlay, code)
    assert result.returncode == 0, result.stderr
    first, *lines = result.stdout.splitlines()
    assert first.startswith(str(overlay))
    refused = sorted(line for line in lines if line.startswith("refused:"))
    assert [line.split()[1] for line in refused] == sorted(_left_out().values())
    assert all("is left out of this build: it" in line for line in refused)
    for name in ("testing", "validation", "validation.behavioral", "validation.structural", "loader_grpc"):
        assert f"amplifier_core.{name}" in lines


@pytest.mark.parametrize(
    "call",
    [
        "_engine.load_wasm_from_path('m.wasm')",
        "_engine.load_and_mount_wasm(None, 'm.wasm')",
        "_engine.proto_chat_request_to_json(b'')",
        "_engine.json_to_proto_chat_response('{}')",
        *(f"_engine.Wasm{kind}()" for kind in ("Tool", "Provider", "Hook", "Context", "Orchestrator", "Approval")),
        "asyncio.run(loader_grpc.load_grpc_module('m', None, {}, None))",
    ],
)
def test_what_is_left_out_says_so(overlay: Path, call: str) -> None:
    result = _python(overlay, f"import asyncio; from amplifier_core import _engine, loader_grpc; {call}")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("NotImplementedError: ") and "pure-Python engine" in last


def test_other_wheels_are_refused(amplifier_wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(amplifier_wheel) as archive:
        members = [name for name in archive.namelist() if not name.endswith((".so", "_pb2.py", "_pb2_grpc.py"))]
        contents = {name: archive.read(name) for name in members}
    contents["amplifier_core/_engine.abi3.so"] = b""
    contents.setdefault("amplifier_core/_grpc_gen/__init__.py", b"")

    def refusal(change: dict[str, bytes | None]) -> str:
        wheel = tmp_path / "changed.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in {**contents, **change}.items():
                if content is not None:
                    archive.writestr(name, content)
        with pytest.raises(kernel_overlay.LayoutError) as caught:
            kernel_overlay.assemble(wheel, ENGINE, tmp_path / "out")
        return str(caught.value)

    assert "models.py" in refusal({"amplifier_core/models.py": None})
    assert "licenses/LICENSE" in refusal({kernel_overlay.LICENSE: None})
    assert "cli.py" in refusal({"amplifier_core/cli.py": None})
    assert "extra.so" in refusal({"amplifier_core/extra.so": b""})
    assert not (tmp_path / "out").exists()


def test_an_engine_folder_without_engine_is_refused(amplifier_wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(kernel_overlay.LayoutError, match=r"_engine\.py"):
        kernel_overlay.assemble(amplifier_wheel, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wheels_are_checked_by_hash(tmp_path: Path) -> None:
    requirements, out = tmp_path / "requirements.txt", tmp_path / "wheels"
    out.mkdir()
    (out / "thing-1.0-py3-none-any.whl").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # sha256 of b"abc"
    requirements.write_text(f"# a comment\n\nthing==1.0 --hash=sha256:{digest}\n")
    wheels.download(requirements, out)  # nothing is missing, so pip is not asked
    assert wheels.wheel(requirements, out, "thing").name == "thing-1.0-py3-none-any.whl"
    (out / "thing-1.0-py3-none-any.whl").write_bytes(b"tampered")
    assert wheels.missing(wheels.pinned_hashes(requirements), out) == ["thing"]
    with pytest.raises(wheels.WheelError, match="thing"):
        wheels.wheel(requirements, out, "thing")


@pytest.mark.parametrize("line", ["thing", "thing==1.0", "thing>=1.0 --hash=sha256:" + "0" * 64, "thing==1.0 --hash=md5:0"])
def test_unpinned_requirements_are_refused(tmp_path: Path, line: str) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(line + "\n")
    with pytest.raises(wheels.WheelError, match="not `name==version"):
        wheels.download(requirements, tmp_path / "wheels")
