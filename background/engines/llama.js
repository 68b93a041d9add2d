// llama.cpp's server, which wllama compiled to wasm, in the Worker that calls this. wllama's own JavaScript starts its Workers
// from blobs, which the CSP of an extension forbids; this talks to its wasm directly, in wllama's own messages. Files:
// llama/ in the package, see python/build_tools/extension.py.

import { glueDeserialize, glueSerialize } from "@wllama/wllama/src/glue/glue.ts";

const FOLDER = "llama/";
const MODEL_FILE = "model.gguf";
const LOG_LINES = 5;
const PAGE_BYTES = 65536;
const MEBIBYTE = 2 ** 20;
const MEMORY_FIRST = 128 * MEBIBYTE;
const MEMORY_MOST = 4096 * MEBIBYTE;

/** The wasm gave up, or was refused memory: it is no good any more. */
export class LlamaCrashed extends Error {}

/** llama.cpp would not do it; it can go on. The message is what its log said last. */
export class LlamaRefused extends Error {}

export class Llama {
  /**
   * Compiles the wasm. Rejects where the browser lacks what it needs (64-bit memory: Chrome 133).
   * @param {{threads: number, onCrash: (message: string) => void}} options
   * @returns {Promise<Llama>}
   */
  static async start({ threads, onCrash }) {
    hideGpu();
    standInForSuspending();
    const { default: run } = await import(packageUrl("llama.mjs"));
    return new Promise((resolve, reject) => {
      const crash = (/** @type {unknown} */ reason) => {
        const message = String(reason);
        reject(new LlamaCrashed(message)); // does nothing once it runs
        onCrash(message);
      };
      const module = run({
        noInitialRun: true,
        print: keepLog,
        printErr: keepLog,
        locateFile: packageUrl,
        mainScriptUrlOrBlob: packageUrl("llama-thread.js"),
        pthreadPoolSize: threads > 1 ? threads : 0,
        wasmMemory: allocate(),
        onAbort: crash,
        onExit: (/** @type {number} */ code) => crash(`exit(${code})`),
        onRuntimeInitialized: () => new Llama(module).init().then(resolve, reject),
      });
    });
  }

  /** @param {any} module  Emscripten's */
  constructor(module) {
    this.module = module;
    this.allocate = module.cwrap("wllama_malloc", "bigint", ["number", "bigint"]);
    this.run = module.cwrap("wllama_action", "bigint", ["string", "bigint"], { async: true });
    this.busy = Promise.resolve();
  }

  async init() {
    await this.module.cwrap("wllama_start", "string", [], { async: true })();
    return this;
  }

  /**
   * A file of the wasm's file system that lies in its memory, so that the model is used where it is and not copied.
   * @param {number} size  bytes
   * @returns {{path: string, bytes: Uint8Array}}  zeros, to be filled
   */
  createFile(size) {
    const { MEMFS, FS, mmapAlloc, wasmMemory } = this.module;
    const at = Number(mmapAlloc(size));
    if (!at) throw new LlamaCrashed("out of memory for the model");
    const bytes = new Uint8Array(wasmMemory.buffer, at, size);
    FS.createDataFile("/", MODEL_FILE, new Uint8Array(0), true, true, true);
    const { node } = FS.lookupPath(`/${MODEL_FILE}`);
    node.contents = bytes;
    node.usedBytes = size;
    const mmap = MEMFS.ops_table.file.stream.mmap;
    MEMFS.ops_table.file.stream.mmap = (/** @type {any[]} */ ...args) => {
      const [stream, , position] = args;
      return stream.node === node ? { ptr: BigInt(at) + BigInt(position), allocated: false } : mmap(...args);
    };
    return { path: `/${MODEL_FILE}`, bytes };
  }

  /**
   * One of wllama's messages and its answer; one after the other, since the wasm cannot be entered twice.
   * @param {string} name @param {any} message
   * @returns {Promise<any>}
   */
  action(name, message) {
    const turn = this.busy.then(() => this.call(name, message));
    this.busy = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  /** @param {string} name @param {any} message */
  async call(name, message) {
    log.length = 0;
    const encoded = glueSerialize(message);
    const input = Number(this.allocate(BigInt(encoded.byteLength), 0));
    this.heap(input, encoded.byteLength).set(encoded);
    const output = Number(await this.run(name, BigInt(input)));
    if (!output) throw new LlamaRefused(log.at(-1) ?? name);
    const length = new Uint32Array(this.module.wasmMemory.buffer, input, 1)[0];
    return glueDeserialize(this.heap(output, length).slice());
  }

  /** @param {number} at @param {number} length */
  heap(at, length) {
    return new Uint8Array(this.module.wasmMemory.buffer, at, length);
  }
}

/** The last warnings and errors of llama.cpp: it says there, and nowhere else, why it refused. @type {string[]} */
export const log = [];

/** @param {string} line */
function keepLog(line) {
  if (/^@@(INFO|DEBUG)@@/.test(line)) return;
  log.push(line.replace(/^@@\w+@@/, ""));
  if (log.length > LOG_LINES) log.shift();
}

/** @param {string} name */
const packageUrl = (name) => new URL(FOLDER + name, self.location.origin).href;

/** The wasm would take a graphics card where there is one. Who wants that has WebLLM. */
function hideGpu() {
  const gpu = { get: () => ({ requestAdapter: async () => null }), configurable: true };
  Object.defineProperty(Object.getPrototypeOf(navigator), "gpu", gpu);
}

/** The wasm suspends itself only for files that are read later, of which there are none here; before Chrome 137 it cannot. */
function standInForSuspending() {
  const assembly = /** @type {any} */ (WebAssembly);
  assembly.Suspending ??= (/** @type {Function} */ imported) => imported;
  assembly.promising ??=
    (/** @type {Function} */ exported) =>
    async (/** @type {any[]} */ ...args) =>
      exported(...args);
}

/** Memory that grows as far as the system lets it. @returns {WebAssembly.Memory} */
function allocate() {
  for (let most = MEMORY_MOST; ; most /= 2) {
    try {
      const pages = { initial: BigInt(MEMORY_FIRST / PAGE_BYTES), maximum: BigInt(most / PAGE_BYTES) };
      return new WebAssembly.Memory(/** @type {any} */ ({ ...pages, shared: true, address: "i64" }));
    } catch (error) {
      if (most / 2 <= MEMORY_FIRST) throw error;
    }
  }
}
