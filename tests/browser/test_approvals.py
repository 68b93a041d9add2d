"""Questions that tools ask, through the real panel: nothing runs without a yes, and a yes lasts as long as was said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

CODE = "```python\nprint(6 * 7)\n```"
NOTE = "```text\nOwls eat mice\n```"
KEPT = "The note is kept"

# A clock for the Worker that runs Python: what is to happen in a minute or later happens when `minutesPass` is called.
CLOCK = """
const soon = setTimeout;
const later = [];
globalThis.setTimeout = (act, ms, ...rest) => (ms < 60_000 ? soon(act, ms, ...rest) : later.push(() => act(...rest)));
globalThis.minutesPass = () => later.splice(0).forEach((act) => act());
"""


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver) -> None:
    """Every test begins in the panel with a new session, and nothing granted or remembered."""
    scripted.to_panel()
    scripted.new_session()
    scripted.forget_stored()
    scripted.script()


@pytest.fixture
def second(scripted: ScriptedDriver, pages: str) -> Iterator[str]:
    """The panel of a second window, ready; the first one's is in front."""
    address = f"{pages}/short-article.html?window=2"
    first = scripted.driver.current_window_handle
    scripted.driver.switch_to.new_window("window")
    page = scripted.driver.current_window_handle
    scripted.driver.get(address)
    panel = scripted.open_another_panel(address)
    scripted.wait_ready()
    scripted.driver.switch_to.window(first)
    yield panel
    scripted.close_panel(panel)
    scripted.driver.switch_to.window(page)
    scripted.driver.close()
    scripted.driver.switch_to.window(first)


def ask(driver: ScriptedDriver, *more: str) -> None:
    """Asks for a note; the model wants to keep NOTE, and says `more` afterwards."""
    driver.script(NOTE, *more)
    driver.ask("Remember this")


def runs_after_yes(driver: ScriptedDriver, count: int) -> None:
    """Asks for a note, and allows it once."""
    ask(driver)
    driver.approve()
    assert driver.wait_answer(count) == "done"
    assert state(driver) == "done"
    assert KEPT in driver.step_output("remember")


def runs_unasked(driver: ScriptedDriver, count: int) -> None:
    """Asks for a note, which is kept without a question: nobody here would answer one."""
    ask(driver)
    assert driver.wait_answer(count) == "done"
    assert state(driver) == "done"


def asks_and_is_denied(driver: ScriptedDriver, count: int) -> None:
    """Asks for a note, and says no to the question that comes."""
    ask(driver)
    driver.deny()
    assert driver.wait_answer(count) == "done"
    assert state(driver) == "denied"


def state(driver: ScriptedDriver, tool: str = "remember") -> str | None:
    """How the last call of a tool stands."""
    return driver.step(tool).get_attribute("data-state")


def press(driver: ScriptedDriver, *keys: str) -> None:
    """Presses keys where the focus is."""
    ActionChains(driver.driver).send_keys(*keys).perform()


def has_focus(driver: ScriptedDriver, testid: str) -> bool:
    return driver.driver.switch_to.active_element.get_attribute("data-testid") == testid


def scopes(driver: ScriptedDriver) -> list[str | None]:
    """The buttons of the question."""
    buttons = driver.find("approval").find_elements("css selector", ".approval-buttons button")
    return [button.get_attribute("data-testid") for button in buttons]


# The question


def test_the_question_names_the_tool_what_it_does_and_what_it_sees(scripted: ScriptedDriver) -> None:
    scripted.script(CODE)
    scripted.ask("Use python for this")
    card = scripted.wait_asked()
    assert "Run Python code?" in card.text
    assert "print(6 * 7)" in card.text
    assert "it sees no page, no file and no network" in card.text
    assert scopes(scripted) == ["deny", "approve", "approve-session", "approve-always"]
    assert scripted.find_all("approval-warning") == []
    assert state(scripted, "python") == "asking"
    scripted.deny()
    assert scripted.wait_answer() == "done"


def test_keys_on_their_way_elsewhere_allow_nothing(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.wait_asked()
    scripted.wait(lambda: has_focus(scripted, "approval"), 10, "the question has the focus, and no button of it")
    press(scripted, Keys.ENTER, Keys.SPACE)
    scripted.ask("And another thing")
    scripted.wait(lambda: len(scripted.messages("user")) == 2, 10, "the next message waits")
    assert state(scripted) == "asking"
    assert len(scripted.requests()) == 1
    scripted.deny()
    assert scripted.wait_answer(2) == "done"
    assert state(scripted) == "denied"
    assert KEPT not in scripted.prompts()


def test_escape_denies_and_the_answer_goes_on(scripted: ScriptedDriver) -> None:
    ask(scripted, "Then not.")
    scripted.wait_asked()
    press(scripted, Keys.ESCAPE)
    assert scripted.wait_answer() == "done"
    assert state(scripted) == "denied"
    assert scripted.answer_text() == "Then not."
    assert scripted.find_all("approval") == []
    assert has_focus(scripted, "composer")
    assert KEPT not in scripted.prompts()
    assert "did not allow it" in scripted.prompts()


def test_stop_takes_the_question_away_and_nothing_runs(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.wait_asked()
    scripted.click("stop")
    assert scripted.wait_answer() == "stopped"
    assert scripted.find_all("approval") == []
    assert state(scripted) in ("denied", "stopped")
    assert len(scripted.requests()) == 1
    runs_after_yes(scripted, 2)


def test_no_answer_in_time_is_a_no(scripted: ScriptedDriver) -> None:
    assert scripted.watch
    scripted.watch.run("python-worker.js", CLOCK)
    try:
        ask(scripted)
        assert "left" in scripted.wait_asked().text
        scripted.watch.run("python-worker.js", "minutesPass()")
        assert scripted.wait_answer() == "done"
        assert state(scripted) == "denied"
        assert scripted.find_all("approval") == []
        assert "did not answer" in scripted.prompts()
        assert KEPT not in scripted.prompts()
    finally:
        reopen(scripted)


def reopen(driver: ScriptedDriver) -> None:
    """Closes the panel, opens it again, and begins anew."""
    driver.close_panel()
    driver.open_panel()
    driver.wait_ready()
    driver.new_session()


def test_a_question_ends_with_its_panel(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.wait_asked()
    reopen(scripted)
    assert scripted.find_all("approval") == []
    scripted.open_settings("notes")
    scripted.wait(lambda: "No notes yet" in scripted.find("settings-dialog").text, 10, "no note was kept")
    scripted.close_settings()


# How long a yes lasts


def test_once_is_once(scripted: ScriptedDriver) -> None:
    runs_after_yes(scripted, 1)
    asks_and_is_denied(scripted, 2)


def test_for_this_session_ends_with_the_session(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.approve("session")
    assert scripted.wait_answer() == "done"
    runs_unasked(scripted, 2)
    scripted.new_session()
    asks_and_is_denied(scripted, 1)


def test_always_lasts_until_it_is_revoked(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.approve("always")
    assert scripted.wait_answer() == "done"
    scripted.new_session()
    runs_unasked(scripted, 1)
    reopen(scripted)
    runs_unasked(scripted, 1)
    scripted.open_settings("permissions")
    assert "Remember" in scripted.wait(lambda: scripted.find("grant"), 10, "the grant is listed").text
    scripted.click("revoke")
    scripted.wait(lambda: not scripted.find_all("grant"), 10, "the grant is gone")
    scripted.close_settings()
    asks_and_is_denied(scripted, 2)


def test_after_a_page_was_read_even_what_is_always_allowed_asks(scripted: ScriptedDriver) -> None:
    ask(scripted)
    scripted.approve("always")
    assert scripted.wait_answer() == "done"
    scripted.ask("What is this page about?")
    assert scripted.wait_answer(2) == "done"
    ask(scripted)
    scripted.wait_asked()
    assert "Text from a page" in scripted.find("approval-warning").text
    assert scopes(scripted) == ["deny", "approve"]
    scripted.approve()
    assert scripted.wait_answer(3) == "done"
    assert state(scripted) == "done"
    asks_and_is_denied(scripted, 4)
    scripted.new_session()
    runs_unasked(scripted, 1)


def test_after_a_page_was_summarized_too(scripted: ScriptedDriver) -> None:
    scripted.click("summarize-tab")
    assert scripted.wait_answer() == "done"
    ask(scripted)
    scripted.wait_asked()
    assert "Text from a page" in scripted.find("approval-warning").text
    assert scopes(scripted) == ["deny", "approve"]
    scripted.deny()
    assert scripted.wait_answer(2) == "done"


def test_two_windows_ask_apart_and_always_counts_in_both(scripted: ScriptedDriver, second: str) -> None:
    first = scripted.driver.current_window_handle
    ask(scripted)
    scripted.wait_asked()
    scripted.driver.switch_to.window(second)
    assert scripted.find_all("approval") == []
    scripted.script("```text\nSeals eat fish\n```")
    scripted.ask("Remember this")
    assert "Seals eat fish" in scripted.wait_asked().text
    scripted.approve("always")
    assert scripted.wait_answer() == "done"
    assert state(scripted) == "done"
    scripted.driver.switch_to.window(first)
    assert "Owls eat mice" in scripted.find("approval").text
    assert state(scripted) == "asking"
    scripted.deny()
    assert scripted.wait_answer() == "done"
    assert state(scripted) == "denied"
    runs_unasked(scripted, 2)


# What it looks like


def test_it_fits_and_is_kept_in_pictures(scripted: ScriptedDriver) -> None:
    scripted.script(f"```python\n{DRAWING}\n```", " drawn above.")
    scripted.ask("Use python to draw how many mice an owl eats in a year")
    scripted.wait_asked()
    scripted.picture_in_both("tools-approval")
    assert not scripted.driver.execute_script("return document.documentElement.scrollHeight > innerHeight")
    scripted.approve("session")
    assert scripted.wait_answer() == "done"
    scripted.picture_in_both("tools-python")
    scripted.new_session()
    scripted.script(CODE, " 42, says Python.", "The helper found 42.")
    scripted.ask("/delegate Use python to multiply 6 by 7")
    scripted.wait_asked()
    scripted.picture_in_both("tools-delegate-asking")
    scripted.approve("always")
    assert scripted.wait_answer() == "done"
    scripted.open_step("delegate")
    scripted.picture_in_both("tools-delegate")
    scripted.new_session()
    scripted.ask("What is this page about?")
    assert scripted.wait_answer() == "done"
    scripted.script(CODE)
    scripted.ask("Use python for this")
    scripted.wait_asked()
    scripted.picture_in_both("tools-approval-tainted")
    scripted.deny()
    assert scripted.wait_answer(2) == "done"
    scripted.ask("Remember that my owl is called Otto")
    scripted.approve()
    assert scripted.wait_answer(3) == "done"
    for section in ("permissions", "notes", "tools", "modules", "log"):
        scripted.open_settings(section)
        scripted.picture_in_both(f"tools-settings-{section}")
    scripted.close_settings()


DRAWING = """\
mice = [("May", 210), ("June", 340), ("July", 455), ("August", 380)]
bars = "".join(
    f'<rect x="{60 * i + 10}" y="{150 - n / 4}" width="40" height="{n / 4}" fill="#b5792a"/>'
    for i, (month, n) in enumerate(mice)
)
show(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 250 160">{bars}</svg>')
print("Counted", sum(n for month, n in mice), "mice")
[{"month": month, "mice": n} for month, n in mice]"""
