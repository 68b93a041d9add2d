// The chat engine: WebLLM in a module Worker. One model, one completion at a time; the supervisor keeps the queue.
// In:  {type: "load", model} | {type: "complete", key, request} | {type: "count", key, texts} | {type: "abort", key}
// Out: {type: "progress"|"loaded"|"load-failed"|"lost"} and, with the request's key, "prefill"|"delta"|"done"|"error"|"counted"

import "../network-guard.js";
import { MLCEngine, ModelType } from "@mlc-ai/web-llm";
import { storedFiles } from "../models/files.js";
import { showLife } from "../worker-life.js";
import { Batches } from "./batches.js";
import { cachesWithBundled } from "./bundled-cache.js";
import { makePrefillInterruptible, PrefillAborted } from "./interruptible-prefill.js";
import { libraryFor } from "./own-library.js";
import { mergePasses } from "./pass-merging.js";
import { reusePrompts } from "./prompt-reuse.js";
import { renderPrompt } from "./prompt-template.js";
import { beginReply, hasImages, withFittingImages } from "./vision.js";

/** @import { ChatMessage, Completion, ErrorCode, Model } from "../protocol.js" */

showLife();

/** A lost device breaks what runs on it at once; the news of its loss comes a little later. */
const LOSS_NEWS_MS = 500;

/** Drawing how far a prompt is read takes time from reading it; that of a short one is read before it could be seen. */
const QUIET_MS = 150;

const ADAPTER_ATTEMPTS = 5;
const ADAPTER_RETRY_MS = 250;

/** @type {MLCEngine|null} */
let engine = null;
/** What the GPU said when it had no memory left, after which WebLLM destroys the device. */
let outOfMemory = "";
/** @type {PromiseWithResolvers<void>} */
const deviceLoss = Promise.withResolvers();
/** `begun`: what an answer had come to that is gone on with, where the prompt has images. */
/** @typedef {ReturnType<typeof setTimeout>|undefined} Timer */
/** @type {{key: number, aborted: boolean, fed: number, total: number, begun: string, began: number, telling: Timer}|null} */
let current = null;

const post = (/** @type {any} */ message) => self.postMessage(message);
const packageUrl = (/** @type {string} */ path) => new URL(path, self.location.origin).href;

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "load") await load(data.model);
    else if (data.type === "complete") await complete(data.key, data.request);
    else if (data.type === "count") post({ type: "counted", key: data.key, counts: data.texts.map(countTokens) });
    else if (data.type === "abort") abort(data.key);
  } catch (error) {
    post({ type: "lost", message: String(error) }); // an engine that fails outside a request is no good any more
  }
};

/** @param {Model} model */
async function load(model) {
  try {
    Object.defineProperty(self, "caches", { value: await cachesFor(model), configurable: true });
    const adapter = await findAdapter();
    if (!adapter) return;
    watchDevices();
    engine = new MLCEngine({
      appConfig: {
        cacheBackend: "cache",
        model_list: [recordOf(model, adapter)],
      },
      initProgressCallback: ({ progress, text }) => post({ type: "progress", progress, text: progressText(text) }),
      logLevel: "WARN",
    });
    await engine.reload(model.id);
    reusePrompts(pipeline());
    makePrefillInterruptible(pipeline(), {
      isAborted: () => current?.aborted ?? false,
      onProgress: reportPrefill,
    });
    watchPromptLength(pipeline());
    post({ type: "loaded" });
  } catch (error) {
    if (outOfMemory) postLost("");
    else post({ type: "load-failed", ...describe(error, "load-failed") });
  }
}

/** @param {Model} model */
async function cachesFor(model) {
  if (model.origin === "downloaded") return cachesWithBundled([], await storedFiles(model));
  return cachesWithBundled(model.files.map((name) => packageUrl(model.path + name)));
}

/** @param {Model} model @param {GPUAdapter} adapter @returns {import("@mlc-ai/web-llm").ModelRecord} */
function recordOf({ id, path, lib, overrides, is_vision }, adapter) {
  const record = { model_id: id, model: packageUrl(path), model_lib: packageUrl(libraryFor(lib, adapter)) };
  return { ...record, ...(overrides ? { overrides } : {}), ...(is_vision ? { model_type: ModelType.VLM } : {}) };
}

/** WebLLM throws the same error for no WebGPU and no adapter; users need to know which. */
async function findAdapter() {
  if (!navigator.gpu) {
    post({ type: "load-failed", code: "no-webgpu", message: "navigator.gpu is missing" });
    return null;
  }
  // A browser that has just started may give null at first and an adapter a moment later.
  for (let attempt = 0; attempt < ADAPTER_ATTEMPTS; attempt++) {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return adapter;
    await new Promise((resolve) => setTimeout(resolve, ADAPTER_RETRY_MS));
  }
  post({ type: "load-failed", code: "no-adapter", message: "requestAdapter() gave null" });
  return null;
}

/** WebLLM tells nobody that its GPU device was lost, so every device it asks for is watched from here. */
function watchDevices() {
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    watchMemory(device);
    mergePasses(device);
    device.lost.then(({ reason, message }) => {
      postLost(`${reason}: ${message}`);
      deviceLoss.resolve();
    });
    return device;
  };
}

/** WebLLM asks after each allocation whether it failed, and keeps the answer to itself. @param {GPUDevice} device */
function watchMemory(device) {
  const popErrorScope = device.popErrorScope.bind(device);
  device.popErrorScope = async () => {
    const error = await popErrorScope();
    if (error instanceof GPUOutOfMemoryError) outOfMemory ||= error.message || "an allocation failed";
    return error;
  };
}

/** A lost engine is worth another try, unless it is lost for want of memory. @param {string} message */
function postLost(message) {
  if (outOfMemory) post({ type: "load-failed", code: "out-of-memory", message: outOfMemory });
  else post({ type: "lost", message });
}

/** @returns {any} WebLLM's private pipeline of the one loaded model */
function pipeline() {
  const [loaded] = /** @type {any} */ (engine).loadedModelIdToPipeline.values();
  return loaded;
}

/** @param {string} text */
function countTokens(text) {
  return pipeline().tokenizer.encode(text).length;
}

/** The pipeline tokenizes the prompt just before feeding it: the only place that knows its length. @param {any} target */
function watchPromptLength(target) {
  const getInputData = target.getInputData.bind(target);
  target.getInputData = async () => {
    const undo = current?.begun ? beginReply(target.conversation, current.begun) : () => {};
    const input = await getInputData().finally(undo);
    if (current) current.total = input[1];
    reportPrefill(0);
    return input;
  };
}

/** @param {number} fed */
function reportPrefill(fed) {
  if (!current) return;
  const job = current;
  job.fed += fed;
  const tell = () => post({ type: "prefill", key: job.key, done: job.fed, total: job.total });
  const quiet = job.began + QUIET_MS - performance.now();
  if (quiet <= 0) tell();
  else job.telling ??= setTimeout(tell, quiet);
}

/** @param {number} key @param {Completion} request */
async function complete(key, request) {
  const began = performance.now();
  const job = { key, aborted: false, fed: 0, total: 0, begun: "", began, telling: undefined };
  current = job;
  try {
    const outcome = await stream(job, request);
    post({ type: "done", key, ...outcome });
  } catch (error) {
    if (error instanceof PrefillAborted) {
      await engine?.resetChat(); // the conversation is not the one that was asked for
      post({ type: "done", key, finish_reason: "abort", usage: null });
    } else await fail(key, error);
  } finally {
    clearTimeout(job.telling);
    current = null;
  }
}

/** Says that a completion failed, or that the whole engine did. @param {number} key @param {unknown} error */
async function fail(key, error) {
  const { code, message } = describe(error, "failed");
  if (code === "failed")
    await Promise.race([deviceLoss.promise, new Promise((wake) => setTimeout(wake, LOSS_NEWS_MS))]);
  if (code === "engine-lost") postLost(message);
  else post({ type: "error", key, code, message }); // nobody listens any more if the device was lost
}

/** @param {NonNullable<typeof current>} job @param {Completion} request */
async function stream(job, request) {
  let inputTokens = 0;
  let finishReason = "stop";
  let usage = null;
  const words = new Batches((text) => post({ type: "delta", key: job.key, text }));
  try {
    for await (const chunk of await open(request)) {
      inputTokens ||= pipeline().filledKVCacheLength;
      const choice = chunk.choices[0];
      const text = choice && ("delta" in choice ? choice.delta.content : choice.text);
      if (text) clearTimeout(job.telling);
      if (text) words.add(text);
      if (choice?.finish_reason) finishReason = choice.finish_reason;
      if (chunk.usage) usage = usageOf(chunk.usage, inputTokens);
      if (job.aborted) engine?.interruptGenerate(); // again: one sent before the first chunk is lost
    }
  } finally {
    words.flush();
  }
  return { finish_reason: job.aborted ? "abort" : finishReason, usage };
}

/** @param {Completion} request @returns {Promise<AsyncIterable<any>>} */
async function open(request) {
  const { messages, ...options } = request;
  const streaming = /** @type {const} */ ({ ...options, stream: true, stream_options: { include_usage: true } });
  const chat = /** @type {MLCEngine} */ (engine);
  if (hasImages(messages)) return openWithImages(messages, streaming);
  if (messages.at(-1)?.role !== "assistant")
    return /** @type {any} */ (chat.chat.completions.create(/** @type {any} */ ({ ...streaming, messages })));
  // WebLLM's chat interface always opens a new reply; going on with one takes the prompt as text.
  const prompt = renderPrompt(messages, pipeline().config.conv_template);
  return /** @type {any} */ (chat.completions.create(/** @type {any} */ ({ ...streaming, prompt })));
}

/** @param {ChatMessage[]} messages @param {object} options @returns {Promise<AsyncIterable<any>>} */
async function openWithImages(messages, options) {
  const fitting = await withFittingImages(messages, pipeline());
  if (current && fitting.at(-1)?.role === "assistant") current.begun = String(fitting.pop()?.content);
  const { chat } = /** @type {MLCEngine} */ (engine);
  return /** @type {any} */ (chat.completions.create(/** @type {any} */ ({ ...options, messages: fitting })));
}

/** @param {any} usage WebLLM's @param {number} inputTokens */
function usageOf(usage, inputTokens) {
  const extra = usage.extra ?? {};
  const decodeRate = extra.decode_tokens_per_s;
  return {
    input_tokens: inputTokens,
    cache_read_tokens: Math.max(0, inputTokens - usage.prompt_tokens),
    output_tokens: usage.completion_tokens,
    prefill_seconds: extra.time_to_first_token_s ?? 0,
    decode_seconds: decodeRate ? Math.max(0, usage.completion_tokens - 1) / decodeRate : 0,
  };
}

/** @param {number} key */
function abort(key) {
  if (current?.key !== key) return;
  current.aborted = true;
  engine?.interruptGenerate();
}

/** @param {unknown} error @param {ErrorCode} otherwise */
function describe(error, otherwise) {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  /** @type {[RegExp, ErrorCode][]} */
  const known = [
    [/ContextWindowSizeExceeded/, "context-length"],
    [/IncompleteModel/, "incomplete-model"],
    [/ShaderF16|shader-f16/, "no-f16"],
    [/out of memory|OutOfMemory|exceeds the max buffer/i, "out-of-memory"],
    [/DeviceLost|device.*lost|already deleted|ModelNotLoaded/i, "engine-lost"],
  ];
  const code = known.find(([pattern]) => pattern.test(`${name} ${message}`))?.[1] ?? otherwise;
  return { code, message };
}

/** WebLLM's progress lines are long; the bar says the rest. @param {string} text */
function progressText(text) {
  if (/Fetching param|Start to fetch|Loading model from cache/.test(text)) return "Loading the model";
  if (/shader|pipeline/i.test(text)) return "Preparing the GPU";
  if (/Finish loading/.test(text)) return "Ready";
  return "Starting the model";
}
