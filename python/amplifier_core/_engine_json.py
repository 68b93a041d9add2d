"""The JSON boundary between whoever emits an event and its handlers.

Upstream passes event data as JSON text: every handler sees a copy of plain values with sorted keys. Most events are
plain already; plain() copies those directly, and only the rest takes the way through text.
"""

from __future__ import annotations

import json
import math
from typing import Any, cast

_MAX_DEPTH = 127
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1


class NotPlain(Exception):
    """The value is not plain JSON; args[0] says why, as the native parser would."""


def plain(value: Any, depth: int = 0) -> Any:
    """A deep copy of a plain JSON value with sorted keys; raises NotPlain for anything else."""
    kind = type(value)
    if kind is str:
        if not value.isascii():
            _refuse_surrogates(value)
        return value
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if _INT_MIN <= value <= _INT_MAX else _as_float(value)
    if kind is float:
        if not math.isfinite(value):
            raise NotPlain("invalid number" if value == -math.inf else "expected value")
        return value
    if depth >= _MAX_DEPTH:
        raise NotPlain("recursion limit exceeded")
    if kind is dict:
        return {key: plain(value[key], depth + 1) for key in _sorted_keys(value)}
    if kind is list or kind is tuple:
        return [plain(item, depth + 1) for item in value]
    raise NotPlain("not JSON")


def _as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        raise NotPlain("number out of range") from None


def _sorted_keys(value: dict[Any, Any]) -> list[str]:
    for key in value:
        if type(key) is not str:
            raise NotPlain("key is not a string")
        if not key.isascii():
            _refuse_surrogates(key)
    return sorted(value)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        high = "\ud800" <= text[error.start] <= "\udbff"
        raise NotPlain("unexpected end of hex escape" if high else "lone leading surrogate in hex escape") from None


def copy_tree(value: Any) -> Any:
    """A deep copy of what plain returned."""
    if type(value) is dict:
        tree = cast("dict[str, Any]", value)
        return {key: copy_tree(item) for key, item in tree.items()}
    if type(value) is list:
        return [copy_tree(item) for item in cast("list[Any]", value)]
    return value


def to_json_tree(value: Any, label: str = "Invalid JSON") -> Any:
    """value as the other side of the boundary sees it: pydantic dumped, unknown objects as str, keys sorted.

    Raises RuntimeError for what JSON cannot hold (NaN, lone surrogates), TypeError for keys that cannot become strings,
    ValueError for circular references.
    """
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    try:
        return plain(value)
    except (NotPlain, RecursionError):
        pass
    tree = json.loads(json.dumps(value, default=str))
    try:
        return plain(tree)
    except NotPlain as error:
        raise RuntimeError(f"{label}: {error}") from None
