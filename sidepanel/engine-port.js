// The port to the offscreen document: makes the document when it is missing, connects, and does so again when it is gone.

import { ensureDocument } from "../background/offscreen-document.js";
import { ENGINE_PORT } from "../background/protocol.js";

/** @import { Keep, Request } from "../background/protocol.js" */

const RETRY_MS = [0, 200, 500, 1000, 2000];
const WARM_UP = "warm-up";

export class EnginePort {
  /** @param {(message: object) => void} toPython */
  constructor(toPython) {
    this.toPython = toPython;
    /** @type {chrome.runtime.Port|null} */
    this.port = null;
    this.failures = 0;
  }

  async open() {
    try {
      await ensureDocument();
    } catch (error) {
      return this.onGone(String(error));
    }
    const port = chrome.runtime.connect({ name: ENGINE_PORT });
    port.onMessage.addListener((message) => {
      if (this.port !== port) this.onReady(port); // its first message says that the document is up
      // The model that was chosen once is no longer in the package.
      if (message.id === WARM_UP && message.code === "unknown-model") this.post({ type: "load", id: WARM_UP });
      this.toPython({ type: "from-engine", message });
    });
    port.onDisconnect.addListener(() => this.onGone(chrome.runtime.lastError?.message ?? "the port was closed"));
  }

  /** @param {chrome.runtime.Port} port */
  async onReady(port) {
    this.port = port;
    this.failures = 0;
    // The model starts to load here and not once Python is up: that is a second sooner.
    const { model, engine, preferences } = await chrome.storage.local.get(["model", "engine", "preferences"]);
    const minutes = /** @type {{keep_minutes?: unknown} | undefined} */ (preferences)?.keep_minutes;
    if (minutes === null || typeof minutes === "number") this.post({ type: "keep", minutes });
    const insists = engine === "cpu" || engine === "gpu";
    this.post({
      type: "load",
      id: WARM_UP,
      ...(typeof model === "string" ? { model } : {}),
      ...(insists ? { engine } : {}),
    });
  }

  /** Connects anew: whoever listens now hears the state from the start, and what was asked before is dropped. */
  reopen() {
    if (!this.port) return; // that is under way
    this.port.disconnect();
    this.port = null;
    this.open();
  }

  /** @param {string} reason */
  onGone(reason) {
    this.port = null;
    this.toPython({ type: "engine-gone", reason });
    const delay = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    setTimeout(() => this.open(), delay);
  }

  /** Python asks only engines that it heard of, so a message without a port belongs to one that just went. @param {Request|Keep} message */
  post(message) {
    this.port?.postMessage(message);
  }
}
