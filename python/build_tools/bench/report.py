"""`build.py bench`: measures, and says what the numbers mean."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..paths import ARCHIVES, ROOT
from ..steps import BuildError

HERE = Path(__file__).parent
FAST_ENGINE = 100  # tokens a second, more than any model writes here today


def main() -> int:
    """Prints a table; returns the exit status."""
    done = subprocess.run(["node", HERE / "run.mjs", ARCHIVES, HERE], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"The benchmark failed:\n{done.stderr or done.stdout}")
    print("\n".join(lines(json.loads(done.stdout))))
    return 0


def lines(measured: dict[str, float]) -> list[str]:
    """The table. `measured`: microseconds by name."""
    floor, token = measured["a token, JSON alone"], measured["a token, the whole session"]
    one, ten = measured["emit, one handler"], measured["emit, ten handlers"]
    return [
        "Amplifier's events in Pyodide (Node), medians of five runs:",
        *(f"  {name:28} {micros:9.1f} us   {1e6 / micros:10,.0f} a second" for name, micros in measured.items()),
        f"A further handler costs {(ten - one) / 9:.1f} us an event.",
        f"A token through the whole session costs {token / floor:.0f} times its JSON alone, "
        f"and {token * FAST_ENGINE / 1e4:.1f} % of one core at {FAST_ENGINE} tokens a second.",
    ]
