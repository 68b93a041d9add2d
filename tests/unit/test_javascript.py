"""Runs the JavaScript unit tests under Node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_javascript(name: str) -> None:
    """All of the file's tests pass, and there are some."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is needed for the JavaScript unit tests")
    command = [node, "--test", "--test-reporter=tap", HERE / name]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    passed = re.search(r"^# pass (\d+)$", result.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 0, result.stdout
