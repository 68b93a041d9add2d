// The chat engine that is a server of the user's, by OpenAI's interface: what is asked leaves the browser. The only Worker that may
// connect to any host, and it connects to that server alone. It takes and gives the same messages as webllm.js. Besides:
// In:  {type: "look", server}
// Out: {type: "looked", found} | {type: "load-failed"}

import { showLife } from "../worker-life.js";
import { errorOf, ServerError } from "./server-errors.js";
import { asker, look } from "./server-look.js";
import { bodyOf, estimate, grammarOf, usageOf } from "./server-request.js";
import { eventsOf } from "./server-sent-events.js";

/** @import { Completion, ErrorCode, Model, Server } from "../protocol.js" */
/** @import { Ask } from "./server-look.js" */

showLife();

/** A server that has just started loads its model, which takes as long as it takes. */
const BUSY_RETRY_MS = 1000;
const BUSY_ATTEMPTS = 120;

/** @type {Server|null} */
let server = null;
/** @type {{key: number, aborted: boolean, controller: AbortController}|null} */
let current = null;

const post = (/** @type {any} */ message) => self.postMessage(message);
const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

self.onmessage = async ({ data }) => {
  try {
    if (data.type === "load") await load(data.model);
    else if (data.type === "look")
      await report(async () => ({ type: "looked", found: await look(asker(data.server)) }));
    else if (data.type === "complete") await complete(data.key, data.request);
    else if (data.type === "count") post({ type: "counted", key: data.key, counts: await count(data.texts) });
    else if (data.type === "abort") abort(data.key);
  } catch (error) {
    post({ type: "lost", message: describe(error).message });
  }
};

/** @param {Model} model */
async function load(model) {
  server = /** @type {Server} */ (model.server);
  const { model: wanted } = server;
  await report(async () => {
    const { models } = await lookPatiently(asker(/** @type {Server} */ (server)));
    const found = models.find((each) => each.model === wanted);
    if (!found)
      throw new ServerError("no-such-model", `it has ${models.map((each) => each.model).join(", ") || "none"}`);
    return { type: "loaded", ...(found.context_window ? { context_window: found.context_window } : {}) };
  });
}

/** @param {() => Promise<object>} work  gives what is to be said */
async function report(work) {
  try {
    post(await work());
  } catch (error) {
    post({ type: "load-failed", ...describe(error) });
  }
}

/** @param {Ask} ask */
async function lookPatiently(ask) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await look(ask);
    } catch (error) {
      const isBusy = error instanceof ServerError && error.code === "server-busy";
      if (!isBusy || attempt === BUSY_ATTEMPTS) throw error;
      post({ type: "progress", progress: null, text: "The server is loading the model" });
      await pause(BUSY_RETRY_MS);
    }
  }
}

/** @param {number} key @param {Completion} request */
async function complete(key, request) {
  const job = { key, aborted: false, controller: new AbortController() };
  current = job;
  try {
    post({ type: "done", key, ...(await stream(job, request)) });
  } catch (error) {
    if (job.aborted) post({ type: "done", key, finish_reason: "abort", usage: null });
    else fail(key, error);
  } finally {
    job.controller.abort(); // an answer that nobody reads to its end keeps its connection
    current = null;
  }
}

/** @param {number} key @param {unknown} error */
function fail(key, error) {
  const { code, message } = describe(error);
  if (code === "server-unreachable") post({ type: "lost", message });
  else post({ type: "error", key, code, message });
}

/** @param {NonNullable<typeof current>} job @param {Completion} request */
async function stream(job, request) {
  const asked = performance.now();
  /** @type {number|null} */
  let began = null;
  let [finishReason, usage, timings] = /** @type {[string|null, any, any]} */ ([null, null, null]);
  for await (const chunk of chunksOf(await open(job, request))) {
    const { prompt_progress: prompt, choices, error } = chunk;
    if (error) throw errorOf(Number(error.code) || 500, JSON.stringify(chunk), server?.kind);
    if (prompt) post({ type: "prefill", key: job.key, ...progressOf(prompt) });
    const choice = choices?.[0];
    const text = choice?.delta?.content ?? choice?.text ?? choice?.message?.content;
    if (text) {
      began ??= performance.now();
      post({ type: "delta", key: job.key, text });
    }
    finishReason = choice?.finish_reason ?? finishReason;
    usage = chunk.usage ?? usage;
    timings = chunk.timings ?? timings;
  }
  // What breaks off may end like what is whole, but for this.
  if (finishReason === null) throw new TypeError("the answer broke off");
  const times = { asked, began, ended: performance.now() };
  return { finish_reason: finishReason === "length" ? "length" : "stop", usage: usageOf(usage, timings, times) };
}

/** @param {{total: number, cache: number, processed: number}} prompt */
const progressOf = ({ total, cache, processed }) => ({ done: processed - cache, total: total - cache });

/** @param {NonNullable<typeof current>} job @param {Completion} request */
async function open(job, request) {
  const to = /** @type {Server} */ (server);
  const ask = asker(to, job.controller.signal);
  const isText = request.messages.every(({ content }) => typeof content === "string");
  const grammar = to.kind === "llama.cpp" && isText ? grammarOf(request.response_format) : null;
  const { messages, ...body } = bodyOf(request, to);
  // In a chat llama.cpp does not wait for what triggers a grammar; with the prompt as text it does.
  const response = grammar
    ? await ask("/v1/completions", { ...body, ...grammar, prompt: await promptOf(ask, messages) })
    : await ask("/v1/chat/completions", { ...body, messages });
  if (!response.ok) throw errorOf(response.status, await response.text(), to.kind);
  return response;
}

/** @param {Ask} ask @param {Completion["messages"]} messages */
async function promptOf(ask, messages) {
  const response = await ask("/apply-template", { messages });
  if (!response.ok) throw errorOf(response.status, await response.text(), "llama.cpp");
  return (await response.json()).prompt;
}

/** @param {Response} response @returns {AsyncGenerator<any>} */
async function* chunksOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    yield json(await response.text()); // all at once
    return;
  }
  if (!type.includes("event-stream")) throw new ServerError("not-a-server", `its answer is ${type || "of no type"}`);
  for await (const data of eventsOf(/** @type {ReadableStream<Uint8Array>} */ (response.body)))
    if (data !== "[DONE]") yield json(data);
}

/** @param {string} text */
function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ServerError("not-a-server", `it answers: ${text.slice(0, 100)}`);
  }
}

/** @param {string[]} texts @returns {Promise<number[]>} */
async function count(texts) {
  const to = /** @type {Server} */ (server);
  if (to.kind !== "llama.cpp") return texts.map(estimate);
  const ask = asker(to);
  return Promise.all(
    texts.map(async (content) => {
      const response = await ask("/tokenize", { content });
      return response.ok ? (await response.json()).tokens.length : estimate(content);
    }),
  );
}

/** @param {number} key */
function abort(key) {
  if (current?.key !== key) return;
  current.aborted = true;
  current.controller.abort();
}

/** fetch() tells no reason. @param {unknown} error @returns {{code: ErrorCode, message: string}} */
function describe(error) {
  if (error instanceof ServerError) return { code: error.code, message: error.message };
  const host = server ? new URL(server.url).host : "it";
  if (error instanceof TypeError) return { code: "server-unreachable", message: `${host}: ${error.message}` };
  return { code: "failed", message: String(error) };
}
