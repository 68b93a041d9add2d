"""The models section in the real panel: the package's catalogue, this machine's graphics card, storage, and refusals in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build_tools.paths import TEST_EXTENSION
from panel_driver import ScriptedDriver


@pytest.fixture
def models(scripted: ScriptedDriver) -> ScriptedDriver:
    """The panel with the section open."""
    scripted.to_panel()
    if not scripted.find_all("settings-models"):
        scripted.choose_model("more…")
    scripted.wait(lambda: scripted.find_all("model"), 30, "the models are listed")
    return scripted


def item(panel: ScriptedDriver, state: str) -> Any:
    return panel.find_all("model", f'[data-state="{state}"]')[0]


def test_the_picker_opens_the_list_of_the_package(models: ScriptedDriver) -> None:
    catalogue = json.loads((TEST_EXTENSION / "models" / "catalogue.json").read_text())
    assert len(catalogue["models"]) > 50
    models.driver.execute_script(
        "const filter = document.querySelector('[data-testid=model-filter]');"
        "filter.selectedIndex = 2; filter.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    models.click("models-all")
    models.wait(lambda: len(models.find_all("model")) >= len(catalogue["models"]), 10, "all are listed")
    first = models.find_all("model")[0]
    assert first.get_attribute("data-state") == "complete" and "Comes with Amplifier" in first.text
    assert models.find("adapter").text


def test_what_is_on_the_disk_is_measured(models: ScriptedDriver) -> None:
    labels = [line.text.split("\n")[0] for line in models.find_all("storage-line")]
    assert labels[:3] == ["Models", "Documents", "Conversations"]
    assert "the browser allows" in models.find("storage-text").text


def test_a_model_without_a_known_program_is_refused_with_the_way_out(models: ScriptedDriver) -> None:
    absent = item(models, "absent")
    models.click("model-download", absent)
    models.wait(lambda: models.find_all("error"), 10, "it says why not")
    assert "build.py package --models" in models.texts("error")[0]


def test_an_address_elsewhere_is_refused(models: ScriptedDriver) -> None:
    models.find("model-address").send_keys("https://evil.example/owner/name")
    models.click("model-add")
    models.wait(lambda: "huggingface.co" in "".join(models.texts("error")), 10, "it says why not")
