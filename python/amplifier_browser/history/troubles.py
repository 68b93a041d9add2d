"""Why conversations cannot be read or written, in words for the user, each with the next step. Interface: Problem in
sidepanel/types.js."""

from __future__ import annotations

from datetime import datetime

from .records import Message

LATER = "VersionError"  # how the page's words begin where the database is of a later version
UPDATE = "Update this extension, or use the newer copy of it. Nothing is lost; only this copy can neither read nor change it."


def unreadable(reason: str) -> Message:
    """Why there is no list."""
    if reason.startswith(LATER):
        return {"title": "The conversations were kept by a newer Amplifier", "detail": UPDATE, "technical": reason}
    return {
        "title": "The conversations cannot be read",
        "detail": "The browser does not open their database. This conversation goes on. Close other windows of the browser that "
        "may hold it, or restart the browser.",
        "technical": reason,
    }


def unsaved(reason: str) -> Message:
    """Why the open conversation is not on the disk."""
    title = "This conversation is not being saved"
    if reason.startswith(LATER):
        detail = f"The conversations on this computer were kept by a newer Amplifier. {UPDATE} Export this conversation from the "
        return {"title": title, "detail": f"{detail}list before you close the panel.", "technical": reason}
    return {
        "title": title,
        "detail": "It goes on, and saving is tried again by itself. Free some space if the disk is full. Until it is saved, "
        "do not close the panel, or export the conversation from the list of conversations first.",
        "technical": reason,
    }


def left_unsaved(title: str, reason: str) -> str:
    """That a conversation which is not open any more is not on the disk."""
    return (
        f"“{title}” is not saved yet ({reason}). It stays in the list of conversations for as long as this panel is open, and "
        "saving it is tried again by itself. Export it before you close the panel."
    )


def in_a_line(what: str, reason: str) -> str:
    """The same for a notice; `what` failed."""
    found = unreadable(reason)
    return f"{found['title']}. {found['detail']}" if reason.startswith(LATER) else f"{what}: {reason}"


def lost_conversations(count: int, last: int) -> str:
    """That the database is empty, though conversations were in it; `last`: milliseconds since the epoch."""
    day = datetime.fromtimestamp(last / 1000)
    what = "The conversation that was" if count == 1 else f"The {count} conversations that were"
    return (
        f"{what} kept here on {day:%B} {day.day}, {day.year} {'is' if count == 1 else 'are'} gone: Chrome throws a database away "
        "when it is damaged, or when the disk is full. If you have exported files, import them from the list of conversations."
    )
