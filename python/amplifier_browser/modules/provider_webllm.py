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
    InvalidRequestError,
    InvalidToolCallError,
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

from .. import images
from ..engine import LOST, Delta, Done, Engine, EngineError, Piece, Prefill, Waiting, context_window
from ..prompts import without_control_tokens
from ..tool_calls import CallFormat, CallReader, written_call
from ..tooling import Traits, traits_of

__amplifier_module_type__ = "provider"

NAME = "webllm"
USE_RESULT = "Answer in one sentence."  # without it a small model tells all that it knows of the subject instead
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
    reader: CallReader | None = None  # where the answer may hold calls
    calls: list[ToolCall] = field(default_factory=lambda: list[ToolCall]())
    block_type: str = ""  # of the block that is being streamed
    block_index: int = 0
    began: float = field(default_factory=time.monotonic)
    text: str = ""
    chunks: int = 0
    first_token_seconds: float | None = None
    finish_reason: str = "stop"
    usage: dict[str, Any] = field(default_factory=lambda: {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0})
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    prefill_began: float = 0.0  # when the first word of it came
    prefill_first: int = 0  # tokens that had been read by then
    pictures: images.Pictures = field(default_factory=lambda: images.Pictures(sees=False))

    def seconds_left(self, prefill: Prefill) -> float | None:
        """How long the rest of the prompt will take at the rate so far; None before there is a rate."""
        if prefill.done == 0 or not self.prefill_began:
            self.prefill_began, self.prefill_first = time.monotonic(), prefill.done
            return None
        elapsed, read = time.monotonic() - self.prefill_began, prefill.done - self.prefill_first
        return round(elapsed * (prefill.total - prefill.done) / read, 1) if read > 0 else None

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
            capabilities=["streaming", "tools"],
            defaults={"context_window": self._context_window(), "max_output_tokens": self._max_output_tokens()},
        )

    async def list_models(self) -> list[ModelInfo]:
        """The models there are, this panel's first."""
        engine = self._engine
        models = engine.state["models"] if engine else []
        wanted = engine.model_id if engine else None
        return [
            ModelInfo(
                id=model["id"],
                display_name=model["name"],
                context_window=model["context_window"],
                max_output_tokens=self._max_output_tokens(model["context_window"]),
                capabilities=["streaming", "tools", "local"],
            )
            for model in sorted(models, key=lambda model: model["id"] != wanted)
        ]

    async def complete(self, request: ChatRequest, **kwargs: Any) -> ChatResponse:
        """Answers `request`, emitting Amplifier's streaming events; raises an LLMError. A last message of role assistant is
        gone on with: the response then holds only what came after it."""
        format = self._call_format(request)
        answer = Answer(str(uuid.uuid4()), reader=CallReader(format) if format else None)
        streams = (request.metadata or {}).get("stream") is not False
        await self._emit("llm:request", {"request_id": answer.request_id, "provider": NAME, "model": self._model_id()})
        answer.pictures = await self._pictures(request, answer)
        if begun := getattr(request, "answer_prefix", ""):  # words of ours that the answer goes on with
            await self._show(begun, "text", answer, streams)
        try:
            await self._stream(request, answer, streams)
        except (EngineError, InvalidToolCallError) as error:
            raised = _typed(error, self._model_id()) if isinstance(error, EngineError) else error
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
                await self._take_rest(answer, streams)
                break
            except EngineError as error:
                if error.code != LOST or attempt == RESUMES:
                    raise
                retry = {"request_id": answer.request_id, "provider": NAME, "attempt": attempt + 1, "error": str(error)}
                await self._emit("provider:retry", retry)
                _forget_call(answer)
        if streams and answer.chunks:
            await self._emit("llm:stream_block_end", _block(answer))

    async def _pictures(self, request: ChatRequest, answer: Answer) -> images.Pictures:
        model = self._engine.model if self._engine else None
        contents = [message.content for message in request.messages if _role(message) == "user"]
        call = self._coordinator.get_capability("browser.call")
        pictures = await images.Pictures.of(contents, images.can_see(model), call)
        if note := pictures.note(model["name"] if model else "the model"):
            await self._emit("llm:images_left_out", {"request_id": answer.request_id, "text": note})
        return pictures

    async def _take_rest(self, answer: Answer, streams: bool) -> None:
        """Takes what the reader kept back, and the calls; a call that the user stopped is none."""
        if answer.reader is None or answer.finish_reason == "abort":
            return
        rest, answer.calls = answer.reader.finish()
        if rest:
            await self._show(rest, "text", answer, streams)

    async def _stream_once(self, request: ChatRequest, answer: Answer, streams: bool) -> None:
        async for piece in self._pieces(request, answer):
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

    def _pieces(self, request: ChatRequest, answer: Answer) -> AsyncIterator[Piece]:
        engine = self._engine
        if engine is None:
            raise EngineError("not-loaded", "no engine is connected to this session")
        return engine.complete(self._engine_request(request, answer))

    async def _take(self, text: str, answer: Answer, streams: bool) -> None:
        if answer.first_token_seconds is None:
            answer.first_token_seconds = time.monotonic() - answer.began
        reader = answer.reader
        visible = reader.feed(text) if reader else text
        if visible:
            await self._show(visible, "text", answer, streams)
        elif reader and reader.is_in_call:
            await self._show(text, "tool_use", answer, streams)

    async def _show(self, text: str, block_type: str, answer: Answer, streams: bool) -> None:
        """Streams text of the answer, or of a call, each as a block of its own."""
        if block_type == "text":
            answer.text += text
        if streams and answer.block_type != block_type:
            if answer.block_type:
                await self._emit("llm:stream_block_end", _block(answer))
                answer.block_index += 1
            answer.block_type = block_type
            await self._emit("llm:stream_block_start", {**_block(answer), **_tool_named(answer)})
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
            tool_calls=answer.calls or None,
            usage=usage,
            finish_reason="cancelled" if answer.finish_reason == "abort" else answer.finish_reason,
            metadata={"speed": speed},
        )

    # -- requests

    def _traits(self) -> dict[str, Traits]:
        return {name: traits_of(tool) for name, tool in (self._coordinator.get("tools") or {}).items()}

    def _call_format(self, request: ChatRequest) -> CallFormat | None:
        """How this request's answer may hold calls, by its tools and its tool_choice (as in OpenAI's interface)."""
        choice = request.tool_choice
        if not request.tools or choice == "none":
            return None
        known = self._traits()
        traits = {tool.name: known.get(tool.name) or Traits(title=tool.name) for tool in request.tools}
        forced = choice["function"]["name"] if isinstance(choice, dict) else ""
        return CallFormat(request.tools, traits, forced, must_call=choice == "required")

    def _engine_request(self, request: ChatRequest, answer: Answer) -> dict[str, Any]:
        format, so_far = answer.reader and answer.reader.format, answer.text
        messages = _engine_messages(request.messages, self._traits(), format, answer.pictures)
        is_continued = bool(so_far) or messages[-1]["role"] == "assistant"
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
            **(self._call_options(format) if format and not is_continued else {}),
        }
        return {"messages": messages, **{name: value for name, value in options.items() if value is not None}}

    def _call_options(self, format: CallFormat) -> dict[str, Any]:
        """Code repeats itself, so the penalty that keeps prose from going in circles would spoil it."""
        steady = {"temperature": 0.0, "repetition_penalty": 1.0} if format.forced else {}
        return {**steady, "response_format": format.response_format()}

    def _option(self, name: str, asked: float | None) -> float | None:
        return self._config.get(name) if asked is None else asked

    def _model_id(self) -> str | None:
        return self._engine.model_id if self._engine else None

    def _context_window(self) -> int:
        return context_window(self._engine.model if self._engine else None)

    def _max_output_tokens(self, context_window: int | None = None) -> int:
        """A quarter of the context is kept for the answer, unless the config says otherwise."""
        return self._config.get("max_output_tokens") or (context_window or self._context_window()) // 4

    async def _emit(self, event: str, data: dict[str, Any]) -> None:
        await self._coordinator.hooks.emit(event, data)


def _block(answer: Answer) -> dict[str, Any]:
    return {"request_id": answer.request_id, "block_index": answer.block_index, "block_type": answer.block_type}


def _facts(error: LLMError) -> dict[str, Any]:
    return {"type": type(error).__name__, "message": str(error), "retryable": error.retryable}


def _typed(error: EngineError, model: str | None) -> LLMError:
    kind = ERRORS.get(error.code, ProviderUnavailableError)
    raised = kind(str(error), provider=NAME, model=model)
    raised.args = (str(error),)
    return raised


def _rate(tokens: int, seconds: float) -> float | None:
    return round(tokens / seconds, 1) if tokens > 0 and seconds > 0 else None


def _engine_messages(
    messages: list[Message], traits: dict[str, Traits], format: CallFormat | None, pictures: images.Pictures
) -> list[dict[str, Any]]:
    """WebLLM takes one system message, in front; what hooks inject as system joins it, and so does what is said of tools."""
    system = [without_control_tokens(_text(message)) for message in messages if _role(message) == "system"]
    chooses = format is not None and not format.forced
    rest = [_engine_message(message, traits, chooses, pictures) for message in messages if _role(message) != "system"]
    if format:
        system += [text for text in [format.system_text()] if text]
        _append_instruction(rest, format.instruction())
    return [{"role": "system", "content": "\n\n".join(system)}, *rest] if system else rest


def _engine_message(message: Message, traits: dict[str, Traits], chooses: bool, pictures: images.Pictures) -> dict[str, Any]:
    """Calls and results in words, since few models' templates know the role tool; `chooses`: the model may call tools itself,
    and needs no word on what to do with a result."""
    role, text = _role(message), without_control_tokens(_text(message))
    if role == "tool":
        use = "" if chooses else f"\n\n{USE_RESULT}"
        return {"role": "user", "content": f"Result of {message.name or 'the tool'}:\n\n{text}{use}"}
    if role == "user":
        return {"role": role, "content": pictures.content(text, message.content)}
    calls: list[dict[str, Any]] = getattr(message, "tool_calls", None) or []
    written = [
        written_call(call["tool"], call["arguments"], traits.get(call["tool"]) or Traits(title=call["tool"]), chooses)
        for call in calls
    ]
    return {"role": role, "content": "\n\n".join([text, *written] if text else written or [text])}


def _append_instruction(messages: list[dict[str, Any]], instruction: str) -> None:
    if instruction and messages and messages[-1]["role"] == "user":
        messages[-1] = {**messages[-1], "content": images.joined(messages[-1]["content"], f"\n\n{instruction}")}


def _forget_call(answer: Answer) -> None:
    """A call that was cut off is written anew; text that the user saw is gone on with."""
    if answer.reader:
        answer.reader = CallReader(answer.reader.format) if not answer.text else None


def _tool_named(answer: Answer) -> dict[str, str]:
    forced = answer.reader.format.forced if answer.reader and answer.block_type == "tool_use" else ""
    return {"name": forced} if forced else {}


def _role(message: Message) -> str:
    return {"developer": "system", "function": "tool"}.get(message.role, message.role)


def _text(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))
