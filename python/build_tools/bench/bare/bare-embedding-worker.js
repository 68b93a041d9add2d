// Transformers.js as its documentation uses it: the texts as they come, eight at a time. Model, runtime and threads are those of
// background/library/embedding-worker.js.

import { AutoModel, AutoTokenizer, env } from "@huggingface/transformers";

const TOGETHER = 8;

let tokenizer;
let model;

self.onmessage = async ({ data: { type, key, texts } }) => {
  try {
    if (type === "load") await load();
    self.postMessage({ type: "done", key, vectors: type === "embed" ? await embed(texts) : [] });
  } catch (error) {
    self.postMessage({ type: "failed", key, message: String(error) });
  }
};

async function load() {
  const runtime = new URL("/embedding/ort-wasm-simd-threaded", self.location.origin).href;
  Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/embedding/" });
  Object.assign(env, { useBrowserCache: false, useWasmCache: false });
  Object.assign(env.backends.onnx.wasm, {
    wasmPaths: { mjs: `${runtime}.mjs`, wasm: `${runtime}.wasm` },
    numThreads: Math.max(1, Math.min(4, Math.floor(navigator.hardwareConcurrency / 2))),
  });
  const session = { externalData: [{ path: "weights.bin", data: "onnx/weights.bin" }] };
  tokenizer = await AutoTokenizer.from_pretrained("minilm");
  model = await AutoModel.from_pretrained("minilm", { dtype: "q8", device: "wasm", session_options: session });
}

async function embed(texts) {
  const vectors = [];
  for (let at = 0; at < texts.length; at += TOGETHER) {
    const inputs = await tokenizer(texts.slice(at, at + TOGETHER), { padding: true, truncation: true });
    const { sentence_embedding: found } = await model({
      input_ids: inputs.input_ids,
      attention_mask: inputs.attention_mask,
    });
    const [rows, length] = found.dims;
    for (let row = 0; row < rows; row++) vectors.push(found.data.slice(row * length, (row + 1) * length));
  }
  return vectors;
}
