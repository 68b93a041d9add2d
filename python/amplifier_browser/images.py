"""Images in messages. The page keeps their bytes (sidepanel/pictures.js); a message of the conversation has Amplifier's block
{"type": "image", "source": {"type": "picture", "id", "name", "width", "height"}} for each, and the engine gets a data URL."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

Message = dict[str, Any]
Content = str | list[Message]

FIELDS = ("id", "name", "width", "height")
PATCH = 28  # pixels that a token stands for, each way, in the models that servers have
# Phi-3.5-vision, the vision model of WebLLM's catalogue: its picture is made 16 squares large, whatever it was.
MOST_TOKENS = 2600


def question_about(sent: Sequence[Mapping[str, Any]]) -> str:
    """What is asked of images that were sent without a word; "" if there are none."""
    count = len([each for each in sent if each["kind"] == "image"])
    return "" if count == 0 else "What is in this image?" if count == 1 else "What is in these images?"


def can_see(model: Mapping[str, Any] | None) -> bool:
    """Whether a model (Engine.model) takes images."""
    return bool(model and model.get("is_vision"))


def with_images(text: str, images: Sequence[Mapping[str, Any]]) -> Content:
    """What a message says that was sent with these attachments; those that are no images count for nothing."""
    sources = [{"type": "picture", **{name: each[name] for name in FIELDS}} for each in images if each["kind"] == "image"]
    blocks = [{"type": "image", "source": source} for source in sources]
    return [*blocks, {"type": "text", "text": text}] if blocks else text


def sources_in(content: Any) -> list[Message]:
    """The sources of the images in a message's content, whether of dicts or of Amplifier's blocks."""
    blocks: list[Any] = cast(list[Any], content) if isinstance(content, list) else []
    plain = [cast(Message, each) if isinstance(each, dict) else each.model_dump() for each in blocks]
    return [each["source"] for each in plain if each["type"] == "image"]


def text_of(content: Content | None) -> str:
    """The words of a message of the conversation."""
    if isinstance(content, list):
        return "".join(block["text"] for block in content if block["type"] == "text")
    return content or ""


def said_anew(content: Content, text: str) -> Content:
    """The content with other words, and the images that it had."""
    return [each if each["type"] != "text" else {**each, "text": text} for each in content] if isinstance(content, list) else text


def tokens(source: Mapping[str, Any], model: Mapping[str, Any] | None) -> int:
    """About how many tokens an image takes of the model's context, rather too many; none where it is left out."""
    if not can_see(model) or model is None:
        return 0
    if model.get("origin") in ("server", "browser"):
        return math.ceil(source["width"] / PATCH) * math.ceil(source["height"] / PATCH) + 2
    return MOST_TOKENS


def fitting(sizes: Sequence[int], room: int) -> int:
    """How many images, of these tokens, fit into what room there is."""
    return next((count for count in range(len(sizes), 0, -1) if sum(sizes[:count]) <= room), 0)


class Pictures:
    """The images of one request, as the engine takes them; and what was left out, in words for the user."""

    def __init__(self, sees: bool) -> None:
        self._sees = sees
        self._urls: dict[str, str] = {}
        self._missing: list[str] = []  # ids

    @classmethod
    async def of(cls, contents: Sequence[Any], sees: bool, call: Callable[..., Awaitable[Any]] | None) -> Pictures:
        """Fetches the images of these messages' contents from the page, if the model can see them."""
        pictures = cls(sees)
        for source in (source for content in contents for source in sources_in(content)):
            url = await call("images.read", id=source["id"]) if sees and call else None
            if url:
                pictures._urls[source["id"]] = url
            elif source["id"] not in pictures._missing:
                pictures._missing.append(source["id"])
        return pictures

    def content(self, text: str, content: Any) -> Content:
        """ChatMessage.content of background/protocol.js; `text` is what the message says, without what was left out."""
        sources = sources_in(content)
        shown = [self._urls[each["id"]] for each in sources if each["id"] in self._urls]
        unseen = "".join(f"[An image, {each['name']}, that you cannot see]\n" for each in sources if each["id"] not in self._urls)
        parts: list[Message] = [{"type": "image_url", "image_url": {"url": url}} for url in shown]
        return [*parts, {"type": "text", "text": unseen + text}] if parts else unseen + text

    def note(self, model: str) -> str:
        """What the answer says of what was left out; nothing if the model got all."""
        count = len(self._missing)
        if not count:
            return ""
        what = "the image" if count == 1 else f"the {count} images"
        if self._sees:
            return f"Answered without {what} of this conversation that {'is' if count == 1 else 'are'} not kept any more."
        return f"Answered without {what} of this conversation: {model} cannot see images."


def joined(content: Content, more: str) -> Content:
    """The content with more words at its end."""
    return said_anew(content, text_of(content) + more)
