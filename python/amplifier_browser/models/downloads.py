"""Downloads in words: the line below a model, and what went wrong with the next step."""

from __future__ import annotations

from typing import Any

from ..engine import EngineError
from .fit import size

Message = dict[str, Any]

# What a download puts up with: Policy in background/protocol.js. It is told with each download and kept with it, since a download
# goes on without a panel.
POLICY: Message = {
    "passing": ["offline", "server", "stalled"],  # these are tried again by themselves; all others are for the user
    "waits": [0.5, 1, 2, 5, 10, 30, 60],  # seconds before an attempt, by how many before it brought nothing; then the last
    "quiet": 5,  # seconds without a byte, after which the panel says that nothing comes
    "silence": 30,  # and after which the connection is given up
    "fetches": 2,  # of a file that comes wrong
}

RUNNING = ("queued", "checking", "downloading", "waiting", "verifying")

# code of the background, or of a model that is refused here -> title, next step
PROBLEMS = {
    "offline": ("No network", "Connect to the network: the download goes on where it was."),
    "not-found": (
        "The files are not there any more",
        "The publisher has moved or removed them. Choose another model, or look for a newer version of Amplifier.",
    ),
    "refused": (
        "The server refuses to give the files",
        "It may want a login, or a licence to be accepted first, which Amplifier cannot do. Choose another model.",
    ),
    "server": ("The server has a problem", "That mostly passes: try again in a few minutes. What is here already is kept."),
    "stalled": (
        "The server sends nothing at the moment",
        "The network is slow, or the server is busy. It is asked anew by itself every half minute, and goes on where it was.",
    ),
    "moved": (
        "The files have moved to another server",
        "Amplifier may load from known servers only, and does not follow. Look for a newer version of Amplifier, or choose "
        "another model.",
    ),
    "corrupt": (
        "A file came damaged",
        "It was thrown away. Try again; if it fails again, a proxy or virus scanner may be changing it on its way.",
    ),
    "disk-full": ("The disk is full", "Free some space, or delete a model that you do not need, then go on."),
    "no-space": (
        "There is not enough space for it",
        "Free some space on the disk, or delete a model that you do not need, then try again. Nothing was downloaded.",
    ),
    "bad-model": ("This is not a model that Amplifier can run", "Delete it, and choose another one."),
    "no-library": (
        "Its program is not in this package",
        "A model needs a compiled program beside its weights, and Amplifier runs only programs whose bytes are known. Build "
        "the extension with it, on a computer with network: python3 build.py package --models {model}",
    ),
    "engine-lost": ("The download stopped", "It goes on by itself in a moment; if not, try again."),
}
AGAIN = {"offline", "server", "corrupt", "disk-full", "no-space", "refused", "not-found", "engine-lost", "failed"}


QUIET = "Nothing comes at the moment"
# code of a download that waits -> what it waits for
WAITS = {
    "offline": "No network; goes on by itself",
    "server": "The server has a problem; it is asked again by itself",
    "stalled": "The server sends nothing; it is asked again by itself",
}


def problem(code: str, detail: str, model: str) -> Message:
    """Why a download failed: Problem in sidepanel/types.js."""
    title, step = PROBLEMS.get(code, ("The download failed", "Try again. What is here already is kept."))
    found: Message = {"title": title, "detail": step.format(model=model), "technical": detail}
    if code in AGAIN or code not in PROBLEMS:
        found["action"] = {"label": "Try again", "command": {"type": "resume-download", "model": model}}
    return found


def problem_of(error: EngineError, model: str) -> Message:
    """The same for a request that failed."""
    return problem(error.code, str(error).partition(": ")[2], model)


def line(download: Message) -> str:
    """Where a download stands, in a line."""
    state, done, total = download["state"], download["done"], download["total"]
    amount = f"{size(done)} of {size(total)}" if total else (size(done) if done else "")
    words: dict[str, str] = {
        "queued": _joined("Waits for its turn", amount if done else ""),
        "checking": "Looking at what is here already",
        "downloading": _joined(amount, standstill(download) or _speed(download)) or "Starting",
        "paused": _joined("Paused", amount),
        "waiting": _joined(standstill(download), amount),
        "verifying": "Checking the files",
        "complete": _joined("On this computer", size(total or done) if total or done else ""),
        "partial": _joined("Not complete", amount),
        "error": _joined("Stopped", amount if done else ""),
    }
    return words.get(state, "")


def standstill(download: Message) -> str:
    """Why a download that is to go on by itself stands still at the moment; "" if it does not."""
    code = (download["error"] or {}).get("code", "")
    if download["state"] == "waiting":
        return WAITS.get(code, WAITS["offline"])
    return QUIET if download["state"] == "downloading" and code == "stalled" else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _speed(download: Message) -> str:
    rate = download.get("bytes_per_second")
    return _joined(f"{size(rate)}/s" if rate else "", _time(download))


def _time(download: Message) -> str:
    left = download.get("seconds_left")
    if left is None:
        return ""
    if left < 60:
        return f"{max(1, round(left))} s left"
    if left < 3600:
        return f"{round(left / 60)} min left"
    hours, minutes = divmod(round(left / 60), 60)
    return f"{hours} h {minutes} min left"
