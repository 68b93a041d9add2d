"""Runs the JavaScript tests of the panel's store under Node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_panel_store() -> None:
    """All of panel_store.test.js passes."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is needed for the panel's unit tests")
    command = [node, "--test", "--test-reporter=tap", HERE / "panel_store.test.js"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"^# pass (\d+)$", result.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 0, result.stdout
