"""Hook: masks secrets and personal data in what is logged and observed; never in what the model or a tool gets.

As upstream's hooks-redaction, with its marks and rules. A hook that modified prompt:submit, tool:* or llm:* would change what
is executed or shown, so only events that merely tell of something are modified here; for all others the event log applies
the capability `redaction.redact` (a function: anything -> masked JSON value) to its own copy.
Config: rules (default ["secrets", "pii-basic"]), allowlist (dotted paths of fields left as they are), priority (default 10).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from amplifier_core import HookResult

__amplifier_module_type__ = "hook"

NAME = "hooks-redaction"
PRIORITY = 10  # before the log, at 100: lower numbers run earlier
SECRET, PII = "[REDACTED:SECRET]", "[REDACTED:PII]"
RULES = ("secrets", "pii-basic")
DEEPEST = 40
MOST_VALUES = 20_000  # of one event; what comes after them is left out
LEFT_OUT = "[left out]"
OVERLAP = 4096

# Nothing executes by these, and the panel draws none of them.
OBSERVED = (
    "session:start",
    "session:resume",
    "session:fork",
    "session:end",
    "prompt:complete",
    "plan:start",
    "plan:end",
    "execution:end",
    "orchestrator:complete",
    "artifact:write",
    "artifact:read",
    "policy:violation",
)

# Ids, times and names, in which numbers look like telephone numbers.
ALLOWED = frozenset(
    {
        "session_id", "parent_id", "parent", "child_id", "sub_session_id", "parent_session_id", "timestamp", "ts",
        "lvl", "level", "event", "type", "status", "seq", "sequence", "request_id", "turn_id", "span_id",
        "parent_span_id", "tool_name", "tool_call_id", "provider", "orchestrator", "model", "iteration", "block_type",
        "redaction",
    }
)  # fmt: skip

# Each pattern takes time in proportion to the text, whatever the text: possessive where a match may fail after a long run, and
# begun only where such a run begins.
SECRETS = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[^-]++|-(?!----END ))*+(?:-----END [A-Z ]{0,40}-----)?",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\b(?:gh[oprsu]_\w{10,}|github_pat_\w{10,}|glpat-[\w-]{10,})",
        r"\b(?:sk-[\w-]{10,}|[rs]k_(?:live|test)_\w{10,})",
        r"\b(?:xox[abeoprs]-[\w-]{8,}|AIza[\w-]{30,}|GOCSPX-[\w-]{10,}|hf_\w{20,}|npm_\w{30,}|pypi-[\w-]{16,})",
        r"(?<![\w-])eyJ[\w-]{10,}+\.[\w-]{4,}+(?:\.[\w-]*+)?",
        r"(?i)(?<=\bbearer )[\w.~+/=-]{16,}|(?<=\bauthorization: basic )[\w+/=-]{4,}",
        r"(?<=://)[^\s/:@]{1,80}:[^\s/@]{1,80}(?=@)",
    )
)
ASSIGNED = re.compile(
    r"(?i)(?<![a-z])((?:pass(?:word|wd|phrase)|api[_-]?key|(?:access|auth|refresh)[_-]?token|(?:client[_-]?)?secret(?:[_-]?key)?)"
    r"""\\?["']?\s{0,3}[=:]\s{0,3}\\?["']?)[^\s"'&;,\\]{3,}"""
)
PERSONAL = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.%+-])[\w.%+-]++@(?:[\w-]++\.)++[\w-]*+",
        r"(?<![\w.+-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[\s().-]{0,2}\d){8,18}(?!\w)",
    )
)

# What is called so is a secret, whatever it looks like. Counts as input_tokens are none.
SECRET_KEY = re.compile(
    r"(?:.*[_-])?(?:password|passwd|passphrase|pwd|secret|token|api_?key|access_?key|private_?key|secret_?key|client_?secret"
    r"|authorization|cookie|set-cookie|credentials?)",
    re.DOTALL,
)
LONGEST_KEY = 100


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers the capability and the hook; returns what takes the hook away again."""
    options = config or {}
    rules = tuple(options.get("rules", RULES))
    allowed = ALLOWED | frozenset(options.get("allowlist", ()))

    def redact(value: Any, longest: int | None = None) -> Any:
        return Redactor(rules, allowed, longest).value(value)

    async def hide(_event: str, data: dict[str, Any]) -> HookResult:
        return HookResult(action="modify", data={**redact(data or {}), "redaction": {"applied": True, "rules": list(rules)}})

    coordinator.register_capability("redaction.redact", redact)
    priority = int(options.get("priority", PRIORITY))
    undo = [coordinator.hooks.register(event, hide, priority=priority, name=NAME) for event in OBSERVED]

    def unmount() -> None:
        for unregister in undo:
            unregister()

    return unmount


def redact(value: Any, longest: int | None = None) -> Any:
    """A copy of `value`, as JSON, masked by the default rules; texts are cut at `longest` characters."""
    return Redactor(longest=longest).value(value)


def mask(text: str, rules: Iterable[str] = RULES) -> str:
    """`text` with what looks like a secret or like personal data masked. Rules that are not known do nothing."""
    if "secrets" in rules:
        for pattern in SECRETS:
            text = pattern.sub(SECRET, text)
        text = ASSIGNED.sub(rf"\1{SECRET}", text)
    if "pii-basic" in rules:
        for pattern in PERSONAL:
            text = pattern.sub(PII, text)
    return text


@dataclass
class Redactor:
    """Masks one value, however deep, long or odd it is."""

    rules: tuple[str, ...] = RULES
    allowed: frozenset[str] = ALLOWED
    longest: int | None = None
    left: int = field(default=MOST_VALUES, init=False)

    def value(self, value: Any, path: str = "", depth: int = 0) -> Any:
        """A masked copy of `value`; `path` is its place, dotted, as a.b[0]."""
        self.left -= 1
        if self.rules and path in self.allowed:
            return Redactor((), longest=self.longest).value(value)
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if depth > DEEPEST or self.left < 0:
            return LEFT_OUT
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), path, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(cast("Iterable[Any]", value), path, depth)
        return self._masked(_text(value))

    def _masked(self, text: str) -> str:
        """Cut only after it is masked, and with more than is kept, so that no secret is cut beyond recognition."""
        longest = len(text) if self.longest is None else self.longest
        masked = mask(text[: longest + OVERLAP], self.rules)
        return masked if len(text) <= longest else f"{masked[:longest]}… [{len(text) - longest} more characters]"

    def _mapping(self, mapping: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        masked: dict[str, Any] = {}
        for key, value in mapping.items():
            if self.left < 0:
                masked["…"] = LEFT_OUT
                break
            name = _text(key)
            place = f"{path}.{name}" if path else name
            is_secret = place not in self.allowed and self._is_secret(name, value)
            hidden = _masked_key(name, self.rules) if len(name) <= LONGEST_KEY else self._masked(name)
            masked[hidden] = SECRET if is_secret else self.value(value, place, depth + 1)
        return masked

    def _is_secret(self, name: str, value: Any) -> bool:
        if "secrets" not in self.rules or value is None or isinstance(value, bool) or len(name) > LONGEST_KEY:
            return False
        return _is_secret_key(name)

    def _items(self, items: Iterable[Any], path: str, depth: int) -> list[Any]:
        masked: list[Any] = []
        for number, item in enumerate(items):
            masked.append(self.value(item, f"{path}[{number}]", depth + 1))
            if self.left < 0:
                break
        return masked


@lru_cache(maxsize=512)  # events have the same keys again and again
def _masked_key(name: str, rules: tuple[str, ...]) -> str:
    return mask(name, rules)


@lru_cache(maxsize=512)
def _is_secret_key(name: str) -> bool:
    return SECRET_KEY.fullmatch(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) is not None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except Exception:  # whatever an object's own code does, the log goes on
        return f"<{type(value).__name__}>"
