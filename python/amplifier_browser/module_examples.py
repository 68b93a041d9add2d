"""The modules in examples/ as texts: what the panel offers as a beginning of one's own."""

from __future__ import annotations

from importlib import resources

NAMES = {"word_count": "Word count", "call_counter": "Call counter", "page_words": "Words of the page"}


def examples() -> list[dict[str, str]]:
    """[{name, source}], the simplest first."""
    folder = resources.files("amplifier_browser.examples")
    return [{"name": name, "source": (folder / f"{file}.py").read_text("utf-8")} for file, name in NAMES.items()]
