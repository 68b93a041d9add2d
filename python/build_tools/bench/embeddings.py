"""`build.py bench embeddings`: our embedding Worker beside a bare Transformers.js, and the library at 1k, 10k and 100k chunks.

Both Workers have the same model, texts, runtime and threads, in one page of the extension, in turns. The library's own code is
given made-up texts and vectors, so that its times are its own.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from ..drive import Browser
from ..paths import TEST_EXTENSION
from .beside import with_bare_pages
from .plots import Plot
from .results import Result, Table, Target, keep

COMMAND = "python3 build.py bench embeddings"
TEXTS = 24
ROUNDS = 4
SIZES = (1_000, 10_000, 100_000)
# Ours does all that the bare one does, and sends the vectors as bytes; sorting by length should more than pay for that.
LEAST_RATE = 1.0
LEAST_COSINE = 0.999  # of a vector as bytes to the bare one's floats
SEARCH_MS = 200  # a search of 100k chunks is not noticed beside the answer that it is for
INDEX_SECONDS = 60  # 100k chunks without the model's work
EAGER_MEMORY = "--enable-blink-features=ForceEagerMeasureMemory"

PATIENCE = 600  # seconds

# It is asked for by and by, since a driver waits two minutes for an answer at most.
CALL = """
const [name, ...given] = arguments;
const call = () => globalThis.isLoaded ? globalThis[name](...given).then((found) => { globalThis.found = found; },
  (error) => { globalThis.found = {error: String(error)}; }) : setTimeout(call, 20);
call();
"""
FOUND = "return globalThis.found"


def main() -> int:
    """Prints tables, keeps the numbers; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--tiny", type=Path, default=TEST_EXTENSION, help="the extension with the tiny model")
    parser.add_argument("--quick", action="store_true", help="less of all, to see that it works")
    options = parser.parse_args()
    extension = with_bare_pages(options.tiny, "embeddings")
    rates = _measure(extension, options.browser, "embedAll", passages(TEXTS), 2 if options.quick else ROUNDS)
    # Each size in a browser of its own: memory and the disk begin empty.
    sizes = SIZES[:2] if options.quick else SIZES
    libraries = {size: _measure(extension, options.browser, "measureLibrary", size) for size in sizes}
    return keep(_result(rates, libraries), COMMAND + (", with --quick: less of all" if options.quick else ""))


def passages(count: int) -> list[str]:
    """Texts of 20 to 180 words, as a document's chunks are: most are long, some are short."""
    chance = random.Random(7)
    words = ["harbour", "morning", "gulls", "sleep", "wall", "boats", "leave", "sea", "prices", "rose", "winter", "orchard"]
    return [" ".join(chance.choices(words, k=min(180, chance.randint(20, 300)))) for _ in range(count)]


def _measure(extension: Path, browser_path: str, name: str, *given: Any) -> dict[str, Any]:
    with Browser(extension, browser_path, flags=(EAGER_MEMORY,)) as browser:
        browser.open(browser.url("bench/embeddings.html"))
        browser.driver.execute_script(CALL, name, *given)
        measured = browser.wait(lambda: browser.driver.execute_script(FOUND), PATIENCE, f"{name} has ended")
    if "error" in measured:
        raise RuntimeError(f"{name}: {measured['error']}")
    return measured


def _result(rates: dict[str, Any], libraries: dict[int, dict[str, Any]]) -> Result:
    ours, bare = ([TEXTS * 1000 / ms for ms in rates[name]] for name in ("ours", "bare"))
    share = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    speed = Table(
        f"Passages a second on the processor: median of {len(ours)} (lowest to highest)",
        ["", "passages/s", "lowest", "highest"],
        [[name, statistics.median(each), min(each), max(each)] for name, each in (("ours", ours), ("bare", bare))],
    )
    largest = libraries[max(libraries)]
    rows: list[list[str | float]] = [
        [
            f"{size:,}",
            found["index_ms"] / 1000,
            found["first_search_ms"] / 1000,
            statistics.median(found["search_ms"]),
            max(found["search_ms"]),
            found["open_ms"] / 1000,
            found["bytes"] / 1e6,
        ]
        for size, found in libraries.items()
    ]
    columns = ["chunks", "index, s", "first search, s", "search, ms", "slowest, ms", "open again, s", "memory, MB"]
    library = Table("The library without the model's work", columns, rows)
    targets = [
        Target("passages a second, of a bare Transformers.js", share, LEAST_RATE, at_most=False),
        Target("least cosine of our vectors and the bare ones", rates["least_cosine"], LEAST_COSINE, at_most=False),
        Target(f"a search of {max(libraries):,} chunks", statistics.median(largest["search_ms"]), SEARCH_MS, unit="ms"),
        Target(f"indexing {max(libraries):,} chunks", largest["index_ms"] / 1000, INDEX_SECONDS, unit="s"),
    ]
    series = {
        "index them, all": [(float(size), found["index_ms"]) for size, found in libraries.items()],
        "open again": [(float(size), found["open_ms"]) for size, found in libraries.items()],
        "first search": [(float(size), found["first_search_ms"]) for size, found in libraries.items()],
        "search": [(float(size), statistics.median(found["search_ms"])) for size, found in libraries.items()],
    }
    plot = Plot("library", "The library of documents, without the model's work", "chunks", "milliseconds", series, log=True)
    raw = {"milliseconds": rates, "libraries": {str(size): found for size, found in libraries.items()}}
    return Result("embeddings", [speed, library], targets, [plot], raw)


if __name__ == "__main__":
    sys.exit(main())
