// WebLLM on a page, with its private pipeline laid open: which tokens it is fed, and the logits it computes.
import { CreateMLCEngine } from "@mlc-ai/web-llm";

/**
 * What is used of WebLLM 0.2.86's private LLMChatPipeline.
 * @typedef {object} Pipeline
 * @property {any} tvm
 * @property {any} device
 * @property {number} filledKVCacheLength
 * @property {() => void} resetKVCache
 * @property {(data: number[][], length: number) => Promise<any>} embedAndForward logits on the GPU, in tvm's scope
 * @property {(logits: any) => any} updateLogitsOnCPU
 * @property {(...args: unknown[]) => Promise<any>} forwardPrefill
 */

/**
 * @typedef {object} Answer
 * @property {string} text
 * @property {string | null} finish
 * @property {number[][]} prefills the token chunks that were prefilled
 * @property {number[]} decoded the tokens that were fed one by one, which are all sampled ones but the last
 */

/** @type {import("@mlc-ai/web-llm").MLCEngine} */
let engine;
/** @type {Pipeline} */
let pipeline;
/** @type {{ prefills: number[][], decoded: number[] }} */
let fed = { prefills: [], decoded: [] };

/** Record what the pipeline is fed, prefill and decode apart. */
function recordTokens() {
  let prefilling = false;
  const { forwardPrefill, embedAndForward } = pipeline;
  pipeline.forwardPrefill = async (...args) => {
    prefilling = true;
    try {
      return await forwardPrefill.apply(pipeline, args);
    } finally {
      prefilling = false;
    }
  };
  pipeline.embedAndForward = (data, length) => {
    const tokens = data.flatMap((part) => Array.from(part));
    if (prefilling) fed.prefills.push(tokens);
    else fed.decoded.push(...tokens);
    return embedAndForward.call(pipeline, data, length);
  };
}

/** @param {string} model @param {string} library */
async function load(model, library) {
  await engine?.unload();
  const record = {
    model_id: model,
    model: `${location.origin}/models/${model}/resolve/main/`,
    model_lib: `${location.origin}/libraries/${library}.wasm`,
  };
  engine = await CreateMLCEngine(model, { appConfig: { model_list: [record] }, logLevel: "WARN" });
  pipeline = /** @type {any} */ (engine).loadedModelIdToPipeline.get(model);
  recordTokens();
}

/**
 * The greedy answer.
 * @param {import("@mlc-ai/web-llm").ChatCompletionMessageParam[]} messages
 * @param {number} maxTokens
 * @returns {Promise<Answer>}
 */
async function ask(messages, maxTokens) {
  fed = { prefills: [], decoded: [] };
  const reply = await engine.chat.completions.create({ messages, temperature: 0, max_tokens: maxTokens });
  const choice = reply.choices[0];
  return { text: choice?.message.content ?? "", finish: choice?.finish_reason ?? null, ...fed };
}

/**
 * The logits after the last token, when a fresh cache is fed the parts one after the other.
 * @param {number[][]} parts
 * @returns {Promise<number[]>}
 */
async function logits(parts) {
  const { tvm, device } = pipeline;
  tvm.beginScope();
  try {
    pipeline.resetKVCache();
    pipeline.filledKVCacheLength = 0;
    let last;
    for (const part of parts) last = await pipeline.embedAndForward([part], part.length);
    const onCpu = pipeline.updateLogitsOnCPU(last);
    await device.sync();
    return Array.from(onCpu.toArray());
  } finally {
    tvm.endScope();
  }
}

const actions = { load, ask, logits, reset: () => engine.resetChat() };

/** @typedef {{ value: unknown } | { error: string }} Outcome */

/**
 * What a test calls: never rejects, so that the test sees the page's own error.
 * @param {keyof typeof actions} name
 * @param {unknown[]} args
 * @returns {Promise<Outcome>}
 */
async function run(name, args) {
  try {
    const action = /** @type {(...args: unknown[]) => Promise<unknown>} */ (actions[name]);
    return { value: (await action(...args)) ?? null };
  } catch (error) {
    return { error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
  }
}

Object.assign(window, { run });
