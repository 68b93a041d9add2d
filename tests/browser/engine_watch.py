"""Reaches into the engine's Worker, and what one does in the panel around a fault."""

from __future__ import annotations

from typing import Any

from panel_driver import PanelDriver
from watch import Watch

# Run in the engine's Worker when its first message comes: its interfaces are not there before its script is.
KEEP_DEVICES = """
    self.devices = [];
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await requestDevice.call(this, descriptor);
        devices.push(device);
        return device;
    };
"""


class EngineWatch(Watch):
    """Reaches into the engine's Worker: what `prepare` says is done in each before it loads a model."""

    prepare = KEEP_DEVICES
    engine = ""  # DevTools session of the latest Worker

    def lose_device(self) -> None:
        """The engine's graphics card goes away."""
        self._send("Runtime.evaluate", {"expression": "devices.at(-1).destroy()"}, self.engine)

    def _attached(self, session: str, target: dict[str, Any]) -> None:
        if target["url"].endswith("engines/webllm.js"):
            self.engine = session
            prepare = f"self.addEventListener('message', () => {{ {self.prepare} }}, {{ once: true }});"
            self._send("Runtime.evaluate", {"expression": prepare}, session)
        super()._attached(session, target)


def begin(panel: PanelDriver, characters: int = 30) -> str:
    """Asks, and returns the first words of the answer while it is still being written."""
    panel.ask("Tell me more")
    panel.wait_streaming(characters)
    return panel.answer_text()


def assert_chats(panel: PanelDriver) -> None:
    """A question is answered, and the answer can be stopped."""
    answers = len(panel.messages("assistant"))
    panel.ask("And now?")
    panel.wait(lambda: len(panel.messages("assistant")) > answers, 20, "an answer begins")
    panel.wait_streaming(5)
    panel.click("stop")
    assert panel.wait_answer(answers + 1, timeout=30) == "stopped"
    panel.wait_engine("ready", 15)


def stop(panel: PanelDriver) -> None:
    """Stops the answer that is being written."""
    panel.click("stop")
    assert panel.wait_answer(timeout=30) == "stopped"
