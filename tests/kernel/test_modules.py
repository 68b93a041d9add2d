"""Our modules pass Amplifier's own validators, on the native kernel as on ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from build_tools.paths import PYTHON

MODULES = {
    "Provider": "amplifier_browser.modules.provider_webllm",
    "Orchestrator": "amplifier_browser.modules.loop_streaming",
    "Context": "amplifier_browser.modules.context_window",
    "Hook": "amplifier_browser.modules.hooks_panel",
}
CHECK = """
import asyncio, json, sys
import amplifier_core
from amplifier_core import validation
kind, module = sys.argv[1:]
result = asyncio.run(getattr(validation, kind + "Validator")().validate(module))
checks = [[check.name, check.passed, check.severity, check.message] for check in result.checks]
print(json.dumps({"engine": amplifier_core._engine.__file__, "checks": checks}))
"""


@pytest.mark.parametrize("kernel", ["native", "ours"])
@pytest.mark.parametrize("kind", MODULES)
def test_validators_pass(kind: str, kernel: str, overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = [str(overlay), str(PYTHON)] if kernel == "ours" else [str(modules_alone(overlay))]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, kind, MODULES[kind]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["engine"].endswith("_engine.py") is (kernel == "ours"), report["engine"]
    checks = report["checks"]
    with capsys.disabled():
        print(f"\n  {MODULES[kind]} on the {kernel} kernel: {sum(passed for _, passed, *_ in checks)} of {len(checks)} checks pass")
    assert checks
    assert [check for check in checks if not check[1] or check[2] == "error"] == []


def modules_alone(overlay: Path) -> Path:
    """A folder with our modules but without our kernel, so that the installed native one is imported."""
    folder = overlay.parent / "modules"
    folder.mkdir(exist_ok=True)
    link = folder / "amplifier_browser"
    if not link.exists():
        link.symlink_to(PYTHON / "amplifier_browser")
    return folder
