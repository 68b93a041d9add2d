"""Hook: tells the model, in one line of every request, the date, the site beside the panel and which model it is.

As upstream's hooks-status-context. Only a date and no time, so that what the engine has read of the prompt stays good for a
day; of the page only its host, since a title would put a stranger's words into every request.
Capability `browser.status` (optional): async () -> {"date": "2026-11-24", "site": "example.org" | None, "model": str | None},
or None where nothing should be told.
Config: include_date, include_site, include_model (default true), priority (default 0).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from amplifier_core import HookResult

__amplifier_module_type__ = "hook"

NAME = "hooks-status"
# A long name full of hyphens could be a sentence: an instruction to the model.
HOST = re.compile(r"(?=.{1,40}$)(?!(.*-){4})[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?", re.IGNORECASE)
MODEL = re.compile(r"[\w .:+/()-]{1,60}")


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers the hook; returns what takes it away again."""
    options = config or {}

    async def tell(_event: str, _data: dict[str, Any]) -> HookResult:
        facts = await _facts(coordinator)
        line = "" if facts is None else status_line(facts, options)
        if not line:
            return HookResult(action="continue")
        return HookResult(
            action="inject_context",
            context_injection=line,
            context_injection_role="system",
            ephemeral=True,
            suppress_output=True,
        )

    return coordinator.hooks.register("provider:request", tell, priority=int(options.get("priority", 0)), name=NAME)


async def _facts(coordinator: Any) -> dict[str, Any] | None:
    """What the browser knows; nothing if it cannot say, since no answer should wait for a status."""
    ask = coordinator.get_capability("browser.status")
    try:
        facts = await ask() if ask else {}
    except Exception:
        facts = {}
    return facts if facts is None or isinstance(facts, dict) else {}


def status_line(facts: dict[str, Any], options: dict[str, Any]) -> str:
    """The line; parts that are switched off or not known are left out."""
    site, model = str(facts.get("site") or ""), str(facts.get("model") or "")
    parts: list[str] = []
    if options.get("include_date", True):
        parts.append(f"Today is {_spoken(facts.get('date'))}.")
    if options.get("include_site", True) and HOST.fullmatch(site):
        parts.append(f"The user is looking at {site.lower()}.")
    if options.get("include_model", True) and MODEL.fullmatch(model):
        parts.append(f"You are the model {model}.")
    return " ".join(parts)


def _spoken(iso: Any) -> str:
    """A date as people say it; today's by this machine's clock if there is none."""
    try:
        day = date.fromisoformat(str(iso)[:10])
    except ValueError:
        day = date.today()
    return f"{day:%A}, {day.day} {day:%B} {day.year}"
