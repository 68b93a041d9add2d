// The page's side of documents: starts a Worker for each file, and ends it.

import { FILES_AT_ONCE, LONGEST_SILENCE, MOST_BYTES } from "../limits.js";

/**
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {{id: string, title: string, blocks: Block[], pages?: number, words: number, notes: string[]}} Parsed  `id` is the
 *   SHA-256 of the bytes, its first 32 hex digits
 * @typedef {{error: import("./blocks.js").Reason, detail: string}} Refusal
 */

/** What a file picker may offer. */
export const ACCEPTED = ".pdf,.docx,.epub,.html,.htm,.md,.markdown,.txt,.csv,.tsv,.json,.jsonl,text/*,application/json";

let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/**
 * The text of a file as blocks, or why there is none. Rejects with the signal's reason once that is aborted, never otherwise.
 * @param {File} file
 * @param {{onProgress?: (fraction: number) => void, signal?: AbortSignal}} [options]  fraction: 0 to 1
 * @returns {Promise<Parsed | Refusal>}
 */
export async function parseFile(file, { onProgress = () => {}, signal } = {}) {
  signal?.throwIfAborted();
  if (file.size > MOST_BYTES) return refuse("too-big", `It is larger than ${MOST_BYTES >> 20} MB.`);
  if (!file.size) return refuse("empty", "The file has no bytes.");
  await takeTurn(signal);
  try {
    const bytes = await file.arrayBuffer().catch(() => null);
    signal?.throwIfAborted();
    if (!bytes) return refuse("damaged", "It can no longer be opened: it was moved, changed, or is a folder.");
    return await parseInWorker(bytes, file, onProgress, signal);
  } finally {
    running--;
    waiting.shift()?.();
  }
}

/** @param {AbortSignal} [signal] */
async function takeTurn(signal) {
  while (running >= FILES_AT_ONCE) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const abort = () => {
      waiting.splice(waiting.indexOf(wake), 1);
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener("abort", abort);
      resolve(undefined);
    };
    signal?.addEventListener("abort", abort, { once: true });
    waiting.push(wake);
    await promise;
  }
  running++;
}

/**
 * @param {Refusal["error"]} error
 * @param {string} detail
 * @returns {Refusal}
 */
function refuse(error, detail) {
  return { error, detail };
}

/**
 * @param {ArrayBuffer} bytes
 * @param {File} file
 * @param {(fraction: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<Parsed | Refusal>}
 */
function parseInWorker(bytes, file, onProgress, signal) {
  const worker = new Worker(new URL("documents/parse-worker.js", location.href), { type: "module", name: "documents" });
  const { promise, resolve, reject } = Promise.withResolvers();
  const abort = () => reject(signal?.reason);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => resolve(refuse("damaged", "Reading it did not come to an end.")), LONGEST_SILENCE);
  };
  wait();
  worker.onmessage = ({ data }) => {
    wait();
    if (data.parsed) resolve(data.parsed);
    else onProgress(data.progress);
  };
  worker.onmessageerror = () => resolve(refuse("damaged", "Its text could not be handed over."));
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(refuse("damaged", `It cannot be read: ${event.message || "the parser could not be started"}`));
  };
  signal?.addEventListener("abort", abort);
  worker.postMessage({ bytes, name: file.name, mime: file.type }, [bytes]);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  });
}
