"""The panel's views in a real browser: keyboard, queueing, streaming, scrolling, copying, names, width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def answer(**changes: Any) -> dict[str, Any]:
    message = {"id": "a1", "role": "assistant", "state": "streaming", "text": "", **changes}
    return {"type": "message", "message": message}


def scenes(panel: Panel) -> list[str]:
    panel.show()
    return panel.run("return gallery.scenes")


# Typing and sending


def test_one_can_type_and_send_before_anything_has_loaded(panel: Panel) -> None:
    panel.show("first-moment")
    assert panel.run("return document.body.dataset.python") == "starting"
    assert panel.focused() == "composer"
    panel.press("What is ice?", Keys.ENTER)
    assert panel.one("message").get_dom_attribute("data-state") == "queued"
    assert panel.one("queued").text == "Sends when the model is ready"
    [command] = panel.sent()
    assert command == {"type": "prompt", "id": panel.one("message").get_dom_attribute("data-id"), "text": "What is ice?"}
    assert panel.one("composer").get_property("value") == ""


def test_shift_enter_breaks_the_line_and_the_box_grows(panel: Panel) -> None:
    panel.show("empty")
    before = panel.one("composer").size["height"]
    panel.press("one")
    panel.chord(Keys.SHIFT, Keys.ENTER)
    panel.press("two")
    assert panel.one("composer").get_property("value") == "one\ntwo"
    assert panel.one("composer").size["height"] > before
    assert panel.sent() == []
    panel.click("send")
    assert panel.sent()[0]["text"] == "one\ntwo"


def test_blank_text_is_not_sent(panel: Panel) -> None:
    panel.show("empty")
    panel.press("   ", Keys.ENTER)
    assert panel.sent() == []
    assert panel.one("send").get_property("disabled")


def test_enter_that_ends_a_composed_word_does_not_send(panel: Panel) -> None:
    panel.show("empty")
    panel.press("x")
    panel.run("""
        const options = {key: "Enter", isComposing: true, bubbles: true, cancelable: true};
        document.querySelector("#composer").dispatchEvent(new KeyboardEvent("keydown", options));
    """)
    assert panel.sent() == []


def test_while_busy_one_can_stop_or_queue_the_next(panel: Panel) -> None:
    panel.show("streaming")
    assert panel.run("return document.body.dataset.busy") == "true"
    assert panel.all("send") == []
    panel.press("And then?", Keys.ENTER)
    assert panel.one("queued").text == "Sends after this answer"
    panel.click("stop")
    assert [command["type"] for command in panel.sent()] == ["prompt", "stop"]
    assert panel.focused() == "composer"


def test_escape_stops_from_anywhere(panel: Panel) -> None:
    panel.show("streaming")
    panel.one("transcript").send_keys(Keys.ESCAPE)
    assert panel.sent() == [{"type": "stop"}]
    panel.show("conversation")
    panel.press(Keys.ESCAPE)
    assert panel.sent() == []


def test_a_failed_start_keeps_what_was_typed(panel: Panel) -> None:
    panel.show("python-failed")
    panel.press(Keys.ENTER)
    assert panel.sent() == []
    assert panel.one("composer").get_property("value") == "My question stays here"
    assert "Your text is kept" in panel.one("notice").text
    panel.run("gallery.store.send({type: 'prompt', id: 'u1', text: 'A queued one'})")
    panel.run("gallery.dispatch({type: 'draft', text: 'typed'})")
    panel.click("error-action")
    panel.until(lambda: panel.run("return document.readyState") == "complete" and panel.run("return Boolean(window.gallery)"))
    saved = panel.run("const text = sessionStorage.getItem('draft'); sessionStorage.clear(); return text")
    assert saved == "A queued one\n\ntyped"


# Editing, retrying, continuing


def test_arrow_up_edits_the_last_message(panel: Panel) -> None:
    panel.show("conversation")
    panel.press(Keys.ARROW_UP)
    assert panel.focused() == "edit-box"
    panel.press(" Fast?", Keys.ENTER)
    assert panel.sent() == [{"type": "edit", "id": "u1", "text": "How do glaciers move? Fast?"}]
    assert len(panel.all("message")) == 1
    assert panel.focused() == "composer"


def test_arrow_up_in_a_text_moves_the_caret_only(panel: Panel) -> None:
    panel.show("conversation")
    panel.press("abc", Keys.ARROW_UP)
    assert panel.all("edit-box") == []


def test_escape_leaves_an_edit_and_does_not_stop(panel: Panel) -> None:
    panel.show("streaming")
    panel.click("edit")
    panel.press("x", Keys.ESCAPE)
    assert panel.all("edit-box") == []
    assert panel.all("message-text")[0].text == "What is a glacier?"
    assert panel.sent() == []
    assert panel.focused() == "composer"


@pytest.mark.parametrize(
    ("scene", "testid", "command"),
    [
        ("conversation", "retry", {"type": "retry", "id": "a1"}),
        ("stopped", "retry", {"type": "retry", "id": "a1"}),
        ("stopped", "continue", {"type": "continue", "id": "a1"}),
        ("error", "continue", {"type": "continue", "id": "a1"}),
        ("error-action", "error-action", {"type": "retry", "id": "a1"}),
        ("stopped-queue", "send-again", {"type": "edit", "id": "u2", "text": "And how fast do they move?"}),
        ("unavailable", "error-action", {"type": "reload-engine"}),
        ("conversation", "new-session", {"type": "new-session"}),
    ],
)
def test_buttons_send_their_command(panel: Panel, scene: str, testid: str, command: dict[str, str]) -> None:
    panel.show(scene)
    panel.click(testid)
    assert panel.sent() == [command]


def test_nothing_written_cannot_be_continued(panel: Panel) -> None:
    panel.show("stopped-empty")
    assert panel.all("continue") == []
    panel.one("retry")


def test_only_the_last_answer_can_be_retried(panel: Panel) -> None:
    panel.show("conversation")
    question = {"id": "u2", "role": "user", "state": "done", "text": "More"}
    panel.dispatch({"type": "message", "message": question}, answer(id="a2", state="done", text="More."))
    panel.click("retry")
    assert panel.sent() == [{"type": "retry", "id": "a2"}]


def test_summarize_is_one_click_full_or_small(panel: Panel) -> None:
    for scene, count in (("empty", 1), ("conversation", 3)):
        panel.show(scene)
        assert "How glaciers move" in panel.one("summarize-tab").text
        panel.click("summarize-tab")
        assert [command["type"] for command in panel.sent()] == ["summarize"]
        assert len(panel.all("message")) == count
        panel.one("summarize-tab")


def test_examples_fill_the_composer(panel: Panel) -> None:
    panel.show("empty")
    example = panel.browser.find_element(By.CSS_SELECTOR, ".example")
    text = example.text
    example.click()
    panel.settle()
    assert panel.one("composer").get_property("value").strip() == text
    assert panel.focused() == "composer"
    assert panel.sent() == []


def test_models_can_be_chosen(panel: Panel) -> None:
    panel.show("empty-models")
    picker = Select(panel.one("model-picker"))
    assert picker.first_selected_option.text == "SmolLM2 360M"
    picker.select_by_visible_text("Qwen3 1.7B Instruct")
    panel.settle()
    assert panel.sent() == [{"type": "choose-model", "model": "qwen3-1.7b"}]
    assert Select(panel.one("model-picker")).first_selected_option.text == "Qwen3 1.7B Instruct"


# Streaming


def test_a_stream_touches_only_its_last_block(panel: Panel) -> None:
    panel.show("conversation")
    panel.dispatch(answer(id="a2", text="First paragraph.\n\n```js\nlet a = 1;"))
    panel.run("""
        window.code = document.querySelector("[data-id=a2] pre");
        window.kept = [code, ...document.querySelectorAll("[data-id=a2] p, [data-id=a2] .code-copy, [data-id=a1]")];
        window.changes = [];
        new MutationObserver((records) => changes.push(...records.map((record) => record.target)))
          .observe(document.querySelector("[data-testid=transcript]"), {subtree: true, childList: true, characterData: true});
    """)
    panel.dispatch({"type": "delta", "id": "a2", "text": "\nlet b = 2;"})
    assert panel.run("return kept.length") == 4
    assert panel.run("return kept.every((element) => element.isConnected)")
    assert panel.run("return changes.length > 0 && changes.every((node) => code.contains(node))")
    assert panel.run("return code.textContent").rstrip() == "let a = 1;\nlet b = 2;"


def test_tokens_of_one_frame_are_one_rendering(panel: Panel) -> None:
    panel.show("conversation")
    panel.dispatch(answer(id="a2"))
    panel.run("""
        window.records = 0;
        const text = document.querySelector("[data-id=a2] [data-testid=message-text]");
        const count = (list) => { records += list.length; };
        new MutationObserver(count).observe(text, {subtree: true, childList: true, characterData: true});
        for (let n = 0; n < 200; n++) gallery.dispatch({type: "delta", id: "a2", text: `${n} `});
    """)
    panel.settle()
    assert panel.run("return document.querySelector('[data-id=a2] p').textContent").split() == [str(n) for n in range(200)]
    assert 0 < panel.run("return records") < 10


def test_screen_readers_hear_the_answer_when_it_has_ended(panel: Panel) -> None:
    panel.show("thinking")
    assert panel.one("transcript").get_dom_attribute("aria-live") == "off"
    panel.dispatch({"type": "delta", "id": "a1", "text": "**Ice** flows"})
    assert "Ice" not in panel.one("announcer").get_property("textContent")
    panel.dispatch(answer(state="done", text="**Ice** flows."))
    assert panel.one("announcer").get_property("textContent").split() == ["Answer:", "Ice", "flows."]


# Scrolling

AT_END = """
const box = document.querySelector("[data-testid=transcript]");
return box.scrollHeight - box.clientHeight - box.scrollTop <= 1 && box.scrollHeight > box.clientHeight;
"""
MORE = {"type": "delta", "id": "a1", "text": "\n\nIt goes on." * 5}


def test_the_transcript_follows_a_growing_answer(panel: Panel) -> None:
    panel.show("long")
    assert panel.run(AT_END)
    panel.dispatch(MORE)
    assert panel.run(AT_END)
    assert panel.browser.find_elements(By.CSS_SELECTOR, ".jump") == []


def test_the_transcript_stays_where_the_user_scrolled(panel: Panel) -> None:
    panel.show("long")
    panel.run("document.querySelector('[data-testid=transcript]').scrollTop -= 15")
    panel.settle()
    top = panel.run("return document.querySelector('[data-testid=transcript]').scrollTop")
    panel.dispatch(MORE)
    assert panel.run("return document.querySelector('[data-testid=transcript]').scrollTop") == top
    panel.browser.find_element(By.CSS_SELECTOR, ".jump").click()
    panel.settle()
    assert panel.run(AT_END)
    panel.dispatch(MORE)
    assert panel.run(AT_END)
    assert panel.browser.find_elements(By.CSS_SELECTOR, ".jump") == []


def test_sending_goes_back_to_the_end(panel: Panel) -> None:
    panel.show("long")
    panel.run("document.querySelector('[data-testid=transcript]').scrollTop = 0")
    panel.settle()
    panel.press("next", Keys.ENTER)
    assert panel.run(AT_END)


# Copying


@pytest.fixture
def clipboard(panel: Panel) -> Panel:
    panel.show("markdown")
    panel.run("window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text) }")
    return panel


def test_copying_an_answer_gives_its_markdown_and_says_so(clipboard: Panel) -> None:
    button = clipboard.all("copy")[-1]
    button.click()
    clipboard.until(lambda: button.accessible_name == "Copied")
    [text] = clipboard.run("return copied")
    assert text.startswith("## Two ways to sum") and text.endswith("Done.")
    clipboard.settle()
    assert clipboard.one("announcer").get_property("textContent").strip() == "Copied"


def test_copying_code_gives_the_code(clipboard: Panel) -> None:
    button = clipboard.browser.find_element(By.CSS_SELECTOR, ".code-copy")
    button.click()
    clipboard.until(lambda: button.text == "Copied")
    [text] = clipboard.run("return copied")
    assert text.startswith("def total(") and text.endswith("return sum(values)")


def test_a_refused_clipboard_is_said(panel: Panel) -> None:
    panel.show("conversation")
    panel.run("navigator.clipboard.writeText = async () => { throw new Error('refused') }")
    button = panel.all("copy")[-1]
    button.click()
    panel.until(lambda: button.accessible_name == "Could not copy")


# What is shown when


def test_usage_shows_on_demand(panel: Panel) -> None:
    panel.show("conversation")
    assert panel.all("usage") == []
    assert panel.one("usage-toggle").get_dom_attribute("aria-expanded") == "false"
    panel.click("usage-toggle")
    assert "12.3 tok/s" in panel.one("usage").text
    assert panel.one("usage-toggle").get_dom_attribute("aria-expanded") == "true"


def test_sections_open_while_they_are_written_and_on_demand(panel: Panel) -> None:
    panel.show("summary-working")
    states = [section.get_dom_attribute("data-state") for section in panel.all("section")]
    assert states == ["done", "done", "streaming", "waiting"]
    opened = "return [...document.querySelectorAll('details')].map((section) => section.open)"
    assert panel.run(opened) == [False, False, True, False]
    panel.all("section")[0].find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    panel.settle()
    assert panel.run(opened) == [True, False, True, False]
    assert "compressed snow" in panel.all("section")[0].text
    sections = [{"title": "A", "state": "done", "text": "x"}] * 4
    panel.dispatch(answer(state="done", text="Whole.", sections=sections))
    assert panel.run(opened) == [True, False, False, False]


def test_a_whole_without_text_is_copied_from_its_sections(panel: Panel) -> None:
    panel.show("summary-working")
    panel.run("window.copied = []; navigator.clipboard.writeText = async (text) => { copied.push(text) }")
    sections = [{"title": "A", "state": "done", "text": "x"}, {"title": "B", "state": "stopped", "text": ""}]
    panel.dispatch(answer(state="stopped", sections=sections))
    panel.all("copy")[-1].click()
    panel.until(lambda: panel.run("return copied.length"))
    assert panel.run("return copied") == ["## A\n\nx"]


def test_load_progress_shows_and_goes(panel: Panel) -> None:
    panel.show("empty-loading")
    assert "88 of 210 MB" in panel.one("progress").text
    assert panel.run("return document.querySelector('progress').value") == 0.42
    assert panel.one("engine-status").get_dom_attribute("data-state") == "loading"
    panel.show("empty")
    assert panel.all("progress") == []
    assert panel.one("engine-status").text == "Ready"


def test_unknown_progress_moves_without_a_value(panel: Panel) -> None:
    panel.show("summary-reading")
    assert "Reading the page" in panel.one("progress").text
    assert not panel.run("return document.querySelector('progress').hasAttribute('value')")


def test_notices_can_be_dismissed(panel: Panel) -> None:
    panel.show("notices")
    assert len(panel.all("notice")) == 3
    panel.all("notice")[2].find_element(By.TAG_NAME, "button").click()
    panel.settle()
    assert len(panel.all("notice")) == 2


# Every state: names, width, no violation

UNNAMED = """
const named = (element) =>
  element.getAttribute("aria-label") || element.alt || element.textContent.trim() || element.labels?.[0]?.textContent;
const kinds = "button, a[href], select, textarea, input, progress, article, dialog[open], img, [role=region], [role=log]";
return [...document.querySelectorAll(kinds)]
  .filter((element) => !named(element)).map((element) => element.outerHTML);
"""
UNREACHABLE = """
const kinds = "button:not(:disabled, [role=tab]), a[href], select, textarea, input:not([hidden]), summary";
return [...document.querySelectorAll(kinds)]
  .filter((element) => element.tabIndex < 0 || !element.checkVisibility({visibilityProperty: true}))
  .map((element) => element.outerHTML);
"""
OVERFLOWING = """
const wide = document.documentElement.scrollWidth;
const boxes = [...document.querySelectorAll("[data-testid=transcript], [data-testid=approval], #settings-panel, dialog[open]")]
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => [box.className, box.scrollWidth, box.clientWidth]);
return wide > innerWidth ? [["page", wide, innerWidth], ...boxes] : boxes;
"""
WIDTHS = (280, 320, 360, 600)


@pytest.fixture(scope="module")
def walked(panel: Panel) -> dict[str, list[Any]]:
    """What is wrong in any scene, by its kind; what axe knows of contrast and names is in test_accessibility.py."""
    wrong: dict[str, list[Any]] = {"unnamed": [], "unreachable": [], "wide": [], "said": []}
    panel.browser.get_log("browser")
    for scene in scenes(panel):
        panel.show(scene)
        wrong["unnamed"] += [(scene, each) for each in panel.run(UNNAMED)]
        wrong["unreachable"] += [(scene, each) for each in panel.run(UNREACHABLE)]
        for width in WIDTHS:
            resize(panel, width)
            assert panel.run("return innerWidth") == width
            wrong["wide"] += [(scene, width, each) for each in panel.run(OVERFLOWING)]
        resize(panel, 360)
    said = panel.browser.get_log("browser")
    wrong["said"] = [each for each in said if each["level"] != "DEBUG"]  # Chrome's advice on forms is of that level
    return wrong


def resize(panel: Panel, width: int) -> None:
    """Makes the panel this wide, in CSS pixels."""
    size = {"width": width, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    panel.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_everything_has_a_name_and_can_be_reached(walked: dict[str, list[Any]]) -> None:
    assert walked["unnamed"] == [] and walked["unreachable"] == []


def test_nothing_is_wider_than_the_panel(walked: dict[str, list[Any]]) -> None:
    assert walked["wide"] == []


def test_no_state_breaks_the_content_security_policy(walked: dict[str, list[Any]]) -> None:
    assert walked["said"] == []


def test_the_walk_sees_what_is_wrong(panel: Panel) -> None:
    panel.show("conversation")
    panel.run(
        "const [button, box] = ['button', 'p'].map((name) => document.createElement(name));"
        "button.tabIndex = -1; box.textContent = 'Words'; box.style.cssText = 'width: 700px; flex: none';"
        "document.querySelector('[data-testid=transcript]').append(button, box)"
    )
    assert len(panel.run(UNNAMED)) == len(panel.run(UNREACHABLE)) == 1 and panel.run(OVERFLOWING)


@pytest.mark.parametrize("scene", ["summary-working", "tool-running", "settings-loading"])
def test_motion_stops_when_the_user_wants_none(panel: Panel, scene: str) -> None:
    moving = "return document.getAnimations().filter((a) => a.effect.getComputedTiming().iterations === Infinity).length"
    features = [{"name": "prefers-reduced-motion", "value": "no-preference"}]
    panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    panel.show(scene)
    assert panel.run(moving) > 0
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    panel.show(scene)
    assert panel.run(moving) == 0
    panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_keyboard_alone_reaches_every_control_in_order(panel: Panel) -> None:
    panel.show("conversation")
    panel.run("document.querySelector('[data-testid=new-session]').focus()")
    order = [panel.focused()]
    for _ in range(11):
        panel.press(Keys.TAB)
        order.append(panel.focused())
    messages = ["copy", "edit", "copy", "retry", "fork", "usage-toggle"]
    assert order == ["new-session", "transcript", *messages, "summarize-tab", "attach", "attach-image", "composer"]
    panel.run("document.querySelector('[data-testid=edit]').focus()")
    assert panel.run("return getComputedStyle(document.querySelector('.message.user .actions')).opacity") == "1"


def test_why_a_model_sleeps_does_not_cut_its_name_in_a_narrow_panel(panel: Panel) -> None:
    widths: list[float] = []
    resize(panel, 360)
    for scene in ("asleep", "asleep-memory"):
        panel.show(scene)
        widths.append(panel.run("return document.querySelector('[data-testid=model-picker]').getBoundingClientRect().width"))
    resize(panel, 400)
    assert widths[0] == widths[1]
    assert "Asleep to free memory" in (panel.one("engine-status").get_dom_attribute("title") or "")


def test_images_alone_are_sent_without_a_word(panel: Panel) -> None:
    panel.show("empty")
    image = {"id": "i1", "kind": "image", "name": "cat.jpg", "detail": "40 × 30", "state": "ready", "progress": None}
    assert not panel.one("send").is_enabled()
    panel.dispatch({"type": "attachment", "attachment": image})
    assert panel.one("send").is_enabled()
    panel.click("send")
    (sent,) = [command for command in panel.sent() if command["type"] == "prompt"]
    assert (sent["text"], sent["attachments"]) == ("", ["i1"])
    assert panel.all("message-text") == [] and len(panel.all("message-image")) == 1
    document = {**image, "id": "d1", "kind": "document", "name": "cats.pdf"}
    panel.dispatch({"type": "attachment", "attachment": document})
    assert panel.all("send") == [] or not panel.one("send").is_enabled()
