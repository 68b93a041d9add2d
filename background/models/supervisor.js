// Keeps the downloads' Worker alive for all panels, and carries requests and answers between them.

/** @import { Model, ModelsAnswer, ModelsRequest } from "../protocol.js" */

/** @typedef {{send: (answer: ModelsAnswer) => void}} Panel */

const RECOVERY_DELAYS_MS = [250, 1000, 4000];

export class DownloadsSupervisor {
  /**
   * @param {object} options
   * @param {() => Worker} options.startWorker
   * @param {() => void} options.persist     asks the browser not to evict what is kept; only a page may
   * @param {(models: Model[]) => void} options.onModels   complete ones, whenever there are others
   */
  constructor({ startWorker, persist, onModels }) {
    this.startWorker = startWorker;
    this.persist = persist;
    this.onModels = onModels;
    /** @type {Set<Panel>} */
    this.panels = new Set();
    /** @type {Map<number, {panel: Panel, request: ModelsRequest}>} what the Worker has not answered */
    this.waiting = new Map();
    /** @type {Worker|null} */
    this.worker = null;
    this.nextKey = 1;
    this.losses = 0;
    /** @type {ModelsAnswer} what panels were told last */
    this.news = { type: "downloads", downloads: [], storage: { usage: 0, quota: 0, models: 0 } };
    /** @type {Model[]} */
    this.models = [];
    /** Settled once panels can be told which models are there. @type {Promise<void>} */
    this.known = new Promise((resolve) => {
      this.makeKnown = resolve;
    });
    this.start();
  }

  start() {
    const worker = this.startWorker();
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || "the downloads' Worker failed");
  }

  /** @param {(answer: ModelsAnswer) => void} send */
  addPanel(send) {
    const panel = { send };
    this.panels.add(panel);
    send(this.news);
    return panel;
  }

  /** What a closed panel wanted is fetched all the same. @param {Panel} panel */
  removePanel(panel) {
    this.panels.delete(panel);
  }

  /** @param {Panel} panel @param {ModelsRequest} request */
  handle(panel, request) {
    if (!this.worker && this.losses > RECOVERY_DELAYS_MS.length) this.startAgain();
    if (request.type === "models.download") this.persist();
    const key = this.nextKey++;
    this.waiting.set(key, { panel, request });
    this.worker?.postMessage({ key, request });
  }

  /** The engine found a model that is not whole. */
  check() {
    this.worker?.postMessage({ check: true });
  }

  /** Somebody asks for what was given up. */
  startAgain() {
    this.losses = 0;
    this.start();
  }

  /** @param {any} message see worker.js */
  fromWorker(message) {
    if (message.type === "downloads") this.tell(message);
    else if (message.type === "models") this.setModels(message.models);
    else if (message.type === "lost") this.onLost(message.message);
    else {
      this.losses = 0;
      const asked = this.waiting.get(message.key);
      this.waiting.delete(message.key);
      if (asked) this.sendTo(asked.panel, { ...message.answer, id: asked.request.id });
    }
  }

  /** What was wanted is on the disk, so the next Worker goes on with it by itself. @param {string} message */
  onLost(message) {
    this.worker?.terminate();
    this.worker = null;
    for (const { panel, request } of this.waiting.values())
      this.sendTo(panel, { type: "error", id: request.id, code: "downloads-lost", message });
    this.waiting.clear();
    const delay = RECOVERY_DELAYS_MS[this.losses++];
    if (delay === undefined)
      this.setModels(this.models); // whoever waits to hear of them need not wait any longer
    else setTimeout(() => this.recover(), delay);
  }

  /** @param {Model[]} models */
  setModels(models) {
    this.models = models;
    this.onModels(models);
    this.makeKnown?.();
  }

  /** What was asked while there was no Worker is told to the new one. */
  recover() {
    this.start();
    for (const [key, { request }] of this.waiting) this.worker?.postMessage({ key, request });
  }

  /** @param {ModelsAnswer} news */
  tell(news) {
    this.news = news;
    for (const panel of this.panels) panel.send(news);
  }

  /** A panel that closed meanwhile has no port any more. @param {Panel} panel @param {ModelsAnswer} answer */
  sendTo(panel, answer) {
    if (this.panels.has(panel)) panel.send(answer);
  }
}
