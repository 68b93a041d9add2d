"""Provider: the model that runs in this browser, through WebLLM.

Needs the capability `browser.engine` (amplifier_browser.engine.Engine). Config: temperature, top_p, repetition_penalty,
max_output_tokens (all optional).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import (
    ChatRequest,
    ChatResponse,
    ContextLengthError,
    Degradation,
    InvalidRequestError,
    LLMError,
    Message,
    ModelInfo,
    ProviderInfo,
    ProviderUnavailableError,
    StreamError,
    TextBlock,
    ToolCall,
    Usage,
)

from ..engine import LOST, Delta, Done, Engine, EngineError, Piece, Prefill, Waiting

__amplifier_module_type__ = "provider"

NAME = "webllm"
DEFAULT_CONTEXT = 2048
RESUMES = 2  # how often an answer goes on by itself after the engine was lost

ERRORS: dict[str, type[LLMError]] = {
    "context-length": ContextLengthError,
    "bad-request": InvalidRequestError,
    "unknown-model": InvalidRequestError,
    "failed": StreamError,
}


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the provider under the name `webllm`."""
    await coordinator.mount("providers", WebLLMProvider(coordinator, config or {}), name=NAME)


@dataclass
class Answer:
    """What an answer has come to so far."""

    request_id: str
    began: float = field(default_factory=time.monotonic)
    text: str = ""
    chunks: int = 0
    first_token_seconds: float | None = None
    finish_reason: str = "stop"
    usage: dict[str, Any] = field(default_factory=lambda: {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0})
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    prefill_began: float = 0.0

    def seconds_left(self, prefill: Prefill) -> float | None:
        """How long the rest of the prompt will take at the rate so far; None before there is a rate."""
        if prefill.done == 0:
            self.prefill_began = time.monotonic()
            return None
        elapsed = time.monotonic() - self.prefill_began
        return round(elapsed * (prefill.total - prefill.done) / prefill.done, 1)

    def finish(self, done: Done) -> None:
        """Takes the end of a stream; an answer that was resumed has several, of which the prompts count each."""
        self.finish_reason = done.finish_reason
        if done.usage:
            for name in self.usage:
                self.usage[name] += done.usage[name]
            self.prefill_seconds += done.usage["prefill_seconds"]
            self.decode_seconds += done.usage["decode_seconds"]


class WebLLMProvider:
    """Amplifier's Provider over the engine in the offscreen document."""

    name = NAME

    def __init__(self, coordinator: Any, config: dict[str, Any]) -> None:
        self._coordinator = coordinator
        self._config = config

    @property
    def _engine(self) -> Engine | None:
        return self._coordinator.get_capability("browser.engine")

    def get_info(self) -> ProviderInfo:
        """Says what this provider is; no credentials, since nothing leaves the machine."""
        return ProviderInfo(
            id=NAME,
            display_name="This browser (WebLLM)",
            capabilities=["streaming"],
            defaults={"context_window": self._context_window(), "max_output_tokens": self._max_output_tokens()},
        )

    async def list_models(self) -> list[ModelInfo]:
        """The bundled models, the loaded one first."""
        engine = self._engine
        models = engine.state["models"] if engine else []
        loaded = engine.state["model"] if engine else None
        return [
            ModelInfo(
                id=model["id"],
                display_name=model["name"],
                context_window=model["context_window"],
                max_output_tokens=self._max_output_tokens(model["context_window"]),
                capabilities=["streaming", "local"],
            )
            for model in sorted(models, key=lambda model: model["id"] != loaded)
        ]

    async def complete(self, request: ChatRequest, **kwargs: Any) -> ChatResponse:
        """Answers `request`, emitting Amplifier's streaming events; raises an LLMError. A last message of role assistant is
        gone on with: the response then holds only what came after it."""
        answer = Answer(request_id=str(uuid.uuid4()))
        streams = (request.metadata or {}).get("stream") is not False
        await self._emit("llm:request", {"request_id": answer.request_id, "provider": NAME, "model": self._model_id()})
        try:
            await self._stream(request, answer, streams)
        except EngineError as error:
            raised = _typed(error, self._model_id())
            if streams and answer.chunks:
                await self._emit("llm:stream_aborted", {"request_id": answer.request_id, "error": _facts(raised)})
            await self._emit("provider:error", {"request_id": answer.request_id, "provider": NAME, "error": _facts(raised)})
            raise raised from error
        return await self._respond(request, answer)

    def parse_tool_calls(self, response: ChatResponse) -> list[ToolCall]:
        """The tool calls of a response."""
        return list(response.tool_calls or [])

    # -- streaming

    async def _stream(self, request: ChatRequest, answer: Answer, streams: bool) -> None:
        for attempt in range(RESUMES + 1):
            if self._coordinator.cancellation.is_cancelled:  # between two requests there was nothing to abort
                answer.finish_reason = "abort"
                break
            try:
                await self._stream_once(request, answer, streams)
                break
            except EngineError as error:
                if error.code != LOST or attempt == RESUMES:
                    raise
                retry = {"request_id": answer.request_id, "provider": NAME, "attempt": attempt + 1, "error": str(error)}
                await self._emit("provider:retry", retry)
        if streams and answer.chunks:
            await self._emit("llm:stream_block_end", _block(answer))

    async def _stream_once(self, request: ChatRequest, answer: Answer, streams: bool) -> None:
        async for piece in self._pieces(request, answer.text):
            if isinstance(piece, Delta):
                await self._take(piece.text, answer, streams)
            elif isinstance(piece, Prefill):
                progress = {"done": piece.done, "total": piece.total, "seconds_left": answer.seconds_left(piece)}
                await self._emit("llm:prefill_progress", {"request_id": answer.request_id, **progress})
            elif isinstance(piece, Waiting):
                await self._emit("llm:waiting", {"request_id": answer.request_id, "provider": NAME})
            else:
                answer.finish(piece)
            if self._coordinator.cancellation.is_cancelled and not isinstance(piece, Done) and self._engine:
                self._engine.abort_all()

    def _pieces(self, request: ChatRequest, so_far: str) -> AsyncIterator[Piece]:
        engine = self._engine
        if engine is None:
            raise EngineError("not-loaded", "no engine is connected to this session")
        return engine.complete(self._engine_request(request, so_far))

    async def _take(self, text: str, answer: Answer, streams: bool) -> None:
        if answer.first_token_seconds is None:
            answer.first_token_seconds = time.monotonic() - answer.began
        if streams and not answer.chunks:
            await self._emit("llm:stream_block_start", _block(answer))
        answer.text += text
        if streams:
            await self._emit("llm:stream_block_delta", {**_block(answer), "sequence": answer.chunks, "text": text})
        answer.chunks += 1

    async def _respond(self, request: ChatRequest, answer: Answer) -> ChatResponse:
        used = answer.usage
        usage = Usage(**used, total_tokens=used["input_tokens"] + used["output_tokens"])
        speed = {
            "first_token_seconds": answer.first_token_seconds,
            "prefill_tokens_per_second": _rate(used["input_tokens"] - used["cache_read_tokens"], answer.prefill_seconds),
            "tokens_per_second": _rate(used["output_tokens"] - 1, answer.decode_seconds),
        }
        await self._emit(
            "llm:response",
            {
                "request_id": answer.request_id,
                "provider": NAME,
                "model": self._model_id(),
                "usage": used,
                "speed": speed,
            },
        )
        return ChatResponse(
            content=[TextBlock(text=answer.text)],
            usage=usage,
            finish_reason="cancelled" if answer.finish_reason == "abort" else answer.finish_reason,
            degradation=_degradation(request),
            metadata={"speed": speed},
        )

    # -- requests

    def _engine_request(self, request: ChatRequest, so_far: str) -> dict[str, Any]:
        messages = _engine_messages(request.messages)
        if so_far:
            if messages[-1]["role"] == "assistant":
                messages[-1]["content"] += so_far
            else:
                messages.append({"role": "assistant", "content": so_far})
        options = {
            "max_tokens": request.max_output_tokens or self._max_output_tokens(),
            "temperature": self._option("temperature", request.temperature),
            "top_p": self._option("top_p", request.top_p),
            "repetition_penalty": self._option("repetition_penalty", getattr(request, "repetition_penalty", None)),
            "stop": request.stop,
        }
        return {"messages": messages, **{name: value for name, value in options.items() if value is not None}}

    def _option(self, name: str, asked: float | None) -> float | None:
        return self._config.get(name) if asked is None else asked

    def _model_id(self) -> str | None:
        return self._engine.state["model"] if self._engine else None

    def _context_window(self) -> int:
        model = self._engine.model if self._engine else None
        return model["context_window"] if model else DEFAULT_CONTEXT

    def _max_output_tokens(self, context_window: int | None = None) -> int:
        """A quarter of the context is kept for the answer, unless the config says otherwise."""
        return self._config.get("max_output_tokens") or (context_window or self._context_window()) // 4

    async def _emit(self, event: str, data: dict[str, Any]) -> None:
        await self._coordinator.hooks.emit(event, data)


def _block(answer: Answer) -> dict[str, Any]:
    return {"request_id": answer.request_id, "block_index": 0, "block_type": "text"}


def _facts(error: LLMError) -> dict[str, Any]:
    return {"type": type(error).__name__, "message": str(error), "retryable": error.retryable}


def _typed(error: EngineError, model: str | None) -> LLMError:
    kind = ERRORS.get(error.code, ProviderUnavailableError)
    raised = kind(str(error), provider=NAME, model=model)
    raised.args = (str(error),)
    return raised


def _rate(tokens: int, seconds: float) -> float | None:
    return round(tokens / seconds, 1) if tokens > 0 and seconds > 0 else None


def _engine_messages(messages: list[Message]) -> list[dict[str, str]]:
    """WebLLM takes one system message, in front; what hooks inject as system joins it."""
    system = [_text(message) for message in messages if _role(message) == "system"]
    rest = [{"role": _role(message), "content": _text(message)} for message in messages if _role(message) != "system"]
    return [{"role": "system", "content": "\n\n".join(system)}, *rest] if system else rest


def _role(message: Message) -> str:
    return {"developer": "system", "function": "tool"}.get(message.role, message.role)


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def _degradation(request: ChatRequest) -> Degradation | None:
    if not request.tools:
        return None
    return Degradation(requested="tools", actual="text", reason="this provider does not call tools yet")
