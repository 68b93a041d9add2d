"""What the model is told of the moment: the day, the site beside the panel, and which model it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .storage import Call
from .tool_choice import is_small


async def status(call: Call, model: dict[str, Any] | None) -> dict[str, Any] | None:
    """The facts that hooks-status puts into words; none for a small model, which answers worse for each word that has nothing
    to do with the question, and has the tool current_time. `call`: Host.call."""
    if is_small(model):
        return None
    clock = await call("clock.now")
    tabs: list[dict[str, Any]] = await call("tabs.list") or []
    address = next((tab["url"] for tab in tabs if tab["active"]), "")
    return {"date": (clock or {}).get("iso", ""), "site": urlsplit(address).netloc or None, "model": model and model["name"]}
