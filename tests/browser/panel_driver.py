"""What a user does in the panel and sees there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from build_tools.drive import OFFSCREEN_PATH, PANEL_PATH, Browser
from build_tools.paths import BUILD
from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from watch import Watch

ENDED = ("done", "stopped", "error")


class PanelDriver(Browser):
    """A browser with the panel open."""

    watch: Watch | None = None

    def watch_all(self) -> None:
        """Begins to watch every context."""
        self.watch = Watch(self.driver)

    def quit(self) -> None:
        if self.watch:
            self.watch.close()
        super().quit()

    def start(self, url: str) -> None:
        """Opens the page and the panel beside it, and waits until both Python and the engine are ready."""
        self.open(url)
        self.open_panel()
        self.wait_ready()

    def wait_ready(self, timeout: float = 90) -> None:
        """Waits until Python and the engine are ready."""
        self.wait(
            lambda: self.driver.execute_script("return document.body.dataset.python") == "ready", timeout, "Python is ready"
        )
        self.wait_engine("ready", timeout)

    def to_panel(self, index: int = 0) -> None:
        """Switches to the panel, or the panel of another window."""
        self.driver.switch_to.window(self.handles(PANEL_PATH)[index])

    def close_panel(self, handle: str | None = None) -> None:
        """Closes a panel, or the only one, and goes back to the page."""
        self.driver.switch_to.window(handle or self.handles(PANEL_PATH)[0])
        self.driver.close()
        self.driver.switch_to.window(self.page)

    def to_offscreen(self) -> None:
        """Switches to the offscreen document."""
        self.driver.switch_to.window(self.handles(OFFSCREEN_PATH)[0])

    # -- doing

    def type(self, text: str, *keys: str) -> None:
        """Types into the composer."""
        self.wait(lambda: self.find("composer").is_displayed(), 10, "the composer is there")
        self.find("composer").send_keys(text, *keys)

    def paste(self, text: str) -> None:
        """Puts a long text into the composer at once, as pasting does."""
        self.find("composer").click()
        self.driver.execute_script("document.execCommand('insertText', false, arguments[0])", text)

    def ask(self, text: str) -> None:
        """Types and sends."""
        self.type(text, Keys.ENTER)

    def click(self, testid: str, within: WebElement | None = None) -> None:
        """Clicks a control, which may be shown only while the pointer is over its message."""
        root: Any = within or self.driver

        def control() -> WebElement | None:
            found = root.find_elements("css selector", f'[data-testid="{testid}"]')
            return found[-1] if found else None

        element = self.wait(control, 10, f"{testid} is there")
        ActionChains(self.driver).move_to_element(within or element).perform()
        element.click()

    def choose_model(self, model: str) -> None:
        """Picks a model by its id."""
        self.find("model-picker").find_element("css selector", f'option[value="{model}"]').click()

    def new_session(self) -> None:
        """Begins anew, with nothing shown and nothing running."""
        self.click("new-session")
        self.wait(lambda: not self.messages() and not self.is_busy(), 20, "the panel is empty")

    # -- seeing

    def messages(self, role: str = "") -> list[WebElement]:
        """The messages shown, of one role or all."""
        return self.find_all("message", f'[data-role="{role}"]' if role else "")

    def answer(self) -> WebElement:
        """The last answer."""
        return self._last(self.messages("assistant"))

    @staticmethod
    def _last(found: list[WebElement]) -> WebElement:
        if not found:
            raise NoSuchElementException("no such message yet")
        return found[-1]

    def answer_text(self) -> str:
        """The words of the last answer."""
        found = self.answer().find_elements("css selector", '[data-testid="message-text"]')
        return found[0].text if found else ""

    def answer_state(self) -> str:
        """The state of the last answer."""
        return self.answer().get_attribute("data-state") or ""

    def is_busy(self) -> bool:
        """Whether an answer is under way."""
        return self.driver.execute_script("return document.body.dataset.busy") == "true"

    def wait_streaming(self, characters: int = 1, timeout: float = 60) -> None:
        """Waits until the last answer shows some words and is still being written."""
        self.wait(
            lambda: self.answer_state() == "streaming" and len(self.answer_text()) >= characters,
            timeout,
            "an answer streams",
        )

    def wait_answer(self, count: int = 1, timeout: float = 120) -> str:
        """Waits until there are `count` answers and the last has ended; returns its state."""
        self.wait(
            lambda: len(self.messages("assistant")) == count and self.answer_state() in ENDED and not self.is_busy(),
            timeout,
            f"answer {count} has ended",
        )
        return self.answer_state()

    def error(self) -> str:
        """The words of the error shown last."""
        return self.wait(lambda: self.find_all("error")[-1:], 30, "an error is shown")[0].text

    def picture(self, name: str) -> Path:
        """Keeps a picture of the current window in build/pictures."""
        folder = BUILD / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / f"{name}.png"))
        return folder / f"{name}.png"
