"""The models in the panel's views: the picker, the list and what it sends, downloads, models by address, storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def sent(panel: Panel) -> list[dict[str, Any]]:
    """The commands but for those that come with opening."""
    return [command for command in panel.sent() if command["type"] not in ("show-models", "show-settings", "name-server")]


def models(panel: Panel) -> dict[str, Any]:
    return panel.run("return gallery.store.getState().models")


def change(panel: Panel, model_id: str, **changes: Any) -> None:
    """Python tells the list with one model changed."""
    told = models(panel)
    changed = [{**each, **(changes if each["id"] == model_id else {})} for each in told["models"]]
    panel.dispatch({"type": "models", **told, "models": changed})


def texts(panel: Panel, testid: str) -> list[str]:
    return [each.text for each in panel.all(testid)]


def ids(panel: Panel) -> list[str | None]:
    return [each.get_dom_attribute("data-id") for each in panel.all("model")]


def said(panel: Panel) -> str:
    return panel.one("settings-announcer").get_property("textContent")


# The picker


def test_the_picker_leads_to_more_models(panel: Panel) -> None:
    panel.show("empty-models")
    picker = Select(panel.one("model-picker"))
    assert [option.text for option in picker.options] == ["SmolLM2 360M", "Qwen3 1.7B Instruct", "More models…"]
    picker.select_by_visible_text("More models…")
    panel.settle()
    assert [command["type"] for command in panel.sent()] == ["show-settings"]
    assert panel.one("settings-models").get_dom_attribute("aria-selected") == "true"
    assert Select(panel.one("model-picker")).first_selected_option.text == "SmolLM2 360M"


def test_the_only_model_is_named_too(panel: Panel) -> None:
    panel.show("empty")
    assert [option.text for option in Select(panel.one("model-picker")).options] == ["SmolLM2 360M", "More models…"]


# The list


def test_the_section_asks_for_the_models_and_says_when_it_is_left(panel: Panel) -> None:
    panel.show("models-loading")
    assert [command["type"] for command in panel.sent()] == ["show-models"]
    assert "Looking at this computer" in panel.run("return document.getElementById('settings-panel').textContent")
    panel.click("settings-general")
    assert panel.sent()[-1] == {"type": "hide-models"}


def test_closing_the_settings_leaves_the_section(panel: Panel) -> None:
    panel.show("models")
    panel.click("settings-close")
    assert {"type": "hide-models"} in panel.sent()


def test_each_model_tells_its_facts(panel: Panel) -> None:
    panel.show("models")
    suggested = panel.all("model")[1].text
    for fact in ("Llama 3.2 3B", "Suggested", "Fits", "about 1.8 GB", "2.3 GB", "4,096 tokens", "Llama 3.2 Community"):
        assert fact in suggested, fact
    assert panel.one("model-reason").text.startswith("The best general model")
    starter = panel.all("model")[0].text
    assert "In use" in starter and "Comes with Amplifier" in starter and "101 MB" in starter and "about" not in starter
    assert "nvidia ampere · 8 GB or more of memory" in panel.one("adapter").text


def test_what_does_not_fit_is_shown_only_among_all_and_says_why(panel: Panel) -> None:
    panel.show("models")
    assert "mistral" not in ids(panel)
    Select(panel.one("model-filter")).select_by_visible_text("All")
    panel.settle()
    assert ids(panel)[-1] == "mistral"
    assert "shader-f16" in texts(panel, "model-why")[-1]
    Select(panel.one("model-filter")).select_by_visible_text("Downloaded")
    panel.settle()
    assert ids(panel) == ["starter"]


def test_the_search_looks_at_names_publishers_licences_and_uses(panel: Panel) -> None:
    panel.show("models")
    panel.one("model-search").send_keys("microsoft pictures")
    panel.settle()
    assert ids(panel) == ["phi-vision"]
    panel.press(Keys.ESCAPE)
    assert len(ids(panel)) > 3 and panel.one("settings-dialog").get_property("open")
    panel.one("model-search").send_keys("zebra")
    panel.settle()
    assert ids(panel) == [] and panel.one("no-model").is_displayed()


def test_a_long_list_is_cut_until_it_is_asked_for(panel: Panel) -> None:
    panel.show("models-many")
    assert len(ids(panel)) == 12
    panel.click("models-all")
    assert len(ids(panel)) == 26 and panel.all("models-all") == []


def test_without_a_graphics_card_it_says_so(panel: Panel) -> None:
    panel.show("models-no-adapter")
    assert "no graphics card" in panel.one("adapter").text
    assert ids(panel) == ["starter"]


def test_nothing_of_a_model_becomes_markup(panel: Panel) -> None:
    panel.show("models-hostile")
    assert "<img src=x onerror=" in panel.run("return document.getElementById('settings-panel').textContent")
    assert panel.run("return document.querySelectorAll('#settings-panel :is(img, b)').length") == 0
    assert not panel.run("return 'hacked' in document.body.dataset")


@pytest.mark.parametrize("scene", ["models", "models-hostile", "models-measured", "models-refused", "models-downloading"])
def test_nothing_is_wider_than_the_panel(panel: Panel, scene: str) -> None:
    panel.show(scene)
    wide, room = panel.run("const p = document.getElementById('settings-panel'); return [p.scrollWidth, p.clientWidth]")
    assert wide <= room


# Downloads


def test_a_download_begins_with_the_keyboard(panel: Panel) -> None:
    panel.show("models")
    button = panel.all("model-download")[0]
    assert button.accessible_name == "Download Llama 3.2 3B"
    panel.run("arguments[0].focus()", button)
    panel.press(Keys.ENTER)
    assert sent(panel) == [{"type": "download-model", "model": "llama-3b"}]


def test_a_running_download_shows_its_line_and_can_be_paused(panel: Panel) -> None:
    panel.show("models-downloading")
    assert texts(panel, "model-progress") == ["412 MB of 880 MB · 12 MB/s · 40 s left"]
    bar = panel.run("return document.querySelector('[data-testid=model-progress] progress').getAttribute('aria-label')")
    assert bar.startswith("Llama 3.2 3B: 412 MB of 880 MB")
    panel.click("model-pause")
    assert sent(panel) == [{"type": "pause-download", "model": "llama-3b"}]
    change(panel, "llama-3b", state="paused", detail="Paused · 412 MB of 880 MB")
    assert said(panel) == "Llama 3.2 3B is paused"
    panel.click("model-resume")
    assert sent(panel)[-1] == {"type": "resume-download", "model": "llama-3b"}


def test_cancelling_asks_before_much_is_thrown_away(panel: Panel) -> None:
    panel.show("models-downloading")
    panel.click("model-cancel")
    assert panel.focused() == "model-keep" and sent(panel) == []
    panel.press(Keys.ESCAPE)
    assert panel.all("model-confirm") == [] and panel.one("settings-dialog").get_property("open")
    panel.click("model-cancel")
    panel.click("model-confirmed")
    assert sent(panel) == [{"type": "cancel-download", "model": "llama-3b"}]


def test_cancelling_what_has_hardly_begun_asks_nothing(panel: Panel) -> None:
    panel.show("models-checking")
    panel.click("model-cancel")
    assert sent(panel) == [{"type": "cancel-download", "model": "llama-3b"}]


def test_a_complete_model_can_be_used_checked_and_deleted(panel: Panel) -> None:
    panel.show("models-complete")
    panel.click("model-use")
    panel.click("model-check")
    assert sent(panel) == [{"type": "choose-model", "model": "llama-3b"}, {"type": "check-model", "model": "llama-3b"}]
    panel.click("model-delete")
    assert "880 MB have to be downloaded" in panel.one("model-confirm").text
    panel.click("model-confirmed")
    assert sent(panel)[-1] == {"type": "delete-model", "model": "llama-3b"}
    change(panel, "llama-3b", state="absent", detail="", progress=None)
    assert said(panel) == "Llama 3.2 3B is not on this computer any more"


def test_the_packages_own_model_cannot_be_deleted(panel: Panel) -> None:
    panel.show("models")
    starter = panel.all("model")[0]
    assert [
        each for each in panel.all("model-delete") if panel.run("return arguments[0].contains(arguments[1])", starter, each)
    ] == []


def test_a_half_evicted_model_is_completed(panel: Panel) -> None:
    panel.show("models-partial")
    assert "Not complete" in panel.one("model-progress").text
    assert panel.one("model-resume").text == "Complete it"
    assert len(panel.all("model-use")) == 0
    panel.click("model-resume")
    assert sent(panel) == [{"type": "resume-download", "model": "llama-3b"}]


def test_a_failed_download_says_why_and_offers_the_next_step(panel: Panel) -> None:
    panel.show("models-again")
    assert "The disk is full" in panel.one("error").text
    assert panel.all("model-resume") == []
    panel.click("error-action")
    assert sent(panel) == [{"type": "resume-download", "model": "llama-3b"}]
    panel.show("models-error")
    assert "known servers only" in panel.one("error").text


def test_a_problem_and_an_end_are_said(panel: Panel) -> None:
    panel.show("models-downloading")
    change(panel, "llama-3b", detail="500 MB of 880 MB · 12 MB/s · 32 s left")
    assert "500 MB" not in said(panel)
    change(panel, "llama-3b", state="error", problem={"title": "The disk is full", "detail": "Free some."})
    assert said(panel) == "Llama 3.2 3B: The disk is full"
    change(panel, "llama-3b", state="complete", problem=None)
    assert said(panel) == "Llama 3.2 3B is on this computer"


def test_the_offline_state_is_shown_while_it_lasts(panel: Panel) -> None:
    panel.show("models")
    assert panel.all("models-offline") == []
    panel.run(
        "Object.defineProperty(navigator, 'onLine', {value: false, configurable: true}); dispatchEvent(new Event('offline'))"
    )
    panel.settle()
    assert "No network" in panel.one("models-offline").text
    panel.run("Object.defineProperty(navigator, 'onLine', {value: true}); dispatchEvent(new Event('online'))")
    panel.settle()
    assert panel.all("models-offline") == []


# The model doctor


def test_this_computer_is_measured_on_demand(panel: Panel) -> None:
    panel.show("models")
    assert panel.all("doctor-result") == [] and "at most 20 seconds" in panel.one("doctor").text
    panel.click("doctor-start")
    assert sent(panel) == [{"type": "measure"}]


def test_a_measuring_shows_how_far_it_is_and_can_be_stopped(panel: Panel) -> None:
    panel.show("models-measuring")
    assert panel.one("doctor-progress").text == "Reading 256 tokens" and panel.all("doctor-start") == []
    panel.click("doctor-stop")
    assert sent(panel) == [{"type": "stop-measuring"}]


def test_the_result_has_advice_facts_and_a_date(panel: Panel) -> None:
    panel.show("models-measured")
    assert texts(panel, "doctor-advice")[0].startswith("Best for this computer: Llama 3.2 3B")
    assert "Writes 110 tokens a second" in [" ".join(text.split()) for text in texts(panel, "doctor-line")]
    assert "Measured on Mar 4, 2026" in panel.one("doctor").text and panel.one("doctor-start").text == "Measure again"
    assert "about 38 tokens a second, predicted" in panel.all("model")[1].text
    assert "Summary of a page" not in panel.all("model")[2].text, "nothing is known of it"


def test_why_it_was_not_measured_is_said(panel: Panel) -> None:
    panel.show("models-not-measured")
    assert "Your question came first" in panel.one("error").text and panel.one("doctor-start").is_displayed()


# Models by address, and storage


def test_a_model_is_added_by_its_address(panel: Panel) -> None:
    panel.show("models")
    assert panel.one("model-add").get_property("disabled")
    panel.one("model-address").send_keys("huggingface.co/me/mine", Keys.ENTER)
    panel.settle()
    assert sent(panel) == [{"type": "add-model", "address": "huggingface.co/me/mine"}]
    assert panel.one("model-add").text == "Looking"
    told = models(panel)
    refused = {"title": "No program for this kind of model", "detail": "It is of type “mamba”."}
    panel.dispatch({"type": "models", **told, "added": {"address": "a", "model": None, "problem": refused}})
    assert "mamba" in panel.one("error").text and said(panel) == "No program for this kind of model"
    assert panel.one("model-address").get_property("value") == "huggingface.co/me/mine"
    panel.dispatch({"type": "models", **told, "added": {"address": "b", "model": "me--mine", "problem": None}})
    assert panel.one("model-address").get_property("value") == "" and panel.one("model-added").is_displayed()


def test_an_added_model_can_leave_the_list(panel: Panel) -> None:
    panel.show("models-added")
    panel.click("model-delete")
    assert "off the list" in panel.one("model-confirm").text
    panel.click("model-confirmed")
    assert sent(panel) == [{"type": "delete-model", "model": "me--mine"}]


def test_what_is_on_the_disk_is_told_in_lines(panel: Panel) -> None:
    panel.show("models")
    lines = [" ".join(text.split()) for text in texts(panel, "storage-line")]
    assert lines == ["Models 880 MB", "Documents 31 MB", "Conversations 2 MB", "Indexes and the rest 12 MB"]
    assert "925 MB used" in panel.one("storage-text").text
