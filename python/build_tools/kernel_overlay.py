"""Assemble the amplifier_core package that ships: PyPI's Python layer with our engine in place of the native one.

    python kernel_overlay.py WHEEL ENGINE_DIR OUT

Nothing of upstream's is edited. Files are taken as they are, dropped, or replaced whole by a file of ENGINE_DIR, and a
wheel that is not laid out as expected is refused rather than half-assembled.
"""

from __future__ import annotations

import argparse
import shutil
import zipfile
from pathlib import Path

PACKAGE = "amplifier_core"
VERSION = "2.0.2"
DIST_INFO = f"{PACKAGE}-{VERSION}.dist-info"
LICENSE = f"{DIST_INFO}/licenses/LICENSE"

# Replaced by files of the engine folder, or only a description of the native engine.
REPLACED = ("_engine.abi3.so", "_engine.pyi", "loader_grpc.py")
# Left out, and why: importing one of these says so. A name that ends with "/" is a package.
LEFT_OUT = {
    "_grpc_gen/": "it needs grpcio and protobuf",
    "cli.py": "it is a command line tool",
    "pytest_plugin.py": "it is a pytest plugin",
    "validation/proto_schema.py": "it needs protobuf",
}
DROPPED = (*REPLACED, *LEFT_OUT)
REQUIRED = ("__init__.py", "_session_init.py", "_session_exec.py", "_collect_helper.py", "correlation.py", "loader.py",
            "models.py", "testing.py", "validation/__init__.py")  # fmt: skip
SUFFIXES = (".py", ".typed")


class LayoutError(Exception):
    """The wheel or the engine folder is not laid out as this tool expects."""


def assemble(wheel: Path, engine_dir: Path, out: Path) -> None:
    """Write ``out/amplifier_core``: the wheel's Python files without DROPPED, engine_dir's files over them, the licence.

    An existing ``out/amplifier_core`` is replaced. Raises LayoutError, before anything is written, if the wheel or
    engine_dir is not as expected.
    """
    engine = _engine_files(engine_dir)
    target = out / PACKAGE
    with zipfile.ZipFile(wheel) as archive:
        kept = _kept_members(archive.namelist())
        shutil.rmtree(target, ignore_errors=True)
        for name in kept:
            _write(out / name, archive.read(name))
        _write(target / "LICENSE", archive.read(LICENSE))
    for name, why in LEFT_OUT.items():
        _write(target / (f"{name}__init__.py" if name.endswith("/") else name), _stub(name, why))
    for source in engine:
        shutil.copyfile(source, target / source.name)


def _kept_members(members: list[str]) -> list[str]:
    """The wheel's members to take, checked against what is expected of it."""
    prefix = f"{PACKAGE}/"
    inside = [name.removeprefix(prefix) for name in members if name.startswith(prefix) and not name.endswith("/")]
    missing = [name for name in REQUIRED if name not in inside]
    missing += [name for name in DROPPED if not any(_matches(member, name) for member in inside)]
    if LICENSE not in members:
        missing.append(LICENSE)
    if missing:
        raise LayoutError(f"wheel lacks {', '.join(missing)}: is it {PACKAGE} {VERSION}?")
    kept = [name for name in inside if not any(_matches(name, dropped) for dropped in DROPPED)]
    strange = [name for name in kept if not name.endswith(SUFFIXES)]
    if strange:
        raise LayoutError(f"wheel has files that are neither Python nor known to be dropped: {', '.join(strange)}")
    return [prefix + name for name in kept]


def _matches(member: str, pattern: str) -> bool:
    return member.startswith(pattern) if pattern.endswith("/") else member == pattern


def _stub(name: str, why: str) -> bytes:
    module = f"{PACKAGE}.{name.removesuffix('/').removesuffix('.py').replace('/', '.')}"
    return f'raise ImportError("{module} is left out of this build: {why}")\n'.encode()


def _engine_files(engine_dir: Path) -> list[Path]:
    files = sorted(engine_dir.glob("*.py"))
    if engine_dir / "_engine.py" not in files:
        raise LayoutError(f"no _engine.py in {engine_dir}")
    return files


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main() -> None:
    """Command line: assemble(wheel, engine_dir, out)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wheel", "engine_dir", "out"):
        parser.add_argument(name, type=Path)
    assemble(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
