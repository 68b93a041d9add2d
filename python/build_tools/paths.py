"""Where everything lies, relative to the project's root."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
DIST = ROOT / "dist"
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
PYTHON = ROOT / "python"
WHEELS = BUILD / "wheels"
MODELS = BUILD / "models"
ARCHIVES = BUILD / "archives"
TEST_EXTENSION = BUILD / "extension-for-tests"  # the same code; its default model is the tiny one
LIBRARIES = PYTHON / "starter_model" / "library"


def venv_python() -> Path:
    """The interpreter of the project's virtual environment."""
    return VENV / "bin" / "python"
