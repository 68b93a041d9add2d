"""Our modules pass Amplifier's own validators, on the native kernel as on ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from amplifier_browser.loader import BUNDLED
from build_tools.paths import PYTHON, ROOT

BEHAVIOUR = ROOT / "tests" / "kernel" / "behaviour_of_modules.py"

CHECK = """
import asyncio, importlib, json, os, sys
import amplifier_core
from amplifier_core import validation

async def check(name):
    kind = importlib.import_module(name).__amplifier_module_type__.capitalize()
    result = await getattr(validation, kind + "Validator")().validate(name)
    return [[check.name, check.passed, check.severity, check.message] for check in result.checks]

checks = {name: asyncio.run(check(name)) for name in sys.argv[1:]}
print(json.dumps({"engine": amplifier_core._engine.__file__, "checks": checks}), flush=True)
os._exit(0)  # the native engine may abort the interpreter while it exits
"""


@pytest.mark.parametrize("kernel", ["native", "ours"])
def test_validators_pass_on_every_module(kernel: str, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_on(kernel, overlay, ["-c", CHECK, *BUNDLED.values()])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["engine"].endswith("_engine.py") is (kernel == "ours"), report["engine"]
    with capsys.disabled():
        print()
        for module, checks in report["checks"].items():
            print(f"  {module} on the {kernel} kernel: {sum(check[1] for check in checks)} of {len(checks)} checks pass")
    assert set(report["checks"]) == set(BUNDLED.values())
    for module, checks in report["checks"].items():
        assert checks, module
        assert [check for check in checks if not check[1] or check[2] == "error"] == [], module


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
