"""Users' modules from the panel's commands to calls in a session; their sandboxes are processes, so that what hangs is ended."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from amplifier_browser import module_proxies, user_modules
from amplifier_browser.engine import Engine
from amplifier_browser.module_capabilities import ModuleCapabilities
from amplifier_browser.module_examples import examples
from amplifier_browser.module_proxies import ModuleFault, MountedModule
from amplifier_browser.sandbox import Sandboxes
from amplifier_browser.storage import Storage
from amplifier_browser.tool_choice import asked_for
from amplifier_browser.tooling import traits_of
from amplifier_browser.user_modules import Report, UserModule, UserModules
from amplifier_core import AmplifierSession, ToolResult
from process_sandboxes import ProcessPage

PLAN = {"session": {"orchestrator": {"module": "none"}, "context": {"module": "none"}}}
PAGE = {"title": "Seals", "url": "https://seals.test/", "markdown": "Seals rest on rocks.", "words": 4, "method": "article"}

TOOL = """\
from amplifier_core import ToolResult

CAPABILITIES = ["page.read", "model.complete"]

class Do:
    name = "do"
    description = "Does what it is told."
    input_schema = {{"type": "object", "properties": {{"text": {{"type": "string"}}}}, "required": ["text"]}}

    async def execute(self, input):
        {body}

async def mount(coordinator, config):
    print("mounted")
    Do.coordinator = coordinator
    await coordinator.mount("tools", Do())
"""
HOOK = """\
from amplifier_core import HookResult

async def watch(event, data):
    {body}

async def mount(coordinator, config):
    coordinator.hooks.register("{event}", watch, priority={priority}, name="watch")
"""
WANTS = ("page.read", "model.complete")
HANG = "while True: pass"
UPPER = "return ToolResult(output=input['text'].upper())"


def tool(body: str = UPPER, name: str = "do") -> str:
    return TOOL.format(body=body).replace('"do"', f'"{name}"')


def hook(body: str, event: str = "tool:pre", priority: int = 0) -> str:
    return HOOK.format(body=body, event=event, priority=priority)


class Bench:
    """Users' modules with a page, and sessions for them."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.page = ProcessPage()
        self.notices: list[tuple[str, str]] = []
        self.changed = asyncio.Event()
        self.requests: list[dict[str, Any]] = []
        self.engine = Engine(self._to_engine)
        self.engine.receive({"type": "state", "engine": {**self.engine.state, "state": "ready"}})
        sandboxes = Sandboxes(self.call, grace_seconds=2)
        self.page.receive = sandboxes.receive
        storage = Storage(self.call)
        self.modules = UserModules(
            storage,
            sandboxes,
            notify=lambda level, text: self.notices.append((level, text)),
            capabilities=ModuleCapabilities(self.call, storage, self.engine),
            builtin_tools=lambda: ["calculate"],
            on_change=self.changed.set,
        )

    async def call(self, name: str, /, **args: Any) -> Any:
        if name == "settings.get":
            return {each: json.loads(self.stored[each]) for each in args["names"] if each in self.stored}
        if name == "settings.set":
            self.stored |= {each: json.dumps(value) for each, value in args.items()}
            return None
        if name == "page.read":
            return PAGE
        return await getattr(self.page, name.replace(".", "_"))(**args)

    def _to_engine(self, message: dict[str, Any]) -> None:
        self.requests.append(message)
        self.engine.receive({"type": "delta", "id": message["id"], "text": "Yes."})
        self.engine.receive({"type": "done", "id": message["id"], "finish_reason": "stop", "usage": None})

    async def shown(self, module_id: str) -> dict[str, Any]:
        return next(module for module in await self.modules.list() if module["id"] == module_id)

    async def add(self, source: str, name: str = "Mine", *granted: str) -> str:
        """A module that was found valid before and is switched on."""
        tools = tuple(re.findall(r'^    name = "(\w+)"', source, re.MULTILINE))
        wants = WANTS if "CAPABILITIES" in source else ()
        report = Report(kind="tool" if tools else "hook", wants=wants, tools=tools, valid=True)
        module = UserModule(f"id-of-{name}", name, source, True, granted, report)
        stored = json.loads(self.stored.get("modules", "[]"))
        self.stored["modules"] = json.dumps([*stored, module.to_json()])
        return module.id

    async def save(self, source: str, name: str = "Mine") -> str:
        """Saves a module as the panel does; it must be valid."""
        module_id = await self.modules.save(None, name, source)
        assert module_id
        assert (await self.shown(module_id))["state"] == "valid", await self.shown(module_id)
        return module_id

    async def session(self) -> tuple[Any, Callable[[], Any]]:
        """A new session's coordinator, and what takes the modules out of it."""
        coordinator = AmplifierSession(PLAN).coordinator
        return coordinator, await self.modules.mount_into(coordinator)

    async def logged(self, module_id: str, words: str) -> dict[str, Any]:
        """Waits for a line of a module's log."""
        while True:
            self.changed.clear()
            for entry in (await self.shown(module_id))["log"]:
                if words in entry["text"]:
                    return entry
            await asyncio.wait_for(self.changed.wait(), 20)

    async def close(self) -> None:
        await self.page.close()


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.close()


async def run(coordinator: Any, name: str = "do", **arguments: Any) -> ToolResult:
    result = await coordinator.get("tools", name).execute(arguments)
    assert isinstance(result, ToolResult)
    return result


# -- keeping and checking


async def test_a_tool_from_saving_to_its_result(bench: Bench) -> None:
    module_id = await bench.save(tool(), "Do it")
    await bench.modules.enable(module_id, True)
    coordinator, _ = await bench.session()
    assert (await run(coordinator, text="aye")).output == "AYE"
    shown = await bench.shown(module_id)
    assert (shown["kind"], shown["state"], shown["enabled"], shown["problems"]) == ("tool", "valid", True, [])
    assert shown["wants"] == ["page.read", "model.complete"]
    assert shown["granted"] == []
    assert (await bench.logged(module_id, "mounted"))["level"] == "info"
    assert bench.modules.tools() == {"do": "Do it"}
    assert bench.notices == []


async def test_a_saved_source_with_a_problem_is_shown_and_not_switched_on(bench: Bench) -> None:
    module_id = await bench.modules.save(None, "Broken", "def mount(:\n")
    assert module_id
    await bench.modules.enable(module_id, True)
    shown = await bench.shown(module_id)
    assert (shown["state"], shown["enabled"]) == ("invalid", False)
    assert shown["problems"][0]["line"] == 1
    assert bench.notices == [("error", "Your module “Broken” has problems. Mend them first.")]


async def test_a_source_that_hangs_is_told_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_modules, "CHECK_SECONDS", 2.0)
    module_id = await bench.modules.save(None, "Endless", HANG)
    shown = await bench.shown(str(module_id))
    assert shown["state"] == "invalid"
    assert "Look for a loop that never ends" in shown["problems"][0]["message"]
    assert bench.page.processes == {}


async def test_a_check_leaves_no_sandbox_behind(bench: Bench) -> None:
    await bench.save(tool())
    assert bench.page.processes == {}
    assert len(bench.page.started) == 1


async def test_names_of_modules_are_plain_and_differ(bench: Bench) -> None:
    for name in ("  Word\ncount ", "Word count", "“<b>”", ""):
        await bench.modules.save(None, name, "x = (")
    assert [module["name"] for module in await bench.modules.list()] == ["Word count", "Word count 2", "b", "My module"]


async def test_what_is_too_long_is_not_kept(bench: Bench) -> None:
    assert await bench.modules.save(None, "Long", "#" * 200_000) is None
    assert await bench.modules.list() == []
    assert bench.notices[0][0] == "error"


async def test_a_tool_cannot_be_called_as_another_is(bench: Bench) -> None:
    await bench.add(tool(), "First")
    cases = {tool(): "do is a tool of your module “First” already", tool(name="calculate"): "of Amplifier Browser"}
    for source, words in cases.items():
        module_id = await bench.modules.save(None, "Second", source)
        shown = await bench.shown(str(module_id))
        assert shown["state"] == "invalid"
        assert [problem["line"] for problem in shown["problems"]] == [6]
        assert words in shown["problems"][0]["message"]


async def test_a_name_that_the_session_has_taken_leaves_the_module_out(bench: Bench) -> None:
    module_id = await bench.add(tool(), "Late")
    coordinator = AmplifierSession(PLAN).coordinator
    mine = object()
    await coordinator.mount("tools", mine, name="do")
    await bench.modules.mount_into(coordinator)
    assert coordinator.get("tools", "do") is mine
    assert "“Late” was left out of this session: There is a tool named do already" in bench.notices[0][1]
    assert (await bench.shown(module_id))["state"] == "failed"


async def test_only_what_is_switched_on_is_mounted(bench: Bench) -> None:
    module_id = await bench.add(tool())
    await bench.modules.enable(module_id, False)
    coordinator, _ = await bench.session()
    assert coordinator.get("tools") == {}
    assert bench.page.processes == {}


async def test_a_module_that_cannot_be_mounted_does_not_keep_others_from_it(bench: Bench) -> None:
    failing = await bench.add(tool(name="other").replace('print("mounted")', "raise ValueError('no')"), "Failing")
    await bench.add(tool(), "Good")
    coordinator, _ = await bench.session()
    assert list(coordinator.get("tools")) == ["do"]
    assert bench.notices == [("error", "Your module “Failing” was left out of this session: ValueError: no (line 14)")]
    shown = await bench.shown(failing)
    assert shown["state"] == "failed"
    assert shown["problems"] == [{"line": 14, "message": "It could not be mounted: ValueError: no"}]


async def test_without_storage_a_session_opens(bench: Bench) -> None:
    bench.stored["modules"] = json.dumps([{"id": 1}])
    coordinator, cleanup = await bench.session()
    assert coordinator.get("tools") == {}
    assert "could not be mounted" in bench.notices[0][1]
    await cleanup()


# -- the life of a mounted module


async def test_the_end_of_a_session_ends_its_sandboxes(bench: Bench) -> None:
    source = tool() + "    def bye(): print('unmounted')\n    return bye\n"
    module_id = await bench.add(source)
    first, end_first = await bench.session()
    second, end_second = await bench.session()
    assert len(bench.page.processes) == 2
    await end_first()
    await bench.logged(module_id, "unmounted")
    assert first.get("tools") == {}
    assert (await run(second, text="a")).output == "A"
    await end_second()
    assert bench.page.processes == {}


async def test_reloading_takes_the_new_source_into_the_session(bench: Bench) -> None:
    module_id = await bench.add(tool())
    coordinator, _ = await bench.session()
    await bench.modules.save(module_id, "Mine", tool("return ToolResult(output='new')"))
    assert (await run(coordinator, text="a")).output == "A"
    await bench.modules.reload(module_id)
    assert (await run(coordinator, text="a")).output == "new"
    assert len(bench.page.processes) == 1


async def test_reloading_what_became_invalid_takes_it_out(bench: Bench) -> None:
    module_id = await bench.add(tool())
    coordinator, _ = await bench.session()
    await bench.modules.save(module_id, "Mine", "x = (")
    await bench.modules.reload(module_id)
    assert coordinator.get("tools") == {}
    assert "was left out of this session" in bench.notices[-1][1]
    assert (await bench.shown(module_id))["state"] == "invalid"


async def test_removing_takes_it_out_of_the_session(bench: Bench) -> None:
    module_id = await bench.add(tool())
    coordinator, cleanup = await bench.session()
    await bench.modules.remove(module_id)
    assert coordinator.get("tools") == {}
    assert await bench.modules.list() == []
    assert bench.page.processes == {}
    await cleanup()


async def test_switching_off_takes_it_out_of_the_session(bench: Bench) -> None:
    module_id = await bench.add(hook("return HookResult(action='deny', reason='no')"))
    coordinator, _ = await bench.session()
    assert (await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})).action == "deny"
    await bench.modules.enable(module_id, False)
    assert (await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})).action == "continue"


# -- tools


async def test_a_tool_is_treated_with_caution(bench: Bench) -> None:
    await bench.add(tool(), "Do it")
    coordinator, _ = await bench.session()
    mounted = coordinator.get("tools", "do")
    traits = traits_of(mounted)
    permission = traits.permission({})
    assert traits.title == "Use do of my module “Do it”"
    assert not traits.is_trusted
    assert not permission.free
    assert "“Do it”, version " in permission.scope
    assert mounted.description == "Does what it is told."
    assert mounted.input_schema["required"] == ["text"]
    assert asked_for("Please use the do tool on all this", {"do": mounted}) == ("do", {"text": "all this"})
    assert asked_for("/do this and that", {"do": mounted}) == ("do", {"text": "this and that"})
    assert asked_for("What shall I do?", {"do": mounted}) is None


async def test_a_lasting_grant_does_not_cover_another_source(bench: Bench) -> None:
    module_id = await bench.add(tool())
    coordinator, _ = await bench.session()
    before = traits_of(coordinator.get("tools", "do")).permission({}).scope
    await bench.modules.save(module_id, "Mine", tool("return ToolResult(output='new')"))
    await bench.modules.reload(module_id)
    assert traits_of(coordinator.get("tools", "do")).permission({}).scope != before


async def test_a_tool_that_does_wrong(bench: Bench) -> None:
    wrong = {
        "raise ValueError('not that')": "ValueError: not that (line 12)",
        "raise SystemExit": "SystemExit (line 14)",
        "import asyncio; raise asyncio.CancelledError": "CancelledError (line 16)",
        "return 'a text'": "execute() returned a str: return ToolResult(output=...) (line 10)",
        "return None": "execute() returned nothing",
        "return ToolResult(output=object())": "returned what is not JSON",
        "return ToolResult(output='x' * 1_000_000)": "200000 are allowed",
    }
    body = "\n        ".join(f"if input['text'] == '{number}':\n            {body}" for number, body in enumerate(wrong))
    module_id = await bench.add(tool(body), "Bad")
    coordinator, _ = await bench.session()
    for number, words in enumerate(wrong.values()):
        result = await run(coordinator, text=str(number))
        assert not result.success
        assert result.error
        assert result.error["message"].startswith("The user's module “Bad” failed: ")
        assert words in result.error["message"]
        assert (await bench.logged(module_id, words))["level"] == "error"
    assert len(bench.notices) == 3
    assert all("“Bad”" in text for _, text in bench.notices)


async def test_a_tool_that_fails_as_it_should_is_no_fault(bench: Bench) -> None:
    await bench.add(tool("return ToolResult(success=False, error={'message': 'No such word.'})"))
    coordinator, _ = await bench.session()
    result = await run(coordinator, text="a")
    assert (result.success, result.error) == (False, {"message": "No such word."})
    assert bench.notices == []


async def test_what_a_tool_returns_is_text(bench: Bench) -> None:
    await bench.add(tool("return ToolResult(output={'text': 'x', 'display': [{'type': 'svg', 'text': '<svg/>'}]})"))
    coordinator, _ = await bench.session()
    output = (await run(coordinator, text="a")).output
    assert isinstance(output, str)
    assert json.loads(output)["text"] == "x"


@pytest.mark.parametrize("body", [HANG, "import asyncio; await asyncio.sleep(1000)"])
async def test_a_tool_that_hangs_is_ended_and_can_be_called_again(
    bench: Bench, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = f"if input['text'] == 'hang':\n            {body}\n        {UPPER}"
    await bench.add(tool(hanging), "Slow")
    coordinator, _ = await bench.session()
    monkeypatch.setattr(module_proxies, "TOOL_SECONDS", 0.5)
    result = await run(coordinator, text="hang")
    assert result.error == {"message": "The user's module “Slow” failed: It took longer than 0.5 s and was ended"}
    assert "“Slow”" in bench.notices[0][1]
    monkeypatch.setattr(module_proxies, "TOOL_SECONDS", 20.0)
    assert (await run(coordinator, text="again")).output == "AGAIN"


async def test_what_heeds_no_interrupt_is_ended_with_its_sandbox(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = "try:\n                import time; time.sleep(1000)\n            except BaseException: pass"
    body = f"while input['text'] == 'hang':\n            {stubborn}\n        {UPPER}"
    await bench.add(tool(body), "Stubborn")
    coordinator, _ = await bench.session()
    monkeypatch.setattr(module_proxies, "TOOL_SECONDS", 0.5)
    assert not (await run(coordinator, text="hang")).success
    monkeypatch.setattr(module_proxies, "TOOL_SECONDS", 20.0)
    assert (await run(coordinator, text="again")).output == "AGAIN"  # mounted anew in a new sandbox
    assert len(bench.page.started) == 2


async def test_a_sandbox_that_dies_is_replaced(bench: Bench) -> None:
    await bench.add(tool(f"if input['text'] == 'die': import os; os._exit(1)\n        {UPPER}"), "Mortal")
    coordinator, _ = await bench.session()
    assert "the sandbox is gone" in str((await run(coordinator, text="die")).error)
    assert (await run(coordinator, text="again")).output == "AGAIN"


# -- hooks


async def test_a_hook_changes_what_it_may(bench: Bench) -> None:
    await bench.add(hook("return HookResult(action='modify', data={**data, 'tool_input': {'a': 2}})"))
    coordinator, _ = await bench.session()
    result = await coordinator.hooks.emit("tool:pre", {"tool_name": "x", "tool_input": {"a": 1}})
    assert result.action == "continue"
    assert result.data["tool_input"] == {"a": 2}
    assert bench.notices == []


async def test_a_hook_that_denies_is_named(bench: Bench) -> None:
    await bench.add(hook("return HookResult(action='deny', reason='not now')"), "Guard")
    coordinator, _ = await bench.session()
    result = await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})
    assert (result.action, result.reason) == ("deny", "not now (by the user's module “Guard”)")


async def test_what_a_hook_says_to_the_user_bears_its_name(bench: Bench) -> None:
    await bench.add(hook("return HookResult(action='ask_user', approval_prompt='Sure?', user_message='Hm')"), "Guard")
    coordinator, _ = await bench.session()
    result = await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})
    assert (result.approval_prompt, result.user_message) == ("Your module “Guard” asks: Sure?", "Guard: Hm")


async def test_users_hooks_run_before_ours(bench: Bench) -> None:
    """Else they could change what the user has approved."""
    await bench.add(hook("return HookResult(action='modify', data={**data, 'tool_input': {'a': 2}})", priority=2**31 - 1))
    coordinator, _ = await bench.session()
    seen: list[Any] = []

    async def ours(_event: str, data: dict[str, Any]) -> None:
        seen.append(data["tool_input"])

    coordinator.hooks.register("tool:pre", ours, priority=-900)
    await coordinator.hooks.emit("tool:pre", {"tool_input": {"a": 1}})
    assert seen == [{"a": 2}]


async def test_a_hook_that_does_wrong_is_as_if_it_were_not_there(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_proxies, "MOST_FAULTS", 100)
    wrong = {
        "raise ValueError('oh')": "ValueError: oh (line 5)",
        "return 3": "returned a int",
        "return {'action': 'explode'}": "ValidationError",
        "return HookResult(action='modify', data={})": "without a proper case",
        "return HookResult(action='modify', data={**data, 'tool_input': 'x'})": "without a proper tool_input",
        "return HookResult(action='modify')": "without data",
        "return HookResult(action='inject_context', context_injection='x' * 5000)": "more than 4000",
        "return {'action': 'inject_context', 'context_injections': [{'content': 'x' * 3000}] * 2}": "more than 4000",
        "return HookResult(action='deny')": "A hook can deny at tool:pre",
    }
    body = "\n    ".join(f"if data['case'] == {number}:\n        {body}" for number, body in enumerate(wrong))
    module_id = await bench.add(hook(body, "tool:post"), "Bad")
    coordinator, _ = await bench.session()
    for number, words in enumerate(wrong.values()):
        result = await coordinator.hooks.emit("tool:post", {"case": number, "tool_input": {"a": 1}})
        assert result.action == "continue"
        assert (result.data["case"], result.data["tool_input"]) == (number, {"a": 1})
        assert words in (await bench.logged(module_id, words))["text"]
        level, text = bench.notices[number]
        assert level == "warning"
        assert text.startswith("Your module “Bad”: its hook on tool:post failed: ")


async def test_a_hook_is_switched_off_after_three_faults(bench: Bench) -> None:
    await bench.add(hook("raise ValueError"), "Bad")
    coordinator, _ = await bench.session()
    for _ in range(5):
        await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})
    assert [level for level, _ in bench.notices] == ["warning", "warning", "error"]
    assert "Your module “Bad” failed 3 times" in bench.notices[2][1]
    assert "hooks are off until the next session" in bench.notices[2][1]
    again, _ = await bench.session()
    await again.hooks.emit("tool:pre", {"tool_name": "x"})
    assert len(bench.notices) == 4


async def test_a_hook_that_hangs_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    module_id = await bench.add(hook(HANG), "Slow")
    coordinator, _ = await bench.session()
    monkeypatch.setattr(module_proxies, "HOOK_SECONDS", 0.3)
    result = await coordinator.hooks.emit("tool:pre", {"tool_name": "x"})
    assert result.action == "continue"
    await bench.logged(module_id, "It took longer than 0.3 s and was ended")


# -- the log


async def test_what_a_module_prints_and_logs_is_in_its_log(bench: Bench) -> None:
    body = "import logging, sys; print('one\\ntwo'); print('three', file=sys.stderr); logging.getLogger('mine').error('four')"
    module_id = await bench.add(tool(f"{body}; {UPPER}"))
    coordinator, _ = await bench.session()
    await run(coordinator, text="a")
    log = [(entry["level"], entry["text"]) for entry in (await bench.shown(module_id))["log"]]
    assert log == [("info", "mounted"), ("info", "one"), ("info", "two"), ("error", "three"), ("error", "mine: four")]


async def test_a_flood_is_cut(bench: Bench) -> None:
    module_id = await bench.add(tool(f"for i in range(100_000): print(i)\n        {UPPER}"))
    coordinator, _ = await bench.session()
    assert (await run(coordinator, text="a")).success
    log = (await bench.shown(module_id))["log"]
    assert len(log) == 200
    assert log[-1]["text"] == "(More was printed, and left out.)"
    assert (await run(coordinator, text="a")).success
    assert (await bench.shown(module_id))["log"][-1]["text"] == "(More was printed, and left out.)"


# -- capabilities

ASK = """read = self.coordinator.get_capability("page.read")
        return ToolResult(output=(await read())["text"] if read else "none")"""


async def test_without_a_grant_there_is_no_capability(bench: Bench) -> None:
    await bench.add(tool(ASK))
    coordinator, _ = await bench.session()
    assert (await run(coordinator, text="")).output == "none"


async def test_a_granted_capability_answers(bench: Bench) -> None:
    module_id = await bench.add(tool(ASK), "Mine", "page.read")
    coordinator, _ = await bench.session()
    assert (await bench.shown(module_id))["granted"] == ["page.read"]
    assert (await run(coordinator, text="")).output == "Seals rest on rocks."


async def test_granting_reaches_the_running_module(bench: Bench) -> None:
    module_id = await bench.add(tool(ASK))
    coordinator, _ = await bench.session()
    await bench.modules.grant(module_id, "page.read", True)
    assert (await run(coordinator, text="")).output == "Seals rest on rocks."


async def test_a_capability_that_is_taken_back_is_gone_at_once(bench: Bench) -> None:
    module_id = await bench.add(tool(ASK), "Mine", "page.read")
    coordinator, _ = await bench.session()
    await bench.modules.grant(module_id, "page.read", False)
    result = await run(coordinator, text="")
    assert "page.read is not granted to this module" in str(result.error)
    assert (await bench.logged(module_id, "which it is not granted"))["level"] == "error"


async def test_asking_past_the_coordinator_is_no_use(bench: Bench) -> None:
    """A module can reach the sandbox's own channel; the session decides."""
    body = "from amplifier_sandbox.main import ask; return ToolResult(output=await ask('notes.read'))"
    await bench.add(tool(body), "Sly", "page.read")
    coordinator, _ = await bench.session()
    assert "notes.read is not granted" in str((await run(coordinator, text="")).error)


async def test_only_what_is_wanted_can_be_granted(bench: Bench) -> None:
    module_id = await bench.add(tool())
    for capability in ("notes.read", "everything"):
        await bench.modules.grant(module_id, capability, True)
    assert (await bench.shown(module_id))["granted"] == []


async def test_another_source_keeps_only_the_grants_it_still_wants(bench: Bench) -> None:
    module_id = await bench.add(tool(), "Mine", "page.read", "model.complete")
    await bench.modules.save(module_id, "Mine", "x = (")  # a slip loses nothing
    await bench.modules.save(module_id, "Mine", tool().replace('"page.read", ', ""))
    assert (await bench.shown(module_id))["granted"] == ["model.complete"]
    await bench.modules.save(module_id, "Mine", tool())
    assert (await bench.shown(module_id))["granted"] == ["model.complete"]


async def test_the_model_can_be_asked_but_not_without_end(bench: Bench) -> None:
    body = "return ToolResult(output=await self.coordinator.get_capability('model.complete')(input['text']))"
    module_id = await bench.add(tool(body), "Mine", "model.complete")
    coordinator, _ = await bench.session()
    assert (await run(coordinator, text="Is it?")).output == "Yes."
    assert bench.requests[0]["request"]["messages"] == [{"role": "user", "content": "Is it?"}]
    assert bench.requests[0]["request"]["max_tokens"] <= 200
    assert "4000 are allowed" in str((await run(coordinator, text="x" * 4001)).error)
    for _ in range(18):
        assert (await run(coordinator, text="Is it?")).success
    assert "20 times a session" in str((await run(coordinator, text="Is it?")).error)
    assert len(bench.requests) == 19
    await bench.logged(module_id, "20 times a session")


async def test_in_a_check_nothing_is_granted(bench: Bench) -> None:
    source = "from amplifier_sandbox.main import ask\n" + tool().replace('print("mounted")', 'print(await ask("page.read"))')
    module_id = await bench.modules.save(None, "Sly", source)
    shown = await bench.shown(str(module_id))
    assert shown["state"] == "invalid"
    assert "may not ask for page.read" in shown["problems"][0]["message"]


# -- what a sandbox says is not believed


class LyingSandbox:
    """Answers as it likes."""

    generation = 1

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    async def call(self, op: str, seconds: float, **args: Any) -> Any:
        return self.answers.pop(0)

    async def end(self) -> None: ...


FINE = {"name": "do", "description": "", "input_schema": {}}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"tools": 3, "hooks": [], "wants": []},
        {"tools": [{**FINE, "name": "<b>"}], "hooks": [], "wants": []},
        {"tools": [{**FINE, "input_schema": {"type": "object", "patternProperties": {}}}], "hooks": [], "wants": []},
        {"tools": [FINE] * 100, "hooks": [], "wants": []},
        {"tools": [], "hooks": [{"handler": "x"}], "wants": []},
        {"fault": {"message": None, "line": "x"}},
    ],
)
async def test_a_sandbox_that_lies_about_what_it_mounted(bench: Bench, answer: Any) -> None:
    with pytest.raises(ModuleFault):
        await lying(bench, answer).load()


@pytest.mark.parametrize("answer", [None, {}, {"result": 3}, {"result": {"success": "maybe"}}])
async def test_a_sandbox_that_lies_about_a_result(bench: Bench, answer: Any) -> None:
    module = lying(bench, {"tools": [FINE], "hooks": [], "wants": []}, answer)
    await module.load()
    result = await module.run_tool("do", {})
    assert not result.success
    assert "“Liar” failed" in str(result.error)


def lying(bench: Bench, *answers: Any) -> MountedModule:
    async def granted() -> list[str]:
        return []

    storage = Storage(bench.call)
    around = module_proxies.Surroundings(
        ModuleCapabilities(bench.call, storage, bench.engine), granted, log=lambda *_: None, notify=lambda *_: None
    )
    sandbox: Any = LyingSandbox(*answers)
    return MountedModule("Liar", "1", "", sandbox, around)


# -- examples


async def test_the_examples_run(bench: Bench) -> None:
    for example in examples():
        await bench.add(example["source"], example["name"])
    coordinator, _ = await bench.session()
    assert (await run(coordinator, "word_count", text="one two three")).output == "3 words"
    assert "Allow this module to read the page" in str((await run(coordinator, "page_words")).error)
    data = {"tool_name": "word_count", "tool_response": {"success": True, "output": "3 words"}}
    result = await coordinator.hooks.emit("tool:post", data)
    assert bench.notices == [("info", "Call counter: That was tool call 1 of this session.")]
    assert result.action == "continue"
