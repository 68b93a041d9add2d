"""The check of a user's module: Amplifier's validators, in words, at the lines of its source."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from amplifier_browser.module_examples import examples
from amplifier_sandbox import module_host
from amplifier_sandbox.module_shape import schema_problem

KNOWN = ["page.read", "notes.read"]

TOOL = """\
from amplifier_core import ToolResult

class Shout:
    name = "shout"
    description = "Shouts a text."
    input_schema = {"type": "object", "properties": {"text": {"type": "string"}}}

    async def execute(self, input):
        return ToolResult(output=input["text"].upper())

async def mount(coordinator, config):
    await coordinator.mount("tools", Shout())
"""
HOOK = """\
from amplifier_core import HookResult

async def watch(event, data):
    return HookResult()

async def mount(coordinator, config):
    return coordinator.hooks.register("tool:pre", watch, name="watch")
"""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in the test's own interpreter, whose output is not the module's."""
    monkeypatch.setattr(module_host, "listen", lambda: None)


async def checked(source: str) -> dict[str, Any]:
    return await module_host.check(textwrap.dedent(source), KNOWN)


async def problems_of(source: str) -> list[tuple[int | None, str]]:
    report = await checked(source)
    assert not report["valid"]
    return [(problem["line"], problem["message"]) for problem in report["problems"]]


async def the_problem_of(source: str) -> tuple[int | None, str]:
    problems = await problems_of(source)
    assert len(problems) == 1, problems
    return problems[0]


async def test_a_tool() -> None:
    assert await checked(TOOL) == {
        "kind": "tool",
        "wants": [],
        "tools": [{"name": "shout", "line": 4}],
        "valid": True,
        "problems": [],
    }


async def test_a_hook() -> None:
    assert await checked(HOOK) == {"kind": "hook", "wants": [], "tools": [], "valid": True, "problems": []}


async def test_a_tool_and_a_hook_in_one() -> None:
    both = TOOL + "    coordinator.hooks.register('tool:pre', watch)\n\nasync def watch(event, data): ...\n"
    report = await checked(both)
    assert report["valid"], report
    assert report["kind"] == "tool"


@pytest.mark.parametrize("example", examples(), ids=lambda example: example["name"])
async def test_the_examples(example: dict[str, str]) -> None:
    report = await checked(example["source"])
    assert (report["valid"], report["problems"]) == (True, [])


def test_the_simplest_example_is_short() -> None:
    assert len(examples()[0]["source"].splitlines()) < 20


async def test_a_syntax_error() -> None:
    assert await the_problem_of(TOOL.replace("class Shout:", "class Shout")) == (3, "Python cannot read this: expected ':'")


async def test_what_only_the_compiler_sees() -> None:
    line, message = await the_problem_of(TOOL + "\nreturn 1\n")
    assert (line, message) == (14, "Python cannot read this: 'return' outside function")


async def test_what_python_cannot_even_parse() -> None:
    assert "cannot read" in (await the_problem_of("x = 1\0"))[1]


async def test_no_mount() -> None:
    line, message = await the_problem_of("x = 1\n")
    assert line is None
    assert "There is no mount()" in message


async def test_a_mount_that_is_no_function() -> None:
    problems = await problems_of("x = 1\nmount = 3\n")
    assert [line for line, _ in problems] == [2], problems


@pytest.mark.parametrize("signature", ["async def mount(coordinator):", "def mount(coordinator, config):", "async def mount():"])
async def test_a_mount_of_another_signature(signature: str) -> None:
    source = TOOL.replace("async def mount(coordinator, config):", signature)
    line, message = await the_problem_of(source.replace('await coordinator.mount("tools", Shout())', "pass"))
    assert (line, message) == (11, "mount() must be written as `async def mount(coordinator, config)`")


async def test_a_mount_that_needs_more() -> None:
    line, message = await the_problem_of(TOOL.replace("config):", "config, more):"))
    assert line == 11
    assert "missing 1 required positional argument: 'more'" in message


async def test_an_import_of_what_is_not_here() -> None:
    line, message = await the_problem_of("\nimport missing_module_of_the_test\n" + TOOL)
    assert line == 2
    assert message.startswith("There is no module named missing_module_of_the_test here")


async def test_raising_while_it_is_imported() -> None:
    source = "def helper():\n    return 1 / 0\n\n\nX = helper()\n"
    assert await the_problem_of(source) == (2, "ZeroDivisionError: division by zero")


async def test_raising_at_mount() -> None:
    line, message = await the_problem_of(TOOL + "    raise ValueError('not today')\n")
    assert (line, message) == (13, "ValueError: not today")


@pytest.mark.parametrize("end", ["raise SystemExit('bye')", "raise BaseException('bye')"])
async def test_ending_the_interpreter(end: str) -> None:
    assert (await the_problem_of(f"x = 1\n{end}\n"))[0] == 2
    assert (await the_problem_of(f"{TOOL}    {end}\n"))[0] == 13


async def test_mounting_nothing() -> None:
    line, message = await the_problem_of("\nasync def mount(coordinator, config):\n    pass\n")
    assert line == 2
    assert message.startswith("mount() registers neither a tool nor a hook")


async def test_mounting_what_is_no_tool() -> None:
    problems = await problems_of("async def mount(coordinator, config):\n    await coordinator.mount('tools', 3, name='three')\n")
    assert (1, "Tool 'three' does not implement Tool interface (missing name, description, or execute)") in problems


async def test_mounting_something_else() -> None:
    source = "class Loop: pass\n\nasync def mount(coordinator, config):\n    await coordinator.mount('orchestrator', Loop())\n"
    assert (3, "A module of yours cannot mount orchestrator: only tools and hooks") in await problems_of(source)


async def test_a_tool_without_description_is_advised_to_have_one() -> None:
    report = await checked(TOOL.replace('"Shouts a text."', '""'))
    assert report["valid"]
    assert [problem["line"] for problem in report["problems"]] == [5]
    assert "has no description" in report["problems"][0]["message"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name = "shout"', 'name = "Shout it!"', 4, "cannot be a tool's name"),
        ("async def execute", "def execute", 8, "execute() must be written as"),
        ("execute(self, input)", "execute(self)", 8, "execute() must be written as"),
        ('{"type": "object", "properties": {"text": {"type": "string"}}}', "[]", 6, "must be a dict"),
        ('{"type": "string"}', '{"type": "text"}', 6, "there is no type text"),
        ('{"type": "string"}', '{"type": "string", "pattern": "(a+)+$"}', 6, "“pattern” is not supported"),
        ('{"type": "string"}', "{1, 2}", 6, "is not JSON"),
        ('mount("tools", Shout())', 'mount("tools", Shout(), name="other")', 4, "is mounted as other but calls itself shout"),
    ],
)
async def test_a_tool_that_is_not_right(old: str, new: str, line: int, words: str) -> None:
    assert old in TOOL
    problems = await problems_of(TOOL.replace(old, new))
    assert [where for where, message in problems if words in message] == [line], problems


async def test_members_that_raise() -> None:
    raising = "@property\n    def description(self): return 1 / 0\n"
    problems = await problems_of(TOOL.replace('description = "Shouts a text."', raising))
    assert any(line == 6 and "ZeroDivisionError" in message for line, message in problems), problems


async def test_a_handler_that_takes_too_little() -> None:
    line, message = await the_problem_of(HOOK.replace("watch(event, data)", "watch(event)"))
    assert line == 3
    assert "must take two arguments" in message


async def test_a_handler_that_is_no_function() -> None:
    line, message = await the_problem_of(HOOK.replace('"tool:pre", watch', '"tool:pre", 3'))
    assert (line, message) == (6, "What is registered for tool:pre is no function")


async def test_capabilities() -> None:
    report = await checked('CAPABILITIES = ["page.read"]\n' + TOOL)
    assert (report["valid"], report["wants"]) == (True, ["page.read"])


async def test_capabilities_are_read_not_run() -> None:
    line, message = await the_problem_of('\nCAPABILITIES = ["page" + ".read"]\n' + TOOL)
    assert line == 2
    assert "must be a plain list" in message


async def test_a_capability_that_there_is_not() -> None:
    line, message = await the_problem_of('\nCAPABILITIES = ["page.write"]\n' + TOOL)
    assert (line, message) == (2, "There is no capability page.write; there are: page.read, notes.read")


async def test_another_source_is_another_module() -> None:
    assert (await checked(TOOL))["tools"] == [{"name": "shout", "line": 4}]
    assert (await checked(TOOL.replace('"shout"', '"cry"')))["tools"] == [{"name": "cry", "line": 4}]


def test_schemas_that_are_taken() -> None:
    for example in (
        {},
        {"type": "object", "properties": {}},
        {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How large", "default": 3},
                "names": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "maxItems": 4},
                "either": {"type": ["string", "null"]},
            },
            "required": ["size"],
            "additionalProperties": False,
        },
    ):
        assert schema_problem(example) is None


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "string"},
        {"properties": {}},
        {"type": "object", "$ref": "http://127.0.0.1/"},
        {"type": "object", "properties": {"a b": {}}},
        {"type": "object", "properties": {"a": {"minimum": float("nan")}}},
        {"type": "object", "properties": {"a": {"enum": [[1]]}}},
        {"type": "object", "required": "a"},
        {"type": "object", "properties": {"a": {"items": {"items": {"items": {"items": {}}}}}}},
        {"type": "object", "properties": {f"a{i}": {"description": "x" * 100} for i in range(40)}},
    ],
)
def test_schemas_that_are_not(schema: Any) -> None:
    assert schema_problem(schema)
