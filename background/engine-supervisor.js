// Keeps one engine Worker alive for all panels: one queue, explicit states, and a new Worker whenever the GPU is lost. The Worker
// is WebLLM's; where there is no GPU that it can use, it is the CPU engine's. One model is loaded at a time: panels that want
// different ones take turns.

import { EngineQueue } from "./engine-queue.js";

/** @import { Answer, EngineName, EngineState, ErrorCode, Keep, KeepUnwatched, Model, Offer, Request, Sleep, TurnOver } from "./protocol.js" */
/** @import { Job } from "./engine-queue.js" */

/** @typedef {Extract<Request, {type: "load"}>} Load */
/**
 * A Worker, or what takes its place; see engines/webllm.js.
 * @typedef {object} EngineWorker
 * @property {(message: any) => void} postMessage
 * @property {() => void} terminate
 * @property {((event: any) => any)|null} onmessage
 * @property {((event: any) => any)|null} onerror
 */
/** @typedef {{send: (answer: Answer) => void, model: string|null}} Panel  model: the id of what it chose last */
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

/** As all may see it. @param {Model} model @returns {Model} */
function withoutKey({ server, ...model }) {
  if (!server) return model;
  const { api_key: _, ...rest } = server;
  return { ...model, server: rest };
}

export class EngineSupervisor {
  /**
   * @param {object} options
   * @param {Promise<ModelIndex>} options.index    what the package brings along
   * @param {(engine: EngineName) => EngineWorker} options.startWorker
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
    /** @type {Map<string, Model>} set up by the user, with the keys of their servers, which are the Worker's business */
    this.offered = new Map();
    /** @type {Model|null} Chrome's own */
    this.builtIn = null;
    /** @type {Map<string, number>} tokens that a model takes, where only its engine knows, by id */
    this.windows = new Map();
    /** @type {Map<string, Model>} what was ever chosen, by id; it may have been deleted since */
    this.chosen = new Map();
    this.areAllKnown = false;
    /** @type {Set<Panel>} */
    this.panels = new Set();
    this.queue = new EngineQueue({ suits: (job) => this.suits(job), onTurnOver: () => this.advance() });
    /** @type {Job|null} the completion that the Worker is busy with */
    this.active = null;
    /** @type {Map<number, Job>} token counts asked of the Worker, or to be asked once a model is there */
    this.counts = new Map();
    /** @type {EngineWorker|null} */
    this.worker = null;
    this.nextKey = 1;
    this.losses = 0;
    /** @type {"gpu"|"cpu"|undefined} what the panels insist on */
    this.wanted = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} the next attempt, while lost */
    this.recovery = undefined;
    /** @type {number|null} null: always */
    this.keepMinutes = KEEP_MINUTES;
    /** @type {number|null} while no panel is open; null: nobody has said */
    this.unwatchedMinutes = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} the end of the time that an unused model stays */
    this.idle = undefined;
    /** @type {ReturnType<typeof setTimeout>|undefined} the end of the patience with a Worker that owes a word */
    this.patience = undefined;
    this.loadBegan = 0;
    /** @type {EngineState} */
    this.state = {
      state: "absent",
      model: null,
      engine: null,
      models: [],
      progress: null,
      text: "",
      error: null,
      why: null,
      load_seconds: null,
    };
    index.then(
      ({ models }) => {
        this.packaged = models;
        this.listModels();
      },
      (error) => this.onLoadFailed("load-failed", String(error)),
    );
    Promise.allSettled([index, downloadsKnown]).then(() => {
      this.areAllKnown = true;
      this.advance();
    });
  }

  /** @param {(answer: Answer) => void} send */
  addPanel(send) {
    const panel = { send, model: null };
    this.panels.add(panel);
    send({ type: "state", engine: this.state });
    if (this.state.state === "ready") this.rest();
    return panel;
  }

  /** A closed panel aborts what it asked for. @param {Panel} panel */
  removePanel(panel) {
    this.panels.delete(panel);
    this.queue.remove((job) => job.panel === panel);
    for (const [key, job] of this.counts) if (job.panel === panel) this.counts.delete(key);
    if (this.active?.panel === panel) this.abortActive(this.active);
    this.queue.endTurn(panel);
    this.advance();
  }

  /** @param {Panel} panel @param {Request|Keep|KeepUnwatched|Offer|Sleep|TurnOver} request */
  handle(panel, request) {
    if (request.type === "load") this.load(panel, request);
    else if (request.type === "abort") this.abort(panel, request.id);
    else if (request.type === "keep") this.keep(request.minutes);
    else if (request.type === "keep-unwatched") this.unwatchedMinutes = request.minutes;
    else if (request.type === "offer") this.offer(request.models);
    else if (request.type === "sleep") this.sleep("memory");
    else if (request.type === "turn-over") this.queue.endTurn(panel);
    else this.take(this.job(panel, request, request.model ?? panel.model));
  }

  /** @param {Panel} panel @param {Request} request @param {string|null} model @returns {Job} */
  job(panel, request, model) {
    return { panel, request, key: this.nextKey++, aborted: false, model };
  }

  /** @param {Panel} panel @param {Load} request */
  async load(panel, request) {
    const index = await this.index.catch(() => null);
    if (!index) return; // the state says so
    const id = request.model ?? index.default;
    const model = index.models.find((candidate) => candidate.id === id) ?? (await this.laterModel(id));
    if (!model) {
      this.sendTo(panel, { type: "error", id: request.id, code: "unknown-model", message: id });
      return;
    }
    this.chosen.set(id, model);
    panel.model = id;
    this.sendTo(panel, { type: "loaded", id: request.id, model: id });
    this.queue.remove((job) => job.panel === panel && job.request.type === "load"); // it has chosen anew
    const job = this.job(panel, request, id);
    if (this.state.state === "absent" || (this.state.model === id && !this.active)) this.settle(job);
    else this.take(job);
  }

  /** What a load asks for becomes what is loaded. @param {Job} job */
  settle(job) {
    const { engine: wanted } = /** @type {Load} */ (job.request);
    const model = /** @type {Model} */ (this.find(job.model));
    const engine = this.choose(model, wanted);
    const isSame = this.state.model === model.id && this.state.engine === engine;
    if (!isSame || this.state.state === "unavailable") this.losses = 0; // a fresh start, not one more attempt
    this.wanted = wanted === "auto" ? undefined : wanted;
    if (!isSame || !this.worker) this.startModel(model, engine);
  }

  /** @param {Job} job */
  take(job) {
    const { type } = job.request;
    const isInTurn = this.active?.panel === job.panel || !this.queue.isBehind(job.panel);
    if (type === "count" && this.isLoaded() && this.suits(job) && isInTurn) return this.count(job);
    this.queue.add(job);
    this.advance();
    const others = this.active && this.active.panel !== job.panel;
    if (type === "complete" && others && this.queue.jobs.includes(job)) this.answer(job, { type: "waiting" });
  }

  /** Does what is next, if it can be done now. @returns {void} */
  advance() {
    if (this.active) return;
    const job = this.queue.next();
    if (job && this.suits(job)) this.serve(job);
    else if (job && this.isFree()) this.turnTo(job);
    else if (!job && this.state.state === "ready") this.rest();
  }

  /** Whether nobody is in the middle of something with the loaded model. */
  isFree() {
    return this.queue.turns.size === 0 && !(this.isLoaded() && this.counts.size > 0);
  }

  /** Whether it is for what is loaded, or was. @param {Job} job */
  suits({ request, model: id }) {
    if (id !== null && id !== this.state.model) return false;
    const model = request.type === "load" ? this.find(id) : undefined;
    return !model || this.choose(model, /** @type {Load} */ (request).engine) === this.state.engine;
  }

  /** @param {Job} job  for what is loaded, or was @returns {void} */
  serve(job) {
    const { state } = this.state;
    const { type } = job.request;
    if (state === "asleep" && type !== "load") return this.wake();
    if (state === "unavailable" && type !== "load" && this.mayBeBack()) return this.wake();
    if (type !== "load" && state !== "ready" && state !== "unavailable") return; // it is to come
    this.queue.remove((other) => other === job);
    if (type === "load") this.settle(job);
    else if (state === "unavailable") this.refuse(job);
    else if (type === "count") this.count(job);
    else this.run(job);
    this.advance();
  }

  /** Loads the model that a job is for. @param {Job} job @returns {void} */
  turnTo(job) {
    const model = this.find(job.model);
    if (!model && !this.areAllKnown) return;
    if (!model || job.request.type === "load") this.queue.remove((other) => other === job);
    if (!model) this.fail(job, "unknown-model", String(job.model));
    else if (job.request.type === "load") this.settle(job);
    else if (this.state.state === "absent")
      return; // its load is on its way
    else {
      this.losses = 0;
      this.startModel(model, this.choose(model, this.wanted));
    }
    this.advance();
  }

  /** Whether what failed is worth another try at each request: a server may have been started meanwhile. */
  mayBeBack() {
    return this.state.engine === "server" && this.offered.has(this.state.model ?? "");
  }

  /** @param {Job} job */
  count(job) {
    this.counts.set(job.key, job);
    this.toWorker({ ...job.request, key: job.key });
  }

  /** @param {Job} job */
  run(job) {
    clearTimeout(this.idle);
    this.active = job;
    this.toWorker({ ...job.request, key: job.key }); // before the panels hear of it: it is what a user waits for
    this.setState({ state: "generating" });
  }

  /**
   * The engine that a load means. Where nobody insists, what is there stays: on the CPU because a GPU was looked for in vain.
   * @param {Model} model @param {"gpu"|"cpu"|"auto"|undefined} wanted
   * @returns {EngineName}
   */
  choose(model, wanted) {
    if (model.origin === "browser" || model.origin === "server") return model.origin;
    if (wanted === "auto" && this.wanted) return "webllm"; // nobody insists any more
    if (wanted === "cpu" || wanted === "gpu") return wanted === "cpu" ? "wllama" : "webllm";
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
    if (this.state.engine === "server" || this.keepMinutes === null) return; // a server's memory is not ours
    const isWatched = this.panels.size > 0 || this.unwatchedMinutes === null;
    const minutes = isWatched ? this.keepMinutes : Math.min(this.keepMinutes, Number(this.unwatchedMinutes));
    this.idle = setTimeout(() => this.sleep("unused"), minutes * 60_000);
  }

  /** @param {"unused"|"memory"} why */
  sleep(why) {
    if (this.state.state !== "ready" || this.state.engine === "server") return;
    if (this.counts.size > 0) return this.rest();
    clearTimeout(this.idle);
    this.dropWorker();
    this.setState({ state: "asleep", progress: null, text: "Asleep · wakes when you ask", error: null, why });
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
    if (model.id !== this.state.model) this.makeWay(model.id);
    const text = `Loading ${model.name}`;
    this.setState({ state: "loading", model: model.id, engine, progress: 0, text, error: null });
    this.loadBegan = performance.now();
    const worker = this.startWorker(engine);
    this.worker = worker;
    worker.onmessage = ({ data }) => this.worker === worker && this.fromWorker(data);
    worker.onerror = (event) => this.worker === worker && this.onLost(event.message || "the engine's Worker failed");
    this.toWorker({ type: "load", model: this.downloaded.get(model.id) ?? this.offered.get(model.id) ?? model });
    this.loseAfter(LOAD_PATIENCE_MS, "the model did not load");
  }

  /** Of what waits, what is for a model that will be loaded comes first; counts by the old one's tokenizer wait for that. @param {string} id */
  makeWay(id) {
    const foreign = [...this.counts.values()].filter(({ model }) => model !== null && model !== id);
    for (const { key } of foreign) this.counts.delete(key);
    this.queue.putBack(foreign);
    this.queue.gather(id);
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
    else if (message.type === "loaded") this.onLoaded(message);
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

  /** @param {{context_window?: number}} message */
  onLoaded({ context_window: tokens }) {
    clearTimeout(this.patience);
    if (tokens && this.state.model) {
      this.windows.set(this.state.model, tokens);
      this.listModels();
    }
    const seconds = (performance.now() - this.loadBegan) / 1000;
    this.setState({ state: "ready", progress: null, text: "", error: null, load_seconds: seconds });
    for (const job of this.counts.values()) this.toWorker({ ...job.request, key: job.key });
    this.advance();
  }

  /** One that the package does not bring along. @param {string} id */
  async laterModel(id) {
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

  /** What can be loaded besides, by the user's own doing. @param {Model[]} models */
  offer(models) {
    const before = this.offered.get(this.state.model ?? "");
    for (const id of this.offered.keys()) this.chosen.delete(id);
    this.offered = new Map(models.map((model) => [model.id, model]));
    this.listModels();
    const now = before && this.offered.get(before.id);
    if (!before || JSON.stringify(now) === JSON.stringify(before)) return;
    this.losses = 0;
    clearTimeout(this.recovery);
    if (now) this.startModel(now, this.choose(now, undefined));
    else this.onLoadFailed("withdrawn", before.name);
  }

  /** What the browser has of its own, whenever that changes. @param {Model|null} model */
  setBuiltIn(model) {
    this.builtIn = model;
    this.listModels();
  }

  listModels() {
    const builtIn = this.builtIn ? [this.builtIn] : [];
    const downloaded = [...this.downloaded.values()].map(({ stored: _, ...model }) => ({ ...model, files: [] }));
    const all = [...this.packaged, ...builtIn, ...downloaded, ...[...this.offered.values()].map(withoutKey)];
    const models = all.map((model) => ({
      ...model,
      context_window: this.windows.get(model.id) ?? model.context_window,
    }));
    this.setState({ models });
  }

  /** @param {ErrorCode} code @param {string} message @returns {void} */
  onLoadFailed(code, message) {
    if (code === "built-in-gone") this.setBuiltIn(null);
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
    const refused = this.queue.remove((job) => job.request.type !== "load" && this.suits(job));
    for (const job of [...refused, ...this.counts.values()]) this.refuse(job);
    this.counts.clear();
    this.advance();
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
    return this.find(this.state.model);
  }

  /** @param {string|null} id */
  find(id) {
    return this.state.models.find((candidate) => candidate.id === id) ?? this.chosen.get(id ?? "");
  }

  /** @param {{key: number, counts: number[]}} message */
  onCounted({ key, counts }) {
    const job = this.counts.get(key);
    this.counts.delete(key);
    if (!job) return;
    this.queue.keepTurn(job);
    this.answer(job, { type: "counted", counts });
    this.advance();
  }

  /** @param {Job} job @param {any} message */
  onAnswer(job, { key: _, ...message }) {
    this.answer(job, message);
    if (message.type !== "done" && message.type !== "error") return;
    if (message.type === "done") this.losses = 0;
    if (this.panels.has(job.panel)) this.queue.keepTurn(job);
    this.endActive();
    this.setState({ state: "ready" });
    this.advance();
  }

  endActive() {
    clearTimeout(this.patience);
    this.active = null;
  }

  /** @param {Panel} panel @param {string} id */
  abort(panel, id) {
    const isMine = (/** @type {Job} */ job) => job.panel === panel && job.request.id === id;
    if (this.active && isMine(this.active)) return this.abortActive(this.active);
    for (const waiting of this.queue.remove(isMine)) this.answer(waiting, ABORTED);
    this.advance();
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
