"""Images with a message, through the real extension: attached in every way, shown, seen by the model, kept, exported, deleted.

There is no vision model small enough for tests, so the engine is scripted: its Worker decodes the images the way WebLLM does,
under the extension's own policies, and says what it got. Of its two models one sees.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.environment import find_browser
from build_tools.paths import BUILD
from panel_driver import ScriptedDriver
from PIL import Image, ImageDraw
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

GIVE = """
const [how, files] = arguments;
const transfer = new DataTransfer();
for (const {name, type, data} of files)
  transfer.items.add(new File([Uint8Array.from(atob(data), (each) => each.charCodeAt(0))], name, {type}));
if (how === 'choose') {
  const input = document.querySelector('[data-testid=attach-image-input]');
  input.files = transfer.files;
  input.dispatchEvent(new Event('change', {bubbles: true}));
} else if (how === 'paste')
  document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true, cancelable: true}));
else document.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
"""
ROW = "({session, id, blob}) => ({session, id, bytes: blob.size, type: blob.type})"
SHOWN = """
return [...document.querySelectorAll('[data-testid=message-image] img')].map((image) => [image.alt, image.naturalWidth]);
"""


def file(name: str, data: bytes, type: str = "") -> dict[str, str]:
    return {"name": name, "type": type, "data": base64.b64encode(data).decode()}


def picture(format: str, size: tuple[int, int] = (1800, 1200), mode: str = "RGB", **options: Any) -> bytes:
    """An image in some format: red, with a blue square at its top left."""
    image = Image.new(mode, size, "red")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="blue")
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def photo(name: str = "photo.jpg", **options: Any) -> dict[str, str]:
    return file(name, picture("JPEG", **options), "image/jpeg")


@pytest.fixture(scope="module")
def driver(scripted_extension: Path, pages: str) -> Iterator[ScriptedDriver]:
    """A package with two models: the default, which is blind, and one that sees."""
    extension = BUILD / f"extension-images{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    shutil.rmtree(extension, ignore_errors=True)
    shutil.copytree(scripted_extension, extension, copy_function=os.link)
    index = json.loads((extension / "models" / "index.json").read_text())
    blind = index["models"][0]
    eyes = {**blind, "id": "eyes", "name": "Eyes", "is_vision": True, "context_window": 9000}
    (extension / "models" / "index.json").unlink()
    (extension / "models" / "index.json").write_text(json.dumps({**index, "models": [blind, eyes]}))
    with ScriptedDriver(extension, find_browser()) as driver:
        driver.watch_all()
        driver.start(f"{pages}/short-article.html")
        yield driver


@pytest.fixture(autouse=True)
def anew(driver: ScriptedDriver) -> None:
    driver.to_panel()
    driver.choose_model("eyes")
    driver.wait(lambda: not blind(driver), 20, "the model sees")
    driver.new_session()
    while driver.find_all("attachment"):
        driver.click("attachment-remove")
    driver.find("composer").send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
    driver.script()


def blind(driver: ScriptedDriver) -> bool:
    return driver.find("attach-image").get_attribute("aria-disabled") == "true"


def give(driver: ScriptedDriver, *files: dict[str, str], how: str = "choose") -> None:
    driver.driver.execute_script(GIVE, how, files)


def chips(driver: ScriptedDriver, state: str = "ready", count: int = 1) -> list[WebElement]:
    """The chips in the tray, once there are so many in this state."""
    found = f'[data-kind="image"][data-state="{state}"]'
    driver.wait(lambda: len(driver.find_all("attachment", found)) == count, 20, f"{count} images are {state}")
    return driver.find_all("attachment", found)


def ask(driver: ScriptedDriver, question: str, answers: int = 1) -> dict[str, Any]:
    """Asks, waits for the answer, and returns what the model was asked."""
    driver.ask(question)
    assert driver.wait_answer(answers) == "done"
    return driver.requests()[-1]


def shown(driver: ScriptedDriver, count: int = 1) -> list[tuple[str, int]]:
    """Name and width of the images in the transcript, once they are decoded."""
    script = SHOWN
    driver.wait(
        lambda: len([each for each in driver.driver.execute_script(script) if each[1]]) == count, 20, f"{count} images are shown"
    )
    return [tuple(each) for each in driver.driver.execute_script(script)]


def kept(driver: ScriptedDriver) -> list[dict[str, Any]]:
    return driver.rows("sessions", "images", ROW)


@pytest.mark.parametrize("how", ["choose", "paste", "drop"])
def test_an_image_is_attached_in_each_way_made_smaller_and_seen_by_the_model(driver: ScriptedDriver, how: str) -> None:
    give(driver, photo(), how=how)
    assert "1,344 × 896" in chips(driver)[0].text
    request = ask(driver, "What is on it?")
    assert request["seen"] == [{"width": 1344, "height": 896, "type": "data:image/jpeg"}]
    assert [part["type"] for part in request["messages"][-1]["content"]] == ["image_url", "text"]
    assert shown(driver) == [("photo.jpg", 1344)]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", picture("PNG", (60, 40), "RGBA")),
        ("a.webp", picture("WEBP", (60, 40))),
        ("a.gif", picture("GIF", (60, 40), save_all=True, append_images=[Image.new("RGB", (60, 40), "green")])),
        ("a.avif", picture("AVIF", (60, 40))),
    ],
)
def test_formats(driver: ScriptedDriver, name: str, data: bytes) -> None:
    give(driver, file(name, data))
    chips(driver)
    assert ask(driver, "What is on it?")["seen"] == [{"width": 60, "height": 40, "type": "data:image/jpeg"}]


def test_a_photo_is_upright_and_does_not_say_where_it_was_taken(driver: ScriptedDriver) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    exif.get_ifd(0x8825)[1] = "N"
    give(driver, photo(size=(600, 400), exif=exif))
    chips(driver)
    request = ask(driver, "What is on it?")
    url = request["messages"][-1]["content"][0]["image_url"]["url"]
    sent = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert sent.size == (400, 600)
    assert not sent.getexif()
    red, _, blue = sent.convert("RGB").getpixel((390, 10))  # the square has gone round to the right
    assert blue > 200 > red


def test_several_images_go_together_and_one_can_be_taken_away(driver: ScriptedDriver) -> None:
    give(driver, photo("one.jpg", size=(30, 20)), photo("two.jpg", size=(50, 20)), photo("three.jpg", size=(70, 20)))
    second = next(chip for chip in chips(driver, count=3) if "two.jpg" in chip.text)
    driver.click("attachment-remove", second)
    chips(driver, count=2)
    request = ask(driver, "Compare them.")
    assert sorted(each["width"] for each in request["seen"]) == [30, 70]
    assert len(shown(driver, 2)) == 2


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.png", b"just text", "it is no image"),
        ("a.jpg", picture("JPEG", (60, 40))[:40], "it is damaged"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is a drawing"),
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "Chrome cannot open HEIC photos"),
        ("a.png", picture("PNG", (10001, 10000), "1"), "it is too large"),
    ],
)
def test_what_is_no_image_or_too_large_or_damaged_says_so(driver: ScriptedDriver, name: str, data: bytes, words: str) -> None:
    give(driver, file(name, data))
    assert words in chips(driver, "error")[0].text
    assert "seen" in ask(driver, "Hello") and not driver.requests()[-1]["seen"]


def test_an_image_is_enlarged_by_a_click_and_closed_by_escape(driver: ScriptedDriver) -> None:
    give(driver, photo())
    chips(driver)
    driver.picture_in_both("images-tray")
    ask(driver, "What is on it?")
    shown(driver)
    driver.picture_in_both("images-sent")
    driver.click("message-image")
    driver.wait(lambda: driver.find_all("large-image"), 10, "the image is large")
    driver.picture_in_both("images-large")
    ActionChains(driver.driver).send_keys(Keys.ESCAPE).perform()
    driver.wait(lambda: not driver.find_all("large-image"), 10, "the image is closed")
    assert driver.driver.switch_to.active_element.get_attribute("data-testid") == "message-image"


def test_a_screenshot_of_the_page_is_an_entry_of_the_mentions(driver: ScriptedDriver) -> None:
    driver.type("What is on this page? @screen")
    driver.wait(lambda: driver.find_all("mention-option", '[data-name="Screenshot of this page"]'), 10, "it is offered")
    driver.picture_in_both("images-mention")
    driver.type("", Keys.ENTER)
    assert "Screenshot of" in chips(driver)[0].text
    driver.type("", Keys.ENTER)
    assert driver.wait_answer() == "done"
    request = driver.requests()[-1]
    assert request["seen"][0]["width"] > 200
    assert request["messages"][-1]["content"][-1]["text"].startswith("What is on this page?")


def test_a_model_that_cannot_see_says_so_and_offers_one_that_can(driver: ScriptedDriver) -> None:
    give(driver, photo())
    chips(driver)
    driver.choose_model("tiny")
    chip = chips(driver, "error")[0]
    assert "cannot see images" in chip.text and "Eyes can." in chip.text
    assert blind(driver)
    driver.picture_in_both("images-blind")
    driver.click("attach-image")
    driver.wait(lambda: any("cannot see images" in notice for notice in driver.notices()), 10, "the reason is told")
    driver.click("attachment-action")
    chips(driver, "ready")
    assert not blind(driver)


def test_images_of_earlier_turns_are_left_out_for_a_model_that_cannot_see(driver: ScriptedDriver) -> None:
    give(driver, photo())
    chips(driver)
    ask(driver, "What is on it?")
    driver.choose_model("tiny")
    driver.wait(lambda: blind(driver), 20, "the model is blind")
    request = ask(driver, "And its colour?", 2)
    assert not request["seen"]
    assert "Answered without the image of this conversation" in driver.answer().text


def test_images_are_kept_with_their_conversation_and_go_with_it_and_come_back_with_undo(driver: ScriptedDriver) -> None:
    before = len(kept(driver))
    give(driver, photo())
    chips(driver)
    ask(driver, "What is on it?")
    rows = driver.wait(lambda: kept(driver) if len(kept(driver)) == before + 1 else None, 10, "the image is on the disk")
    row = next(row for row in rows if row["id"] == driver.find("message-image").get_attribute("data-id"))
    assert row["type"] == "image/jpeg" and row["bytes"] > 1000
    session = row["session"]
    driver.driver.refresh()
    driver.wait_ready()
    assert shown(driver) == [("photo.jpg", 1344)]
    assert ask(driver, "And now?", 2)["seen"][0]["width"] == 1344
    driver.new_session()
    driver.click("sessions-button")
    item = driver.wait(lambda: driver.find_all("session-item", f'[data-id="{session}"]')[:1], 10, "it is listed")[0]
    driver.click("session-menu", item)
    driver.click("session-delete")
    driver.wait(lambda: len(kept(driver)) == before, 10, "its image is gone")
    driver.click("session-undo")
    driver.wait(lambda: len(kept(driver)) == before + 1, 10, "its image is back")
    driver.click("sessions-close")


def test_a_temporary_conversation_leaves_no_image(driver: ScriptedDriver) -> None:
    before = len(kept(driver))
    driver.click("session-temporary")
    driver.wait(lambda: driver.find("session-title").get_attribute("data-state") == "temporary", 10, "it is temporary")
    give(driver, photo())
    chips(driver)
    assert ask(driver, "What is on it?")["seen"]
    shown(driver)
    assert len(kept(driver)) == before


def test_a_forked_conversation_has_its_own_copy_of_the_image(driver: ScriptedDriver) -> None:
    before = len(kept(driver))
    give(driver, photo())
    chips(driver)
    ask(driver, "What is on it?")
    driver.click("fork", driver.answer())
    driver.wait(lambda: len(kept(driver)) == before + 2, 10, "there are two")
    shown(driver)


def test_nothing_went_wrong(driver: ScriptedDriver) -> None:
    assert driver.watch is not None
    assert [problem for problem in driver.watch.seen.problems if not problem[0].startswith("page http")] == []
