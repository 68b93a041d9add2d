"""The images of a conversation in a file: as data URLs under their ids. Elsewhere the page keeps them (sidepanel/pictures.js)."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from .records import Kept, Message

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call


async def gathered(stored: Mapping[str, Any], call: Call) -> Message:
    """Those of a conversation as it is stored, to become a part of its file: {"images": {id: data URL}}, or nothing."""
    attachments = [each for message in stored.get("messages") or [] for each in message.get("attachments") or []]
    ids = dict.fromkeys(each["id"] for each in attachments if each.get("kind") == "image")
    urls = {name: await call("images.read", id=name) for name in ids}
    found = {name: url for name, url in urls.items() if url}
    return {"images": found} if found else {}


async def unpacked(kept: Kept, images: Any, call: Call) -> Kept:
    """The conversation of a file with its images, which are anybody's: each is decoded and made anew, under an id of our own, so
    that it takes the place of no other. What is no image leaves a gap."""
    given = cast(Message, images) if isinstance(images, dict) else {}
    names = {name: str(uuid.uuid4()) for name in given if _is_id(name)}
    for name, ours in names.items():
        await call("images.put", id=ours, url=str(given[name]))
    return Kept(kept.record, _renamed(kept.messages, names), _renamed(kept.memory, names), kept.pages)


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(each, names) for name, each in cast(Message, value).items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in cast(list[Any], value)]
    return names.get(value, value) if isinstance(value, str) else value
