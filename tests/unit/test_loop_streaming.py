"""The orchestrator: the tool loop, what hooks may do to it, and its events on every path."""

from __future__ import annotations

import re

import pytest
from amplifier_core import HookResult
from amplifier_harness import Adder, Recorder, ScriptedProvider, open_session


async def test_events_of_a_plain_answer() -> None:
    recorder = Recorder()
    session = await open_session(ScriptedProvider("Hello."), recorder)
    assert await session.execute("Hi") == "Hello."
    assert recorder.names() == [
        "execution:start",
        "prompt:submit",
        "provider:request",
        "provider:response",
        "prompt:complete",
        "orchestrator:complete",
        "execution:end",
    ]
    assert recorder.events[-1][1]["status"] == "completed"
    assert recorder.events[-1][1]["response"] == "Hello."


async def test_a_tool_runs_and_its_result_goes_back_to_the_model() -> None:
    provider, tool, recorder = ScriptedProvider([("add", {"a": 2, "b": 3})], "It is 5."), Adder(), Recorder()
    session = await open_session(provider, recorder, tool)
    assert await session.execute("2 + 3?") == "It is 5."
    assert tool.inputs == [{"a": 2, "b": 3}]
    assert [tool.name for tool in provider.requests[0].tools] == ["add"]
    last = provider.requests[1].messages[-1]
    assert (last.role, last.tool_call_id) == ("tool", "c0")
    assert re.fullmatch(r"<text-(\w{8})>\n5\n</text-\1>", last.content)  # data, not instructions
    assert "tool:pre" in recorder.names() and "tool:post" in recorder.names()


async def test_a_hook_may_deny_a_tool() -> None:
    denies = Recorder(tool_pre=HookResult(action="deny", reason="not today"))
    provider, tool = ScriptedProvider([("add", {"a": 1, "b": 1})], "No."), Adder()
    session = await open_session(provider, denies, tool)
    assert await session.execute("1 + 1?") == "No."
    assert tool.inputs == []
    assert "not today" in provider.requests[1].messages[-1].content


async def test_a_hook_may_change_a_tools_input() -> None:
    change = HookResult(action="modify", data={"tool_name": "add", "tool_input": {"a": 10, "b": 1}})
    provider, tool = ScriptedProvider([("add", {"a": 1, "b": 1})], "Done."), Adder()
    session = await open_session(provider, Recorder(tool_pre=change), tool)
    await session.execute("1 + 1?")
    assert tool.inputs == [{"a": 10, "b": 1}]


async def test_a_tool_that_raises_does_not_take_the_session_with_it() -> None:
    provider, recorder = ScriptedProvider([("add", {"a": 1})], "Sorry."), Recorder()
    session = await open_session(provider, recorder, Adder())
    assert await session.execute("1 + ?") == "Sorry."
    assert "KeyError" in provider.requests[1].messages[-1].content
    assert "tool:error" in recorder.names()


async def test_an_unknown_tool_is_an_error_for_the_model() -> None:
    provider = ScriptedProvider([("fly", {})], "I cannot.")
    session = await open_session(provider, Recorder(), Adder())
    assert await session.execute("Fly!") == "I cannot."
    assert "no tool named fly" in provider.requests[1].messages[-1].content


async def test_rounds_of_tool_calls_are_limited() -> None:
    provider = ScriptedProvider(*([[("add", {"a": 1, "b": 1})]] * 20))
    session = await open_session(provider, Recorder(), Adder())
    assert "Stopped after 8 rounds" in await session.execute("Again and again")
    assert len(provider.requests) == 8


async def test_a_hook_may_deny_a_prompt() -> None:
    provider = ScriptedProvider("Never.")
    session = await open_session(provider, Recorder(prompt_submit=HookResult(action="deny", reason="quiet hours")))
    assert "quiet hours" in await session.execute("Hi")
    assert provider.requests == []


async def test_an_ephemeral_injection_is_part_of_one_request_only() -> None:
    inject = HookResult(action="inject_context", context_injection="It rains.", context_injection_role="system", ephemeral=True)
    provider, recorder = ScriptedProvider("Yes.", "Dry."), Recorder(provider_request=inject)
    session = await open_session(provider, recorder)
    await session.execute("Does it rain?")
    assert "It rains." in [message.content for message in provider.requests[0].messages]
    recorder.answers.clear()
    await session.execute("And now?")
    assert "It rains." not in [message.content for message in provider.requests[1].messages]


async def test_a_cancelled_turn_runs_no_tools() -> None:
    provider, tool, recorder = ScriptedProvider([("add", {"a": 1, "b": 1})]), Adder(), Recorder()
    session = await open_session(provider, recorder, tool)
    ask = provider.complete

    async def cancel_meanwhile(request: object) -> object:
        session.coordinator.cancellation.request_graceful()
        return await ask(request)

    provider.complete = cancel_meanwhile  # type: ignore[method-assign]
    await session.execute("1 + 1?")
    assert tool.inputs == []
    assert recorder.events[-1][1]["status"] == "cancelled"


async def test_the_end_is_told_when_the_provider_fails() -> None:
    recorder = Recorder()
    session = await open_session(ScriptedProvider(), recorder)  # nothing scripted: it raises
    with pytest.raises(RuntimeError, match="Execution failed"):
        await session.execute("Hi")
    assert recorder.names()[-2:] == ["orchestrator:complete", "execution:end"]
    assert recorder.events[-1][1]["status"] == "failed"
