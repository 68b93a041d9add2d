/** Python's Worker: started, watched, and started again when it ends. It decides nothing of what is said. */

import { watchLife } from "../background/worker-life.js";

const MOST_ENDS = 3; // within ENDS_MS; then something ends it each time, and the user is asked
const ENDS_MS = 60_000;

/** @typedef {(message: object) => void} Reply */

export class PythonProcess {
  /**
   * @param {object} listener
   * @param {(message: any, reply: Reply) => void} listener.onMessage  `reply` reaches the Worker that the message is from, or none
   * @param {(reason: string) => void} listener.onStart  a Worker that knows nothing yet took the place of the one before it
   * @param {(reason: string) => void} listener.onFailed  there is none any more, until `restart`
   * @param {(text: string) => void} listener.onError  something failed in it, and it goes on
   */
  constructor(listener) {
    this.listener = listener;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {number[]} when the last ones ended */
    this.ends = [];
  }

  /** Starts a Worker, in the place of the one there was. */
  start() {
    const worker = new Worker("python-worker.js", { type: "module" });
    const before = this.worker;
    this.worker = worker;
    before?.terminate();
    let runs = false;
    let reason = "its Worker was ended";
    watchLife(worker, () => this.worker === worker && this.onEnd(reason));
    const reply = (/** @type {object} */ message) => worker.postMessage(JSON.stringify(message));
    worker.onmessage = ({ data }) => {
      if (this.worker !== worker) return;
      runs = true;
      const message = JSON.parse(data);
      if (message.type === "fatal-error") reason = message.reason;
      else this.listener.onMessage(message, reply);
    };
    worker.onerror = (event) => {
      if (this.worker !== worker) return;
      const text = event.message || "its script could not be loaded";
      if (runs) this.listener.onError(text);
      else this.listener.onFailed(text);
    };
  }

  /** @param {string} reason */
  restart(reason) {
    this.start();
    this.listener.onStart(reason);
  }

  /** @param {object} message */
  send(message) {
    this.worker?.postMessage(JSON.stringify(message));
  }

  /** @param {string} reason */
  onEnd(reason) {
    const now = performance.now();
    this.ends = [...this.ends.filter((end) => now - end < ENDS_MS), now];
    if (this.ends.length < MOST_ENDS) return this.restart(reason);
    this.ends = [];
    this.worker = null;
    this.listener.onFailed(`it ended ${MOST_ENDS} times in a minute: ${reason}`);
  }
}
