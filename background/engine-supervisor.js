// Keeps one engine Worker alive for all panels: one queue, explicit states, and a new Worker whenever the GPU is lost.

/** @import { Answer, EngineState, ErrorCode, Model, Request } from "./protocol.js" */

/** @typedef {{send: (answer: Answer) => void}} Panel */
/** @typedef {{panel: Panel, request: Request, key: number, aborted: boolean}} Job */
/** @typedef {{default: string, models: Model[]}} ModelIndex */

const RECOVERY_DELAYS_MS = [250, 1000, 2000, 4000, 8000];
/** A Worker looks for an abort after every token and every small part of a prompt; one that takes longer hangs. */
const ABORT_PATIENCE_MS = 30_000;
/** A Worker that loads tells of every file and every shader; one that is silent for longer hangs. */
const LOAD_PATIENCE_MS = 180_000;

const ABORTED = { type: "done", finish_reason: "abort", usage: null };

export class EngineSupervisor {
  /** @param {{index: Promise<ModelIndex>, startWorker: () => Worker}} options */
  constructor({ index, startWorker }) {
    this.index = index;
    this.startWorker = startWorker;
    /** @type {Set<Panel>} */
    this.panels = new Set();
    /** @type {Job[]} waiting completions, in order of arrival */
    this.queue = [];
    /** @type {Job|null} the completion that the Worker is busy with */
    this.active = null;
    /** @type {Map<number, Job>} token counts asked of the Worker, or to be asked once a model is there */
    this.counts = new Map();
    /** @type {Worker|null} */
    this.worker = null;
    this.nextKey = 1;
    this.losses = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} the next attempt, while lost */
    this.recovery = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} the end of the patience with a Worker that owes a word */
    this.patience = undefined;
    /** @type {EngineState} */
    this.state = { state: "absent", model: null, models: [], progress: null, text: "", error: null };
    index.then(
      ({ models }) => this.setState({ models }),
      (error) => this.onLoadFailed("load-failed", String(error)),
    );
  }

  /** @param {(answer: Answer) => void} send */
  addPanel(send) {
    const panel = { send };
    this.panels.add(panel);
    send({ type: "state", engine: this.state });
    return panel;
  }

  /** A closed panel aborts what it asked for. @param {Panel} panel */
  removePanel(panel) {
    this.panels.delete(panel);
    this.queue = this.queue.filter((job) => job.panel !== panel);
    for (const [key, job] of this.counts) if (job.panel === panel) this.counts.delete(key);
    if (this.active?.panel === panel) this.abortActive(this.active);
  }

  /** @param {Panel} panel @param {Request} request */
  handle(panel, request) {
    if (request.type === "load") this.load(panel, request);
    else if (request.type === "abort") this.abort(panel, request.id);
    else {
      const job = { panel, request, key: this.nextKey++, aborted: false };
      if (this.state.state === "unavailable") return this.refuse(job);
      if (request.type === "complete") this.queue.push(job);
      else this.counts.set(job.key, job);
      if (request.type === "count" && this.isLoaded()) this.toWorker({ ...request, key: job.key });
      this.startNext();
      if (this.queue.includes(job) && this.active && this.active.panel !== panel) this.answer(job, { type: "waiting" });
    }
  }

  /** @param {Panel} panel @param {Extract<Request, {type: "load"}>} request */
  async load(panel, request) {
    const index = await this.index.catch(() => null);
    if (!index) return; // the state says so
    const id = request.model ?? index.default;
    const model = index.models.find((candidate) => candidate.id === id);
    if (!model) {
      this.sendTo(panel, { type: "error", id: request.id, code: "unknown-model", message: id });
      return;
    }
    const isSame = this.state.model === id;
    if (!isSame || this.state.state === "unavailable") this.losses = 0; // a fresh start, not one more attempt
    if (!isSame || !this.worker) this.startModel(model);
    this.sendTo(panel, { type: "loaded", id: request.id });
  }

  /** @param {Model} model */
  startModel(model) {
    clearTimeout(this.recovery); // it may be meant for another model
    this.dropWorker();
    this.setState({ state: "loading", model: model.id, progress: 0, text: `Loading ${model.name}`, error: null });
    const worker = this.startWorker();
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || "the engine's Worker failed");
    this.toWorker({ type: "load", model });
    this.loseAfter(LOAD_PATIENCE_MS, "the model did not load");
  }

  /** Ends the Worker; whatever it was busy with is told so. */
  dropWorker() {
    this.worker?.terminate();
    this.worker = null;
    const job = this.active;
    this.endActive();
    if (job?.aborted) this.answer(job, ABORTED);
    else if (job) this.fail(job, "engine-lost", "the engine was restarted");
  }

  /** @param {any} message see engines/webllm.js */
  fromWorker(message) {
    if (message.type === "progress") this.onProgress(message);
    else if (message.type === "loaded") this.onLoaded();
    else if (message.type === "load-failed") this.onLoadFailed(message.code, message.message);
    else if (message.type === "lost") this.onLost(message.message);
    else if (message.type === "counted") this.onCounted(message);
    else if (this.active && this.active.key === message.key) this.onAnswer(this.active, message);
  }

  /** @param {{progress: number, text: string}} message */
  onProgress({ progress, text }) {
    this.loseAfter(LOAD_PATIENCE_MS, "the model did not load");
    this.setState({ progress, text });
  }

  onLoaded() {
    clearTimeout(this.patience);
    this.setState({ state: "ready", progress: null, text: "", error: null });
    for (const job of this.counts.values()) this.toWorker({ ...job.request, key: job.key });
    this.startNext();
  }

  /** @param {ErrorCode} code @param {string} message @returns {void} */
  onLoadFailed(code, message) {
    // A lost GPU process needs a moment before it hands out adapters again.
    if (this.losses > 0 && this.losses <= RECOVERY_DELAYS_MS.length) return this.onLost(message);
    this.dropWorker();
    this.setState({ state: "unavailable", progress: null, text: "", error: { code, message } });
    for (const job of [...this.queue, ...this.counts.values()]) this.refuse(job);
    this.queue = [];
    this.counts.clear();
  }

  /** @param {string} reason @returns {void} */
  onLost(reason) {
    this.dropWorker();
    const delay = RECOVERY_DELAYS_MS[this.losses++];
    if (delay === undefined) return this.onLoadFailed("engine-lost", reason);
    this.setState({ state: "lost", progress: null, text: "", error: { code: "engine-lost", message: reason } });
    const model = this.state.models.find((candidate) => candidate.id === this.state.model);
    this.recovery = setTimeout(() => model && this.startModel(model), delay);
  }

  /** @param {{key: number, counts: number[]}} message */
  onCounted({ key, counts }) {
    const job = this.counts.get(key);
    this.counts.delete(key);
    if (job) this.answer(job, { type: "counted", counts });
  }

  /** @param {Job} job @param {any} message */
  onAnswer(job, { key: _, ...message }) {
    this.answer(job, message);
    if (message.type !== "done" && message.type !== "error") return;
    if (message.type === "done") this.losses = 0;
    this.endActive();
    this.setState({ state: "ready" });
    this.startNext();
  }

  endActive() {
    clearTimeout(this.patience);
    this.active = null;
  }

  startNext() {
    if (this.state.state !== "ready" || this.active) return;
    const job = this.queue.shift();
    if (!job) return;
    this.active = job;
    this.setState({ state: "generating" });
    this.toWorker({ ...job.request, key: job.key });
  }

  /** @param {Panel} panel @param {string} id */
  abort(panel, id) {
    const isMine = (/** @type {Job} */ job) => job.panel === panel && job.request.id === id;
    if (this.active && isMine(this.active)) return this.abortActive(this.active);
    const waiting = this.queue.find(isMine);
    this.queue = this.queue.filter((job) => job !== waiting);
    if (waiting) this.answer(waiting, ABORTED);
  }

  /** @param {Job} job */
  abortActive(job) {
    if (job.aborted) return;
    job.aborted = true;
    this.toWorker({ type: "abort", key: job.key });
    this.loseAfter(ABORT_PATIENCE_MS, "the engine did not stop");
  }

  /** @param {number} milliseconds @param {string} reason */
  loseAfter(milliseconds, reason) {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.onLost(reason), milliseconds);
  }

  isLoaded() {
    return this.state.state === "ready" || this.state.state === "generating";
  }

  /** @param {Job} job */
  refuse(job) {
    const error = this.state.error;
    this.fail(job, error?.code ?? "not-loaded", error?.message ?? "no model is loaded");
  }

  /** @param {Job} job @param {ErrorCode} code @param {string} message */
  fail(job, code, message) {
    this.answer(job, { type: "error", code, message });
  }

  /** @param {Job} job @param {any} answer */
  answer(job, answer) {
    this.sendTo(job.panel, { ...answer, id: job.request.id });
  }

  /** A panel that closed meanwhile has no port any more. @param {Panel} panel @param {Answer} answer */
  sendTo(panel, answer) {
    if (this.panels.has(panel)) panel.send(answer);
  }

  /** @param {any} message */
  toWorker(message) {
    this.worker?.postMessage(message);
  }

  /** @param {Partial<EngineState>} change */
  setState(change) {
    this.state = { ...this.state, ...change };
    for (const panel of this.panels) panel.send({ type: "state", engine: this.state });
  }
}
