"""Retry delays, error categories, provider errors as data."""

from __future__ import annotations

import json
import math
import random
import warnings
from dataclasses import dataclass, field
from typing import Any

from ._engine_checks import expect, expect_optional, integer, real

_MIN_DELAY_DEPRECATED = "min_delay is deprecated, use initial_delay"
_MULTIPLIER_DEPRECATED = "backoff_multiplier is deprecated, use backoff_factor"


class RetryConfig:
    """How often and how slowly to retry. Delays are seconds; read-only once made.

    jitter is a bool (a number is deprecated, and zero means off). min_delay and backoff_multiplier are deprecated names.
    """

    __slots__ = ("_backoff_factor", "_honor_retry_after", "_initial_delay", "_jitter", "_max_delay", "_max_retries")

    def __init__(
        self,
        max_retries: int = 3,
        initial_delay: float = 1.0,
        max_delay: float = 60.0,
        backoff_factor: float = 2.0,
        jitter: bool | float | None = None,
        honor_retry_after: bool = True,
        min_delay: float | None = None,
        backoff_multiplier: float | None = None,
    ) -> None:
        self._max_retries = integer(max_retries, 0, 2**32 - 1)
        self._initial_delay = _renamed(real(initial_delay), 1.0, min_delay, _MIN_DELAY_DEPRECATED)
        self._max_delay = real(max_delay)
        self._backoff_factor = _renamed(real(backoff_factor), 2.0, backoff_multiplier, _MULTIPLIER_DEPRECATED)
        self._jitter = _parse_jitter(jitter)
        self._honor_retry_after = expect(honor_retry_after, bool)

    @property
    def max_retries(self) -> int:
        return self._max_retries

    @property
    def initial_delay(self) -> float:
        return self._initial_delay

    @property
    def max_delay(self) -> float:
        return self._max_delay

    @property
    def backoff_factor(self) -> float:
        return self._backoff_factor

    @property
    def jitter(self) -> float:
        """0.2 if jitter is on, else 0.0."""
        return 0.2 if self._jitter else 0.0

    @property
    def honor_retry_after(self) -> bool:
        return self._honor_retry_after

    @property
    def min_delay(self) -> float:
        """Deprecated: use initial_delay."""
        warnings.warn(_MIN_DELAY_DEPRECATED, DeprecationWarning, stacklevel=2)
        return self._initial_delay

    @property
    def backoff_multiplier(self) -> float:
        """Deprecated: use backoff_factor."""
        warnings.warn(_MULTIPLIER_DEPRECATED, DeprecationWarning, stacklevel=2)
        return self._backoff_factor


def _renamed(value: float, default: float, old_value: float | None, warning: str) -> float:
    """The value of an option with a deprecated second name, which counts only where the first is at its default."""
    if old_value is None:
        return value
    warnings.warn(warning, DeprecationWarning, stacklevel=3)
    return real(old_value) if value == default else value


def _parse_jitter(jitter: Any) -> bool:
    if jitter is None or isinstance(jitter, bool):
        return jitter is not False
    if isinstance(jitter, (int, float)):
        warnings.warn("passing a float for jitter is deprecated, use a bool", DeprecationWarning, stacklevel=3)
        return jitter != 0
    warnings.warn("jitter received an unexpected type; defaulting to True", UserWarning, stacklevel=3)
    return True


def compute_delay(
    config: RetryConfig, attempt: int, retry_after: float | None = None, delay_multiplier: float | None = None
) -> float:
    """Seconds to wait before retry number attempt (from 0): exponential, capped, at least retry_after, then jittered.

    A multiplier applies after the cap; one that is not finite and positive is ignored. Jitter is plus or minus half.
    """
    attempt = integer(attempt, 0, 2**32 - 1)
    delay = _backoff(expect(config, RetryConfig), attempt)
    multiplier = 1.0 if delay_multiplier is None else real(delay_multiplier)
    if math.isfinite(multiplier) and multiplier > 0:
        delay *= multiplier
    if retry_after is not None and real(retry_after) > delay and config.honor_retry_after:
        delay = float(retry_after)
    return delay * random.uniform(0.5, 1.5) if config.jitter else delay


def _backoff(config: RetryConfig, attempt: int) -> float:
    try:
        delay = config.initial_delay * config.backoff_factor**attempt
    except OverflowError:
        delay = math.inf
    return delay if delay <= config.max_delay else config.max_delay


_ERROR_PHRASES = {
    "context_length": ("context length", "maximum context", "too many tokens", "token limit", "too long"),
    "rate_limit": ("rate limit", "rate_limit", "too many requests", "429"),
    "timeout": ("timeout", "timed out"),
    "authentication": ("authentication", "unauthorized", "api key", "401"),
    "content_filter": ("content filter", "safety", "blocked"),
    "not_found": ("not found", "404"),
    "provider_unavailable": ("unavailable", "overloaded", "502", "503"),
}


def classify_error_message(message: str) -> str:
    """The category of a provider's error text: the first of _ERROR_PHRASES with a phrase in it, else ``unknown``."""
    text = expect(message, str).lower()
    for category, phrases in _ERROR_PHRASES.items():
        if any(phrase in text for phrase in phrases):
            return category
    return "unknown"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProviderError:
    """A provider's error as data (it is no exception). retry_after is seconds; error_type names the kind."""

    message: str
    provider: str | None = field(default=None, kw_only=True)
    model: str | None = field(default=None, kw_only=True)
    retry_after: float | None = field(default=None, kw_only=True)
    delay_multiplier: float | None = field(default=None, kw_only=True)
    retryable: bool = field(default=False, kw_only=True)
    error_type: str = field(default="Other", kw_only=True)

    def __post_init__(self) -> None:
        for text in (self.message, self.error_type):
            expect(text, str)
        for text in (self.provider, self.model):
            expect_optional(text, str)
        expect(self.retryable, bool)
        for name in ("retry_after", "delay_multiplier"):
            if (number := getattr(self, name)) is not None:
                object.__setattr__(self, name, real(number))

    def __repr__(self) -> str:
        parts = [json.dumps(self.message, ensure_ascii=False)]
        for key, text in (("provider", self.provider), ("model", self.model)):
            if text is not None:
                parts.append(f"{key}={json.dumps(text, ensure_ascii=False)}")
        for key, number in (("retry_after", self.retry_after), ("delay_multiplier", self.delay_multiplier)):
            if number is not None:
                parts.append(f"{key}={int(number) if number.is_integer() else number}")
        if self.retryable:
            parts.append("retryable=True")
        return f"ProviderError({', '.join(parts)})"

    def __str__(self) -> str:
        return self.message
