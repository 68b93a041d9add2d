"""Tools through the real panel: what the model writes becomes a call, the user is asked, and what came of it is shown.

The engine is scripted (tests/browser/scripted_engine), since meaning is at stake; test_starter.py has the real model. What the
questions themselves must hold to is in test_approvals.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from panel_driver import ScriptedDriver

SEALS = "The Grey Seal Returns to the Baltic Sea"


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver) -> None:
    """Every test begins in the panel with a new session, and nothing granted or remembered."""
    scripted.to_panel()
    scripted.new_session()
    scripted.forget_stored()
    scripted.script()


@pytest.fixture
def other_tab(scripted: ScriptedDriver, pages: str) -> Iterator[None]:
    """A second tab with the page on seals, of another site than the one in front."""
    tab = scripted.open_tab(f"{pages.replace('127.0.0.1', 'localhost')}/sample-article.html")
    yield
    scripted.to_panel()
    scripted.driver.execute_async_script("chrome.tabs.remove(arguments[0]).then(arguments[1])", tab)


def fenced(code: str, language: str = "python") -> str:
    """A call of a tool that must be called, as small models write it."""
    return f"```{language}\n{code}\n```"


def run_python(driver: ScriptedDriver, *codes: str, answer: str = " that.", count: int = 1) -> str:
    """Asks for Python, allows each piece of code that the model writes, and returns the answer's state."""
    driver.script(*map(fenced, codes), answer)
    driver.ask("Use python for this")
    for _ in codes:
        driver.approve()
    return driver.wait_answer(count)


# Pages and tabs


def test_the_page_in_front_is_read_without_a_question_and_reaches_the_model_as_data(scripted: ScriptedDriver) -> None:
    scripted.script("It is about owls.")
    scripted.ask("What is this page about?")
    assert scripted.wait_answer() == "done"
    assert scripted.answer_text() == "It is about owls."
    assert scripted.step("read_page").get_attribute("data-state") == "done"
    assert len(scripted.requests()) == 1  # the user's own words were the call
    assert re.search(r"<text-(\w+)>\n# The Barn Owl.*catch a mouse.*</text-\1>", scripted.prompts(), re.DOTALL)
    assert "three thousand mice" in scripted.step_output("read_page")


def test_another_tab_is_read_once_it_is_allowed_and_only_then(scripted: ScriptedDriver, other_tab: None) -> None:
    asked = "Read the tab called Grey Seal Returns"
    scripted.ask(asked)
    card = scripted.wait_asked()
    assert SEALS in card.text
    assert "localhost" in card.text
    scripted.deny()
    assert scripted.wait_answer() == "done"
    assert scripted.step("read_page").get_attribute("data-state") == "denied"
    assert "seals" not in scripted.prompts()
    scripted.script("About seals.")
    scripted.ask(asked)
    scripted.approve()
    assert scripted.wait_answer(2) == "done"
    assert scripted.step("read_page").get_attribute("data-state") == "done"
    assert re.search(r"<text-(\w+)>\n# The Grey Seal.*seals.*</text-\1>", scripted.prompts(), re.DOTALL)
    assert scripted.answer_text() == "About seals."


def test_the_open_tabs_are_listed_once_it_is_allowed(scripted: ScriptedDriver, other_tab: None) -> None:
    scripted.ask("Which tabs are open?")
    assert "titles and addresses" in scripted.wait_asked().text
    scripted.approve()
    assert scripted.wait_answer() == "done"
    rows = [row.text for row in scripted.step("list_tabs").find_elements("css selector", "tbody tr")]
    assert [SEALS in row for row in rows] == [False, True]
    assert f"2. {SEALS} (localhost)" in scripted.prompts()


def test_words_are_found_in_the_page(scripted: ScriptedDriver) -> None:
    scripted.ask("Does this page mention a white face?")
    assert scripted.wait_answer() == "done"
    found = scripted.step_output("find_in_page")
    assert "stands once on this page" in found
    assert "in the shape of a heart" in found
    assert "church towers" not in found
    assert "in the shape of a heart" in scripted.prompts()


def test_words_that_do_not_stand_in_the_page_bring_what_is_nearest(scripted: ScriptedDriver) -> None:
    scripted.ask("Find silent wings on this page")
    assert scripted.wait_answer() == "done"
    found = scripted.step_output("find_in_page")
    assert "does not stand on this page word for word" in found
    assert "golden wings" in found or "flight silent" in found


# Python


def test_code_runs_when_it_is_allowed_and_its_result_is_shown(scripted: ScriptedDriver) -> None:
    scripted.script(fenced("print(6 * 7)"), " 42.")
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
    scripted.script(fenced("print(6 * 7)"), "Then not.")
    scripted.ask("Use python to multiply 6 by 7")
    scripted.deny()
    assert scripted.wait_answer() == "done"
    assert scripted.step("python").get_attribute("data-state") == "denied"
    assert "42" not in scripted.prompts()


def test_what_code_defines_lasts_for_the_session_and_no_longer(scripted: ScriptedDriver) -> None:
    assert run_python(scripted, "owls = 12\nowls * 2") == "done"
    assert scripted.step_output("python") == "24"  # the value, without print
    assert run_python(scripted, "owls + 1", count=2) == "done"
    assert scripted.step_output("python") == "13"
    scripted.new_session()
    assert run_python(scripted, "print('owls' in globals())") == "done"
    assert scripted.step_output("python") == "False"


def test_tables_and_figures_are_shown_as_such(scripted: ScriptedDriver) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
    assert run_python(scripted, f"show('''{svg}''')\n[{{'bird': 'owl', 'eggs': 5}}, {{'bird': 'swan', 'eggs': 7}}]") == "done"
    table = scripted.find("step-table")
    assert [cell.text for cell in table.find_elements("css selector", "th, td")] == ["bird", "eggs", "owl", "5", "swan", "7"]
    image = scripted.find("step-figure").find_element("css selector", "img")
    scripted.wait(lambda: image.get_property("naturalWidth"), 10, "the figure is drawn")
    assert (image.get_property("naturalWidth"), image.get_property("naturalHeight")) == (40, 20)
    assert "swan" in scripted.prompts()


def test_a_failure_is_told_to_the_model_once_and_then_to_the_user(scripted: ScriptedDriver) -> None:
    assert run_python(scripted, "print('so far')\n1 / 0", "owls + 1") == "done"
    steps = scripted.find_all("step")
    assert [step.get_attribute("data-state") for step in steps] == ["error", "error"]
    assert "so far" in steps[0].text
    assert "ZeroDivisionError: division by zero (line 2)" in scripted.prompts()
    assert "name 'owls' is not defined" in scripted.answer_text()
    assert "failed 2 times" in scripted.answer_text()
    assert len(scripted.requests()) == 2


def test_a_failure_that_the_model_mends_is_none_for_the_user(scripted: ScriptedDriver) -> None:
    assert run_python(scripted, "print(owls)", "print(3)", answer=" 3.") == "done"
    states = scripted.attributes("data-state", "step")
    assert states == ["error", "done"]
    assert scripted.answer_text() == "The result is 3."


def test_an_endless_loop_is_ended_and_said_so(scripted: ScriptedDriver) -> None:
    assert run_python(scripted, "while True: pass", "print('enough')") == "done"
    first, second = scripted.find_all("step")
    assert first.get_attribute("data-state") == "error"
    assert "longer than 10 s and was ended" in first.text
    assert "longer than 10 s and was ended" in scripted.prompts()
    assert second.get_attribute("data-state") == "done"


def test_long_output_is_cut_for_the_model_and_for_people(scripted: ScriptedDriver) -> None:
    assert run_python(scripted, "print('x' * 20_000, end='')") == "done"
    assert scripted.step_output("python") == "x" * 1000 + "\n… (19,000 more characters)"
    assert scripted.prompts().count("x") < 1100
    longest = max(scripted.step("python").find_elements("css selector", "pre"), key=lambda shown: len(shown.text))
    assert longest.text == "x" * 10_000 + "\n… (10,000 more characters)"


# Small tools


def test_arithmetic_is_calculated_without_asking_the_model(scripted: ScriptedDriver) -> None:
    scripted.script(" 409.5.")
    scripted.ask("What is 17.5% of 2340?")
    assert scripted.wait_answer() == "done"
    assert scripted.step_output("calculate") == "17.5% of 2340 = 409.5"
    assert scripted.answer_text() == "The answer is 409.5."
    assert len(scripted.requests()) == 1


def test_the_clock_is_read(scripted: ScriptedDriver) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    before = datetime.now(tokyo).replace(tzinfo=None) - timedelta(minutes=1)  # no seconds are told
    scripted.ask("What time is it in Tokyo?")
    assert scripted.wait_answer() == "done"
    told, _, zone = scripted.step_output("current_time").partition(" (")
    assert zone == "Asia/Tokyo, UTC+09:00)"
    assert before < datetime.strptime(told, "%A, %d %B %Y, %H:%M") <= datetime.now(tokyo).replace(tzinfo=None)


def test_a_note_is_kept_for_other_sessions_until_it_is_deleted(scripted: ScriptedDriver) -> None:
    scripted.ask("Remember that my owl is called Otto")
    assert "my owl is called Otto" in scripted.wait_asked().text
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert len(scripted.requests()) == 1
    scripted.new_session()
    scripted.script()
    scripted.ask("What do you remember about my owl?")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert "my owl is called Otto" in scripted.step_output("recall")
    assert "my owl is called Otto" in scripted.prompts()
    scripted.open_settings("notes")
    assert "my owl is called Otto" in scripted.find("note-item").text
    scripted.click("note-delete")
    scripted.wait(lambda: not scripted.find_all("note-item"), 10, "the note is gone")
    scripted.close_settings()
    scripted.new_session()
    scripted.script()
    scripted.ask("What do you remember about my owl?")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert "No note is about" in scripted.step_output("recall")
    assert "Otto" not in scripted.prompts()


def test_a_to_do_list_is_kept_and_told_to_the_model(scripted: ScriptedDriver) -> None:
    todos = [{"content": "Build a box", "status": "completed"}, {"content": "Hang it up", "status": "pending"}]
    scripted.script(fenced(json.dumps({"action": "create", "todos": todos}), "json"), " two steps.")
    scripted.ask("/todo nest box for owls")
    assert scripted.wait_answer() == "done"
    assert scripted.step("todo").get_attribute("data-state") == "done"
    assert scripted.step_output("todo") == "2 steps, 1 done"
    assert "Hang it up" in scripted.step("todo").text
    scripted.script("Go on.")
    scripted.ask("And now?")
    assert scripted.wait_answer(2) == "done"
    assert "☐ Hang it up" in scripted.requests()[0]["messages"][-1]["content"]


# Sub-sessions


def test_a_helper_does_its_task_in_the_step_and_asks_for_its_own_calls(scripted: ScriptedDriver) -> None:
    scripted.script(fenced("print(6 * 7)"), " 42, says Python.", "The helper found 42.")
    scripted.ask("/delegate Use python to multiply 6 by 7")
    assert "print(6 * 7)" in scripted.wait_asked().text
    assert scripted.step("delegate").get_attribute("data-state") == "running"
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert scripted.answer_text() == "The helper found 42."
    step = scripted.open_step("delegate")
    assert step.get_attribute("data-state") == "done"
    (inner,) = step.find_elements("css selector", '[data-testid="step"]')
    assert (inner.get_attribute("data-tool"), inner.get_attribute("data-state")) == ("python", "done")
    assert "The result is 42, says Python." in step.find_element("css selector", ".step-session").text
    own, _, parent = scripted.requests()
    assert "Use python to multiply" in own["messages"][-1]["content"]
    assert "The result is 42, says Python." in json.dumps(parent["messages"])


def test_stop_ends_the_helper_and_what_it_runs(scripted: ScriptedDriver) -> None:
    scripted.script(fenced("while True: pass"))
    scripted.ask("/delegate Use python and never stop")
    scripted.approve()
    scripted.wait(lambda: scripted.step("python").get_attribute("data-state") == "running", 20, "the code runs")
    scripted.click("stop")
    assert scripted.wait_answer() == "stopped"
    assert scripted.open_step("delegate").get_attribute("data-state") == "stopped"
    scripted.wait(lambda: scripted.step("python").get_attribute("data-state") == "stopped", 10, "the code is stopped")
    assert len(scripted.requests()) == 1
    assert run_python(scripted, "print(3)", count=2) == "done"
    assert scripted.step_output("python") == "3"


def test_nothing_went_wrong_unseen(scripted: ScriptedDriver) -> None:
    assert scripted.watch
    assert [problem for problem in scripted.watch.seen.problems if not problem[0].startswith("page http")] == []
