// Has Python's memory kept for later starts: by one panel, once it has nothing else to do. See python-snapshot.js.

const LOCK = "python-snapshot";
const WAIT_MS = 3000; // the model is being loaded, and the user reads
const PATIENCE_MS = 60_000;

/** Whoever measures waits for this mark. */
export const KEPT = "python-kept";

/** Without it all goes on, only that the next start is as slow as this one. */
export function keepSnapshotSoon() {
  setTimeout(
    () => requestIdleCallback(() => navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => lock && make())),
    WAIT_MS,
  );
}

/** @returns {Promise<void>} that ends with the Worker */
function make() {
  return new Promise((resolve) => {
    const worker = new Worker("snapshot-worker.js", { type: "module" });
    const end = (/** @type {string} */ problem) => {
      clearTimeout(timer);
      worker.terminate();
      if (problem) console.warn(`Python's memory was not kept: ${problem}`);
      else performance.mark(KEPT);
      resolve();
    };
    const timer = setTimeout(end, PATIENCE_MS, "it took too long");
    worker.onmessage = ({ data }) => end(data);
    worker.onerror = (event) => end(event.message || "its Worker could not be loaded");
  });
}
