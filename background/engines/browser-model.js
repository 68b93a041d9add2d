// The chat engine of Chrome's built-in model. It takes and gives the same messages as webllm.js, but is no Worker, since Workers
// have no Prompt API: it runs in the offscreen document, where it only waits. What the interface has no name for is left out:
// top_p, repetition_penalty and seed.

import { expectations, languageModel } from "../built-in-model.js";

/** @import { ChatMessage, Completion, ErrorCode } from "../protocol.js" */

const CHARACTERS_A_TOKEN = 4;

/** @type {Record<string, ErrorCode>} the interface's names of errors */
const CODES = {
  QuotaExceededError: "context-length",
  NotAllowedError: "not-allowed",
  NotSupportedError: "language",
  NotReadableError: "filtered",
  InvalidStateError: "engine-lost",
};

/** @typedef {{session: any, said: ChatMessage[], sampling: string, isOld: boolean}} Talk  a session and all that was said in it */

export class BrowserModel {
  constructor() {
    /** @type {((event: {data: any}) => void) | null} */
    this.onmessage = null;
    /** @type {((event: {message: string}) => void) | null} */
    this.onerror = null;
    /** @type {any} a session that nothing is said in: it counts tokens, and keeps the model in memory */
    this.measure = null;
    /** @type {any} */
    this.options = null;
    /** @type {any} limits and defaults of the sampling; null where a session takes none */
    this.params = null;
    /** @type {Talk|null} the last one: going on with it spares reading it all again */
    this.talk = null;
    /** @type {{key: number, controller: AbortController}|null} */
    this.current = null;
    this.isOver = false;
  }

  /** @param {any} message */
  postMessage(message) {
    if (message.type === "load") this.load();
    else if (message.type === "complete") this.complete(message.key, message.request);
    else if (message.type === "count") this.count(message.key, message.texts);
    else if (message.type === "abort" && this.current?.key === message.key) this.current?.controller.abort();
  }

  terminate() {
    this.isOver = true;
    this.current?.controller.abort();
    this.measure?.destroy();
    this.talk?.session.destroy();
  }

  /** @param {any} data */
  post(data) {
    if (!this.isOver) this.onmessage?.({ data });
  }

  async load() {
    try {
      if (!languageModel()) return this.refuseLoad("built-in-gone", "there is no LanguageModel");
      this.options = await expectations();
      const availability = await languageModel().availability(this.options);
      if (availability === "unavailable") return this.refuseLoad("built-in-gone", availability);
      if (availability !== "available") return this.refuseLoad("not-downloaded", availability);
      this.params = (await languageModel().params?.()) ?? null;
      this.measure = await languageModel().create(this.options);
      if (this.isOver) return this.measure.destroy();
      const tokens = windowOf(this.measure);
      this.post({ type: "loaded", ...(Number.isFinite(tokens) ? { context_window: tokens } : {}) });
    } catch (error) {
      const { code, message } = describe(error, "load-failed");
      this.refuseLoad(code, message);
    }
  }

  /** @param {ErrorCode} code @param {string} message */
  refuseLoad(code, message) {
    this.post({ type: "load-failed", code, message });
  }

  /** @param {number} key @param {string[]} texts */
  async count(key, texts) {
    try {
      const counts = await Promise.all(texts.map((text) => this.tokens(text)));
      this.post({ type: "counted", key, counts });
    } catch (error) {
      this.post({ type: "lost", message: String(error) });
    }
  }

  /** @param {number} key @param {Completion} request */
  async complete(key, request) {
    const controller = new AbortController();
    this.current = { key, controller };
    try {
      const end = await this.stream(key, request, controller);
      this.post({ type: "done", key, ...end });
    } catch (error) {
      this.forget(); // what it holds by now is not known
      const { code, message } = describe(error, "failed");
      if (controller.signal.aborted) this.post({ type: "done", key, finish_reason: "abort", usage: null });
      else if (code === "engine-lost") this.post({ type: "lost", message });
      else this.post({ type: "error", key, code, message });
    } finally {
      this.current = null;
    }
  }

  /** @param {number} key @param {Completion} request @param {AbortController} controller */
  async stream(key, request, controller) {
    const form = formOf(request.response_format);
    const talk = await this.open(request, controller.signal);
    const rest = request.messages.slice(talk.said.length);
    const before = usedBy(talk.session);
    const began = performance.now();
    let first = 0;
    const writer = new Writer(request, form, (text) => this.post({ type: "delta", key, text }));
    for await (const chunk of chunks(talk.session, rest, form, controller.signal)) {
      first ||= performance.now();
      if (writer.write(chunk)) break;
    }
    const end = performance.now();
    writer.end();
    const usage = {
      input_tokens: before + (await this.measured(rest)),
      cache_read_tokens: talk.isOld ? before : 0,
      output_tokens: await this.tokens(writer.text),
      prefill_seconds: ((first || end) - began) / 1000,
      decode_seconds: first ? (end - first) / 1000 : 0,
    };
    if (writer.isCut)
      this.forget(); // the session may hold more than was shown
    else this.talk = { ...talk, said: joined(request.messages, writer.text), isOld: true };
    return { finish_reason: writer.isTooLong ? "length" : "stop", usage };
  }

  /**
   * A session that knows all but the last question: the one there is, if that is so of it and the rest fits, or a new one.
   * @param {Completion} request @param {AbortSignal} signal @returns {Promise<Talk>}
   */
  async open({ messages, temperature, max_tokens = 0 }, signal) {
    const options = this.samplingOf(temperature);
    const sampling = JSON.stringify(options);
    const { talk } = this;
    if (talk && talk.sampling === sampling && isBeginning(talk.said, messages)) {
      const needed = usedBy(talk.session) + (await this.measured(messages.slice(talk.said.length))) + max_tokens;
      if (needed <= windowOf(talk.session)) return talk; // else it would forget its beginning, without a word
    }
    this.forget();
    const last = messages.findLastIndex(({ role }) => role === "user");
    const said = messages.slice(0, Math.max(0, last));
    const session = await languageModel().create({
      ...this.options,
      ...options,
      signal,
      ...(said.length ? { initialPrompts: said.map(inForm) } : {}),
    });
    this.talk = { session, said, sampling, isOld: false };
    return this.talk;
  }

  /** Where a session takes numbers it takes both or none of them. @param {number|undefined} temperature */
  samplingOf(temperature) {
    if (temperature === undefined) return {};
    if (!this.params) return { samplingMode: temperature < 0.3 ? "most-predictable" : "balanced" };
    const topK = temperature === 0 ? 1 : this.params.defaultTopK;
    return { temperature: Math.min(temperature, this.params.maxTemperature), topK };
  }

  /** @param {ChatMessage[]} messages */
  measured(messages) {
    const isText = messages.every(({ content }) => typeof content === "string");
    return this.tokens(isText ? messages.map(({ content }) => content).join("\n") : messages.map(inForm));
  }

  /** With those that stand around a message. @param {string | object[]} said a text, or messages @returns {Promise<number>} */
  async tokens(said) {
    const { measure } = this;
    return Math.ceil(
      await (measure.measureContextUsage ? measure.measureContextUsage(said) : measure.measureInputUsage(said)),
    );
  }

  forget() {
    this.talk?.session.destroy();
    this.talk = null;
  }
}

/** Sends on what the model writes, with the marks that it is to stand between, up to where it has to stop. */
class Writer {
  /** @param {Completion} request @param {Form} form @param {(text: string) => void} send */
  constructor({ max_tokens = Number.POSITIVE_INFINITY, stop = [] }, { begin, end }, send) {
    this.most = max_tokens;
    this.stops = end ? [end, ...stop] : stop;
    this.send = send;
    this.close = end;
    this.chunks = 0;
    this.sent = 0;
    this.text = "";
    this.isTooLong = false;
    this.isStopped = false;
    if (begin) send(begin);
  }

  /** Whether the session was left before its answer's end. */
  get isCut() {
    return this.isTooLong || this.isStopped || Boolean(this.close);
  }

  /** @param {string} chunk @returns {boolean} whether it is enough */
  write(chunk) {
    this.chunks++;
    this.text += chunk;
    const found = this.stops.map((stop) => this.text.indexOf(stop)).filter((place) => place >= 0);
    this.isStopped = found.length > 0;
    if (this.isStopped) this.text = this.text.slice(0, Math.min(...found));
    // Chrome does not say how many tokens a chunk has.
    this.isTooLong = !this.isStopped && Math.max(this.chunks, this.text.length / CHARACTERS_A_TOKEN) >= this.most;
    const keptBack = this.isStopped || this.isTooLong ? 0 : Math.max(0, ...this.stops.map((stop) => stop.length - 1));
    this.show(this.text.length - keptBack);
    return this.isStopped || this.isTooLong;
  }

  end() {
    this.show(this.text.length);
    if (this.close && !this.isTooLong) this.send(this.close);
  }

  /** @param {number} length */
  show(length) {
    if (length > this.sent) this.send(this.text.slice(this.sent, length));
    this.sent = Math.max(this.sent, length);
  }
}

/** @typedef {{begin: string, end: string, schema: object|null}} Form  marks around the answer, and the JSON between them */

/** What can be had of a structural tag: one that must be written. Others are left to the model. @param {any} format @returns {Form} */
function formOf(format) {
  const asked = format?.structural_tag?.format;
  const tag = asked?.type === "triggered_tags" && asked.at_least_one && asked.tags.length === 1 ? asked.tags[0] : asked;
  if (tag?.type !== "tag") return { begin: "", end: "", schema: null };
  return { begin: tag.begin, end: tag.end, schema: tag.content.json_schema ?? null };
}

/**
 * @param {any} session @param {ChatMessage[]} messages @param {Form} form @param {AbortSignal} signal
 * @returns {AsyncGenerator<string>}
 */
async function* chunks(session, messages, { begin, schema }, signal) {
  if (schema) {
    const options = { signal, responseConstraint: schema, omitResponseConstraintInput: true };
    try {
      return yield* session.promptStreaming(prefixed(messages), options);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "NotSupportedError") throw error; // else its schemas know less than ours
    }
  }
  yield* session.promptStreaming(prefixed(messages, begin), { signal });
}

/** A last message of the assistant is gone on with. @param {ChatMessage[]} messages @param {string} [begin] of the answer */
function prefixed(messages, begin = "") {
  /** @type {ChatMessage[]} */
  const all = begin ? [...messages, { role: "assistant", content: begin }] : messages;
  return all.map((message, i) =>
    i === all.length - 1 && message.role === "assistant" ? { ...message, prefix: true } : inForm(message),
  );
}

/** A message as the interface takes it: images are pictures there, no addresses. @param {ChatMessage} message */
function inForm({ role, content }) {
  if (typeof content === "string") return { role, content };
  const parts = content.map((part) =>
    part.type === "text" ? { type: "text", value: part.text } : { type: "image", value: blobOf(part.image_url.url) },
  );
  return { role, content: parts };
}

/** What a data URL holds. @param {string} url */
function blobOf(url) {
  const [about = "", bytes = ""] = url.split(",");
  const type = /^data:([^;]*)/.exec(about)?.[1] ?? "";
  return new Blob([Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0))], { type });
}

/** @param {ChatMessage[]} messages @param {string} text @returns {ChatMessage[]} */
function joined(messages, text) {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return [...messages, { role: "assistant", content: text }];
  return [...messages.slice(0, -1), { ...last, content: last.content + text }];
}

/** @param {ChatMessage[]} said @param {ChatMessage[]} messages */
function isBeginning(said, messages) {
  const isSame = (/** @type {ChatMessage} */ { role, content }, /** @type {number} */ i) =>
    messages[i]?.role === role && JSON.stringify(messages[i]?.content) === JSON.stringify(content);
  return said.length > 0 && said.length < messages.length && said.every(isSame);
}

// What was renamed when the interface came to pages has its old name in older extensions.

/** @param {any} session @returns {number} tokens that it holds */
const usedBy = (session) => session.contextUsage ?? session.inputUsage ?? 0;

/** @param {any} session @returns {number} tokens that it takes */
const windowOf = (session) => session.contextWindow ?? session.inputQuota ?? Number.POSITIVE_INFINITY;

/** @param {unknown} error @param {ErrorCode} otherwise @returns {{code: ErrorCode, message: string}} */
function describe(error, otherwise) {
  const { name, message, requested, quota } = /** @type {any} */ (error);
  const code = CODES[name] ?? otherwise;
  if (code === "context-length" && requested)
    return { code, message: `${requested} tokens, and the model takes ${quota}` };
  return { code, message: message || String(error) };
}
