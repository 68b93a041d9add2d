"""What a user does in the panel and sees there."""

from __future__ import annotations

from typing import Any

from build_tools.drive import OFFSCREEN_PATH, PANEL_PATH, Browser
from build_tools.paths import BUILD
from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from watch import Watch

ENDED = ("done", "stopped", "error")

GROUPS = {
    "prompts": "answers",
    "documents": "knowledge",
    "notes": "knowledge",
    "modules": "tools",
    "permissions": "tools",
    "log": "data",
}
"""The tab of each section of the settings that is not the first of a tab of its name."""


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

    def start(self, url: str, **preferences: Any) -> None:
        """Opens the page and the panel beside it, and waits until both Python and the engine are ready."""
        if preferences:
            self.open(self.url("manifest.json"))
            self.driver.execute_async_script(
                "chrome.storage.local.set(arguments[0]).then(arguments[1])", {"preferences": preferences}
            )
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

        def is_clicked() -> bool:
            element = self._last(root.find_elements("css selector", f'[data-testid="{testid}"]'))
            ActionChains(self.driver).move_to_element(within or element).perform()
            element.click()
            return True

        self.wait(is_clicked, 10, f"{testid} is there")

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
            raise NoSuchElementException("nothing of that kind yet")
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

        def ended() -> str | None:
            states, is_busy = self.driver.execute_script(ANSWERS)
            return states[-1] if len(states) == count and states[-1] in ENDED and not is_busy else None

        return self.wait(ended, timeout, f"answer {count} has ended")

    def error(self) -> str:
        """The words of the error shown last."""
        return self.wait(lambda: self.find_all("error")[-1:], 30, "an error is shown")[0].text

    def picture(self, name: str) -> None:
        """Keeps a picture of the current window in build/pictures."""
        folder = BUILD / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / f"{name}.png"))

    # -- tools

    def wait_asked(self) -> WebElement:
        """The question that the panel asks."""
        return self.wait(lambda: self.find_all("approval")[:1], 30, "the panel asks")[0]

    def approve(self, scope: str = "") -> None:
        """Allows what the panel asks: once, or for "session" or "always"."""
        self._decide(f"approve-{scope}" if scope else "approve")

    def deny(self) -> None:
        """Denies what the panel asks."""
        self._decide("deny")

    def _decide(self, button: str) -> None:
        """Clicks until the question is gone: one that has just appeared takes no click."""
        asked = self.wait_asked().get_attribute("data-id")

        def is_answered() -> bool:
            still_asked = self.find_all("approval", f'[data-id="{asked}"]')
            for shown in still_asked[:1]:
                shown.find_element("css selector", f'[data-testid="{button}"]').click()
            return not still_asked

        self.wait(is_answered, 20, f"the question is answered with {button}")

    def step(self, tool: str) -> WebElement:
        """The last call of a tool that is shown."""
        return self.wait(lambda: self.find_all("step", f'[data-tool="{tool}"]')[-1:], 30, f"a call of {tool} is shown")[0]

    def open_step(self, tool: str) -> WebElement:
        """The last call of a tool, opened."""
        step = self.step(tool)
        toggle = step.find_element("css selector", '[data-testid="step-toggle"]')
        if toggle.get_attribute("aria-expanded") != "true":
            toggle.click()
        self.wait(lambda: toggle.get_attribute("aria-expanded") == "true", 10, "the step is open")
        return step

    def step_output(self, tool: str) -> str:
        """What the last call of a tool gave to the model, which is opened for it."""
        step = self.open_step(tool)
        return self.wait(lambda: step.find_elements("css selector", '[data-testid="step-output"]'), 10, "the result is shown")[
            0
        ].text

    # -- settings

    def open_settings(self, section: str) -> None:
        """Opens the settings at a section: permissions, notes, tools, modules, log and the others."""
        if not self.is_settings_open():
            self.click("settings")
            self.wait(self.is_settings_open, 10, "the settings are open")
        if (group := GROUPS.get(section)) and not self.find_all(f"settings-{section}"):
            self.click(f"settings-{group}")
            self.wait(lambda: self.find_all(f"settings-{section}"), 10, f"the {group} are shown")
        is_shown = f'#settings-panel[data-section="{section}"]'
        if not self.driver.find_elements("css selector", is_shown):
            self.click(f"settings-{section}")
        self.wait(lambda: self.driver.find_elements("css selector", is_shown), 10, f"the {section} are shown")

    def close_settings(self) -> None:
        """Goes back to the conversation."""
        self.click("settings-close")
        self.wait(lambda: not self.is_settings_open(), 10, "the settings are closed")

    def limit_answers(self, tokens: str) -> None:
        """Sets in the settings how long an answer may be; "" for as long as the model's window lets it."""
        self.open_settings("answers")
        self.find("longest-answer").send_keys(Keys.CONTROL, "a", Keys.NULL, tokens or Keys.DELETE, Keys.TAB)
        kept = int(tokens) if tokens else None
        self.wait(lambda: (self.stored("preferences") or {}).get("longest_answer") == kept, 10, "it is kept")
        self.close_settings()

    def is_settings_open(self) -> bool:
        """Whether the settings lie over the conversation."""
        return self.driver.execute_script("return document.querySelector('[data-testid=settings-dialog]').open")

    def stored(self, name: str) -> Any:
        """What the extension keeps under a name."""
        script = "const [name, done] = arguments; chrome.storage.local.get(name).then((kept) => done(kept[name] ?? null))"
        return self.driver.execute_async_script(script, name)

    def rows(self, database: str, table: str, pick: str = "(row) => row") -> list[Any]:
        """What lies in a table of IndexedDB, as `pick` shows each row; none if the extension has not made the database yet."""
        return self.driver.execute_script(ROWS.replace("PICK", pick), database, table)

    def notices(self) -> list[str]:
        """The notices that are shown."""
        return self.texts("notice")

    def picture_in_both(self, name: str) -> None:
        """Keeps a light and a dark picture of the current window."""
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
            self.picture(f"{name}-{scheme}")
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


class ScriptedDriver(PanelDriver):
    """A panel whose engine is scripted_engine/worker.js. Must be in the panel, or another page of the extension."""

    def script(self, *answers: str) -> None:
        """What the model says next, an answer a request; asks before are forgotten."""
        self.driver.execute_async_script(SPEAK, {"answers": answers}, "ready")

    def requests(self) -> list[dict[str, Any]]:
        """What the model was asked since then."""
        return self.driver.execute_async_script(SPEAK, {"ask": "requests"}, "requests")

    def prompts(self) -> str:
        """All that the model was told since then."""
        return "\n".join(message["content"] for request in self.requests() for message in request["messages"])

    def open_tab(self, url: str) -> int:
        """Opens a tab behind the one in front, waits until it is loaded, and returns its id."""
        return self.driver.execute_async_script(OPEN_TAB, url)

    def forget_stored(self) -> None:
        """Takes back all grants and notes, as if nobody had ever made one."""
        self.driver.execute_async_script("chrome.storage.local.remove(['grants', 'notes']).then(arguments[0])")


# All at one moment: the states of the answers, and whether one is under way.
ANSWERS = """
const answers = document.querySelectorAll('[data-testid="message"][data-role="assistant"]');
return [[...answers].map((each) => each.dataset.state), document.body.dataset.busy === "true"];
"""

# A database that is not there is not made here, for it would be one without tables.
ROWS = """
const [name, table] = arguments;
return new Promise((resolve, reject) => {
  const opening = indexedDB.open(name);
  let isMissing = false;
  opening.onupgradeneeded = () => { isMissing = true; opening.transaction.abort(); };
  opening.onerror = () => (isMissing ? resolve([]) : reject(opening.error));
  opening.onblocked = () => reject(new Error("blocked"));
  opening.onsuccess = () => {
    const database = opening.result;
    try {
      const asked = database.transaction(table).objectStore(table).getAll();
      asked.onsuccess = () => resolve(asked.result.map(PICK));
      asked.onerror = () => reject(asked.error);
    } catch (error) {
      reject(error);
    } finally {
      database.close(); // once the transaction has ended
    }
  };
});
"""

OPEN_TAB = """
const [url, done] = arguments;
chrome.tabs.create({url, active: false}).then(({id}) => {
  const look = async () => {
    const tab = await chrome.tabs.get(id);
    if (tab.status !== 'complete' || tab.url !== url) return;
    chrome.tabs.onUpdated.removeListener(look);
    done(id);
  };
  chrome.tabs.onUpdated.addListener(look);
  look();
});
"""

SPEAK = """
const [message, expected, done] = arguments;
const channel = new BroadcastChannel('scripted-engine');
// Again and again, for an engine that is just starting hears nothing yet.
const speaking = setInterval(() => channel.postMessage(message), 200);
channel.onmessage = ({data}) => {
  if (!(expected in data)) return;
  clearInterval(speaking);
  channel.close();
  done(data[expected]);
};
channel.postMessage(message);
"""
