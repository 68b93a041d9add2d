// MiniLM in Transformers.js, in a Worker of its own, so that what goes wrong with a graphics card ends with it.
// In:  {type: "load", key, device: "gpu"|"cpu"} | {type: "embed", key, texts}
// Out: {type: "done", key, vectors?: Int8Array[]} | {type: "failed", key, message} | {type: "lost", message}

import "../network-guard.js";
import { AutoModel, AutoTokenizer, env } from "@huggingface/transformers";
import { cosine, DIMENSIONS, quantize } from "./vectors.js";

/** @typedef {"gpu"|"cpu"} Device */
/** @typedef {{key: number, texts: string[], left: number[], vectors: Int8Array[]}} Job  `left`: places of texts to come */

const FOLDER = "embedding/";
const MODEL = "minilm";
const WEIGHTS = "weights.bin";
/** The graphs are in build_tools/embedding_graph.py, the runtimes ONNX Runtime's. */
const PARTS = {
  gpu: { graph: "fp32", device: "webgpu", runtime: "ort-wasm-simd-threaded.jspi" },
  cpu: { graph: "q8", device: "wasm", runtime: "ort-wasm-simd-threaded" },
};
/** Texts at a time: more make the processor no faster, and a question waits for them. */
const TOGETHER = 4;
/** What the graphics card is given at once is kept short, since the model's answer and the screen wait for it. */
const MOST_TOGETHER = 32;
const SHORT_MS = 40;
const LONG_MS = 120;
/** More threads make it faster where the others that work leave room for them. */
const CORES_A_THREAD = 2;
const MOST_THREADS = 4;
/** A right graphics card's vectors have 0.9999 and more. */
const LEAST_COSINE = 0.999;

const packageUrl = (/** @type {string} */ path) => new URL(path, self.location.origin).href;
const post = (/** @type {object} */ message) => self.postMessage(message);

/** @type {{device: Device, tokenizer: any, model: any}|null} */
let loaded = null;
/** @type {Job[]} */
const jobs = [];
let isWorking = false;
let together = TOGETHER;

self.onmessage = ({ data }) => {
  if (data.type === "load") load(data);
  else accept(data);
};

/** Texts of one length need little padding. @param {{key: number, texts: string[]}} request */
function accept({ key, texts }) {
  const left = texts.map((_, place) => place).sort((a, b) => texts[a].length - texts[b].length);
  jobs.push({ key, texts, left, vectors: new Array(texts.length) });
  work();
}

/** @param {{key: number, device: Device}} request */
async function load({ key, device }) {
  try {
    const { graph: dtype, device: name, runtime } = PARTS[device];
    prepare(runtime);
    const options = /** @type {any} */ ({
      dtype,
      device: name,
      session_options: { externalData: [{ path: WEIGHTS, data: `onnx/${WEIGHTS}` }] },
    });
    const [tokenizer, model] = await Promise.all([
      AutoTokenizer.from_pretrained(MODEL),
      AutoModel.from_pretrained(MODEL, options),
    ]);
    loaded = { device, tokenizer, model };
    if (device === "gpu") await checkGpu();
    post({ type: "done", key });
  } catch (error) {
    post({ type: "failed", key, message: String(error) });
  }
}

/** @param {string} runtime */
function prepare(runtime) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = `/${FOLDER}`;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const onnx = /** @type {any} */ (env.backends.onnx);
  onnx.webgpu.powerPreference = "high-performance";
  const threads = Math.floor(navigator.hardwareConcurrency / CORES_A_THREAD);
  Object.assign(onnx.wasm, {
    wasmPaths: { mjs: packageUrl(`${FOLDER}${runtime}.mjs`), wasm: packageUrl(`${FOLDER}${runtime}.wasm`) },
    numThreads: Math.max(1, Math.min(MOST_THREADS, threads)),
  });
}

/** Some drivers compute wrongly and say nothing. Throws if this one does. */
async function checkGpu() {
  watch(await /** @type {any} */ (env.backends.onnx).webgpu.device);
  const check = await (await fetch(packageUrl(`${FOLDER}${MODEL}/onnx/check.json`))).json();
  const vectors = await run(check.texts);
  const nearness = vectors.map((vector, i) => cosine(vector, quantize(check.vectors[i])));
  if (!nearness.every((each) => each >= LEAST_COSINE)) throw new Error(`the GPU's vectors are wrong: ${nearness}`);
}

/** @param {GPUDevice} device */
async function watch(device) {
  const { message } = await device.lost; // what was asked of it may never be answered
  post({ type: "lost", message: message || "the GPU was lost" });
}

/** The shortest job goes first: a question does not wait for all passages of a batch. */
async function work() {
  if (isWorking) return;
  isWorking = true;
  while (jobs.length) {
    jobs.sort((a, b) => a.left.length - b.left.length);
    await step(jobs[0]);
    await messages();
  }
  isWorking = false;
}

/** @param {Job} job */
async function step({ key, texts, left, vectors }) {
  try {
    if (!loaded) throw new Error("nothing is loaded");
    const places = left.splice(0, together);
    const began = performance.now();
    const found = await run(places.map((place) => texts[place]));
    for (const [i, place] of places.entries()) vectors[place] = found[i];
    if (loaded.device === "gpu") pace(performance.now() - began);
    if (left.length) return;
    post({ type: "done", key, vectors });
  } catch (error) {
    post({ type: "failed", key, message: String(error) });
  }
  jobs.splice(
    jobs.findIndex((job) => job.key === key),
    1,
  );
}

/** @param {number} ms that the last texts took */
function pace(ms) {
  if (ms > LONG_MS) together = Math.max(1, together / 2);
  else if (ms < SHORT_MS) together = Math.min(MOST_TOGETHER, together * 2);
}

/** @param {string[]} texts @returns {Promise<Int8Array[]>} see quantize() */
async function run(texts) {
  if (!texts.length) return [];
  const { tokenizer, model } = /** @type {NonNullable<typeof loaded>} */ (loaded);
  const { input_ids, attention_mask } = await tokenizer(texts, { padding: true, truncation: true });
  const { sentence_embedding } = await model({ input_ids, attention_mask });
  const { data } = sentence_embedding;
  return texts.map((_, i) => quantize(data.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS)));
}

/** Lets in what was sent meanwhile: computing on the processor never does. */
function messages() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}
