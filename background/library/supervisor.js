// Keeps the library's Worker alive for all panels, and tells them its state.

import { WorkerSupervisor } from "../worker-supervisor.js";

/** @import { LibraryState } from "../protocol.js" */
/** @import { Panel } from "../worker-supervisor.js" */

export class LibrarySupervisor extends WorkerSupervisor {
  /** @param {{startWorker: () => Worker}} options */
  constructor({ startWorker }) {
    super({ startWorker, name: "the library's Worker", lost: "library-lost" });
    /** @type {LibraryState} */
    this.state = { state: "loading", documents: 0, chunks: 0, embedded: 0, computed: 0, device: null, error: null };
    this.start();
  }

  /** @override */
  get greeting() {
    return { type: "library", state: this.state };
  }

  /** What was kept for panels alone goes with the last. @override @param {Panel} panel */
  removePanel(panel) {
    const isKnown = this.panels.has(panel);
    super.removePanel(panel);
    if (isKnown && this.panels.size === 0) this.forgetTemporary();
  }

  /** Without a Worker nothing need be said: the next one begins with this. */
  forgetTemporary() {
    this.worker?.postMessage({ key: this.nextKey++, request: { type: "library.forget-temporary", id: "" } });
  }

  /** @override @param {any} message see worker.js */
  hear({ state }) {
    this.setState(state);
  }

  /** @override @param {string} message */
  hearOfLoss(message) {
    this.setState({ ...this.state, state: "loading", error: { code: "library-lost", message } });
  }

  /** @override */
  giveUp() {
    this.setState({ ...this.state, state: "idle" });
  }

  /** @param {LibraryState} state */
  setState(state) {
    this.state = state;
    this.tell(this.greeting);
  }
}
