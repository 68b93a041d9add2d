"""Where the kernel tests find the wheels and the assembled overlay."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_tools import kernel_overlay, wheels

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "python" / "pyodide-wheels.txt"
WHEELS = ROOT / "build" / "wheels"


@pytest.fixture(scope="session")
def amplifier_wheel() -> Path:
    """The pinned amplifier-core wheel, downloaded if it is not there."""
    wheels.download(REQUIREMENTS, WHEELS)
    return wheels.wheel(REQUIREMENTS, WHEELS, "amplifier-core")


@pytest.fixture(scope="session")
def other_wheels(amplifier_wheel: Path) -> list[Path]:
    """The wheels that the overlay needs in Pyodide."""
    names = [name for name in wheels.pinned_hashes(REQUIREMENTS) if name != "amplifier-core"]
    return [wheels.wheel(REQUIREMENTS, WHEELS, name) for name in names]


@pytest.fixture(scope="session")
def overlay(amplifier_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our amplifier_core: the wheel's Python layer and our engine."""
    out = tmp_path_factory.mktemp("overlay")
    kernel_overlay.assemble(amplifier_wheel, ROOT / "python" / "amplifier_core", out)
    return out
