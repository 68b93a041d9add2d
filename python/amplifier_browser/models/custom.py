"""A model by the address of its repository: taken if a library whose bytes are known was compiled for its shape."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ..storage import Call
from .catalogue import Catalogue, Entry, Variant
from .shape import NoShape, shape

Message = dict[str, Any]

HOST = "huggingface.co"
PART = re.compile(r"[\w][\w.-]{0,95}")

# error of the page's call models.config -> title, next step
UNREADABLE = {
    "offline": ("No network", "Its configuration could not be read. Connect to the network, then add it again."),
    "not-found": (
        "There is no model in MLC format",
        "The repository, or mlc-chat-config.json in it, does not exist. Look for one whose name ends in “-MLC”.",
    ),
    "refused": (
        "The repository is private or asks for a login",
        "Amplifier has no account there. Choose a repository that everyone may read.",
    ),
}


class NotAdded(Exception):
    """The model cannot be used; `problem` says why and what to do."""

    def __init__(self, title: str, detail: str, technical: str = "") -> None:
        super().__init__(title)
        self.problem: Message = {"title": title, "detail": detail, "technical": technical}


def repository(address: str) -> tuple[str, str]:
    """Owner and name of "https://huggingface.co/OWNER/NAME", of "huggingface.co/OWNER/NAME" or "OWNER/NAME". Raises NotAdded."""
    text = address.strip()
    if re.fullmatch(r"[\w.-]+/[\w.-]+", text) and not text.lower().startswith(HOST):
        text = f"{HOST}/{text}"
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme != "https" or parts.netloc.lower() not in (HOST, f"www.{HOST}"):
        raise NotAdded(
            "This is not an address on huggingface.co",
            f"Models by address come from there: https://{HOST}/OWNER/NAME, with a model in MLC format.",
        )
    names = [part for part in parts.path.split("/") if part]
    if len(names) < 2 or not all(PART.fullmatch(name) for name in names[:2]):
        raise NotAdded("This is not the address of a model", f"It should look like https://{HOST}/OWNER/NAME.")
    return names[0], names[1]


async def describe(address: str, catalogue: Catalogue, call: Call) -> Entry:
    """Reads what the repository says of itself. Raises NotAdded."""
    owner, name = repository(address)
    base = f"https://{HOST}/{owner}/{name}/resolve/main/"
    if known := next((each for each in catalogue.entries if any(one.base == base for one in each.variants)), None):
        raise NotAdded("It is in the list already", f"Look for “{known.name}” below.")
    read: Message = await call("models.config", url=f"{base}mlc-chat-config.json")
    if "error" in read:
        title, step = UNREADABLE.get(read["error"], ("Its configuration could not be read", "Try again in a few minutes."))
        raise NotAdded(title, step, read.get("detail", ""))
    return _entry(owner, name, base, read["config"], catalogue)


def _entry(owner: str, name: str, base: str, config: Any, catalogue: Catalogue) -> Entry:
    try:
        wanted = shape(config)
    except NoShape as error:
        raise NotAdded("Its configuration is not one of MLC", "Look for a repository in MLC format.", str(error)) from error
    library = next((each for each in catalogue.libraries if each.shape == wanted), None)
    if library is None:
        raise NotAdded(
            "No program for this kind of model",
            "A model needs a compiled program beside its weights, and none of those in this package was compiled for it. "
            f"It is of type “{config['model_type']}”, quantized as {config['quantization']}. A model that was fine-tuned from "
            "one whose program is in the package works.",
            wanted,
        )
    told = config.get("context_window_size")
    window = min(library.context_window, told) if isinstance(told, int) and told > 0 else library.context_window
    variant = Variant(
        id=f"{owner}--{name}",
        base=base,
        lib=library.lib,
        lib_sha256=library.lib_sha256,
        context_window=window,
        vram_bytes=library.vram_bytes,
        size_bytes=library.size_bytes,
        needs=library.needs,
        quantization=str(config["quantization"]),
    )
    about = f"Added by you from {HOST}/{owner}/{name}"
    return Entry(variant.id, _readable(name), owner, "see its page", about, library.parameters, (variant,), is_custom=True)


def _readable(name: str) -> str:
    return re.sub(r"[-_]+", " ", re.sub(r"-q\df(16|32)(_\d)?|-MLC", "", name)).strip() or name
