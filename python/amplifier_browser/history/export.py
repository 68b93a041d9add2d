"""A conversation as a file: JSON that can be imported again, and Markdown for people."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, cast

from .records import FORMAT, BadRecord, Kept, Message

SPEAKERS = {"user": "You", "assistant": "Amplifier"}
NAME_CHARACTERS = 60


def as_json(stored: Message) -> str:
    """The whole conversation; `stored` is Kept.stored(), or a record that could not be read, as it is."""
    return json.dumps({"format": FORMAT, **stored}, ensure_ascii=False, indent=1)


def from_json(text: str) -> Kept:
    """Reads what `as_json` wrote; raises BadRecord for anything else."""
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise BadRecord(f"it is no JSON ({error})") from error
    if not isinstance(stored, dict) or cast(Message, stored).get("format") != FORMAT:
        raise BadRecord("it is no conversation that Amplifier exported")
    return Kept.of(cast(Message, stored))


def images_in(text: str) -> Any:
    """What the file that `from_json` reads has under "images"."""
    return json.loads(text).get("images")


def as_markdown(kept: Kept) -> str:
    """For people: what was said, with sources, notes and citations."""
    when = datetime.fromtimestamp(kept.record.created / 1000).strftime("%Y-%m-%d %H:%M")
    parts = [f"# {kept.record.title}", f"*{when}*", *(_message(message) for message in kept.messages)]
    return "\n\n".join(parts) + "\n"


def file_name(title: str, ending: str) -> str:
    """A name that every system takes."""
    plain = re.sub(r"[^\w\- ]+", "", title).strip()[:NAME_CHARACTERS].strip()
    return f"{plain or 'conversation'}.{ending}"


def _message(message: Message) -> str:
    lines = [f"## {SPEAKERS.get(message['role'], message['role'])}"]
    if attachments := message.get("attachments"):
        lines.append("With: " + ", ".join(each["name"] for each in attachments))
    if source := message.get("source"):
        lines.append(f"About [{source['title']}]({source['url']})")
    lines.append(message["text"].strip() or "*(no text)*")
    if error := message.get("error"):
        lines.append(f"*{error['title']}*")
    lines += [f"*{note}*" for note in message.get("notes", [])]
    lines += [f"*Answered by {host}: text left the browser*" for host in message.get("sent_to", [])]
    if citations := message.get("citations"):
        lines.append("\n".join(_citation(each) for each in citations))
    return "\n\n".join(lines)


def _citation(citation: Message) -> str:
    name = citation.get("name") or citation.get("url") or ""
    page = f", page {citation['page']}" if citation.get("page") else ""
    return f"[{citation['number']}] {name}{page}: “{' '.join(citation['quote'].split())}”"
