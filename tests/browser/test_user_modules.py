"""Users' own modules through the real panel: written, checked, switched on, used by the model; and what theirs do wrong.

The engine is scripted (tests/browser/scripted_engine), since meaning is at stake; the sandboxes are the real ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.common.keys import Keys

# A tool's module; `execute` is its body, with `text` as what the user gave.
TOOL = '''
from amplifier_core import ToolResult

class Tool:
    name = "{name}"
    description = "Does what it is made for."
    input_schema = {{"type": "object", "properties": {{"text": {{"type": "string"}}}}, "required": ["text"]}}

    async def execute(self, input):
        text = input["text"]
        {execute}

async def mount(coordinator, config):
    await coordinator.mount("tools", Tool())
'''

TWO_TOOLS = (
    TOOL.format(name="endless", execute="while True: pass")
    + '''
    quick = Tool()
    quick.name = "quick"
    quick.execute = answer
    await coordinator.mount("tools", quick)

async def answer(input):
    return ToolResult(output=input["text"].upper())
'''
)

RUDE = '''
from amplifier_core import HookResult

async def raises(event, data):
    raise ValueError("no manners")

async def garbage(event, data):
    return 42

async def hangs(event, data):
    while True:
        pass

async def mount(coordinator, config):
    coordinator.hooks.register("prompt:submit", hangs)
    coordinator.hooks.register("tool:pre", raises)
    coordinator.hooks.register("tool:pre", garbage)
'''

GUARD = '''
from amplifier_core import HookResult

async def prompt(event, data):
    if "salary" in data["prompt"]:
        return HookResult(action="deny", reason="no talk of money")

async def tool(event, data):
    if data["tool_name"] == "calculate":
        return HookResult(action="deny", reason="use your head")

async def mount(coordinator, config):
    coordinator.hooks.register("prompt:submit", prompt)
    coordinator.hooks.register("tool:pre", tool)
'''

# Each way out is tried, and what came of it is told.
BURGLAR = TOOL.format(
    name="burgle",
    execute='''
        import asyncio
        from amplifier_sandbox.main import ask
        async def by_js():
            import js
            await js.fetch(text)
        async def by_pyodide():
            from pyodide.http import pyfetch
            await pyfetch(text)
        async def by_code():
            import pyodide_js
            pyodide_js.runPython("1")
        async def by_urllib():
            import urllib.request
            urllib.request.urlopen(text)
        async def by_socket():
            host, port = text.split("/")[2].split(":")
            await asyncio.open_connection(host, int(port))
        async def by_asking():
            await ask("page.read")
        outcome = []
        for way in (by_js, by_pyodide, by_code, by_urllib, by_socket, by_asking):
            try:
                await way()
                outcome.append(f"{way.__name__} succeeded")
            except BaseException as error:
                outcome.append(f"{way.__name__}: {type(error).__name__}")
        return ToolResult(output="; ".join(outcome))''',
)


@pytest.fixture(autouse=True)
def without_modules(scripted: ScriptedDriver) -> None:
    """Every test begins in the panel with no module and a new session."""
    scripted.to_panel()
    to_list(scripted)
    while scripted.find_all("module-remove") or scripted.find_all("module-discard"):
        scripted.click("module-remove" if scripted.find_all("module-remove") else "module-discard")
    scripted.wait(lambda: not scripted.stored("modules"), 10, "no module is kept")
    dismiss_notices(scripted)
    scripted.close_settings()
    scripted.new_session()
    scripted.script()


# -- what a user does


def to_list(driver: ScriptedDriver) -> None:
    """Shows the list of modules."""
    driver.open_settings("modules")
    if driver.find_all("module-back"):
        driver.click("module-back")
    driver.wait(lambda: driver.find_all("module-new"), 10, "the modules are listed")


def start(driver: ScriptedDriver, name: str) -> None:
    """Begins a module with a starting point."""
    to_list(driver)
    driver.click("module-new")
    points = driver.wait(lambda: driver.find_all("module-start"), 10, "there are starting points")
    next(point for point in points if point.text == name).click()
    driver.wait(lambda: driver.find_all("module-source"), 10, "the editor is open")


def write(driver: ScriptedDriver, name: str, source: str) -> str:
    """Writes a new module and saves it; returns the state it is in then."""
    start(driver, "Empty")
    driver.find("module-name").send_keys(name)
    paste_source(driver, source)
    return save(driver)


def paste_source(driver: ScriptedDriver, source: str) -> None:
    """Puts another source in the place of the one in the editor."""
    driver.find("module-source").click()
    driver.find("module-source").send_keys(Keys.CONTROL, "a")
    driver.driver.execute_script("document.execCommand('insertText', false, arguments[0])", source)
    driver.wait(lambda: driver.find("module-save").is_enabled(), 10, "it can be saved")


def save(driver: ScriptedDriver) -> str:
    """Saves what is in the editor; returns the state it is in when it was checked."""
    driver.click("module-save")
    said = ".save-line .item-about"
    driver.wait(lambda: driver.driver.find_element("css selector", said).text == "Saved", 40, "it is saved and checked")
    return driver.find("module-state").get_attribute("data-state") or ""


def problems(driver: ScriptedDriver) -> list[tuple[str, str]]:
    """The problems in the editor: a line, which may be empty, and words."""
    shown = driver.find_all("module-problem")
    return [(problem.get_attribute("data-line") or "", problem.text) for problem in shown]


def switch_on(driver: ScriptedDriver) -> None:
    """Switches the module in the editor on."""
    driver.click("module-enable")
    driver.wait(lambda: any(module["enabled"] for module in driver.stored("modules")), 10, "it is switched on")


def use(driver: ScriptedDriver, name: str, source: str) -> None:
    """Writes a module, switches it on, and begins a session with it."""
    assert write(driver, name, source) == "valid", problems(driver)
    switch_on(driver)
    begin_session(driver)


def begin_session(driver: ScriptedDriver) -> None:
    """Closes the settings and presses New session, after which a turn begins it."""
    driver.close_settings()
    if not driver.messages():
        driver.ask("Hello")
        driver.wait_answer()
    driver.new_session()
    driver.script()


def call(driver: ScriptedDriver, text: str, answers: int = 1) -> str:
    """Asks for a tool in so many words, allows it, and returns how the answer ended."""
    driver.ask(text)
    driver.approve()
    return driver.wait_answer(answers)


def log(driver: ScriptedDriver) -> str:
    """The log of the module in the editor."""
    found = driver.find_all("module-log")
    return found[0].text if found else ""


def open_module(driver: ScriptedDriver) -> None:
    """Opens the first module of the list in the editor."""
    to_list(driver)
    driver.click("module-open")
    driver.wait(lambda: driver.find_all("module-source"), 10, "the editor is open")


def dismiss_notices(driver: ScriptedDriver) -> None:
    """Dismisses all notices."""

    def is_quiet() -> bool:
        for notice in driver.find_all("notice"):
            notice.find_element("css selector", "button").click()
        return not driver.find_all("notice")

    driver.wait(is_quiet, 10, "no notice is left")


def notice_with(driver: ScriptedDriver, *words: str) -> str:
    """Waits for a notice that has all the words."""

    def found() -> list[str]:
        return [text for text in driver.notices() if all(word in text for word in words)]

    return driver.wait(found, 30, f"a notice says {words}")[0]


def assert_goes_on(driver: ScriptedDriver, answers: int) -> None:
    """The session is well: another tool works in it, and the model answers."""
    driver.script(" 42.")
    driver.ask("/calculate 6 * 7")
    assert driver.wait_answer(answers) == "done"
    assert driver.step_output("calculate") == "42"
    assert driver.answer_text().endswith("42.")


# -- modules that work


def test_a_tool_begun_from_a_starting_point_is_used_by_the_model(scripted: ScriptedDriver) -> None:
    start(scripted, "Word count")
    assert scripted.find("module-name").get_property("value") == "Word count"
    assert save(scripted) == "valid"
    switch_on(scripted)
    # Nothing was said in this session yet: it counts as a new one.
    scripted.open_settings("tools")
    item = scripted.wait(lambda: scripted.find_all("tool-item", '[data-name="word_count"]'), 40, "the tool is there")[0]
    assert "From your module Word count" in item.text
    scripted.close_settings()
    scripted.type("/word")
    scripted.wait(lambda: scripted.find_all("tool-suggestion", '[data-name="word_count"]'), 10, "the tool is suggested")
    scripted.type("", Keys.ENTER)
    scripted.script("Three words.")
    scripted.ask("one two three")
    assert "Word count" in scripted.wait_asked().text
    scripted.picture_in_both("module-approval")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert "Word count" in scripted.step("word_count").text
    assert scripted.step_output("word_count") == "3 words"
    assert "3 words" in scripted.prompts()
    # And now the model writes the call.
    scripted.script("```text\none two\n```", "Two.")
    assert call(scripted, "Use the word count tool", answers=2) == "done"
    assert scripted.step_output("word_count") == "2 words"
    scripted.picture_in_both("module-used")


def test_what_a_hook_prints_is_logged_and_what_it_says_is_shown(scripted: ScriptedDriver) -> None:
    start(scripted, "Call counter")
    assert save(scripted) == "valid"
    switch_on(scripted)
    begin_session(scripted)
    assert_goes_on(scripted, 1)
    notice_with(scripted, "Call counter:", "tool call 1 of this session")
    open_module(scripted)
    scripted.wait(lambda: "call 1: calculate" in log(scripted), 10, "it is logged")
    scripted.picture_in_both("module-log")


def test_a_file_and_a_pasted_text_become_modules_but_not_with_the_same_tool(scripted: ScriptedDriver, tmp_path: Path) -> None:
    file = tmp_path / "shout.py"
    file.write_text(TOOL.format(name="shout", execute="return ToolResult(output=text.upper())"))
    to_list(scripted)
    scripted.find("module-import").send_keys(str(file))
    scripted.wait(lambda: scripted.find_all("module-source"), 10, "the editor is open")
    assert scripted.find("module-name").get_property("value") == "shout"
    assert save(scripted) == "valid"
    switch_on(scripted)
    assert write(scripted, "Echo", file.read_text()) == "invalid"
    [(line, words)] = problems(scripted)
    assert (line, "shout is a tool of your module “shout” already" in words) == ("5", True)
    paste_source(scripted, file.read_text().replace('"shout"', '"calculate"'))
    assert save(scripted) == "invalid"
    assert "calculate is a tool of Amplifier Browser’s already" in problems(scripted)[0][1]
    paste_source(scripted, file.read_text().replace('"shout"', '"echo"').replace(".upper()", ""))
    assert save(scripted) == "valid"
    scripted.click("module-enable")
    scripted.wait(lambda: all(module["enabled"] for module in scripted.stored("modules")), 10, "both are switched on")
    to_list(scripted)
    scripted.picture_in_both("module-list")
    begin_session(scripted)
    assert call(scripted, "/shout ahoy") == "done"
    assert scripted.step_output("shout") == "AHOY"
    assert call(scripted, "/echo ahoy", answers=2) == "done"
    assert scripted.step_output("echo") == "ahoy"


def test_reloaded_it_runs_its_new_source_and_removed_it_is_gone(scripted: ScriptedDriver) -> None:
    source = TOOL.format(name="greet", execute="return ToolResult(output='Hello ' + text)")
    use(scripted, "Greeter", source)
    assert call(scripted, "/greet Ada") == "done"
    assert scripted.step_output("greet") == "Hello Ada"
    open_module(scripted)
    paste_source(scripted, source.replace("Hello", "Salut"))
    assert save(scripted) == "valid"
    watch_states(scripted)
    scripted.click("module-reload")
    scripted.wait(lambda: reloaded(scripted) == "valid", 40, "it is reloaded")
    scripted.close_settings()
    assert call(scripted, "/greet Ada", answers=2) == "done"
    assert scripted.step_output("greet") == "Salut Ada"
    to_list(scripted)
    scripted.click("module-remove")
    scripted.wait(lambda: not scripted.stored("modules"), 10, "it is removed")
    scripted.open_settings("tools")
    scripted.wait(lambda: not scripted.find_all("tool-item", '[data-name="greet"]'), 10, "its tool is gone")
    scripted.open_settings("modules")
    write(scripted, "Other", "")


def watch_states(driver: ScriptedDriver) -> None:
    """Remembers from now on the states that the module in the editor goes through."""
    driver.driver.execute_script("""
        window.states = [];
        const note = () => states.push(document.querySelector('[data-testid=module-state]')?.dataset.state);
        new MutationObserver(note).observe(document.body, {subtree: true, attributeFilter: ['data-state']});
    """)


def reloaded(driver: ScriptedDriver) -> str:
    """The state that it came to after it had been checked; empty while it is not."""
    states = driver.driver.execute_script("return states")
    return states[-1] if "checking" in states and states[-1] != "checking" else ""


# -- sources that are wrong


def test_a_syntax_error_is_shown_at_its_line_and_leads_there(scripted: ScriptedDriver) -> None:
    source = TOOL.format(name="shout", execute="return ToolResult(output=text.upper()")
    assert write(scripted, "Shout", source) == "invalid"
    [(line, words)] = problems(scripted)
    assert (line, "never closed" in words) == ("11", True)
    assert not scripted.find("module-enable").is_enabled()
    scripted.picture_in_both("module-problem")
    scripted.click("module-problem")
    caret = "const box = document.getElementById('module-source'); return [document.activeElement === box, box.selectionStart]"
    there = source.index("        return")
    scripted.wait(lambda: scripted.driver.execute_script(caret) == [True, there], 10, "the caret is at the line")
    scripted.picture_in_both("module-problem-line")
    paste_source(scripted, source.replace("async def mount", "async def mound").replace("upper()", "upper())"))
    assert save(scripted) == "invalid"
    assert any("There is no mount()" in words for _, words in problems(scripted))
    paste_source(scripted, source.replace("upper()", "upper())"))
    assert save(scripted) == "valid"
    assert problems(scripted) == []


# -- modules that fail


def test_a_tool_that_raises_is_named_and_the_session_goes_on(scripted: ScriptedDriver) -> None:
    use(scripted, "Clumsy", TOOL.format(name="drop", execute='raise KeyError("plate")'))
    scripted.ask("/drop it")
    scripted.approve()
    notice_with(scripted, "Clumsy", "drop failed", "plate", "line 11")
    scripted.deny()  # the model is told, and would try once more
    assert scripted.wait_answer() == "done"
    failed = scripted.find_all("step", '[data-tool="drop"]')[0]
    assert failed.get_attribute("data-state") == "error"
    assert "The user's module “Clumsy” failed: KeyError: 'plate' (line 11)" in failed.text
    assert_goes_on(scripted, 2)
