"""Our kernel behaves as the native one: the scenarios of the contract, run three ways, give the same observations.

Native amplifier-core on CPython is the reference; ours runs on CPython and in Pyodide (Node with the npm package pyodide).
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scenarios

HERE = Path(__file__).parent
NATIVE, OURS, PYODIDE = "native on CPython", "ours on CPython", "ours in Pyodide"
TIMEOUT = 300  # seconds; about 10 on an idle machine


@pytest.fixture(scope="session")
def documents(overlay: Path, other_wheels: list[Path]) -> dict[str, dict[str, Any]]:
    """What every kernel printed. The three run at the same time."""
    module = [sys.executable, "-m", "scenarios"]
    commands = {
        NATIVE: (module, None),
        OURS: (module, overlay),
        PYODIDE: (["node", str(HERE / "run_in_pyodide.mjs"), str(overlay), *map(str, other_wheels)], None),
    }
    running = {name: _start(command, path) for name, (command, path) in commands.items()}
    return {name: _finish(name, process) for name, process in running.items()}


def _start(command: list[str], python_path: Path | None) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if python_path:
        environment["PYTHONPATH"] = str(python_path)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=HERE, env=environment, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")


def _finish(name: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    assert process.returncode == 0, f"{name} failed:\n{errors}"
    return json.loads(output)


def difference(documents: dict[str, dict[str, Any]], scenario: str) -> str:
    """How the other kernels' observations of a scenario differ from the native one's, as diffs; empty if they do not."""
    lines: list[str] = []
    reference = _lines(documents[NATIVE], scenario)
    for name in (OURS, PYODIDE):
        other = _lines(documents[name], scenario)
        lines += difflib.unified_diff(reference, other, f"{scenario}: {NATIVE}", f"{scenario}: {name}", lineterm="", n=6)
    return "\n".join(lines)


def _lines(document: dict[str, Any], scenario: str) -> list[str]:
    return json.dumps(document["scenarios"].get(scenario, "missing"), indent=1, ensure_ascii=True, sort_keys=True).splitlines()


def test_the_kernels_are_what_they_should_be(documents: dict[str, dict[str, Any]]) -> None:
    engines = {name: document["engine"] for name, document in documents.items()}
    assert engines[NATIVE].startswith("_engine.") and not engines[NATIVE].endswith(".py")
    assert engines[OURS] == engines[PYODIDE] == "_engine.py"


@pytest.mark.parametrize("scenario", list(scenarios.scenarios()))
def test_scenario(documents: dict[str, dict[str, Any]], scenario: str) -> None:
    observed = documents[NATIVE]["scenarios"][scenario]
    assert observed and not str(observed).startswith("scenario failed"), observed
    found = difference(documents, scenario)
    assert not found, f"the kernels differ:\n{found}"


def test_a_difference_would_be_shown(documents: dict[str, dict[str, Any]]) -> None:
    scenario = "p13_states"
    changed = json.loads(json.dumps(documents))
    changed[PYODIDE]["scenarios"][scenario][0][0] = "changed"
    assert '+  "changed"' in difference(changed, scenario)
    del changed[OURS]["scenarios"][scenario]
    assert '+"missing"' in difference(changed, scenario)


def test_all_points_are_covered_and_the_three_agree(
    documents: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = list(scenarios.scenarios())
    assert sorted({name[:3] for name in names}) == [f"p{point:02d}" for point in range(1, 19)]
    assert all(list(document["scenarios"]) == names for document in documents.values())
    differing = [name for name in names if difference(documents, name)]
    with capsys.disabled():
        print(f"\n{len(names)} scenarios of 18 points: {', '.join(names)}")
        print(f"{NATIVE}, {OURS}, {PYODIDE}: " + (f"DIFFER in {', '.join(differing)}" if differing else "all three agree"))
    assert not differing
