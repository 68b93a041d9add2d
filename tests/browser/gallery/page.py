"""Handles on the gallery's page for tests: open a scene, find by data-testid, wait for a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gallery.server import build, open_chromium, serve
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

FRAMES = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[arguments.length - 1]()))"


class Panel:
    """The real views in a real browser, with a made-up Python behind them."""

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self.browser = browser
        self.address = address

    def show(self, scene: str = "") -> None:
        """Open a scene of scenes.js and wait until it is on the screen."""
        self.browser.get(f"{self.address}/gallery.html?scene={scene}")
        self.settle()

    def settle(self) -> None:
        """Wait until what has been dispatched is on the screen."""
        self.browser.execute_async_script(FRAMES)

    def press(self, *keys: str) -> None:
        """Type, wherever the keyboard is."""
        ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()

    def chord(self, modifier: str, key: str) -> None:
        """Press a key while a modifier is held."""
        ActionChains(self.browser).key_down(modifier).send_keys(key).key_up(modifier).perform()
        self.settle()

    def click(self, testid: str, index: int = 0) -> None:
        """Click an element of this data-testid."""
        self.all(testid)[index].click()
        self.settle()

    def open_section(self, section: str) -> None:
        """Open a section of the settings, in whichever tab it is."""
        self.dispatch({"type": "settings-section", "section": section})

    def dispatch(self, *events: dict[str, Any]) -> None:
        """What Python would say, then a frame."""
        self.run("for (const event of arguments[0]) gallery.dispatch(event)", list(events))
        self.settle()

    def sent(self) -> list[dict[str, Any]]:
        """The commands the view has sent to Python."""
        return self.run("return gallery.sent")

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript in the page."""
        return self.browser.execute_script(script, *arguments)

    def all(self, testid: str) -> list[WebElement]:
        """Every element of this data-testid."""
        return self.browser.find_elements(By.CSS_SELECTOR, f'[data-testid="{testid}"]')

    def one(self, testid: str) -> WebElement:
        """The only element of this data-testid; an assertion error if there are none or more."""
        found = self.all(testid)
        assert len(found) == 1, f"{len(found)} of {testid}"
        return found[0]

    def focused(self) -> str | None:
        """The data-testid of what has the keyboard."""
        return self.browser.switch_to.active_element.get_dom_attribute("data-testid")

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition, ten seconds at most."""
        passing = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.browser, 10, 0.05, passing).until(lambda _: condition())


@contextmanager
def open_panel(width: int = 360, height: int = 720) -> Iterator[Panel]:
    """The gallery, built, served and opened."""
    build()
    with serve() as address, open_chromium(width, height) as browser:
        yield Panel(browser, address)
