"""Tool: the date and time here or elsewhere, by the browser's clock and time zones: Pyodide brings no time zones."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking_only
from ..host import HostError
from ..lexical import plain
from ..tooling import Permission, Traits, failed

__amplifier_module_type__ = "tool"

REGIONS = ("Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic", "Indian")
# Places that people name and the time zone database does not.
PLACES = {
    "San Francisco, Seattle, San Diego, Las Vegas, Portland, California, PST, PDT, Pacific time": "America/Los_Angeles",
    "Washington, Boston, Miami, Atlanta, Philadelphia, NYC, Florida, EDT, Eastern time": "America/New_York",
    "Dallas, Houston, Austin, Texas, CST, CDT, Central time": "America/Chicago",
    "MST, MDT, Mountain time": "America/Denver",
    "Montreal, Ottawa": "America/Toronto",
    "Rio, Rio de Janeiro, Brasilia, Brazil": "America/Sao_Paulo",
    "England, UK, United Kingdom, Britain, Edinburgh, Manchester, BST": "Europe/London",
    "Germany, Munich, Hamburg, Frankfurt, Cologne": "Europe/Berlin",
    "France, Lyon, Marseille": "Europe/Paris",
    "Spain, Barcelona": "Europe/Madrid",
    "Italy, Milan, Naples": "Europe/Rome",
    "Switzerland, Geneva, Basel": "Europe/Zurich",
    "Netherlands, the Netherlands, The Hague, Rotterdam": "Europe/Amsterdam",
    "Greece": "Europe/Athens",
    "Ukraine": "Europe/Kyiv",
    "India, Mumbai, Delhi, New Delhi, Bangalore, Bengaluru, Chennai, IST": "Asia/Kolkata",
    "China, Beijing, Shenzhen": "Asia/Shanghai",
    "Osaka, Kyoto, JST": "Asia/Tokyo",
    "South Korea, Korea, Busan": "Asia/Seoul",
    "Abu Dhabi": "Asia/Dubai",
    "Cape Town, South Africa": "Africa/Johannesburg",
}
ZONES = {plain(place): zone for places, zone in PLACES.items() for place in places.split(",")}

_NOW = r"(?:\s+(?:(?:right )?now|at the moment|currently|today|here|please))*"
_ZONE = r"(?P<zone>[^\W\d_][\w .'’/+-]{1,40}?)"
_WHEN = r"(?:time|date|date and time)"
_DAY = r"(?:date|day|weekday|day of the week|month|year)"


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts current_time."""
    tool = CurrentTime(coordinator)
    await coordinator.mount("tools", tool, name=tool.name)


class CurrentTime:
    """Tells date, weekday, time and offset from UTC."""

    name = "current_time"
    description = "Tells the current date and time, here or in a city."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"zone": {"type": "string", "description": "A city or time zone; empty for the time here"}},
    }
    traits = Traits(
        title="Look at the clock",
        asked_by=asking_only(
            rf"(?:do you know |tell me )?what time is it{_NOW} in {_ZONE}{_NOW}",
            rf"(?:what(?:['’]s| is)|tell me) the (?:current |local )?(?:date and )?time{_NOW} in {_ZONE}{_NOW}",
            rf"what time is it{_NOW}",
            rf"(?:do you know |tell me )?what time it is{_NOW}",
            rf"(?:(?:what(?:['’]s| is)|do you know|tell me|show me) )?(?:the )?(?:current|local) {_WHEN}{_NOW}",
            rf"(?:what(?:['’]s| is)|do you (?:know|have)|tell me) the {_WHEN}{_NOW}",
            rf"(?:what|which) {_DAY} (?:is it|is today|is this|are we in|do we have){_NOW}",
            rf"(?:what(?:['’]s| is)|tell me) (?:today['’]?s|the current) {_DAY}{_NOW}",
            rf"(?:what(?:['’]s| is)|tell me) the {_DAY} (?:today|now|right now)",
            r"what(?:['’]s| is) today",
        ),
        instruction="Name the city or time zone; leave it empty for the time here.",
        answer_prefix="It is",
        is_trusted=True,
        permission=lambda _arguments: Permission(sees="This computer's clock and time zone.", free=True),
    )

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """As "Friday, 1 August 2025, 14:05 (Europe/Berlin, UTC+02:00)"."""
        wanted = str(input.get("zone") or "").strip()
        call = self._coordinator.get_capability("browser.call")
        if call is None:
            return failed("This session has no browser to ask for the time.")
        try:
            told = await call("clock.now", zones=zone_names(wanted))
        except HostError as error:
            return failed(f"The browser did not tell the time: {error}. Try again.")
        if "error" in told:
            return failed(f"“{wanted}” is no city or time zone known here. Name a large city, or a zone such as Europe/Paris.")
        now = datetime.fromisoformat(told["iso"])
        offset = now.strftime("%z")
        return ToolResult(
            success=True,
            output=f"{now:%A}, {now.day} {now:%B %Y, %H:%M} ({told['zone']}, UTC{offset[:3]}:{offset[3:5]})",
        )


def zone_names(wanted: str) -> list[str]:
    """Names that the browser may know a place by, likeliest first; none for the time here."""
    place = plain(wanted).strip(" .?!")
    if place in ("", "here", "local", "local time", "now"):
        return []
    if place in ZONES:
        return [ZONES[place]]
    if offset := re.fullmatch(r"(?:utc|gmt)\s*([+-])(\d{1,2})(?::?(\d\d))?", place):
        return [f"{offset[1]}{int(offset[2]):02}:{offset[3] or '00'}"]
    city = place.split(",")[0].strip().replace(" ", "_")
    return [city, *(f"{region}/{city}" for region in REGIONS)]
