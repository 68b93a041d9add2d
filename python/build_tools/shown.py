"""Elements of a page that may be drawn anew at any moment: each is looked up again, as it was found, if it was replaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")

CSS = (By.CSS_SELECTOR, By.TAG_NAME)
"""The ways of finding that are looked up again."""

PATIENCE = 5.0
"""Seconds until an element must be drawn that is asked for by itself."""

AGAIN = 5
"""So often in a row one element may be replaced while it is read."""

# What is found below a node, and by what each is told from its neighbours when all of it is drawn anew.
FIND = """
const [within, css] = arguments;
return [...(within ?? document).querySelectorAll(css)].map((each) => {
  const {testid, id, name, tool, role} = each.dataset;
  return [each, JSON.stringify([testid, id, name, tool, role])];
});
"""


class Shown(WebElement):
    """An element that is found again if it was replaced: at the same place among what is found so, and of the same name."""

    _recipe: tuple[Shown | None, str, int, str] | None = None

    def found_as(self, within: Shown | None, css: str, place: int, name: str) -> Shown:
        """Remembers how it was found."""
        self._recipe = (within, css, place, name)
        return self

    def find_element(self, by: Any = By.ID, value: Any = None) -> WebElement:
        """Waits until there is one, for it may just be drawn."""
        return _one(self._parent, self, value) if by in CSS else WebElement.find_element(self, by, value)

    def find_elements(self, by: Any = By.ID, value: Any = None) -> list[WebElement]:
        """All that are there now."""
        return [*_all(self._parent, self, value)] if by in CSS else WebElement.find_elements(self, by, value)

    def get_attribute(self, name: str) -> str | None:
        """See WebElement."""
        return self._steadily(lambda: WebElement.get_attribute(self, name))

    def is_displayed(self) -> bool:
        """See WebElement."""
        return self._steadily(lambda: WebElement.is_displayed(self))

    def _execute(self, command: Any, params: Any = None) -> Any:
        return self._steadily(lambda: WebElement._execute(self, command, params))

    def _steadily(self, act: Callable[[], T]) -> T:
        """An act on an element that was replaced did nothing: it is done to the one that replaced it."""
        for _ in range(AGAIN):
            try:
                return act()
            except StaleElementReferenceException:
                if not self._find_again():
                    raise
        return act()

    def _find_again(self) -> bool:
        if self._recipe is None:
            return False
        within, css, place, name = self._recipe
        found = _steady_search(self._parent, within, css)
        if place >= len(found) or found[place][1] != name:
            return False
        self._id = found[place][0].id
        return True


class Chrome(webdriver.Chrome):
    """A Chrome whose elements are Shown."""

    _web_element_cls = Shown

    def find_element(self, by: Any = By.ID, value: Any = None) -> WebElement:
        """Waits until there is one, for it may just be drawn."""
        return _one(self, None, value) if by in CSS else webdriver.Chrome.find_element(self, by, value)

    def find_elements(self, by: Any = By.ID, value: Any = None) -> list[WebElement]:
        """All that are there now."""
        return [*_all(self, None, value)] if by in CSS else webdriver.Chrome.find_elements(self, by, value)


def _one(driver: Any, within: Shown | None, css: str) -> Shown:
    end = time.monotonic() + PATIENCE
    while True:
        if found := _all(driver, within, css):
            return found[0]
        if time.monotonic() > end:
            raise NoSuchElementException(f"nothing is found as {css} within {PATIENCE:g} s")
        time.sleep(0.05)


def _all(driver: Any, within: Shown | None, css: str) -> list[Shown]:
    found = _steady_search(driver, within, css)
    return [element.found_as(within, css, place, name) for place, (element, name) in enumerate(found)]


def _steady_search(driver: Any, within: Shown | None, css: str) -> list[tuple[Shown, str]]:
    def search() -> list[tuple[Shown, str]]:
        return driver.execute_script(FIND, within, css)

    return within._steadily(search) if within else search()  # pyright: ignore[reportPrivateUsage]
