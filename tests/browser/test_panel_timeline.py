"""What happened, as the log section of the settings shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gallery.page import Panel, open_panel


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def test_nothing_has_happened_yet(panel: Panel) -> None:
    panel.show("settings-log")
    assert "Nothing to tell yet" in panel.one("timeline-empty").text
    assert panel.all("timeline") == []
    panel.one("export-log")


def test_the_latest_stands_first_with_its_time_and_level(panel: Panel) -> None:
    panel.show("settings-timeline")
    panel.dispatch({"type": "notice", "level": "info", "text": "elsewhere"})  # the list is Python's to tell
    entries = panel.all("timeline-entry")
    levels = [entry.get_dom_attribute("data-level") for entry in entries]
    assert levels == ["info", "error", "warning", "info", "warning", "info"]
    assert "This conversation is not being saved" in entries[1].text
    assert "2026" in entries[1].text
    assert "Error:" in entries[1].get_property("textContent")
    assert entries[-1].find_element("css selector", "time").get_dom_attribute("datetime").startswith("2026-11-24T")


def test_nothing_of_it_becomes_markup(panel: Panel) -> None:
    panel.show("settings-timeline")
    first = panel.all("timeline-entry")[0]
    assert "<b>bold</b>" in first.text
    assert panel.run("return document.body.dataset.hacked") is None
    assert panel.run("return arguments[0].querySelector('img, b')", first) is None


def test_it_is_drawn_within_the_panel(panel: Panel) -> None:
    panel.show("settings-timeline")
    assert panel.run("return document.documentElement.scrollWidth <= innerWidth")
    box = panel.one("timeline")
    assert panel.run("return arguments[0].scrollWidth <= arguments[0].clientWidth", box)
