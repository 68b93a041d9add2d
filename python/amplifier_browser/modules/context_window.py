"""Context manager: keeps every message, and sends as many as fit the model's real context, counted by its own tokenizer.

When they do not fit, the system message and the latest turns stay; what was left out is told by `context:compaction`.
Capability `browser.count_tokens` (async, list of texts -> list of counts); without it a cautious estimate is used.
Config: system (the system message), reply_reserve (fraction of the context kept for the answer, default 0.25).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amplifier_core import ContextLengthError

from .. import images
from ..engine import DEFAULT_CONTEXT

__amplifier_module_type__ = "context"

MESSAGE_OVERHEAD = 8  # tokens of role and separators around a message, in the templates of the models we know
KEEP_AFTER_DROP = 0.6  # dropping goes a good way down, since each drop costs the engine its whole KV cache
CHARACTERS_A_TOKEN = 2.5  # cautious, where no tokenizer is at hand


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the context manager."""
    await coordinator.mount("context", ContextWindow(coordinator, config or {}))


class ContextWindow:
    """Amplifier's ContextManager."""

    def __init__(self, coordinator: Any, config: dict[str, Any]) -> None:
        self._coordinator = coordinator
        self._system: str | None = config.get("system")
        self._reserve = float(config.get("reply_reserve", 0.25))
        self._messages: list[dict[str, Any]] = []
        self._first_kept = 0  # index of the first message that is still sent

    async def add_message(self, message: dict[str, Any]) -> None:
        """Adds one message at the end."""
        self._messages.append(dict(message))

    async def get_messages(self) -> list[dict[str, Any]]:
        """All messages, whether or not they still fit."""
        return [dict(message) for message in self._messages]

    async def set_messages(self, messages: list[dict[str, Any]]) -> None:
        """Replaces all messages."""
        self._messages = [dict(message) for message in messages]
        self._first_kept = min(self._first_kept, len(self._messages))

    async def clear(self) -> None:
        """Forgets all messages; the system message stays."""
        self._messages = []
        self._first_kept = 0

    async def get_messages_for_request(
        self, token_budget: int | None = None, provider: Any | None = None
    ) -> list[dict[str, Any]]:
        """The messages to send, within `token_budget` or what `provider` says its model takes.

        Raises ContextLengthError when not even the latest turn fits."""
        budget = token_budget or self._budget(provider)
        system = [{"role": "system", "content": self._system}] if self._system else []
        sizes = await self._sizes([*system, *self._messages], budget)
        fixed, sizes = sum(sizes[: len(system)]), sizes[len(system) :]
        if fixed + sum(sizes[self._first_kept :]) > budget:
            await self._drop_oldest(sizes, budget - fixed, budget)
        return [*system, *(dict(message) for message in self._messages[self._first_kept :])]

    def _budget(self, provider: Any | None) -> int:
        """Tokens that messages may take: the context less what is reserved for the answer."""
        window = provider.get_info().defaults.get("context_window", DEFAULT_CONTEXT) if provider else DEFAULT_CONTEXT
        reserve = provider.get_info().defaults.get("max_output_tokens") if provider else None
        return window - (reserve or int(window * self._reserve))

    async def _sizes(self, messages: list[dict[str, Any]], budget: int) -> list[int]:
        """Tokens of each message; or more than that, where even so all fit."""
        texts = [images.text_of(message.get("content")) for message in messages]
        engine = self._coordinator.get_capability("browser.engine")
        seen = [images.sources_in(message.get("content")) for message in messages]
        of_images = [sum(images.tokens(source, engine and engine.model) for source in sources) for sources in seen]
        more = [tokens + MESSAGE_OVERHEAD for tokens in of_images]
        most = [len(text.encode(errors="replace")) for text in texts]  # a token is a byte at least
        if sum(most) + sum(more) <= budget:  # counting is a question to the engine, and the user waits for its answer
            return [at_most + others for at_most, others in zip(most, more, strict=True)]
        count = self._coordinator.get_capability("browser.count_tokens")
        counts: list[int] = await count(texts) if count else [_estimate(text) for text in texts]
        return [tokens + others for tokens, others in zip(counts, more, strict=True)]

    async def _drop_oldest(self, sizes: list[int], room: int, budget: int) -> None:
        """Moves the start of what is sent to the beginning of a later turn."""
        starts = [i for i, m in enumerate(self._messages) if m.get("role") == "user" and i > self._first_kept]
        fitting = [start for start in starts if sum(sizes[start:]) <= room]
        roomy = [start for start in fitting if sum(sizes[start:]) <= room * KEEP_AFTER_DROP]
        latest = starts[-1] if starts else self._first_kept
        if not fitting:
            raise ContextLengthError(self._too_long(latest, sum(sizes[latest:]), room))
        first = roomy[0] if roomy else fitting[-1]
        await self._tell("context:pre_compact", {"messages": len(self._messages)})
        dropped = range(self._first_kept, first)
        self._first_kept = first
        await self._tell(
            "context:compaction",
            {
                "dropped_messages": len(dropped),
                "dropped_tokens": sum(sizes[i] for i in dropped),
                "dropped_in_all": first,
                "kept_messages": len(self._messages) - first,
                "budget_tokens": budget,
            },
        )
        await self._tell("context:post_compact", {"messages": len(self._messages) - first})

    def _too_long(self, latest: int, needed: int, room: int) -> str:
        """Why the latest turn, which begins at a message, does not fit: for its images, if all but those does."""
        engine = self._coordinator.get_capability("browser.engine")
        sources = [source for message in self._messages[latest:] for source in images.sources_in(message.get("content"))]
        of_images = [images.tokens(source, engine and engine.model) for source in sources]
        if any(of_images) and needed - sum(of_images) <= room:
            fits = images.fitting(of_images, room - (needed - sum(of_images)))
            return f"too-many-images: {fits} of {len(of_images)}"
        return f"context-length: {needed} tokens, and the model takes {room}"

    async def _tell(self, event: str, data: dict[str, Any]) -> None:
        await self._coordinator.hooks.emit(event, data)


def _estimate(text: str) -> int:
    wide = _count(character for character in text if ord(character) > 0x2E80)
    return wide + int((len(text) - wide) / CHARACTERS_A_TOKEN) + 1


def _count(items: Iterable[object]) -> int:
    return sum(1 for _ in items)
