// WebLLM alone on a page, in its own Worker or in the page itself: the least that one can do to see an answer.
import { CreateMLCEngine, CreateWebWorkerMLCEngine } from "@mlc-ai/web-llm";

/** @type {import("@mlc-ai/web-llm").MLCEngineInterface | null} */
let engine = null;
/** @type {Worker | null} */
let worker = null;

/** @param {string} model @param {boolean} inWorker */
async function load(model, inWorker) {
  await engine?.unload();
  worker?.terminate();
  worker = null;
  const record = {
    model_id: model,
    model: `${location.origin}/models/${model}/`,
    model_lib: `${location.origin}/models/${model}/library.wasm`,
  };
  /** @type {import("@mlc-ai/web-llm").MLCEngineConfig} */
  const config = { appConfig: { model_list: [record] }, logLevel: "WARN" };
  if (inWorker) {
    worker = new Worker("/worker.js", { type: "module" });
    engine = await CreateWebWorkerMLCEngine(worker, model, config);
  } else {
    engine = await CreateMLCEngine(model, config);
  }
}

/** Times, in milliseconds, at which frames with more text had been drawn; `settled` waits for the last. */
function watchFrames() {
  /** @type {number[]} */
  const times = [];
  let pending = Promise.resolve();
  let isPending = false;
  const grew = () => {
    if (isPending) return;
    isPending = true;
    pending = new Promise((resolve) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(void times.push(performance.now()));
        port2.postMessage(null);
        isPending = false;
      });
    });
  };
  return { times, grew, settled: () => pending };
}

/** @param {import("@mlc-ai/web-llm").ChatCompletionRequestStreaming} request */
async function ask(request) {
  const out = /** @type {HTMLElement} */ (document.querySelector("p"));
  out.textContent = "";
  await engine?.resetChat();
  /** @type {number[]} */
  const long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: "longtask" });
  const frames = watchFrames();
  let text = "";
  let arrived = 0;
  let usage;
  const began = performance.now();
  const stream = await engine?.chat.completions.create({
    ...request,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream ?? []) {
    const delta = chunk.choices[0]?.delta.content;
    if (delta) {
      arrived ||= performance.now();
      text += delta;
      out.textContent = text;
      frames.grew();
    }
    usage = chunk.usage ?? usage;
  }
  await frames.settled();
  observer.disconnect();
  return {
    arrived: arrived - began,
    first: (frames.times[0] ?? 0) - began,
    last: (frames.times.at(-1) ?? 0) - began,
    text,
    tokens: usage?.completion_tokens ?? 0,
    read: usage?.prompt_tokens ?? 0,
    long: Math.max(0, ...long),
  };
}

Object.assign(window, { load, ask });
