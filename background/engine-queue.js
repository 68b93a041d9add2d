// What waits for the engine. First come, first served; but a turn with the loaded model is not interrupted by another panel that
// wants another model, and what waits for one model is brought together when it is loaded.

/** @import { Request } from "./protocol.js" */
/** @import { Panel } from "./engine-supervisor.js" */

/** @typedef {{panel: Panel, request: Request, key: number, aborted: boolean, model: string|null}} Job  model: null for any */

/** What a turn may need between two of its completions, such as a tool that runs. */
const TURN_PATIENCE_MS = 5000;

export class EngineQueue {
  /**
   * @param {object} options
   * @param {(job: Job) => boolean} options.suits   whether a job is for what is loaded, or was
   * @param {() => void} options.onTurnOver
   */
  constructor({ suits, onTurnOver }) {
    this.suits = suits;
    this.onTurnOver = onTurnOver;
    /** @type {Job[]} completions, and loads and counts that are for another model than the loaded one */
    this.jobs = [];
    /** @type {Map<Panel, ReturnType<typeof setTimeout>>} panels that may be in the middle of a turn with the loaded model */
    this.turns = new Map();
  }

  /** @param {Job} job */
  add(job) {
    this.jobs.push(job);
  }

  /** @param {(job: Job) => boolean} isMeant @returns {Job[]} what was taken out */
  remove(isMeant) {
    const removed = this.jobs.filter(isMeant);
    this.jobs = this.jobs.filter((job) => !removed.includes(job));
    return removed;
  }

  /** What is next: the first, or, where that is for another model, what belongs to a turn that is not over. */
  next() {
    const [first] = this.jobs;
    if (!first || this.suits(first)) return first;
    return (
      this.jobs.find((job) => this.turns.has(job.panel) && job.request.type !== "load" && this.suits(job)) ?? first
    );
  }

  /** Whether a panel that begins now has to let another one go first, which waits for another model. @param {Panel} panel */
  isBehind(panel) {
    const [first] = this.jobs;
    return first !== undefined && !this.suits(first) && !this.turns.has(panel);
  }

  /** Puts what is for a model in front. @param {string|null} model */
  gather(model) {
    this.jobs = [...this.remove((job) => job.model === model), ...this.jobs];
  }

  /** Puts jobs back where they came from. @param {Job[]} jobs */
  putBack(jobs) {
    this.jobs = [...jobs, ...this.jobs].sort((a, b) => a.key - b.key);
  }

  /** A request was answered: if it is part of a turn, its panel may ask again before others. @param {Job} job */
  keepTurn({ panel, request }) {
    clearTimeout(this.turns.get(panel));
    if (!("in_turn" in request) || !request.in_turn) return;
    this.turns.set(
      panel,
      setTimeout(() => this.endTurn(panel), TURN_PATIENCE_MS),
    );
  }

  /** @param {Panel} panel */
  endTurn(panel) {
    clearTimeout(this.turns.get(panel));
    if (this.turns.delete(panel)) this.onTurnOver();
  }
}
