"""Runs the JavaScript tests of the engine's supervisor under Node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_engine_supervisor() -> None:
    """All of engine_supervisor.test.js passes."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is needed for the unit tests of the engine's supervisor")
    command = [node, "--test", "--test-reporter=tap", HERE / "engine_supervisor.test.js"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"^# pass (\d+)$", result.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 0, result.stdout
