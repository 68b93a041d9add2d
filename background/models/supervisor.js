// Keeps the downloads' Worker alive for all panels, and tells them the news.

import { WorkerSupervisor } from "../worker-supervisor.js";

/** @import { Model, ModelsAnswer, ModelsRequest } from "../protocol.js" */
/** @import { Asked } from "./relay.js" */
/** @import { Panel } from "../worker-supervisor.js" */

export class DownloadsSupervisor extends WorkerSupervisor {
  /**
   * @param {object} options
   * @param {() => Worker} options.startWorker
   * @param {{serve: (asked: Asked) => void, end: () => void}} options.relay   makes the Worker's requests
   * @param {() => void} options.persist     asks the browser not to evict what is kept; only a page may
   * @param {(models: Model[]) => void} options.onModels   complete ones, whenever there are others
   */
  constructor({ startWorker, relay, persist, onModels }) {
    super({ startWorker, name: "the downloads' Worker", lost: "downloads-lost" });
    this.relay = relay;
    this.persist = persist;
    this.onModels = onModels;
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

  /** @override */
  get greeting() {
    return this.news;
  }

  /** @override @param {Panel} panel @param {ModelsRequest} request */
  handle(panel, request) {
    if (request.type === "models.download") this.persist();
    super.handle(panel, request);
  }

  /** The engine found a model that is not whole. */
  check() {
    this.worker?.postMessage({ check: true });
  }

  /** @override @param {any} message see worker.js */
  hear(message) {
    if (message.type === "fetch") this.relay.serve(message);
    else if (message.type === "models") this.setModels(message.models);
    else {
      this.news = message;
      this.tell(message);
    }
  }

  /** Nobody takes what it asked for. @override */
  hearOfLoss() {
    this.relay.end();
  }

  /** Whoever waits to hear of the models need not wait any longer. @override */
  giveUp() {
    this.setModels(this.models);
  }

  /** @param {Model[]} models */
  setModels(models) {
    this.models = models;
    this.onModels(models);
    this.makeKnown?.();
  }
}
