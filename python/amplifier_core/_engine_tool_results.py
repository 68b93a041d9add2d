"""The rich content of tool results: what is let through, and what hooks may see of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, cast

from ._engine_json import NotPlain, plain

_IMAGE_MEDIA_TYPE = re.compile(r"image/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*")
_IMAGE_OMITTED = "[Image omitted from tool event; original retained for model request if unmodified.]"


def normalize_tool_result_content(content_json: str) -> str | None:
    """A tool's rich content as canonical JSON: text blocks, and images in base64 only; None if there is none.

    Raises ValueError that says what is invalid, never with the content itself.
    """
    blocks = _parse_content(content_json)
    if not isinstance(blocks, list):
        if blocks is None:
            return None
        raise ValueError("invalid tool result content")
    normalized = [_normalize_block(block) for block in cast("list[Any]", blocks)]
    return json.dumps(normalized, separators=(",", ":"), ensure_ascii=False) if normalized else None


def tool_result_safe_hook_presentation(tool_result_json: str) -> str:
    """A tool result for hook events: images replaced by a note, keys sorted. Raises ValueError if it is no result."""
    result = _parse_content(tool_result_json)
    if not isinstance(result, dict):
        raise ValueError("invalid tool result content")
    fields = cast("dict[str, Any]", result)
    shown = {"success": fields.get("success", True), "output": fields.get("output"), "error": fields.get("error")}
    if not isinstance(shown["success"], bool):
        raise ValueError("invalid tool result content")
    content = normalize_tool_result_content(json.dumps(fields.get("content")))
    if content is not None:
        shown["content"] = [_without_image(block) for block in json.loads(content)]
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _parse_content(text: str) -> Any:
    try:
        return plain(json.loads(text))
    except (ValueError, NotPlain):
        raise ValueError("invalid tool result content") from None


def _normalize_block(block: Any) -> dict[str, Any]:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if kind == "image":
        return {"type": "image", "source": _normalize_source(block.get("source"))}
    raise ValueError("invalid tool result content")


def _normalize_source(source: Any) -> dict[str, str]:
    if not isinstance(source, dict) or source.get("type") != "base64":
        raise ValueError("invalid tool result image source")
    fields = cast("dict[str, Any]", source)
    media_type, data = fields.get("media_type"), fields.get("data")
    if not isinstance(media_type, str) or not _IMAGE_MEDIA_TYPE.fullmatch(media_type):
        raise ValueError("invalid tool result image media type")
    if not isinstance(data, str) or not data or not _is_canonical_base64(data):
        raise ValueError("invalid tool result image data")
    return {"type": "base64", "media_type": media_type, "data": data}


def _is_canonical_base64(text: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False


def _without_image(block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": _IMAGE_OMITTED} if block["type"] == "image" else block
