// Texts to vectors, by a Worker on the graphics card where there is a real one, else by one on the processor.

import { LibraryError } from "./store.js";

/** @typedef {"gpu"|"cpu"} Device */

const WORKER = "background/library/embedding-worker.js";
/** Chromium's own WebGPU in software, and what stands in for a graphics card on servers: slower than the processor's way. */
const SOFTWARE = ["swiftshader", "llvmpipe", "basic render"];

export class Embedder {
  /** @param {{startWorker?: () => Worker, hasGpu?: () => Promise<boolean>}} [options] */
  constructor({ startWorker = startEmbeddingWorker, hasGpu = hasRealGpu } = {}) {
    this.startWorker = startWorker;
    this.hasGpu = hasGpu;
    /** @type {Promise<EmbeddingWorker>|null} */
    this.starting = null;
    /** @type {Device|null} where vectors are computed; null until it is known */
    this.device = null;
    this.gpuFailed = false;
  }

  /** Loads the model, once. Throws LibraryError "embedding-model". @returns {Promise<EmbeddingWorker>} */
  load() {
    this.starting ??= this.start().catch((error) => {
      this.starting = null; // the next one who asks tries again
      throw new LibraryError("embedding-model", String(error?.message ?? error));
    });
    return this.starting;
  }

  /** @param {string[]} texts @returns {Promise<Int8Array[]>} see quantize() */
  async embed(texts) {
    const worker = await this.load();
    try {
      return await worker.ask({ type: "embed", texts });
    } catch (error) {
      this.end(worker);
      if (worker.device === "cpu") throw error;
      this.giveUpGpu(error);
      return this.embed(texts);
    }
  }

  /** @returns {Promise<EmbeddingWorker>} */
  async start() {
    const device = !this.gpuFailed && (await this.hasGpu()) ? "gpu" : "cpu";
    const worker = new EmbeddingWorker(this.startWorker(), device);
    try {
      await worker.ask({ type: "load", device });
    } catch (error) {
      worker.end();
      if (device === "cpu") throw error;
      this.giveUpGpu(error);
      return this.start();
    }
    this.device = device;
    return worker;
  }

  /** A GPU that failed is left alone for as long as this lives. @param {unknown} reason */
  giveUpGpu(reason) {
    if (!this.gpuFailed) console.warn("embedding goes on without the GPU:", reason);
    this.gpuFailed = true;
  }

  /** The next one who asks starts another, unless somebody has. @param {EmbeddingWorker} worker */
  end(worker) {
    if (worker.hasEnded) return;
    worker.end();
    this.starting = null;
  }
}

/** A Worker that answers one request at a time or several; see embedding-worker.js. */
class EmbeddingWorker {
  /** @param {Worker} worker @param {Device} device */
  constructor(worker, device) {
    this.worker = worker;
    this.device = device;
    this.hasEnded = false;
    /** @type {Error|null} why nothing more will come */
    this.lost = null;
    /** @type {Map<number, {resolve: (vectors: any) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.nextKey = 1;
    worker.onmessage = ({ data }) => this.fromWorker(data);
    worker.onerror = (event) => this.fail(event.message || "the embedding Worker failed");
  }

  /** @param {object} request @returns {Promise<any>} the vectors, if there are any; rejects if it fails or the Worker goes */
  ask(request) {
    if (this.lost) return Promise.reject(this.lost);
    const key = this.nextKey++;
    return new Promise((resolve, reject) => {
      this.waiting.set(key, { resolve, reject });
      this.worker.postMessage({ ...request, key });
    });
  }

  /** @param {any} message */
  fromWorker({ type, key, vectors, message }) {
    if (type === "lost") return this.fail(message);
    const asked = this.waiting.get(key);
    this.waiting.delete(key);
    if (type === "done") asked?.resolve(vectors);
    else asked?.reject(new Error(message));
  }

  /** @param {string} message */
  fail(message) {
    this.lost ??= new Error(message);
    for (const { reject } of this.waiting.values()) reject(this.lost);
    this.waiting.clear();
  }

  end() {
    this.hasEnded = true;
    this.worker.terminate();
    this.fail("the embedding Worker was ended");
  }
}

function startEmbeddingWorker() {
  return new Worker(new URL(WORKER, self.location.origin), { type: "module" });
}

/** Whether there is a graphics card, and a Chrome whose wasm can wait for it (137 and later). @returns {Promise<boolean>} */
async function hasRealGpu() {
  if (!navigator.gpu || !("Suspending" in WebAssembly)) return false;
  return isRealAdapter(await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }));
}

/** @param {any} adapter a GPUAdapter: which of the two says that it is a fallback depends on Chrome's version */
export function isRealAdapter(adapter) {
  if (!adapter || adapter.isFallbackAdapter || adapter.info?.isFallbackAdapter) return false;
  const names = `${adapter.info?.architecture} ${adapter.info?.device} ${adapter.info?.description}`.toLowerCase();
  return !SOFTWARE.some((name) => names.includes(name));
}
