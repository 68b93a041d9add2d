"""Points 15 and 16: retries, error categories, tool results, provider errors; constants."""

from __future__ import annotations

import base64
import json
from typing import Any

from amplifier_core import LLMError, RateLimitError, RetryConfig, ToolResult, _engine, capabilities, events, retry_with_backoff

from .observing import outcome


async def p15_retry_config() -> Any:
    def fields(**options: Any) -> list[Any]:
        made = RetryConfig(**options)
        return [made.max_retries, made.initial_delay, made.max_delay, made.backoff_factor, made.jitter, made.honor_retry_after,
                made.min_delay, made.backoff_multiplier]  # fmt: skip

    options: tuple[dict[str, Any], ...] = (
        {}, {"jitter": False}, {"jitter": 0.0}, {"jitter": 0.5}, {"jitter": "x"}, {"min_delay": 5},
        {"min_delay": 5, "initial_delay": 2},
        {"backoff_multiplier": 3}, {"backoff_multiplier": 3, "backoff_factor": 4}, {"max_retries": 0}, {"max_retries": -1},
        {"max_retries": 2**40}, {"max_retries": 1.5}, {"max_retries": True}, {"max_delay": "x"}, {"honor_retry_after": 1},
        {"initial_delay": -1},
    )  # fmt: skip
    return [await outcome(lambda o=o: fields(**o)) for o in options]


async def p15_delays() -> Any:
    steady = RetryConfig(jitter=False)
    nan, inf = float("nan"), float("inf")
    arguments: tuple[tuple[Any, ...], ...] = (
        (0,), (1,), (5,), (6,), (100,), (5000,), (-1,), ("x",), (1.5,), (0, 5.0), (0, 0.0), (0, -3.0), (0, 100.0),
        (3, 1.0), (0, nan),
        (0, -inf), (0, "x"), (0, None, 10.0), (6, None, 10.0), (0, None, 0.0), (0, None, nan), (0, None, inf), (0, None, 0.5),
        (0, 5.0, 10.0), (0, 5, 2),
    )  # fmt: skip
    others = (
        {"honor_retry_after": False}, {"initial_delay": 100.0, "max_delay": 10.0}, {"backoff_factor": 0.5},
        {"initial_delay": 0.0},
        {"initial_delay": -1.0}, {"max_delay": -1.0}, {"backoff_factor": -2.0}, {"initial_delay": nan},
    )  # fmt: skip
    return (
        [await outcome(lambda a=a: _engine.compute_delay(steady, *a)) for a in arguments],
        [_engine.compute_delay(RetryConfig(jitter=False, **o), n, 2.0) for o in others for n in (1, 2)],
    )


def p15_jitter_is_half_either_way() -> Any:
    delays = [_engine.compute_delay(RetryConfig(), 2, retry_after=10.0) for _ in range(2000)]
    return 5 <= min(delays) < 6, 14 < max(delays) <= 15, len(set(delays)) > 1000


async def p15_retrying() -> Any:
    calls: list[Any] = []

    def failing(times: int, error: Exception) -> Any:
        async def operation() -> str:
            calls.append("call")
            if calls.count("call") <= times:
                raise error
            return "ok"

        return operation

    async def on_retry(attempt: int, delay: float, error: LLMError) -> None:
        calls.append([attempt, delay, str(error)])

    seen = []
    for times, error in (
        (2, RateLimitError("slow down")),
        (9, RateLimitError("down")),
        (1, LLMError("no")),
        (1, ValueError("v")),
    ):
        calls.clear()
        config = RetryConfig(max_retries=2, initial_delay=0.0, jitter=False)
        result = await outcome(lambda: retry_with_backoff(failing(times, error), config, on_retry=on_retry))  # noqa: B023
        seen.append((result, list(calls)))
    return seen


async def p15_error_categories() -> Any:
    phrases = ("rate limit", "rate_limit", "Too Many Requests", "429", "context length", "maximum context", "too many tokens",
               "token limit", "TOO LONG", "timeout", "timed out", "408", "authentication", "unauthorized", "401", "403",
               "api key",
               "apikey", "content filter", "content_filter", "safety", "blocked", "not found", "404", "unavailable",
               "overloaded",
               "500", "502", "503", "504", "quota", "connection refused", "", "hello")  # fmt: skip
    ordered = ("token limit", "429", "timed out", "api key", "blocked", "404", "503")
    pairs = [f"{a} {b}" for a in ordered for b in ordered if a != b]
    classify = _engine.classify_error_message
    return {text: classify(text) for text in (*phrases, *pairs)}, await outcome(lambda: classify(5))


_DATA = base64.b64encode(b"image").decode()


def _image(**source: Any) -> list[Any]:
    return [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _DATA} | source}]


async def p15_tool_result_content() -> Any:
    contents: tuple[Any, ...] = (
        None, [], {}, "text", 5, [1], [None], [{}], [{"text": "untyped"}], [{"type": "text"}], [{"type": "text", "text": 5}],
        [{"type": "thinking", "thinking": "x"}], [{"type": "text", "text": "hi", "visibility": "user", "extra": 1}],
        [{"type": "image"}],
        _image(), _image(extra=1), _image(media_type="image/svg+xml"), _image(media_type="IMAGE/PNG"),
        _image(media_type="image/"),
        _image(media_type="text/plain"), _image(media_type="image/a b"), _image(media_type=5), _image(data=""),
        _image(data="!!!"),
        _image(data="YQ"), _image(data="YR=="), _image(data=" YQ=="), _image(data="_-8="), _image(data=5), _image(type="url"),
        [{"type": "text", "text": "ok"}, *_image(data="!")],
    )  # fmt: skip

    def normalized(content: Any) -> Any:
        text = _engine._normalize_tool_result_content(json.dumps(content))
        return None if text is None else json.loads(text)

    return [await outcome(lambda c=c: normalized(c)) for c in contents], await outcome(
        lambda: _engine._normalize_tool_result_content("no json")
    )


async def p15_tool_results() -> Any:
    def shown(**fields: Any) -> Any:
        result = ToolResult(**fields)
        return [result.model_dump(), json.dumps(result.safe_hook_presentation()), result.get_serialized_output()]

    results: tuple[dict[str, Any], ...] = (
        {"output": {"b": 1, "a": 2}}, {"success": False, "error": {"message": "m"}}, {"output": "x", "content": []},
        {"output": "x", "content": [{"type": "text", "text": "t"}, *_image()]}, {"content": "wrong"},
        {"content": _image(data="!")},
        {"output": {"inner": _image()}},
    )  # fmt: skip
    present = _engine._tool_result_safe_hook_presentation
    texts = ("{}", '{"success": "x"}', "[1]", "no json", '{"content": [{"type": "bad"}]}', '{"output": 1, "other": 2}')
    return [await outcome(lambda r=r: shown(**r)) for r in results], [await outcome(lambda t=t: present(t)) for t in texts]


async def p15_provider_errors() -> Any:
    made = (
        _engine.ProviderError("m"),
        _engine.ProviderError(
            "m'\"\n", provider="p", model="mm", retry_after=3, delay_multiplier=2.5, retryable=True, error_type="RateLimit"
        ),
    )
    fields = [
        [e.message, e.provider, e.model, e.retry_after, e.delay_multiplier, e.retryable, e.error_type, repr(e), str(e)]
        for e in made
    ]
    wrong = [await outcome(lambda o=o: _engine.ProviderError(**o)) for o in ({"message": 5}, {"message": "m", "retryable": 1})]
    return fields, wrong, isinstance(made[0], Exception)


def p16_constants() -> Any:
    names = sorted(set(events.__all__) - {"ALL_EVENTS"})
    return {
        "events": events.ALL_EVENTS,
        "count": len(events.ALL_EVENTS),
        "event names": {name: getattr(events, name) for name in names},
        "capabilities": capabilities.ALL_WELL_KNOWN_CAPABILITIES,
        "capability names": {name: getattr(capabilities, name) for name in capabilities.__all__},
        "registry": {n: getattr(_engine.RustHookRegistry, n) for n in sorted(dir(_engine.RustHookRegistry)) if n.isupper()},
        "engine": [_engine.__version__, _engine.RUST_AVAILABLE, sorted(_engine.__all__)],
    }
