"""Texts from Debian's packages, which are downloaded and unpacked in the build folder; nothing is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from ..steps import BuildError


def unpacked(package: str, packages: Path) -> tuple[Path, str]:
    """Where a package's files lie below `packages`, and its version. Raises BuildError where there is no apt."""
    folder = packages / package
    version = folder / "VERSION"
    if not version.exists():
        print(f"- {package} from Debian ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if not _apt("apt-cache", "search", "--names-only", f"^{re.escape(package)}$"):
            _apt("apt-get", "update", "-qq")
        _apt("apt-get", "download", package, cwd=folder)
        archive = next(folder.glob("*.deb"))
        _apt("dpkg-deb", "-x", str(archive), str(folder))
        version.write_text(_apt("dpkg-deb", "-f", str(archive), "Version").strip())
        archive.unlink()
    return folder, version.read_text()


def python_documentation() -> str:
    """The name of the package with the documentation of the Python that this Debian has."""
    for attempt in ("known", "updated"):
        known = _apt("apt-cache", "search", "--names-only", "^python3-doc$")
        if known:
            found = re.search(r"Depends: (python3\.\d+-doc)", _apt("apt-cache", "depends", "python3-doc"))
            if found:
                return found[1]
        if attempt == "known":
            _apt("apt-get", "update", "-qq")
    raise BuildError("apt has no package python3-doc: this benchmark needs Debian's or Ubuntu's packages.")


def _apt(*command: str, cwd: Path | None = None) -> str:
    if not shutil.which(command[0]):
        raise BuildError("The texts of this benchmark are Debian packages: run it on Debian or Ubuntu, or in such a container.")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
    return done.stdout
