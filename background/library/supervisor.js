// Keeps the library's Worker alive for all panels, and carries requests and answers between them.

/** @import { LibraryAnswer, LibraryRequest, LibraryState } from "../protocol.js" */

/** @typedef {{send: (answer: LibraryAnswer) => void}} Panel */

const RECOVERY_DELAYS_MS = [250, 1000, 4000];

export class LibrarySupervisor {
  /** @param {{startWorker: () => Worker}} options */
  constructor({ startWorker }) {
    this.startWorker = startWorker;
    /** @type {Set<Panel>} */
    this.panels = new Set();
    /** @type {Map<number, {panel: Panel, request: LibraryRequest}>} what the Worker has not answered */
    this.waiting = new Map();
    /** @type {Worker|null} */
    this.worker = null;
    this.nextKey = 1;
    this.losses = 0;
    /** @type {LibraryState} */
    this.state = { state: "loading", documents: 0, chunks: 0, embedded: 0, computed: 0, device: null, error: null };
    this.start();
  }

  start() {
    const worker = this.startWorker();
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || "the library's Worker failed");
  }

  /** @param {(answer: LibraryAnswer) => void} send */
  addPanel(send) {
    const panel = { send };
    this.panels.add(panel);
    send({ type: "library", state: this.state });
    return panel;
  }

  /** What a closed panel asked for is done all the same; what was kept for panels alone goes with the last. @param {Panel} panel */
  removePanel(panel) {
    if (this.panels.delete(panel) && this.panels.size === 0) this.forgetTemporary();
  }

  /** Without a Worker nothing need be said: the next one begins with this. */
  forgetTemporary() {
    this.worker?.postMessage({ key: this.nextKey++, request: { type: "library.forget-temporary", id: "" } });
  }

  /** @param {Panel} panel @param {LibraryRequest} request */
  handle(panel, request) {
    if (!this.worker && this.losses > RECOVERY_DELAYS_MS.length) this.startAgain();
    const key = this.nextKey++;
    this.waiting.set(key, { panel, request });
    this.worker?.postMessage({ key, request });
  }

  /** Somebody asks for what was given up. */
  startAgain() {
    this.losses = 0;
    this.start();
  }

  /** @param {any} message see worker.js */
  fromWorker(message) {
    if (message.type === "state") this.setState(message.state);
    else if (message.type === "lost") this.onLost(message.message);
    else {
      this.losses = 0;
      const asked = this.waiting.get(message.key);
      this.waiting.delete(message.key);
      if (asked) this.sendTo(asked.panel, { ...message.answer, id: asked.request.id });
    }
  }

  /** @param {string} message */
  onLost(message) {
    this.worker?.terminate();
    this.worker = null;
    for (const { panel, request } of this.waiting.values())
      this.sendTo(panel, { type: "error", id: request.id, code: "library-lost", message });
    this.waiting.clear();
    this.setState({ ...this.state, state: "loading", error: { code: "library-lost", message } });
    const delay = RECOVERY_DELAYS_MS[this.losses++];
    if (delay === undefined) this.setState({ ...this.state, state: "idle" });
    else setTimeout(() => this.recover(), delay);
  }

  /** What was asked while there was no Worker is told to the new one. */
  recover() {
    this.start();
    for (const [key, { request }] of this.waiting) this.worker?.postMessage({ key, request });
  }

  /** A panel that closed meanwhile has no port any more. @param {Panel} panel @param {LibraryAnswer} answer */
  sendTo(panel, answer) {
    if (this.panels.has(panel)) panel.send(answer);
  }

  /** @param {LibraryState} state */
  setState(state) {
    this.state = state;
    for (const panel of this.panels) panel.send({ type: "library", state });
  }
}
