"""Our modules pass Amplifier's own validators, on the native kernel as on ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from build_tools.paths import PYTHON, ROOT

BEHAVIOUR = ROOT / "tests" / "kernel" / "behaviour_of_modules.py"

MODULES = {
    "Provider": "amplifier_browser.modules.provider_webllm",
    "Orchestrator": "amplifier_browser.modules.loop_streaming",
    "Context": "amplifier_browser.modules.context_window",
    "Hook": "amplifier_browser.modules.hooks_panel",
}
CHECK = """
import asyncio, json, os, sys
import amplifier_core
from amplifier_core import validation
kind, module = sys.argv[1:]
result = asyncio.run(getattr(validation, kind + "Validator")().validate(module))
checks = [[check.name, check.passed, check.severity, check.message] for check in result.checks]
print(json.dumps({"engine": amplifier_core._engine.__file__, "checks": checks}), flush=True)
os._exit(0)  # the native engine may abort the interpreter while it exits
"""


@pytest.mark.parametrize("kernel", ["native", "ours"])
@pytest.mark.parametrize("kind", MODULES)
def test_validators_pass(kind: str, kernel: str, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_on(kernel, overlay, ["-c", CHECK, kind, MODULES[kind]])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["engine"].endswith("_engine.py") is (kernel == "ours"), report["engine"]
    checks = report["checks"]
    with capsys.disabled():
        passed = sum(check[1] for check in checks)
        print(f"\n  {MODULES[kind]} on the {kernel} kernel: {passed} of {len(checks)} checks pass")
    assert checks
    assert [check for check in checks if not check[1] or check[2] == "error"] == []


@pytest.mark.parametrize("kernel", ["native", "ours"])
def test_behavioural_classes_pass(kernel: str, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-m", "pytest", "-q", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider", "--noconftest"]
    done = run_on(kernel, overlay, [*options, str(BEHAVIOUR)])
    last = done.stdout.strip().splitlines()[-1]
    with capsys.disabled():
        print(f"\n  behavioural classes on the {kernel} kernel: {last}")
    assert done.returncode in (0, -6), done.stdout  # the native engine may abort the interpreter while it exits
    assert " passed" in last and "failed" not in last and "error" not in last, done.stdout


def run_on(kernel: str, overlay: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs Python with our modules on the kernel that is named."""
    path = [str(overlay), str(PYTHON)] if kernel == "ours" else [str(modules_alone(overlay))]
    # The wheel's own pytest plugin belongs to the native kernel, so none is loaded by itself.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=False)


def modules_alone(overlay: Path) -> Path:
    """A folder with our modules but without our kernel, so that the installed native one is imported."""
    folder = overlay.parent / "modules"
    folder.mkdir(exist_ok=True)
    link = folder / "amplifier_browser"
    if not link.exists():
        link.symlink_to(PYTHON / "amplifier_browser")
    return folder
