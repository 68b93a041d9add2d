// The port to the offscreen document: makes the document when it is missing, connects, and does so again when it is gone.

import { ensureDocument } from "../background/offscreen-document.js";
import { ENGINE_PORT } from "../background/protocol.js";

/** @import { Keep, Model, Offer, Request } from "../background/protocol.js" */

const RETRY_MS = [0, 200, 500, 1000, 2000];
const WARM_UP = "warm-up";

export class EnginePort {
  /** @param {(message: object) => void} toPython */
  constructor(toPython) {
    this.toPython = toPython;
    /** @type {chrome.runtime.Port|null} */
    this.port = null;
    this.failures = 0;
    /** @type {string|undefined} what was chosen in this panel, whatever others have chosen since */
    this.model = undefined;
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
      if (message.id === WARM_UP && message.code === "unknown-model") {
        this.model = undefined;
        this.post({ type: "load", id: WARM_UP });
      }
      this.toPython({ type: "from-engine", message });
    });
    port.onDisconnect.addListener(() => this.onGone(chrome.runtime.lastError?.message ?? "the port was closed"));
  }

  /** @param {chrome.runtime.Port} port */
  async onReady(port) {
    this.port = port;
    this.failures = 0;
    // The model starts to load here and not once Python is up: that is a second sooner.
    const { model: last, preferences, servers } = await chrome.storage.local.get(["model", "preferences", "servers"]);
    const { keep_minutes: minutes, run_on: engine } = /** @type {{keep_minutes?: unknown, run_on?: unknown}} */ (
      preferences ?? {}
    );
    const model = this.model ?? last;
    if (minutes === null || typeof minutes === "number") this.post({ type: "keep", minutes });
    this.post({ type: "offer", models: await permitted(servers) });
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

  /** Python asks only engines that it heard of, so a message without a port belongs to one that just went. @param {Request|Keep|Offer} message */
  post(message) {
    if (message.type === "load" && message.model && message.id !== WARM_UP) this.model = message.model;
    this.port?.postMessage(message);
  }
}

/**
 * The models of the servers that the user has set up (see python/amplifier_browser/models/servers.py), and lets the extension reach.
 * @param {any} servers  as stored
 * @returns {Promise<Model[]>}
 */
async function permitted(servers) {
  /** @type {{permission: string, models: Model[]}[]} */
  const known = Array.isArray(servers) ? servers : [];
  const models = known.map(async ({ permission, models }) =>
    (await chrome.permissions.contains({ origins: [permission] })) ? models : [],
  );
  return (await Promise.all(models)).flat();
}
