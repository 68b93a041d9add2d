// Keeps the Workers of sandbox-worker.js: starts, interrupts and ends them, and carries texts. It reads none of them.

/**
 * @typedef {{worker: Worker, interrupts: Int32Array}} Sandbox
 * @typedef {{name: string}} Named
 */

const KEYBOARD_INTERRUPT = 2; // SIGINT, as Pyodide reads it
const LONGEST_MESSAGE = 8 << 20;

/**
 * @param {(message: object) => void} toPython  gets {type: "from-sandbox", name, message} with the Worker's text as it came,
 *   and {type: "sandbox-gone", name, reason}
 * @returns {Record<string, (args: any) => Promise<void>>} calls for the host; `name` names one Worker
 */
export function createSandboxes(toPython) {
  /** @type {Map<string, Sandbox>} */
  const sandboxes = new Map();

  /** @param {string} name */
  const end = (name) => {
    sandboxes.get(name)?.worker.terminate();
    sandboxes.delete(name);
  };

  /** @param {Named & {memory_mb: number, kernel: boolean}} options */
  const start = async ({ name, memory_mb, kernel }) => {
    end(name);
    const worker = new Worker(new URL("sandbox-worker.js", location.href), { type: "module", name: "sandbox" });
    const interrupts = new Int32Array(new SharedArrayBuffer(4));
    sandboxes.set(name, { worker, interrupts });
    const isCurrent = () => sandboxes.get(name)?.worker === worker;
    const gone = (/** @type {string} */ reason) => {
      if (!isCurrent()) return;
      end(name);
      toPython({ type: "sandbox-gone", name, reason });
    };
    let speaks = false;
    worker.onmessage = ({ data }) => {
      if (!isCurrent()) return;
      speaks = true;
      if (typeof data !== "string" || data.length > LONGEST_MESSAGE) gone("it sent what is no message");
      else toPython({ type: "from-sandbox", name, message: data });
    };
    worker.onmessageerror = () => gone("it sent what is no message");
    worker.onerror = (event) => {
      event.preventDefault();
      // Later ones are of the code that runs there; whoever waits for it has a time limit.
      if (!speaks) gone(event.message || "its script could not be loaded");
    };
    worker.postMessage({ memory_mb, kernel, interrupts });
  };

  return {
    "sandbox.start": start,
    "sandbox.post": async (/** @type {Named & {message: string}} */ { name, message }) =>
      sandboxes.get(name)?.worker.postMessage(message),
    "sandbox.interrupt": async (/** @type {Named} */ { name }) => {
      const sandbox = sandboxes.get(name);
      if (sandbox) Atomics.store(sandbox.interrupts, 0, KEYBOARD_INTERRUPT);
    },
    "sandbox.end": async (/** @type {Named} */ { name }) => end(name),
    "sandbox.end-all": async () => {
      for (const name of [...sandboxes.keys()]) end(name);
    },
  };
}
