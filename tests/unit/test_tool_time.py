"""The clock: what it says, which zones it asks the browser for, and who asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.modules import tool_time
from amplifier_browser.modules.tool_time import zone_names
from tool_harness import Browser, asked, refused, said, tools_of


async def clock(*answers: tuple[str, str, str]) -> Any:
    """The tool in a browser that knows these zones: (name asked for, ISO time, zone)."""
    browser = Browser()
    browser.clock = {name: {"iso": iso, "zone": zone} for name, iso, zone in answers}
    return (await tools_of(tool_time, browser))["current_time"]


async def test_the_time_here_with_weekday_zone_and_offset() -> None:
    tool = await clock(("", "2025-08-01T14:05:09+02:00", "Europe/Berlin"))
    assert said(await tool.execute({})) == "Friday, 1 August 2025, 14:05 (Europe/Berlin, UTC+02:00)"
    assert tool.traits.permission({}).free and tool.traits.is_trusted


async def test_the_time_elsewhere() -> None:
    tool = await clock(
        ("", "2025-02-01T05:59:00+01:00", "Europe/Berlin"), ("America/new_york", "2025-01-31T23:59:00-05:00", "America/New_York")
    )
    assert said(await tool.execute({"zone": "New York"})) == "Friday, 31 January 2025, 23:59 (America/New_York, UTC-05:00)"


async def test_an_unknown_place_says_what_to_name_instead() -> None:
    tool = await clock(("", "2025-08-01T14:05:09+02:00", "Europe/Berlin"))
    assert "“Atlantis” is no city" in refused(await tool.execute({"zone": "Atlantis"}))


async def test_without_a_browser_nothing_is_made_up() -> None:
    tool = (await tools_of(tool_time, None))["current_time"]
    assert "no browser" in refused(await tool.execute({}))


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("Europe/Paris", "europe/paris"),
        ("Beijing", "Asia/Shanghai"),
        ("san francisco", "America/Los_Angeles"),
        ("UTC+2", "+02:00"),
        ("GMT-05:30", "-05:30"),
        ("UTC", "utc"),
    ],
)
def test_places_that_the_browser_names_otherwise(wanted: str, first: str) -> None:
    assert zone_names(wanted)[0] == first


def test_a_city_is_looked_for_in_every_region() -> None:
    assert {"Asia/tokyo", "Europe/tokyo"} <= set(zone_names("Tokyo, Japan"))
    assert zone_names("") == zone_names("here") == []


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("what time is it", {}),
        ("What time is it right now?", {}),
        ("What's the time?", {}),
        ("what day is today", {}),
        ("Which day is it today?", {}),
        ("What is today's date?", {}),
        ("What's the date today", {}),
        ("what year is it", {}),
        ("Hey, can you tell me the time please?", {}),
        ("current time", {}),
        ("What time is it in Tokyo?", {"zone": "Tokyo"}),
        ("what's the time in New York right now?", {"zone": "New York"}),
    ],
)
def test_asked_by(prompt: str, arguments: dict[str, str]) -> None:
    assert asked(prompt) == ("current_time", arguments)


@pytest.mark.parametrize(
    "prompt",
    [
        "What is the time signature of a waltz?",
        "What time is it best to plant tomatoes?",
        "What is the date of the battle of Hastings?",
        "What time is the meeting?",
        "What is the current of a river?",
        "What is the time complexity of quicksort?",
        "What day is Christmas?",
        "Write a story about a man who asks what time it is",
        "What is today known about dark matter?",
    ],
)
def test_not_asked_by(prompt: str) -> None:
    assert asked(prompt) is None
