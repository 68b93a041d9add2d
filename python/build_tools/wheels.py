"""Download the wheels that a hash-pinned requirements file names, for Pyodide whatever the host.

python wheels.py REQUIREMENTS OUT
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

# Both platforms at once: the hashes in the requirements file leave one wheel of each package.
PLATFORMS = ("pyemscripten_2026_0_wasm32", "manylinux2014_x86_64", "any")
PYTHON = "3.14"
ABIS = ("cp314", "abi3", "none")

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)\s+--hash=sha256:([0-9a-f]{64})$")


class WheelError(Exception):
    """The requirements file is not pinned, or a wheel is missing or not the pinned one."""


def download(requirements: Path, out: Path) -> None:
    """Make ``out`` hold the pinned wheels; pip runs only if one is missing.

    Raises WheelError for a line without exactly one version and one hash, a failed download, or wheels that lack a
    pinned hash. Other files in ``out`` are left alone.
    """
    pinned = pinned_hashes(requirements)
    out.mkdir(parents=True, exist_ok=True)
    if missing(pinned, out):
        _pip_download(requirements, out)
    if absent := missing(pinned, out):
        raise WheelError(f"not in {out} with the pinned hash: {', '.join(absent)}")


def wheel(requirements: Path, out: Path, package: str) -> Path:
    """The downloaded wheel of one package (its name as the requirements file spells it). Raises WheelError."""
    digest = pinned_hashes(requirements).get(package)
    for path in out.glob("*.whl"):
        if _sha256(path) == digest:
            return path
    raise WheelError(f"{package} is not pinned in {requirements} or not downloaded to {out}")


def pinned_hashes(requirements: Path) -> dict[str, str]:
    """Package name to sha256, in the file's order."""
    pinned: dict[str, str] = {}
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _REQUIREMENT.match(line)
        if not match:
            raise WheelError(f"{requirements}: not `name==version --hash=sha256:...`: {line}")
        pinned[match[1]] = match[3]
    return pinned


def missing(pinned: dict[str, str], out: Path) -> list[str]:
    """Names of the pinned packages that have no wheel with their hash in out."""
    present = {_sha256(path) for path in out.glob("*.whl")}
    return [name for name, digest in pinned.items() if digest not in present]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pip_download(requirements: Path, out: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--require-hashes", "--implementation", "cp", "--python-version", PYTHON,
               "--requirement", str(requirements), "--dest", str(out)]  # fmt: skip
    for option, values in (("--platform", PLATFORMS), ("--abi", ABIS)):
        for value in values:
            command += [option, value]
    if subprocess.run(command, check=False).returncode:
        raise WheelError("pip download failed (its message is above)")


def main() -> None:
    """Command line: download(requirements, out)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("requirements", "out"):
        parser.add_argument(name, type=Path)
    download(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
