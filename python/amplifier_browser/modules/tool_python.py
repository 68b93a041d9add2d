"""Amplifier tool module: `python` runs Python code in a sandbox, a Pyodide Worker without browser and network.

What code defines lasts as long as the session, or until the sandbox has to be ended.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from amplifier_core import ToolResult

from ..sandbox import Sandbox, SandboxError, SandboxTimeout
from ..tooling import Arguments, Display, Permission, Traits, failed, shown_result

__amplifier_module_type__ = "tool"

SECONDS = 10
FOR_MODEL = 1000  # characters of output; people see more
_unnamed = itertools.count(1)


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], Awaitable[None]]:
    """Mounts `python`; config: seconds. Returns what ends its sandbox."""
    tool = PythonTool(coordinator, float((config or {}).get("seconds", SECONDS)))
    await coordinator.mount("tools", tool, name=tool.name)
    return tool.end


class PythonTool:
    """Runs a model's code."""

    name = "python"
    description = "Runs Python code and returns what it prints."
    input_schema: dict[str, Any] = {  # noqa: RUF012 - Amplifier's contract has it so
        "type": "object",
        "properties": {"code": {"type": "string", "description": "Python code"}},
        "required": ["code"],
    }

    def __init__(self, coordinator: Any, seconds: float) -> None:
        self._coordinator = coordinator
        self._seconds = seconds
        self._sandbox: Sandbox | None = None
        self._generation = 0  # of the Worker that holds what was defined
        self.traits = Traits(
            title="Run Python code",
            asked_by=(r"\b(?:use|using|run)\s+(?:a bit of\s+|some\s+|your\s+)?python\b",),
            instruction="Write short Python code that prints the answer.",
            raw_argument="code",
            answer_prefix="The result is",
            language="python",
            is_trusted=True,
            permission=_permission,
        )

    async def execute(self, input: Arguments) -> ToolResult:
        """Runs input["code"]."""
        sandbox = self._get_sandbox()
        if sandbox is None:
            return failed("Python cannot run here. Answer without it.")
        try:
            result = await sandbox.call("run", self._seconds, code=input["code"])
        except SandboxTimeout as error:
            return failed(_sentence(str(error)))
        except SandboxError as error:
            return failed(_sentence(f"the code did not run: {error}"))
        is_anew = 0 < self._generation < sandbox.generation
        self._generation = sandbox.generation
        return self._result(result, is_anew)

    async def end(self) -> None:
        """Ends the sandbox."""
        if self._sandbox:
            await self._sandbox.end()

    def _get_sandbox(self) -> Sandbox | None:
        sandboxes = self._coordinator.get_capability("browser.sandboxes")
        if self._sandbox is None and sandboxes is not None:
            session = getattr(self._coordinator, "session_id", None) or f"unnamed-{next(_unnamed)}"
            self._sandbox = sandboxes.get(f"python-{session}")
        return self._sandbox

    def _result(self, result: dict[str, Any], is_anew: bool) -> ToolResult:
        error = result["error"]
        printed, value = result["printed"], result["value"]
        display = _display(result)
        if error:
            return _failed(error, self._seconds, printed, display)
        text = "\n".join(part for part in (printed.rstrip("\n"), value) if part) or "(no output)"
        if is_anew:
            display.append({"type": "text", "text": "Python was started anew: what earlier code had defined is gone."})
        return shown_result(_cut(text, FOR_MODEL, result["cut"] + result["value_cut"]), *display)


def _permission(_arguments: Arguments) -> Permission:
    return Permission(sees="The code runs on this machine, apart from the browser: it sees no page, no file and no network.")


def _display(result: dict[str, Any]) -> list[Display]:
    display: list[Display] = []
    if result["printed"]:
        display.append({"type": "text", "text": _cut(result["printed"].rstrip("\n"), len(result["printed"]), result["cut"])})
    shown: list[Display] = result["display"]
    if result["value"] is not None and not shown:  # a table or picture says it better
        display.append(
            {"type": "code", "text": _cut(result["value"], len(result["value"]), result["value_cut"]), "language": "python"}
        )
    return [*display, *shown]


def _cut(text: str, most: int, cut_before: int = 0) -> str:
    """The beginning of a text, and how much of it is missing."""
    missing = cut_before + max(0, len(text) - most)
    return f"{text[:most]}\n… ({missing:,} more characters)" if missing else text


def _failed(error: dict[str, Any], seconds: float, printed: str, display: list[Display]) -> ToolResult:
    if error["kind"] == "interrupted":
        words = str(SandboxTimeout(seconds, lost=False))
    elif error["kind"] == "memory":
        words = "the code needed more memory than it may have" + ("; what was defined is lost" if error["lost"] else "")
    else:
        words = error["message"]
    where = f" (line {error['line']})" if error["line"] else ""
    said = f" Before that it printed: {_cut(printed.rstrip(), 200)}" if printed.strip() else ""
    trace = [{"type": "code", "text": error["traceback"], "language": "text"}] if error["traceback"] else []
    outcome = failed(f"{_sentence(words + where)}{said}")
    outcome.output = {"text": outcome.error["message"] if outcome.error else words, "display": [*display, *trace]}
    return outcome


def _sentence(text: str) -> str:
    """With a capital and a full stop, as the user reads it."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")
