"""Tools through the real panel: what the model writes becomes a call, the user is asked, and what came of it is shown.

The engine is scripted (tests/browser/scripted_engine), since meaning is at stake; test_starter.py has the real model.
"""

from __future__ import annotations

import json

import pytest
from panel_driver import ScriptedDriver


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver) -> None:
    """Every test begins in the panel with a new session."""
    scripted.to_panel()
    scripted.new_session()
    scripted.script()


def test_code_runs_when_it_is_allowed_and_its_result_is_shown(scripted: ScriptedDriver) -> None:
    scripted.script("```python\nprint(6 * 7)\n```", " 42.")
    scripted.ask("Use python to multiply 6 by 7")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert scripted.step("python").get_attribute("data-state") == "done"
    assert scripted.step_output("python") == "42"
    assert scripted.answer_text() == "The result is 42."
    call, answer = scripted.requests()
    begin = call["response_format"]["structural_tag"]["format"]["begin"]
    assert begin == "```python\n"
    assert "Write short Python code" in call["messages"][-1]["content"]
    assert "42" in json.dumps(answer["messages"])


def test_a_denied_call_does_not_run(scripted: ScriptedDriver) -> None:
    scripted.script("```python\nprint(6 * 7)\n```", "Then not.")
    scripted.ask("Use python to multiply 6 by 7")
    scripted.deny()
    assert scripted.wait_answer() == "done"
    assert scripted.step("python").get_attribute("data-state") == "denied"
    assert "42" not in scripted.prompts()
