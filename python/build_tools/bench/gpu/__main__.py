"""`python -m build_tools.bench.gpu`: decode and prefill rates on this machine's graphics card.

Three sides, each in fresh browsers, in turns: WebLLM as it is with the library for software, WebLLM as the extension runs it, and
wllama. --software takes SwiftShader. On a host without this repository's builds, --site names a folder made by --only-site here.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

from ...paths import BUILD, NODE_MODULES, ROOT
from ..results import Result, Table, Target, keep
from .browser import IN_HARDWARE, IN_SOFTWARE, WITH_TIMESTAMPS, Pages

PAGE = Path(__file__).parent / "site"
LIBRARIES = ROOT / "python/starter_model/library"
CONTEXTS = [64, 1024]
DECODED = 64
REPEATS = 3
ROUNDS = 2
PATIENCE = 150.0
FASTER_DECODE, FASTER_PREFILL = 3.0, 2.0  # than wllama

Report = dict[str, Any]


def assemble(site: Path) -> None:
    """Everything that the page loads, as one folder."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(PAGE, site)
    shutil.copytree(LIBRARIES, site / "libraries", ignore=lambda _, names: [name for name in names if not name.endswith(".wasm")])
    (site / "web-llm").mkdir()
    shutil.copy(NODE_MODULES / "@mlc-ai/web-llm/lib/index.js", site / "web-llm")
    shutil.copytree(NODE_MODULES / "@wllama/wllama/esm", site / "wllama")
    (site / "engines").mkdir()
    for name in ("gguf.js", "pass-merging.js"):
        shutil.copy(ROOT / "background/engines" / name, site / "engines")
    shutil.copytree(BUILD / "models/starter", site / "models/starter/resolve/main")


def sides(model: str, site: Path) -> dict[str, Report]:
    """What the page is asked for each side. A shape that is only measured has no library for software."""
    web_llm = {"runtime": "webllm", "model": model}
    plain = f"{model}.wasm" if (site / "libraries" / f"{model}.wasm").exists() else f"{model}-gpu.wasm"
    return {
        "raw": {**web_llm, "lib": plain},
        "ours": {**web_llm, "lib": f"{model}-gpu.wasm", "merge": True},
        "wllama": {"runtime": "wllama", "model": model},
    }


def measure(pages: Pages, options: argparse.Namespace, configs: dict[str, Report]) -> dict[str, list[Report]]:
    """The reports of each side, in turns."""
    flags = IN_SOFTWARE if options.software else IN_HARDWARE
    if options.kernels:
        flags = (*flags, *WITH_TIMESTAMPS)
    common = {"contexts": options.contexts, "tokens": options.tokens, "repeats": options.repeats, "kernels": options.kernels}
    reports: dict[str, list[Report]] = {side: [] for side in configs}
    for _ in range(options.rounds):
        for side, config in configs.items():
            report = pages.report_of(options.browser, flags, {**config, **common}, PATIENCE)
            print(side, json.dumps({k: report.get(k) for k in ("error", "load", "adapter", "log") if report.get(k)}), flush=True)
            for run in report.get("runs", []):
                print(f"  {run['context']}: {run['prefill']:.0f} {run['decode']:.1f} {run['text'][:40]!r}", flush=True)
                for kernel, calls, microseconds in run.get("kernels", [])[:24]:
                    print(f"    {calls:6} x {microseconds:8.1f} us  {kernel}", flush=True)
            reports[side].append(report)
    return reports


def median(reports: list[Report], context: int, what: str) -> float:
    """Of all runs at about that context; 0 if there are none, which keeps no target."""
    found = [run[what] for report in reports for run in report.get("runs", []) if abs(run["context"] - context) <= 4]
    return statistics.median(found) if found else 0.0


def result(model: str, contexts: list[int], reports: dict[str, list[Report]]) -> Result:
    """The table and the targets of one model."""
    rows: list[list[str | float]] = []
    targets: list[Target] = []
    for what, factor in (("decode", FASTER_DECODE), ("prefill", FASTER_PREFILL)):
        for context in contexts:
            rates = {side: median(reports[side], context, what) for side in reports}
            over_raw, over_wllama = (rates["ours"] / rates[side] if rates[side] else 0.0 for side in ("raw", "wllama"))
            rows.append([f"{what}, {context} tokens", *rates.values(), over_raw, over_wllama])
            targets.append(Target(f"{model}: {what} at {context} tokens, times wllama's", over_wllama, factor, at_most=False))
    columns = [f"{model}, tokens a second", *reports, "ours / raw", "ours / wllama"]
    return Result("", [Table("Rates on a graphics card", columns, rows)], targets, raw={model: reports})


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", help="not used: the page is bare")
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--software", action="store_true")
    parser.add_argument("--kernels", action="store_true", help="print what each kernel takes; keeps nothing")
    parser.add_argument("--site", type=Path)
    parser.add_argument("--only-site", action="store_true")
    parser.add_argument("--models", nargs="+", default=["starter"])
    parser.add_argument("--sides", nargs="+", help='any of raw, ours, wllama, or NAME={"runtime": ...}; keeps nothing')
    parser.add_argument("--contexts", nargs="+", type=int, default=CONTEXTS)
    parser.add_argument("--tokens", type=int, default=DECODED)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    site = options.site or BUILD / "bench" / "gpu-site"
    if options.site is None or options.only_site:
        assemble(site)
    if options.only_site:
        return 0
    pages = Pages(site)
    whole = Result("", [], [])
    adapter = ""
    for model in options.models:
        configs = chosen(sides(model, site), options.sides, model)
        reports = measure(pages, options, configs)
        if options.kernels or options.sides:
            continue
        info = next((report["adapter"] for report in reports["ours"] if report.get("adapter")), {})
        adapter = ", ".join([str(info[key]) for key in ("vendor", "architecture", "description") if info.get(key)] + card())
        part = result(model, options.contexts, reports)
        whole.tables += part.tables
        whole.targets += part.targets
        whole.raw |= part.raw
    if not whole.tables:
        return 0
    found = re.search(r"[a-z]+\d+|swiftshader", adapter.lower())
    whole.name = f"gpu-{adapter.split(',')[0]}{f'-{found[0]}' if found else ''}"
    return keep(whole, f"python -m build_tools.bench.gpu --models {' '.join(options.models)}", adapter)


def card() -> list[str]:
    """The card's name, which browsers do not tell."""
    if not shutil.which("nvidia-smi"):
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[:1]


def chosen(known: dict[str, Report], wanted: list[str] | None, model: str) -> dict[str, Report]:
    """The sides that were asked for."""
    if not wanted:
        return known
    asked: dict[str, Report] = {}
    for side in wanted:
        name, _, config = side.partition("=")
        asked[name] = {"model": model, **json.loads(config)} if config else known[name]
    return asked


if __name__ == "__main__":
    raise SystemExit(main())
