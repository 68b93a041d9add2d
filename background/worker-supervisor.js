// Keeps one Worker alive for all panels, and carries requests and answers between them.

/** @typedef {{send: (answer: any) => void}} Panel */
/** @typedef {{id: string, type: string}} Request */

const RECOVERY_DELAYS_MS = [250, 1000, 4000];

export class WorkerSupervisor {
  /**
   * @param {object} options
   * @param {() => Worker} options.startWorker
   * @param {string} options.name   of the Worker, in words
   * @param {string} options.lost   code of the error that is the answer to what a lost Worker has not answered
   */
  constructor({ startWorker, name, lost }) {
    this.startWorker = startWorker;
    this.name = name;
    this.lost = lost;
    /** @type {Set<Panel>} */
    this.panels = new Set();
    /** @type {Map<number, {panel: Panel, request: Request}>} what the Worker has not answered */
    this.waiting = new Map();
    /** @type {Worker|null} */
    this.worker = null;
    this.nextKey = 1;
    this.losses = 0;
  }

  /** What a panel is told when it comes. @returns {object} */
  get greeting() {
    throw new Error("abstract");
  }

  /** @param {any} _message  what the Worker says beside answers and its end */
  hear(_message) {}

  /** @param {string} _message */
  hearOfLoss(_message) {}

  /** Nobody tries again by itself. */
  giveUp() {}

  start() {
    const worker = this.startWorker();
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || `${this.name} failed`);
  }

  /** @param {(answer: any) => void} send */
  addPanel(send) {
    const panel = { send };
    this.panels.add(panel);
    send(this.greeting);
    return panel;
  }

  /** What a closed panel asked for is done all the same. @param {Panel} panel */
  removePanel(panel) {
    this.panels.delete(panel);
  }

  /** @param {Panel} panel @param {Request} request */
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

  /** @param {any} message */
  fromWorker(message) {
    if (message.type === "lost") this.onLost(message.message);
    else if (message.type !== "answer") this.hear(message);
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
      this.sendTo(panel, { type: "error", id: request.id, code: this.lost, message });
    this.waiting.clear();
    this.hearOfLoss(message);
    const delay = RECOVERY_DELAYS_MS[this.losses++];
    if (delay === undefined) this.giveUp();
    else setTimeout(() => this.recover(), delay);
  }

  /** What was asked while there was no Worker is told to the new one. */
  recover() {
    this.start();
    for (const [key, { request }] of this.waiting) this.worker?.postMessage({ key, request });
  }

  /** @param {object} news */
  tell(news) {
    for (const panel of this.panels) panel.send(news);
  }

  /** A panel that closed meanwhile has no port any more. @param {Panel} panel @param {object} answer */
  sendTo(panel, answer) {
    if (this.panels.has(panel)) panel.send(answer);
  }
}
