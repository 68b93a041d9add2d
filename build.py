#!/usr/bin/env python3
"""Amplifier Browser: one entry point for all there is to do. Needs Python 3.11 and nothing else; sets up the rest itself.

python3 build.py run                 build, then open Chromium with the panel; without a display, summarize the sample
                                     article headless and print the summary as it streams
python3 build.py run --url URL       summarize that page instead
python3 build.py run --ask "..."     ask that instead
python3 build.py run --engine cpu    run the model on the CPU, in a Chromium without WebGPU
python3 build.py run --doctor        measure this machine, and predict how fast each model of the catalogue would be on it
python3 build.py run --attach FILE --ask "..."   ask a document
python3 build.py run --approve TOOL  let it use that tool when it asks; more than one may be named
python3 build.py bench               what users feel, beside the same work done barely: overhead, startup, long, embeddings, size
                                     (20 minutes; each alone by its name; the exit status is 1 if a target is missed)
python3 build.py bench events        what events and tokens cost in Python
python3 build.py bench gpu           the starter model on this machine's graphics card, beside llama.cpp's WebGPU
python3 build.py bench retrieval     how well documents are searched, on real questions (Debian)
python3 build.py bench sessions      the list of 500 conversations, and the panel's start beside one with none
python3 build.py bench extraction    what is kept of pages of many kinds, beside Readability alone (Debian)
python3 build.py test [PYTEST ...]   every test but the slow ones, or those that pytest's arguments choose (-m slow)
python3 build.py build               only the unpacked extension, in dist/
python3 build.py package             a zip of it, ready for a store
python3 build.py package --models ID ...   the same with these models' compiled libraries in it, so that they can be
                                     downloaded without loading code from elsewhere (build takes --models as well)
python3 build.py lint                formatting, linting and types
python3 build.py model-library       rebuild the starter model's compiled library (needs emscripten; a few minutes)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must learn it from these words
    sys.exit("Amplifier Browser is built with Python 3.11 or newer: install it, then run this again with it.")

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "python"))

from build_tools import environment, extension  # noqa: E402
from build_tools.bench import report  # noqa: E402
from build_tools.bench.extraction import environment as extraction  # noqa: E402
from build_tools.model_vendor import Vendor  # noqa: E402
from build_tools.paths import BUILD, DIST, NODE_MODULES, PYTHON, venv_python  # noqa: E402
from build_tools.steps import BuildError  # noqa: E402

BENCHES = ("overhead", "startup", "long", "embeddings", "size")  # in the order in which they run


def in_environment(command: Sequence[str | Path], **extra_environment: str) -> int:
    """Runs a command in the project's virtual environment; returns its exit status."""
    env = {**os.environ, "PYTHONPATH": str(PYTHON), **extra_environment}
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode


def run(options: argparse.Namespace) -> int:
    """Builds the extension, then drives or shows a browser with it."""
    folder = extension.test_variant() if options.model == "tiny" else extension.build()
    browser = environment.find_browser()
    environment.ensure_driver()
    command: list[str | Path] = [venv_python(), "-m", "build_tools.run", "--extension", folder, "--browser", browser]
    for name in ("url", "ask", "screenshot", "engine"):
        if value := getattr(options, name):
            command += [f"--{name}", value]
    for path in options.attach:
        command += ["--attach", path]
    for tool in options.approve:
        command += ["--approve", tool]
    command += [f"--{name}" for name in ("headless", "doctor") if getattr(options, name)]
    return in_environment(command)


def test(options: argparse.Namespace) -> int:
    """Builds both variants of the extension, then runs pytest."""
    extension.build()
    extension.test_variant()
    environment.find_browser()
    environment.ensure_driver()
    # Two at a time, by files, since most of a browser test is waiting; what one asks for by name runs alone, with all it prints.
    # In the order of their names, so that the browser tests, each of which takes minutes, do not come last.
    # The slow ones take ten minutes more: they run when they are named, or by `-m slow`.
    at_once = [] if options.pytest else ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not slow"]
    return in_environment([venv_python(), "-m", "pytest", *at_once, *options.pytest])


def bench(options: argparse.Namespace) -> int:
    """What users feel, as ratios within one run; or one benchmark by its name."""
    extension.build()
    if options.what == "events":
        return report.main()
    if options.what == "retrieval":
        return in_environment([venv_python(), "-m", "build_tools.bench.retrieval.measure"])
    browser = environment.find_browser()
    environment.ensure_driver()
    if options.what == "extraction":
        return extraction.run(browser)
    extension.test_variant()
    status = 0
    for name in [options.what] if options.what else BENCHES:
        print(f"\nbench {name}", flush=True)
        command = [venv_python(), "-m", f"build_tools.bench.{name}", "--extension", DIST, "--browser", browser]
        status |= bool(in_environment(command))
    return status


def lint(_options: argparse.Namespace) -> int:
    """Formatting, linting and types of Python and JavaScript."""
    environment.ensure_node()
    environment.ensure_npm_packages()
    environment.ensure_venv()
    tools = NODE_MODULES / ".bin"
    checks: list[list[str | Path]] = [
        [venv_python(), "-m", "ruff", "check", "."],
        [venv_python(), "-m", "ruff", "format", "--check", "."],
        [tools / "pyright", "--project", ROOT / "pyproject.toml"],
        [tools / "biome", "check", "."],
        [tools / "tsc"],
    ]
    return max(in_environment(check) for check in checks)


def built(options: argparse.Namespace) -> Path:
    """The unpacked extension, with the libraries of the models that were named."""
    if not options.models:
        return extension.build()
    environment.ensure_node()
    environment.ensure_npm_packages()
    return extension.build(libraries=tuple(Vendor(options.models_from).vendor(options.models)))


def build(options: argparse.Namespace) -> int:
    """Only the unpacked extension."""
    built(options)
    print(f"The unpacked extension is in {DIST.relative_to(ROOT)}/")
    return 0


def package(options: argparse.Namespace) -> int:
    """A zip for a store."""
    archive = extension.package(built(options))
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB")
    return 0


def model_library(_options: argparse.Namespace) -> int:
    """The starter model's compiled library, from its sources."""
    extension.rebuild_library()
    return 0


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command line; what follows `test` is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="build, then use it")
    running.add_argument("--url", help="summarize this page instead of the sample article")
    running.add_argument("--ask", help="ask this instead of summarizing")
    running.add_argument("--attach", action="append", default=[], metavar="FILE", help="a document to ask about")
    running.add_argument("--approve", action="append", default=[], metavar="TOOL", help="allow this tool when it asks")
    running.add_argument("--model", choices=["starter", "tiny"], default="starter", help="tiny: random words, for tests")
    running.add_argument("--engine", choices=["gpu", "cpu"], help="what the model runs on; without it a GPU if there is one")
    running.add_argument("--doctor", action="store_true", help="measure this machine instead")
    running.add_argument("--headless", action="store_true", help="without a window, even where there is a display")
    running.add_argument("--screenshot", help="where the panel's picture goes", default=str(BUILD / "panel.png"))
    running.set_defaults(do=run)
    benching = commands.add_parser("bench", help="measure")
    benching.add_argument("what", nargs="?", choices=[*BENCHES, "gpu", "events", "retrieval", "extraction", "sessions"])
    benching.set_defaults(do=bench)
    for name, do in {"build": build, "package": package}.items():
        building = commands.add_parser(name, help=(do.__doc__ or "").split("\n")[0])
        building.add_argument("--models", nargs="+", default=[], metavar="ID", help="put these models' libraries into it")
        building.add_argument("--models-from", metavar="URL", help="a mirror to fetch the libraries from")
        building.set_defaults(do=do)
    for name, do in {
        "test": test,
        "lint": lint,
        "model-library": model_library,
    }.items():
        commands.add_parser(name, help=(do.__doc__ or "").split("\n")[0]).set_defaults(do=do)
    return parser.parse_known_args(arguments)


def main() -> int:
    """Runs one command; returns its exit status."""
    options, rest = parse(sys.argv[1:])
    if rest and options.do is not test:
        sys.exit(f"unknown arguments: {' '.join(rest)}; see python3 build.py --help")
    options.pytest = rest
    try:
        return options.do(options)
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
