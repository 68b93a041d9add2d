"""The `python` tool on a sandbox that is played."""

from __future__ import annotations

import re
from typing import Any

import pytest
from amplifier_browser.modules import tool_python
from amplifier_browser.sandbox import SandboxError, SandboxTimeout
from amplifier_core import ToolResult

RESULT: dict[str, Any] = {"printed": "", "cut": 0, "value": None, "value_cut": 0, "display": [], "error": None}


class PlayedSandbox:
    """Gives what it is told to."""

    def __init__(self) -> None:
        self.outcome: Any = RESULT
        self.generation = 1
        self.calls: list[tuple[str, float, dict[str, Any]]] = []
        self.ended = False

    async def call(self, op: str, seconds: float, **args: Any) -> Any:
        """What the outcome is."""
        self.calls.append((op, seconds, args))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def end(self) -> None:
        """Is noted."""
        self.ended = True


class Coordinator:
    """As much of Amplifier's as the tool uses."""

    session_id = "abc"

    def __init__(self) -> None:
        self.sandbox = PlayedSandbox()
        self.names: list[str] = []
        self.mounted: Any = None
        self.has_sandboxes = True

    async def mount(self, _point: str, tool: Any, name: str) -> None:
        """Keeps the tool."""
        assert name == tool.name
        self.mounted = tool

    def get_capability(self, name: str) -> Any:
        """Itself plays the sandboxes."""
        return self if name == "browser.sandboxes" and self.has_sandboxes else None

    def get(self, name: str) -> PlayedSandbox:
        """The one sandbox."""
        self.names.append(name)
        return self.sandbox


@pytest.fixture
def coordinator() -> Coordinator:
    return Coordinator()


async def run(coordinator: Coordinator, **result: Any) -> ToolResult:
    """What the tool makes of a result."""
    if result:
        coordinator.sandbox.outcome = {**RESULT, **result}
    if coordinator.mounted is None:
        await tool_python.mount(coordinator)
    return await coordinator.mounted.execute({"code": "code"})


def error(kind: str = "raised", message: str = "ValueError: bad", line: int | None = 3, lost: bool = False) -> dict[str, Any]:
    return {"kind": kind, "message": message, "line": line, "traceback": "Traceback ...", "lost": lost}


async def test_code_runs_in_the_sessions_own_sandbox(coordinator: Coordinator) -> None:
    end = await tool_python.mount(coordinator, {"seconds": 4})
    assert coordinator.names == []
    await run(coordinator)
    await run(coordinator)
    assert coordinator.sandbox.calls == [("run", 4.0, {"code": "code"})] * 2
    assert set(coordinator.names) == {"python-abc"}
    await end()
    assert coordinator.sandbox.ended


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({}, "(no output)"),
        ({"printed": "5\n"}, "5"),
        ({"value": "6"}, "6"),
        ({"printed": "5\n", "value": "6"}, "5\n6"),
        ({"printed": "  \n", "value": ""}, "  "),
    ],
)
async def test_the_model_gets_what_was_printed_and_the_value(coordinator: Coordinator, result: dict[str, Any], text: str) -> None:
    outcome = await run(coordinator, **result)
    assert outcome.success
    assert isinstance(outcome.output, dict)
    assert outcome.output["text"] == text


async def test_the_model_gets_the_beginning_and_is_told_how_much_is_missing(coordinator: Coordinator) -> None:
    outcome = await run(coordinator, printed="x" * 10_000, cut=500)
    assert isinstance(outcome.output, dict)
    assert outcome.output["text"] == "x" * 1000 + "\n… (9,500 more characters)"
    assert outcome.output["display"] == [{"type": "text", "text": "x" * 10_000 + "\n… (500 more characters)"}]


async def test_tables_and_pictures_are_shown_instead_of_their_text(coordinator: Coordinator) -> None:
    table = {"type": "table", "columns": ["a"], "rows": [["1"]], "more": 0}
    outcome = await run(coordinator, printed="hello\n", value="[{'a': 1}]", display=[table])
    assert outcome.output == {"text": "hello\n[{'a': 1}]", "display": [{"type": "text", "text": "hello"}, table]}
    outcome = await run(coordinator, value="[1]")
    assert outcome.output == {"text": "[1]", "display": [{"type": "code", "text": "[1]", "language": "python"}]}


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (error(), "ValueError: bad (line 3)."),
        (error(line=None), "ValueError: bad."),
        (
            error("interrupted", line=2),
            "The code ran longer than 10 s and was ended; what was defined before is still there (line 2).",
        ),
        (error("memory"), "The code needed more memory than it may have (line 3)."),
        (error("memory", line=None, lost=True), "The code needed more memory than it may have; what was defined is lost."),
    ],
)
async def test_errors_say_what_and_where(coordinator: Coordinator, failure: dict[str, Any], words: str) -> None:
    outcome = await run(coordinator, error=failure)
    assert not outcome.success
    assert outcome.error == {"message": words}
    outcome = await run(coordinator, error=failure, printed="so far\n")
    assert outcome.error == {"message": f"{words} Before that it printed: so far"}
    assert isinstance(outcome.output, dict)
    assert [each["text"] for each in outcome.output["display"]] == ["so far", "Traceback ..."]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (SandboxTimeout(10, lost=True), "The code ran longer than 10 s and was ended; what it had defined is lost."),
        (SandboxError("the sandbox is gone: broken"), "The code did not run: the sandbox is gone: broken."),
    ],
)
async def test_a_sandbox_that_fails_is_no_exception(coordinator: Coordinator, raised: Exception, words: str) -> None:
    coordinator.sandbox.outcome = raised
    outcome = await run(coordinator)
    assert (outcome.success, outcome.error) == (False, {"message": words})


async def test_the_user_is_told_when_python_was_started_anew(coordinator: Coordinator) -> None:
    await run(coordinator, value="1")
    coordinator.sandbox.generation = 2
    outcome = await run(coordinator, value="1")
    assert isinstance(outcome.output, dict)
    assert (outcome.output["text"], "started anew" in outcome.output["display"][-1]["text"]) == ("1", True)
    outcome = await run(coordinator, value="1")
    assert isinstance(outcome.output, dict)
    assert len(outcome.output["display"]) == 1


async def test_without_sandboxes_it_says_so(coordinator: Coordinator) -> None:
    coordinator.has_sandboxes = False
    outcome = await run(coordinator)
    assert not outcome.success
    assert "cannot run here" in (outcome.error or {})["message"]


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("Use Python to add 2 and 3", True),
        ("Sort these using some python", True),
        ("run Python: print(1)", True),
        ("Do pythons eat frogs?", False),
        ("Is Python faster than Ruby?", False),
        ("What does this page say about Monty Python?", False),
    ],
)
async def test_what_asks_for_it(coordinator: Coordinator, message: str, asks: bool) -> None:
    await tool_python.mount(coordinator)
    found = any(re.search(pattern, message, re.I) for pattern in coordinator.mounted.traits.asked_by)
    assert found == asks


async def test_each_call_needs_permission(coordinator: Coordinator) -> None:
    await tool_python.mount(coordinator)
    permission = coordinator.mounted.traits.permission({"code": "1"})
    assert not permission.free
    assert permission.needs == {}
    assert "no network" in permission.sees
