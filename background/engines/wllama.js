// The chat engine for machines without WebGPU: llama.cpp in wasm, on the CPU. One model, one completion at a time.
// It takes and gives the same messages as webllm.js. The supervisor keeps the queue.

import "../network-guard.js";
import { Tokenizer } from "@huggingface/tokenizers";
import { showLife } from "../worker-life.js";
import { restoreGguf } from "./gguf.js";
import { toGrammar, UnsupportedFormat } from "./grammar.js";
import { Llama, LlamaCrashed, LlamaRefused, log } from "./llama.js";
import { renderPrompt } from "./prompt-template.js";

/** @import { Completion, ErrorCode, Model, Usage } from "../protocol.js" */

showLife();

/** Tokens of a prompt that are read at once: small, since Stop waits for them. */
const PREFILL_TOKENS = 16;
const MOST_THREADS = 8;
/** What WebLLM's sampler sees; see python/starter_model/README.md. */
const TOP_K = 64;
const PENALTY_TOKENS = 64;
/** Of the bar, how much is done when the weights are there; what llama.cpp makes of them is the rest. */
const WEIGHTS_SHARE = 0.9;

/** @type {Llama|null} */
let llama = null;
/** @type {Tokenizer|null} */
let tokenizer = null;
/** @type {any} the model's mlc-chat-config.json */
let config = null;
/** @type {{key: number, aborted: boolean}|null} */
let current = null;

const post = (/** @type {any} */ message) => self.postMessage(message);

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

/** @param {number} key */
function abort(key) {
  if (current?.key === key) current.aborted = true;
}

/** @param {Model} model */
async function load(model) {
  try {
    if (!model.gguf) throw new Error("this model has no weights for the CPU");
    const folder = model.gguf.slice(0, model.gguf.lastIndexOf("/") + 1);
    tell(0, "Loading the model");
    const [recipe, chatConfig, tokens] = await Promise.all([
      readJson(model.gguf),
      readJson(`${folder}mlc-chat-config.json`),
      readJson(`${folder}tokenizer.json`),
    ]);
    config = chatConfig;
    tokenizer = new Tokenizer(tokens, {});
    const threads = threadCount();
    const onCrash = (/** @type {string} */ message) => post({ type: "lost", message });
    const engine = await Llama.start({ threads, onCrash });
    const file = engine.createFile(recipe.bytes);
    await restoreGguf(
      recipe,
      (name) => read(folder + name),
      file.bytes,
      (share) => tell(share * WEIGHTS_SHARE, "Loading the model"),
    );
    tell(WEIGHTS_SHARE, "Preparing the model");
    await loadModel(engine, file.path, model.context_window, threads);
    llama = engine;
    post({ type: "loaded" });
  } catch (error) {
    post({ type: "load-failed", ...describe(error, "load-failed") });
  }
}

/** @param {Llama} engine @param {string} path @param {number} context @param {number} threads */
async function loadModel(engine, path, context, threads) {
  const loaded = await engine.action("load", {
    _name: "load_req",
    model_paths: [path],
    n_ctx_auto: false,
    use_mmap: true,
    use_mlock: false,
    n_gpu_layers: 0,
    n_ctx: context,
    n_threads: threads,
    n_batch: PREFILL_TOKENS,
    n_ubatch: PREFILL_TOKENS,
    n_parallel: 1,
    ctx_shift: false,
    warmup: false,
    // In this build it is wrong: "What is the capital of France?" is answered with "L'Étoile, la Cité".
    flash_attn: false,
  });
  if (!loaded.success) throw new Error(`llama.cpp could not load the model: ${log.join(" | ")}`);
}

/** One core stays free for the panel. Without shared memory there are no threads. */
function threadCount() {
  if (!self.crossOriginIsolated) return 1;
  return Math.min(MOST_THREADS, Math.max(1, navigator.hardwareConcurrency - 1));
}

/** @param {number} progress @param {string} text */
function tell(progress, text) {
  post({ type: "progress", progress, text });
}

/** @param {string} path  from the package's root */
async function read(path) {
  const response = await fetch(new URL(path, self.location.origin).href);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
}

/** @param {string} path */
const readJson = async (path) => JSON.parse(new TextDecoder().decode(await read(path)));

/** @param {string} text */
function countTokens(text) {
  return /** @type {Tokenizer} */ (tokenizer).encode(text, { add_special_tokens: false }).ids.length;
}

/** @param {number} key @param {Completion} request */
async function complete(key, request) {
  const job = { key, aborted: false };
  current = job;
  try {
    post({ type: "done", key, ...(await stream(job, request)) });
  } catch (error) {
    const { code, message } = describe(error, "failed");
    if (code === "engine-lost") post({ type: "lost", message });
    else post({ type: "error", key, code, message });
  } finally {
    current = null;
  }
}

/** @param {NonNullable<typeof current>} job @param {Completion} request */
async function stream(job, request) {
  const engine = /** @type {Llama} */ (llama);
  const prompt = renderPrompt(request.messages, config.conv_template);
  const tokens = countTokens(prompt);
  if (tokens >= config.context_window_size) throw new ContextExceeded(tokens);
  const begun = await engine.action("completion", {
    _name: "cmpl_req",
    is_chat: false,
    is_asr: false,
    data_json: JSON.stringify({ prompt, ...options(request) }),
    files: [],
  });
  let isOver = false;
  try {
    for (;;) {
      await othersTurn();
      if (job.aborted) return { finish_reason: "abort", usage: null };
      const result = await next(engine, begun.req_id);
      isOver = !result.has_more;
      const chunks = result.data_json ? [JSON.parse(result.data_json)].flat() : [];
      if (result.is_error) throw new Refused(chunks[0]);
      for (const chunk of chunks) if (chunk) report(job.key, chunk);
      if (isOver) return endOf(chunks.at(-1));
    }
  } finally {
    if (!isOver) await engine.action("cancel", { _name: "cncl_req", req_id: begun.req_id });
  }
}

/** One step: some tokens of the prompt, or one of the answer. @param {Llama} engine @param {number} request */
async function next(engine, request) {
  try {
    return await engine.action("get_result", { _name: "gres_req", req_id: request });
  } catch (error) {
    if (!(error instanceof LlamaRefused) || !error.message.includes("invalid UTF-8")) throw error;
    // The model wrote half a character; the step is done, but llama.cpp cannot say what came of it.
    return { has_more: true, is_error: false, data_json: JSON.stringify({ choices: [{ text: "\uFFFD" }] }) };
  }
}

/** @param {any} chunk  llama.cpp's last; it is missing if it ended with half a character */
function endOf(chunk) {
  if (!chunk?.usage) return { finish_reason: "stop", usage: null };
  return { finish_reason: chunk.choices[0].finish_reason, usage: usageOf(chunk) };
}

/** llama.cpp's names for what is asked; what is not asked is as the model's own configuration has it. @param {Completion} request */
function options(request) {
  const grammar = request.response_format && toGrammar(request.response_format);
  return {
    stream: true,
    return_progress: true,
    id_slot: 0, // else it keeps every prompt's cache, in gigabytes
    n_predict: request.max_tokens ?? -1,
    temperature: request.temperature ?? config.temperature,
    top_p: request.top_p ?? config.top_p,
    top_k: TOP_K,
    min_p: 0,
    repeat_penalty: request.repetition_penalty ?? config.repetition_penalty,
    repeat_last_n: PENALTY_TOKENS,
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    stop: [...config.conv_template.stop_str, ...(request.stop ?? [])],
    ...grammar,
  };
}

/** @param {number} key @param {any} chunk  llama.cpp's */
function report(key, chunk) {
  const { prompt_progress: prompt, choices } = chunk;
  if (prompt) post({ type: "prefill", key, done: prompt.processed - prompt.cache, total: prompt.total - prompt.cache });
  const text = choices?.[0]?.text;
  if (text) post({ type: "delta", key, text });
}

/** @param {any} chunk  llama.cpp's last @returns {Usage} */
function usageOf({ usage, timings }) {
  return {
    input_tokens: usage.prompt_tokens,
    cache_read_tokens: timings.cache_n,
    output_tokens: usage.completion_tokens,
    prefill_seconds: timings.prompt_ms / 1000,
    decode_seconds: timings.predicted_ms / 1000,
  };
}

const channel = new MessageChannel();
/** Lets messages in, such as an abort: the wasm itself never waits. @returns {Promise<void>} */
function othersTurn() {
  return new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });
}

class ContextExceeded extends Error {
  /** @param {number} tokens */
  constructor(tokens) {
    super(`${tokens} tokens, and the model takes ${config.context_window_size}`);
  }
}

/** llama.cpp's word that it will not do what was asked. */
class Refused extends Error {
  /** @param {{message?: string, type?: string}} error */
  constructor({ message = "unknown", type = "" }) {
    super(message);
    this.type = type;
  }
}

/** @param {unknown} error @param {ErrorCode} otherwise @returns {{code: ErrorCode, message: string}} */
function describe(error, otherwise) {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ContextExceeded) return { code: "context-length", message };
  if (error instanceof UnsupportedFormat) return { code: "bad-request", message };
  if (error instanceof Refused && error.type === "exceed_context_size_error")
    return { code: "context-length", message };
  if (error instanceof Refused && error.type === "invalid_request_error") return { code: "bad-request", message };
  if (/out of memory|memory allocation|failed to allocate|cannot enlarge memory|bad_alloc/i.test(message))
    return { code: "out-of-memory", message };
  if (error instanceof LlamaCrashed || error instanceof WebAssembly.RuntimeError)
    return { code: "engine-lost", message };
  return { code: otherwise, message };
}
