"""Questions in the real panel, timed as their user sees them: from the click on Send until text is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..drive import OFFSCREEN_PATH, PANEL_PATH, Browser

# What the engine's Worker is asked and says, with the times at which it passes through the offscreen document.
WATCH_WORKER = """
const now = () => performance.timeOrigin + performance.now();
const watched = new WeakSet();
const { postMessage } = Worker.prototype;
const record = ({ data }) => {
  if (!window.bench || data.key !== bench.key) return;
  if (data.type === 'delta') {
    bench.first ||= now();
    bench.last = now();
    bench.text += data.text;
  } else if (data.type === 'done') bench.usage = data.usage;
};
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.type === 'complete') {
    if (!watched.has(this)) this.addEventListener('message', record);
    watched.add(this);
    window.bench = { key: message.key, request: message.request, posted: now(), first: 0, last: 0, text: '', usage: null };
    (window.benchRequests ??= []).push(window.bench);
  }
  return postMessage.call(this, message, ...rest);
};
"""
TAKE = "const taken = window.benchRequests ?? []; window.benchRequests = []; return taken"

ASK = """
const [text, done] = arguments;
const find = (id) => document.querySelector(`[data-testid=${id}]`);
const frame = () => new Promise(requestAnimationFrame);
const answers = () => document.querySelectorAll('[data-testid=message][data-role=assistant]');
const before = answers().length;
const ended = () => answers().length > before && !['streaming', 'queued'].includes([...answers()].at(-1).dataset.state)
  && document.body.dataset.busy === 'false';
(async () => {
  const box = find('composer');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
  box.dispatchEvent(new InputEvent('input', { bubbles: true }));
  while (!find('send') || find('send').disabled) await frame();
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: 'longtask' });
  const times = [];
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => times.push(performance.now());  // after the frame that the panel draws in
  let shown = '';
  const look = () => {
    const now = answers().length > before && [...answers()].at(-1).querySelector('[data-testid=message-text]').textContent;
    if (now && now !== shown) port2.postMessage(null);
    shown = now || '';
    if (ended()) finish();
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  const began = performance.now();
  const finish = async () => {
    watch.disconnect();
    await frame();
    observer.disconnect();
    const state = [...answers()].at(-1).dataset.state;
    done({ state, began: performance.timeOrigin + began, first: times[0] - began, last: times.at(-1) - began,
      long: Math.max(0, ...long) });
  };
  find('send').click();
})();
"""

# One token of an answer that has nothing to do with any other: what is asked next finds none of its prompt in the engine's cache.
FLUSH = """
const done = arguments[0];
const port = chrome.runtime.connect({ name: 'engine' });
const say = (content) => [{ role: 'system', content }, { role: 'user', content }];
port.onMessage.addListener(({ id, type, message }) => {
  if (id !== 'flush' || !['done', 'error'].includes(type)) return;
  port.disconnect();
  done(type === 'error' ? message : '');
});
port.postMessage({ type: 'complete', id: 'flush', request: { messages: say('Nothing'), max_tokens: 1, temperature: 0 } });
"""

PREFER = """
const [preferences, done] = arguments;
chrome.storage.local.set({ preferences }).then(() => done());
"""


class PanelChat(Browser):
    """A browser with the panel, whose engine's Worker is watched."""

    def __init__(self, extension: Path, browser: str, longest_answer: int) -> None:
        super().__init__(extension, browser)
        self.driver.set_script_timeout(600)
        self._longest = longest_answer

    def __enter__(self) -> PanelChat:
        return self

    def start(self, url: str) -> None:
        """Opens the page and the panel beside it, and waits until both Python and the engine are ready."""
        self.open(self.url("manifest.json"))
        self.driver.execute_async_script(PREFER, {"longest_answer": self._longest})
        self.open(url)
        self.open_panel()
        self.wait_ready()
        self.driver.switch_to.window(self.handles(OFFSCREEN_PATH)[0])
        self.driver.execute_script(WATCH_WORKER)
        self.to_panel()

    def wait_ready(self) -> None:
        """Waits until Python and the engine are ready."""
        python = "return document.body.dataset.python"
        self.wait(lambda: self.driver.execute_script(python) == "ready", 90, "Python is ready")
        self.wait_engine("ready")

    def to_panel(self) -> None:
        """Switches to the panel."""
        self.driver.switch_to.window(self.handles(PANEL_PATH)[0])

    def choose_model(self, model: str) -> None:
        """Picks a model and waits until it is loaded."""
        self.find("model-picker").find_element("css selector", f'option[value="{model}"]').click()
        chosen = f'[data-testid="model-picker"] option[value="{model}"]:checked'
        self.wait(lambda: self.driver.find_elements("css selector", chosen), 30, "the choice is shown")
        self.flush()  # waits for it
        self.wait_engine("ready")

    def flush(self) -> None:
        """Leaves nothing of what was asked so far in the engine's cache."""
        if error := self.driver.execute_async_script(FLUSH):
            raise RuntimeError(f"the engine does not answer: {error}")

    def new_session(self) -> None:
        """Begins anew, with nothing shown and nothing running."""
        self.find("new-session").click()
        self.wait(lambda: not self.find_all("message"), 20, "the panel is empty")

    def ask(self, text: str) -> dict[str, Any]:
        """Asks, and waits for the end. Milliseconds from the click until the first and the last text was drawn (first, last), and
        the longest task of the panel (long); the answer's state; when the click was (began, since the epoch)."""
        return self.driver.execute_async_script(ASK, text)

    def taken(self) -> list[dict[str, Any]]:
        """What the engine's Worker was asked since this was asked last, and what it said: request, text, usage, and when it was
        asked and said its first and last text (posted, first, last: milliseconds since the epoch)."""
        self.driver.switch_to.window(self.handles(OFFSCREEN_PATH)[0])
        taken = self.driver.execute_script(TAKE)
        self.to_panel()
        return taken
