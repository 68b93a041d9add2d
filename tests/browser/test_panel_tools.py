"""Tool calls in the panel's views: steps, displays, questions that must not be answered by accident, and tools to choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.keys import Keys

CODE = {"name": "code", "value": "print(1)", "code": "python"}


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def step(**changes: Any) -> dict[str, Any]:
    return {"id": "s1", "tool": "python", "title": "Run Python code", "state": "done", "arguments": [CODE], **changes}


def answer(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    message = {"id": "a1", "role": "assistant", "state": "streaming", "text": "", "steps": list(steps), **changes}
    return {"type": "message", "message": message}


def approval(**changes: Any) -> dict[str, Any]:
    question = {"id": "p1", "tool": "python", "title": "Run Python code", "question": "Run Python code?", "arguments": [CODE]}
    rest = {"sees": "Nothing else.", "scopes": ["once", "session", "always"], "expires": 4102444800000}
    return {"type": "approval", "approval": {**question, **rest, **changes}}


def ask(panel: Panel, scene: str = "streaming", **changes: Any) -> None:
    """A question that has been on the screen for long, so that clicks count."""
    panel.show(scene)
    panel.run("performance.now = () => -1e6")
    panel.dispatch(approval(**changes))


def hacked(panel: Panel) -> bool:
    return panel.run("return 'hacked' in document.body.dataset")


# Steps


@pytest.mark.parametrize(
    ("state", "words", "is_open"),
    [
        ("asking", "Waits for you", False),
        ("running", "Running", True),
        ("done", "Done", False),
        ("denied", "Denied", False),
        ("error", "Failed", True),
        ("stopped", "Stopped", False),
    ],
)
def test_a_step_says_in_words_how_it_stands(panel: Panel, state: str, words: str, is_open: bool) -> None:
    panel.show("streaming")
    panel.dispatch(answer(step(state=state)))
    assert panel.one("step").get_dom_attribute("data-state") == state
    assert panel.one("step").get_dom_attribute("data-tool") == "python"
    toggle = panel.one("step-toggle")
    assert words in toggle.get_property("textContent")
    assert toggle.get_dom_attribute("aria-expanded") == str(is_open).lower()


def test_a_done_step_is_one_line_that_the_keyboard_opens(panel: Panel) -> None:
    panel.show("streaming")
    panel.dispatch(answer(step(output="1")))
    assert panel.one("step-toggle").text.split("\n")[:2] == ["Run Python code", "print(1)"]
    assert panel.all("step-output") == []
    panel.one("step-toggle").send_keys(Keys.ENTER)
    panel.settle()
    assert panel.one("step-output").text == "1"
    assert panel.run("return document.querySelector('.step pre code').textContent") == "print(1)"
    controlled = panel.one("step-toggle").get_dom_attribute("aria-controls")
    assert panel.run("return document.getElementById(arguments[0]).contains(arguments[1])", controlled, panel.one("step-output"))
    panel.press(Keys.ENTER)
    assert panel.all("step-output") == []


def test_what_the_user_opened_stays_open_while_the_step_goes_on(panel: Panel) -> None:
    panel.show("streaming")
    panel.dispatch(answer(step(state="running")))
    panel.click("step-toggle")
    panel.click("step-toggle")
    panel.dispatch(answer(step(output="1")))
    assert panel.one("step-output").text == "1"


def test_steps_stand_over_the_answer(panel: Panel) -> None:
    panel.show("tool-done")
    order = panel.run(
        "return [...document.querySelectorAll('[data-testid=step], .assistant [data-testid=message-text]')]"
        ".map((element) => element.dataset.testid)"
    )
    assert order == ["step", "step", "message-text"]


def test_tables_and_figures_show_without_opening_texts_do_not(panel: Panel) -> None:
    panel.show("streaming")
    table = {"type": "table", "columns": ["n", "name"], "rows": [["1", "a"], ["20", "<b>b</b>"]], "more": 1}
    svg = {"type": "svg", "text": "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='10'/>"}
    panel.dispatch(answer(step(display=[table, svg, {"type": "text", "text": "by the way"}])))
    shown = panel.one("step-table")
    assert shown.text.endswith("1 more row")
    cells = "return [...arguments[0].querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    assert panel.run(cells, shown) == [["1", "a"], ["20", "<b>b</b>"]]
    assert panel.run("return [...arguments[0].querySelectorAll('tbody td')].map((cell) => cell.align)", shown) == [
        "right",
        "",
        "right",
        "",
    ]
    image = panel.one("step-figure").find_element("css selector", "img")
    panel.until(lambda: image.get_property("naturalWidth") == 20)
    assert image.accessible_name == "Figure from: Run Python code"
    assert "by the way" not in panel.one("step").text
    panel.click("step-toggle")
    assert "by the way" in panel.one("step").text
    assert len(panel.all("step-table")) == 1


def test_a_sub_session_shows_its_own_calls_and_words(panel: Panel) -> None:
    panel.show("tool-delegate")
    outer, *inner = panel.all("step")
    assert [part.get_dom_attribute("data-tool") for part in inner] == ["read_page", "calculate"]
    assert outer.find_element("css selector", ".step-session strong").text == "Lambert"
    panel.all("step-toggle")[0].click()
    panel.settle()
    assert len(panel.all("step")) == 1


def test_copying_the_code_of_a_step_gives_it_as_it_is(panel: Panel) -> None:
    panel.show("streaming")
    panel.run("window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text) }")
    code = "print('a\u202eb')\n"
    panel.dispatch(answer(step(state="running", arguments=[{**CODE, "value": code}])))
    assert panel.run("return document.querySelector('.step pre code').textContent") == "print('a⟨U+202E⟩b')"
    panel.browser.find_element("css selector", ".step .code-copy").click()
    panel.until(lambda: panel.run("return copied.length"))
    assert panel.run("return copied") == [code]


def test_nothing_that_a_tool_says_becomes_markup(panel: Panel) -> None:
    panel.show("tool-hostile")
    image = panel.all("step-figure")[0].find_element("css selector", "img")
    panel.until(lambda: image.get_property("naturalWidth") == 200)
    for toggle in panel.all("step-toggle"):
        if toggle.get_dom_attribute("aria-expanded") == "false":
            panel.run("arguments[0].click()", toggle)
    panel.settle()
    text = panel.run("return document.getElementById('app').textContent")
    assert text.count("<img src=x onerror=") > 10
    elements = (
        "return document.querySelectorAll('#app :is(script, iframe, object, foreignObject, [onload], [onerror], [src=x])').length"
    )
    assert panel.run(elements) == 0
    assert panel.run("return [...document.querySelectorAll('#app svg')].every((svg) => /icon|logo/.test(svg.classList))")
    assert panel.run("return [...document.images].map((image) => image.src.slice(0, 19))") == ["data:image/svg+xml,"]
    assert not hacked(panel)


# Questions


def test_a_question_takes_the_keyboard_but_no_button_has_it(panel: Panel) -> None:
    panel.show("streaming")
    assert panel.focused() == "composer"
    panel.press("Half a sen")
    panel.run("performance.now = () => -1e6")
    panel.dispatch(approval())
    assert panel.focused() == "approval"
    panel.press("tence", Keys.ENTER, " ")
    assert panel.sent() == []
    card = panel.one("approval")
    assert card.aria_role == "alertdialog" and card.accessible_name == "Run Python code?"
    description = card.get_dom_attribute("aria-describedby")
    assert panel.run("return document.getElementById(arguments[0]).textContent.trim()", description) == "Nothing else."
    assert "Amplifier asks: Run Python code?" in panel.one("announcer").get_property("textContent")
    panel.click("deny")
    assert panel.focused() == "composer"
    assert panel.one("composer").get_property("value") == "Half a sen"


def test_a_question_is_in_sight_even_if_the_user_read_further_up(panel: Panel) -> None:
    panel.show("long")
    panel.run("document.querySelector('[data-testid=transcript]').scrollTop = 0")
    panel.settle()
    panel.dispatch(approval())
    seen = """
        const card = arguments[0].getBoundingClientRect();
        const box = document.querySelector("[data-testid=transcript]").getBoundingClientRect();
        return card.top >= box.top && card.bottom <= box.bottom;
    """
    panel.until(lambda: panel.run(seen, panel.one("approval")))


@pytest.mark.parametrize(
    ("testid", "command"),
    [
        ("deny", {"type": "deny", "id": "p1"}),
        ("approve", {"type": "approve", "id": "p1", "scope": "once"}),
        ("approve-session", {"type": "approve", "id": "p1", "scope": "session"}),
        ("approve-always", {"type": "approve", "id": "p1", "scope": "always"}),
    ],
)
def test_each_button_gives_its_answer(panel: Panel, testid: str, command: dict[str, str]) -> None:
    ask(panel)
    panel.click(testid)
    assert panel.sent() == [command]
    assert panel.all("approval") == []
    assert panel.run("return gallery.chrome.asked") == []


def test_only_the_offered_scopes_have_buttons(panel: Panel) -> None:
    ask(panel, scopes=["once"])
    panel.one("approve")
    assert panel.all("approve-session") + panel.all("approve-always") == []


def test_a_click_that_was_on_its_way_answers_nothing(panel: Panel) -> None:
    panel.show("streaming")
    panel.run("performance.now = () => 1e9")
    panel.dispatch(approval(), approval(id="p2"))
    click = """
        const event = new MouseEvent("click", {bubbles: true});
        Object.defineProperty(event, "timeStamp", {value: arguments[0]});
        document.querySelector(`[data-testid=${arguments[1]}]`).dispatchEvent(event);
    """
    for testid in ("approve", "approve-session", "approve-always", "deny"):
        panel.one(testid).click()  # seconds after the page was opened, thus long before the card came
        panel.run(click, 1e9 + 499, testid)
    panel.settle()
    assert panel.sent() == []
    panel.run("performance.now = () => 2e9")
    panel.run(click, 1e9 + 500, "approve")
    panel.settle()
    assert [command["id"] for command in panel.sent()] == ["p1"]
    panel.run(click, 2e9 + 499, "approve")  # the second click of a double click meets the next question
    panel.settle()
    assert [command["id"] for command in panel.sent()] == ["p1"]


def test_escape_denies_and_does_not_stop_the_answer(panel: Panel) -> None:
    ask(panel)
    panel.press(Keys.ESCAPE)
    assert panel.sent() == [{"type": "deny", "id": "p1"}]
    panel.press(Keys.ESCAPE)
    assert [command["type"] for command in panel.sent()] == ["deny", "stop"]


def test_escape_elsewhere_stops_and_answers_nothing(panel: Panel) -> None:
    ask(panel)
    panel.one("composer").click()
    panel.press(Keys.ESCAPE)
    assert panel.sent() == [{"type": "stop"}]


def test_a_question_that_is_over_leaves_the_keyboard_to_who_has_it(panel: Panel) -> None:
    ask(panel)
    panel.one("transcript").click()
    panel.run("document.querySelector('[data-testid=settings]').focus()")
    panel.dispatch({"type": "approval-over", "id": "p1"})
    assert panel.all("approval") == []
    assert panel.focused() == "settings"


def test_questions_come_one_after_the_other(panel: Panel) -> None:
    ask(panel)
    panel.dispatch(approval(id="p2", question="Read the tab?"))
    assert "1 of 2" in panel.one("approval").text
    assert panel.one("approval").accessible_name == "Run Python code?"
    panel.click("approve")
    assert panel.one("approval").accessible_name == "Read the tab?"
    assert panel.focused() == "approval"
    assert " of " not in panel.one("approval").text
    panel.click("deny")
    assert [(command["type"], command["id"]) for command in panel.sent()] == [("approve", "p1"), ("deny", "p2")]
    assert panel.focused() == "composer"


@pytest.mark.parametrize(("grants", "answered"), [(True, "approve"), (False, "deny")])
def test_what_chrome_must_grant_is_asked_of_chrome_within_the_click(panel: Panel, grants: bool, answered: str) -> None:
    needs = {"origins": ["https://weather.example.org/*"]}
    ask(panel, needs=needs)
    panel.run(
        """
        gallery.chrome.grants = arguments[0];
        document.addEventListener("click", () => { window.askedInClick = gallery.chrome.asked.length; });
    """,
        grants,
    )
    panel.click("approve-session")
    panel.until(panel.sent)
    assert [command["type"] for command in panel.sent()] == [answered]
    assert panel.run("return gallery.chrome.asked") == [needs]
    assert panel.run("return askedInClick") == 1


def test_a_question_that_ended_while_chrome_asked_is_not_answered(panel: Panel) -> None:
    ask(panel, needs={"permissions": ["tabs"]})
    panel.run("gallery.store.requestPermissions = () => new Promise((resolve) => { window.grant = resolve; })")
    panel.click("approve")
    assert panel.one("approve").get_property("disabled") and panel.one("deny").get_property("disabled")
    panel.dispatch({"type": "approval-over", "id": "p1"})
    panel.run("grant(true)")
    panel.settle()
    assert panel.sent() == []


def test_a_warning_has_words_and_is_read_with_the_question(panel: Panel) -> None:
    panel.show("approval-warning")
    warning = panel.one("approval-warning")
    assert warning.text.startswith("Careful. The page you are reading may have asked")
    description = panel.one("approval").get_dom_attribute("aria-describedby")
    assert panel.run("return document.getElementById(arguments[0]).contains(arguments[1])", description, warning)


def test_all_of_the_code_can_be_seen(panel: Panel) -> None:
    lines = [f"line_{n} = {n}" for n in range(60)]
    hidden = "x = 1" + " " * 500 + "; steal()"
    ask(panel, arguments=[{**CODE, "value": "\n".join([*lines, hidden])}])
    pre = panel.browser.find_element("css selector", "[data-testid=approval] pre")
    assert "61 lines" in panel.one("approval").text
    assert "steal()" in pre.get_property("textContent")
    assert pre.get_property("scrollHeight") > pre.get_property("clientHeight") > 60
    assert pre.get_property("scrollWidth") == pre.get_property("clientWidth")
    assert pre.get_property("tabIndex") == 0


def test_the_time_runs_for_the_eye_only(panel: Panel) -> None:
    ask(panel)
    panel.run("window.then = Date.now(); Date.now = () => 4102444800000 - 65000")
    time = panel.one("approval-time")
    seen, heard = time.find_elements("css selector", "span")
    panel.until(lambda: "1:05 left" in seen.text)
    assert seen.get_dom_attribute("aria-hidden") == "true"
    before = heard.get_property("textContent")
    assert before.startswith("Counts as No at ")
    panel.run("Date.now = () => 4102444800000 - 64000")
    panel.until(lambda: "1:04 left" in seen.text)
    assert heard.get_property("textContent") == before
    assert panel.run("return arguments[0].closest('[aria-live=polite], [role=status]')", time) is None


# Tools to choose in the composer


def options(panel: Panel) -> list[str | None]:
    return [option.get_dom_attribute("data-name") for option in panel.all("tool-suggestion")]


def test_a_slash_offers_tools_and_letters_narrow_them(panel: Panel) -> None:
    panel.show("suggestions")
    composer = panel.one("composer")
    assert composer.aria_role == "combobox" and composer.get_dom_attribute("aria-expanded") == "true"
    assert len(options(panel)) == 8
    panel.press("re")
    assert options(panel) == ["read_page", "remember", "current_time"]
    panel.press("m")
    assert options(panel) == ["remember"]
    panel.press("x")
    assert options(panel) == []
    assert composer.get_dom_attribute("role") is None and composer.get_dom_attribute("aria-activedescendant") is None


@pytest.mark.parametrize("key", [Keys.ENTER, Keys.TAB])
def test_arrows_and_enter_choose_a_tool(panel: Panel, key: str) -> None:
    panel.show("suggestions")
    panel.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP)
    active = panel.one("composer").get_dom_attribute("aria-activedescendant")
    assert panel.run("return document.getElementById(arguments[0]).dataset.name", active) == "find_in_page"
    assert panel.run("return document.getElementById(arguments[0]).ariaSelected", active) == "true"
    panel.press(key)
    assert panel.one("composer").get_property("value") == "/find_in_page "
    assert options(panel) == [] and panel.sent() == []
    panel.press("ice", Keys.ENTER)
    assert panel.sent()[0]["text"] == "/find_in_page ice"


def test_a_click_chooses_a_tool_and_typing_goes_on(panel: Panel) -> None:
    panel.show("suggestions")
    panel.click("tool-suggestion", 3)
    panel.press("1 + 1")
    assert panel.one("composer").get_property("value") == "/python 1 + 1"


def test_escape_closes_the_offer_and_does_not_stop(panel: Panel) -> None:
    panel.show("suggestions")
    panel.dispatch({"type": "busy", "value": True})
    panel.press(Keys.ESCAPE)
    assert options(panel) == [] and panel.sent() == []
    panel.press("py")
    assert options(panel) == []
    panel.press(Keys.BACKSPACE, Keys.BACKSPACE, Keys.BACKSPACE)
    panel.press("/py")
    assert options(panel) == ["python"]


def test_without_tools_a_slash_is_a_slash(panel: Panel) -> None:
    panel.show("empty")
    panel.press("/", Keys.ENTER)
    assert panel.sent()[0]["text"] == "/"
