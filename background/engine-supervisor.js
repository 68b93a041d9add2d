// Keeps one engine Worker alive for all panels: one queue, explicit states, and a new Worker whenever the GPU is lost. The Worker
// is WebLLM's; where there is no GPU that it can use, it is the CPU engine's.

/** @import { Answer, EngineName, EngineState, ErrorCode, Keep, Model, Request } from "./protocol.js" */

/** @typedef {{send: (answer: Answer) => void}} Panel */
/** @typedef {{panel: Panel, request: Request, key: number, aborted: boolean}} Job */
/** @typedef {{default: string, models: Model[]}} ModelIndex */

const RECOVERY_DELAYS_MS = [250, 1000, 2000, 4000, 8000];
/** A Worker looks for an abort after every token and every small part of a prompt; one that takes longer hangs. */
const ABORT_PATIENCE_MS = 30_000;
/** A Worker that loads tells of every file and every shader; one that is silent for longer hangs. */
const LOAD_PATIENCE_MS = 180_000;

/** Minutes that an unused model stays in memory, until panels say otherwise. */
const KEEP_MINUTES = 15;

/** What the CPU engine can do without: no GPU, or one that does not stay. @type {ErrorCode[]} */
const WITHOUT_GPU = ["no-webgpu", "no-adapter", "engine-lost"];

const ABORTED = { type: "done", finish_reason: "abort", usage: null };

export class EngineSupervisor {
  /**
   * @param {object} options
   * @param {Promise<ModelIndex>} options.index    what the package brings along
   * @param {(engine: EngineName) => Worker} options.startWorker
   * @param {Promise<unknown>} [options.downloadsKnown]   settled once setDownloaded() was called
   * @param {() => void} [options.onIncomplete]    a downloaded model turned out to lack a file
   */
  constructor({ index, startWorker, downloadsKnown = Promise.resolve(), onIncomplete = () => {} }) {
    this.index = index;
    this.startWorker = startWorker;
    this.downloadsKnown = downloadsKnown;
    this.onIncomplete = onIncomplete;
    /** @type {Model[]} */
    this.packaged = [];
    /** @type {Map<string, Model>} downloaded and whole, with the list of their files, which is too long for every state */
    this.downloaded = new Map();
    /** @type {Model|undefined} what was last asked for; it may have been deleted since */
    this.chosen = undefined;
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
    /** @type {"gpu"|"cpu"|undefined} what the panels insist on */
    this.wanted = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} the next attempt, while lost */
    this.recovery = undefined;
    /** @type {number|null} null: always */
    this.keepMinutes = KEEP_MINUTES;
    /** @type {ReturnType<typeof setTimeout>|undefined} the end of the time that an unused model stays */
    this.idle = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} the end of the patience with a Worker that owes a word */
    this.patience = undefined;
    /** @type {EngineState} */
    this.state = { state: "absent", model: null, engine: null, models: [], progress: null, text: "", error: null };
    index.then(
      ({ models }) => {
        this.packaged = models;
        this.listModels();
      },
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

  /** @param {Panel} panel @param {Request|Keep} request */
  handle(panel, request) {
    if (request.type === "load") this.load(panel, request);
    else if (request.type === "abort") this.abort(panel, request.id);
    else if (request.type === "keep") this.keep(request.minutes);
    else {
      const job = { panel, request, key: this.nextKey++, aborted: false };
      if (this.state.state === "unavailable") return this.refuse(job);
      if (request.type === "complete") this.queue.push(job);
      else this.counts.set(job.key, job);
      if (request.type === "count" && this.isLoaded()) this.toWorker({ ...request, key: job.key });
      if (this.state.state === "asleep") this.wake();
      else this.startNext();
      if (this.queue.includes(job) && this.active && this.active.panel !== panel) this.answer(job, { type: "waiting" });
    }
  }

  /** @param {Panel} panel @param {Extract<Request, {type: "load"}>} request */
  async load(panel, request) {
    const index = await this.index.catch(() => null);
    if (!index) return; // the state says so
    const id = request.model ?? index.default;
    const model = index.models.find((candidate) => candidate.id === id) ?? (await this.downloadedModel(id));
    if (!model) {
      this.sendTo(panel, { type: "error", id: request.id, code: "unknown-model", message: id });
      return;
    }
    const engine = this.choose(model, request.engine);
    this.chosen = model;
    const isSame = this.state.model === id && this.state.engine === engine;
    if (!isSame || this.state.state === "unavailable") this.losses = 0; // a fresh start, not one more attempt
    this.wanted = request.engine;
    if (!isSame || !this.worker) this.startModel(model, engine);
    this.sendTo(panel, { type: "loaded", id: request.id });
  }

  /**
   * The engine that a load means. Where nobody insists, what is there stays: on the CPU because a GPU was looked for in vain.
   * @param {Model} model @param {"gpu"|"cpu"|undefined} wanted
   * @returns {EngineName}
   */
  choose(model, wanted) {
    if (wanted) return wanted === "cpu" ? "wllama" : "webllm";
    const isThere = this.state.model === model.id && this.state.state !== "unavailable";
    return isThere && this.state.engine ? this.state.engine : "webllm";
  }

  /** For all panels. @param {number|null} minutes  null: always */
  keep(minutes) {
    this.keepMinutes = minutes;
    if (this.state.state === "ready") this.rest();
  }

  /** From now on nothing is to do; a model that nobody needs for long gives its memory back. */
  rest() {
    clearTimeout(this.idle);
    if (this.keepMinutes !== null) this.idle = setTimeout(() => this.sleep(), this.keepMinutes * 60_000);
  }

  sleep() {
    if (this.state.state !== "ready") return;
    if (this.counts.size > 0) return this.rest();
    this.dropWorker();
    this.setState({ state: "asleep", progress: null, text: "Asleep · wakes when you ask", error: null });
  }

  wake() {
    const model = this.model();
    if (model) this.startModel(model, this.state.engine ?? "webllm");
  }

  /** @param {Model} model @param {EngineName} engine */
  startModel(model, engine) {
    clearTimeout(this.recovery); // it may be meant for another model
    clearTimeout(this.idle);
    this.dropWorker();
    const text = `Loading ${model.name}`;
    this.setState({ state: "loading", model: model.id, engine, progress: 0, text, error: null });
    const worker = this.startWorker(engine);
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || "the engine's Worker failed");
    this.toWorker({ type: "load", model: this.downloaded.get(model.id) ?? model });
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

  /** @param {string} id */
  async downloadedModel(id) {
    await this.downloadsKnown;
    return this.state.models.find((candidate) => candidate.id === id);
  }

  /** What can be loaded besides the package's models, whenever that changes. @param {Model[]} models */
  setDownloaded(models) {
    this.downloaded = new Map(models.map((model) => [model.id, model]));
    this.listModels();
    const { state, error, model, engine } = this.state;
    const again = state === "unavailable" && error?.code === "incomplete-model" && this.downloaded.get(model ?? "");
    if (again) this.startModel(again, engine ?? "webllm"); // it is whole again
  }

  listModels() {
    const downloaded = [...this.downloaded.values()].map(({ stored: _, ...model }) => ({ ...model, files: [] }));
    this.setState({ models: [...this.packaged, ...downloaded] });
  }

  /** @param {ErrorCode} code @param {string} message @returns {void} */
  onLoadFailed(code, message) {
    if (code === "incomplete-model") this.onIncomplete();
    // A lost GPU process needs a moment before it hands out adapters again.
    else if (this.losses > 0 && this.losses <= RECOVERY_DELAYS_MS.length) return this.onLost(message);
    const model = this.model();
    if (model?.gguf && this.state.engine === "webllm" && this.wanted !== "gpu" && WITHOUT_GPU.includes(code)) {
      this.losses = 0;
      return this.startModel(model, "wllama");
    }
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
    const { engine } = this.state;
    const model = this.model();
    this.recovery = setTimeout(() => model && engine && this.startModel(model, engine), delay);
  }

  /** The model that is loaded or loading. */
  model() {
    return this.state.models.find((candidate) => candidate.id === this.state.model) ?? this.chosen;
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
    if (!job) return this.rest();
    clearTimeout(this.idle);
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
