// Texts to vectors: MiniLM in Transformers.js, on the processor, from the package's own files.

import { env, pipeline } from "@huggingface/transformers";
import { LibraryError } from "./store.js";
import { DIMENSIONS, quantize } from "./vectors.js";

const FOLDER = "embedding/";
const MODEL = "minilm";
const RUNTIME = "ort-wasm-simd-threaded";
/** A second thread doubles the speed, where the others that work leave room for it. */
const CORES_FOR_TWO_THREADS = 4;

const packageUrl = (/** @type {string} */ path) => new URL(path, self.location.origin).href;

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = packageUrl(FOLDER);
env.useBrowserCache = false;
env.useWasmCache = false;
Object.assign(/** @type {any} */ (env.backends.onnx).wasm, {
  wasmPaths: { mjs: packageUrl(`${FOLDER}${RUNTIME}.mjs`), wasm: packageUrl(`${FOLDER}${RUNTIME}.wasm`) },
  numThreads: navigator.hardwareConcurrency >= CORES_FOR_TWO_THREADS ? 2 : 1,
});

/** @typedef {(texts: string[], options: object) => Promise<{data: Float32Array}>} Extractor */

export class Embedder {
  constructor() {
    /** @type {Promise<Extractor>|null} */
    this.extractor = null;
  }

  /** Loads the model, once. Throws LibraryError "embedding-model". @returns {Promise<Extractor>} */
  load() {
    this.extractor ??= /** @type {Promise<any>} */ (
      pipeline("feature-extraction", MODEL, { dtype: "q8", device: "wasm" })
    ).catch((error) => {
      this.extractor = null; // the next one who asks tries again
      throw new LibraryError("embedding-model", String(error));
    });
    return this.extractor;
  }

  /** @param {string[]} texts @returns {Promise<Int8Array[]>} see quantize() */
  async embed(texts) {
    const extract = await this.load();
    const { data } = await extract(texts, { pooling: "mean", normalize: true });
    return texts.map((_, i) => quantize(data.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS)));
  }
}
