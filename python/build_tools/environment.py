"""Sets up what the build needs: Node, npm packages, the virtual environment, a browser that loads extensions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .paths import NODE_MODULES, ROOT, VENV, venv_python
from .steps import BuildError, step

NODE_MINIMUM = 18  # what Debian 12 has
BROWSERS = ("chromium", "chromium-browser", "google-chrome-for-testing")
MAC_BROWSERS = (
    "/Applications/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def run(command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command; its output is shown only when it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=cwd, env=env)
    if done.returncode:
        raise BuildError(f"{' '.join(words)} failed:\n{done.stdout[-4000:]}")


def apt_install(*packages: str) -> bool:
    """Installs Debian packages where that can be: as root, with apt."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print(f"- installing {', '.join(packages)} from Debian ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=quiet)
    return True


def ensure_node() -> None:
    """Node and npm, which bundle the JavaScript and compile Python for the browser."""
    for attempt in ("found", "installed"):
        node, npm = shutil.which("node"), shutil.which("npm")
        if node and npm:
            version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            if int(version.lstrip("v").split(".")[0]) >= NODE_MINIMUM:
                return
            raise BuildError(f"Node {version} is too old: install Node {NODE_MINIMUM} or newer, then run this again.")
        if attempt == "installed" or not apt_install("nodejs", "npm"):
            break
    hint = "brew install node" if sys.platform == "darwin" else "apt-get install nodejs npm"
    raise BuildError(f"Node and npm are missing: install Node {NODE_MINIMUM} or newer ({hint}), then run this again.")


def ensure_npm_packages() -> None:
    """npm packages, exactly as package-lock.json pins them. No install scripts run."""
    lock = ROOT / "package-lock.json"
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    step("npm packages", [lock], [NODE_MODULES / ".package-lock.json"], lambda: run(command, cwd=ROOT))


def ensure_venv() -> None:
    """The virtual environment for tests, linters and driving the browser."""
    requirements = ROOT / "requirements.txt"

    def make() -> None:
        if not venv_python().exists():
            run([sys.executable, "-m", "venv", VENV])
        run([venv_python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements])

    step("Python packages", [requirements], [venv_python()], make, extra=sys.version)


def find_browser() -> str:
    """A Chromium or Chrome for Testing. Branded Chrome ignores --load-extension since version 137."""
    if chosen := os.environ.get("AMPLIFIER_BROWSER"):
        return chosen
    for attempt in ("found", "installed"):
        for name in (*BROWSERS, *MAC_BROWSERS):
            if path := shutil.which(name):
                return path
        if attempt == "installed" or not apt_install("chromium", "chromium-driver"):
            break
    raise BuildError(
        "No Chromium found. Install Chromium or Chrome for Testing (Debian: apt-get install chromium chromium-driver), or set "
        "AMPLIFIER_BROWSER to its path.\nGoogle Chrome itself will not do here: it ignores --load-extension. To use the "
        "extension in Chrome, open chrome://extensions, switch on Developer mode, choose Load unpacked and pick dist/."
    )


def ensure_driver() -> None:
    """chromedriver beside the browser: Debian splits it off; elsewhere Selenium fetches the one that fits."""
    if shutil.which("chromedriver") or sys.platform == "darwin":
        return
    apt_install("chromium-driver")
