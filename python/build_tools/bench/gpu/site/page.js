// One runtime, one model, in a fresh browser: how fast it reads prompts of some lengths, and writes after each.
// The address says what: index.html#{runtime, model, lib, merge, kernels, contexts, tokens, repeats}. The report is posted.
import { restoreGguf } from "/engines/gguf.js";
import { mergePasses } from "/engines/pass-merging.js";
import { KernelTimes } from "/kernel-times.js";

/**
 * @typedef {{runtime: "webllm"|"wllama", model: string, lib?: string, merge?: boolean, kernels?: boolean, load?: object,
 *   contexts: number[], tokens: number, repeats: number}} Config
 * @typedef {{context: number, prefill: number, decode: number, text: string}} Run  rates in tokens a second
 * @typedef {{
 *   reset: () => Promise<void>,
 *   write: (prompt: string, tokens: number) => AsyncIterable<string>,
 *   read: () => number,
 * }} Runtime  read: tokens of the last prompt
 */

const PIECE = 32 * 2 ** 20;

/** llama.cpp's log, which tells where it computes. @type {string[]} */
const said = [];

const WORDS =
  "the time people way water words day part number sound work place years back thing name sentence man line".split(" ");

/** Text of so many tokens: each of the words is one. @param {number} tokens */
function promptOf(tokens) {
  return Array.from({ length: tokens }, (_, i) => WORDS[(i * i + 3 * i) % WORDS.length]).join(" ");
}

/** @param {Runtime} runtime @param {number} context @param {number} tokens @returns {Promise<Run>} */
async function measure(runtime, context, tokens) {
  const prompt = promptOf(context);
  await runtime.reset();
  const began = performance.now();
  let first = 0;
  let last = 0;
  let pieces = 0;
  let text = "";
  for await (const piece of runtime.write(prompt, tokens)) {
    last = performance.now();
    first ||= last;
    pieces++;
    text += piece;
  }
  const read = runtime.read();
  return {
    context: read,
    prefill: (read * 1000) / (first - began),
    decode: ((pieces - 1) * 1000) / (last - first),
    text,
  };
}

/** @param {Config} config @returns {Promise<Runtime>} */
async function startWebLlm({ model, lib }) {
  const { CreateMLCEngine } = await import("@mlc-ai/web-llm");
  const record = {
    model_id: model,
    model: `${location.origin}/models/${model}/resolve/main/`,
    model_lib: `${location.origin}/libraries/${lib}`,
  };
  const engine = await CreateMLCEngine(model, { appConfig: { model_list: [record] }, logLevel: "WARN" });
  const [pipeline] = /** @type {any} */ (engine).loadedModelIdToPipeline.values();
  let read = 0;
  return {
    reset: () => engine.resetChat(),
    read: () => read,
    async *write(prompt, tokens) {
      read = pipeline.tokenizer.encode(prompt).length;
      const options = {
        prompt,
        max_tokens: tokens,
        temperature: 0,
        ignore_eos: true,
        stream: /** @type {const} */ (true),
      };
      for await (const { choices } of await engine.completions.create(options))
        if (choices[0] && !choices[0].finish_reason) yield choices[0].text;
    },
  };
}

/** @param {Config} config @returns {Promise<Runtime>} */
async function startWllama({ model, load }) {
  const { Wllama } = await import("@wllama/wllama");
  const keep = (/** @type {unknown[]} */ ...words) => said.push(words.join(" "));
  const logger = { debug: keep, log: keep, warn: keep, error: keep };
  const wllama = new Wllama({ default: "/wllama/wasm/wllama.wasm" }, { logger });
  await wllama.loadModel([await ggufOf(model)], { n_ctx: 2048, n_gpu_layers: 999, ...load });
  let read = 0;
  return {
    reset: async () => {},
    read: () => read,
    async *write(prompt, tokens) {
      read = prompt.split(" ").length; // unless it says otherwise
      const options = { prompt, max_tokens: tokens, temperature: 0, ignore_eos: true, cache_prompt: false };
      for await (const chunk of await wllama.createCompletion(/** @type {any} */ ({ ...options, stream: true }))) {
        const { choices, timings } = /** @type {any} */ (chunk);
        read = timings?.prompt_n ?? read;
        if (choices[0] && !choices[0].finish_reason) yield choices[0].text;
      }
    },
  };
}

/** The model's file for llama.cpp, which is there whole, or made out of WebLLM's shards. @param {string} model */
async function ggufOf(model) {
  const folder = `/models/${model}/resolve/main/`;
  const whole = await fetch(`${folder}model.gguf`);
  if (whole.ok) return whole.blob();
  const recipe = await (await fetch(`${folder}gguf.json`)).json();
  const bytes = new Uint8Array(recipe.bytes);
  await restoreGguf(recipe, async (name) => (await fetch(folder + name)).arrayBuffer(), bytes);
  // Not as a blob of the page's: Chromium's cannot be read any more when they are large.
  const handle = await (await navigator.storage.getDirectory()).getFileHandle("model.gguf", { create: true });
  const file = await handle.createWritable();
  for (let at = 0; at < bytes.length; at += PIECE) await file.write(bytes.subarray(at, at + PIECE));
  await file.close();
  return handle.getFile();
}

/** What WebLLM asks of the GPU goes through here. @param {Config} config @param {KernelTimes|null} times */
function watchDevices({ merge }, times) {
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const extra = times ? ["timestamp-query"] : [];
    const requiredFeatures = /** @type {any} */ ([...(descriptor.requiredFeatures ?? []), ...extra]);
    const device = await requestDevice.call(this, { ...descriptor, requiredFeatures });
    times?.watch(device);
    if (merge) mergePasses(device);
    return device;
  };
}

async function adapterInfo() {
  let adapter = null;
  // A browser that has just started may give null at first and an adapter a moment later.
  for (let i = 0; i < 20 && !adapter; i++) {
    adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const { vendor, architecture, device, description, isFallbackAdapter } = /** @type {any} */ (adapter?.info ?? {});
  return { vendor, architecture, device, description, isFallbackAdapter };
}

/** @param {Config} config */
async function run(config) {
  const times = config.kernels ? new KernelTimes() : null;
  if (config.runtime === "webllm") watchDevices(config, times);
  const began = performance.now();
  const runtime = await (config.runtime === "webllm" ? startWebLlm(config) : startWllama(config));
  const load = (performance.now() - began) / 1000;
  /** @type {Run[]} */
  const runs = [];
  await measure(runtime, Math.min(...config.contexts), 8); // first runs pay for what is made once
  for (const context of config.contexts) {
    await measure(runtime, context, 8);
    times?.clear();
    for (let i = 0; i < config.repeats; i++) runs.push(await measure(runtime, context, config.tokens));
    if (times) /** @type {any} */ (runs.at(-1)).kernels = await times.table();
  }
  return { load, runs, log: said.filter((line) => /webgpu|offload/i.test(line)).slice(0, 12) };
}

const config = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const report = (/** @type {object} */ result) =>
  fetch("/report", { method: "POST", body: JSON.stringify({ ...config, ...result }) });
try {
  const adapter = await adapterInfo();
  await report({ adapter, ...(await run(config)) });
} catch (error) {
  await report({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
}
