// A fake of the browser's LanguageModel (https://webmachinelearning.github.io/prompt-api/), for browsers without a model of their
// own: says words of its own, but takes, counts and refuses as the specification has it. Its state is for tests to set:
// fakeLanguageModel = {availability, answer, window, ...}. Words count as tokens. All documents of a browser have the same
// availability, as they have the same model.

(() => {
  const TAGS = 3; // tokens around each message
  const state = {
    availability: "available",
    shared: globalThis.localStorage,
    languages: ["en", "es", "ja"],
    sees: false,
    window: 600,
    /** @type {(messages: any[], options: any) => string | string[] | DOMException} */
    answer: (messages) => `You said: ${messages.at(-1).content}`,
    /** @type {any[]} what sessions were made with */
    created: [],
    /** @type {any[]} what they were asked */
    prompted: [],
    alive: 0,
    /** @type {(() => Promise<void>) | null} holds each chunk back */
    hold: null,
    hasActivation: () => Boolean(globalThis.navigator?.userActivation?.isActive),
    download: [0, 0.5, 1],
  };

  const IMAGE = 50; // tokens of one
  const words = (/** @type {any} */ content) =>
    typeof content === "string"
      ? content.split(/\s+/).filter(Boolean).length
      : content.reduce((/** @type {number} */ sum, /** @type {any} */ part) => sum + tokensOf(part), 0);
  const tokensOf = (/** @type {any} */ { type, value }) => (type === "image" ? IMAGE : words(value));
  const usage = (/** @type {any[]} */ messages) =>
    messages.reduce((sum, { content }) => sum + words(content) + TAGS, 0);
  const refuse = (/** @type {string} */ name, /** @type {string} */ text) => new DOMException(text, name);

  /** @param {any} options */
  function availabilityOf({ expectedInputs = [], expectedOutputs = [] } = {}) {
    const languages = [...expectedInputs, ...expectedOutputs].flatMap(({ languages = [] }) => languages);
    const availability = state.shared?.availability ?? state.availability;
    if (expectedInputs.some(({ type }) => type === "image") && !state.sees) return "unavailable";
    return languages.every((tag) => state.languages.includes(tag)) ? availability : "unavailable";
  }

  /** Whether it is a text, or parts of which those that are no text are pictures. @param {any} content */
  function isContent(content) {
    const isPart = (/** @type {any} */ { type, value }) =>
      type === "text" ? typeof value === "string" : type === "image" && state.sees && value instanceof Blob;
    return typeof content === "string" || (Array.isArray(content) && content.every(isPart));
  }

  /** @param {any} input @param {boolean} isBegun @returns {any[]} */
  function canonical(input, isBegun) {
    const messages = typeof input === "string" ? [{ role: "user", content: input }] : input;
    for (const [i, { role, content, prefix }] of messages.entries()) {
      if (!["system", "user", "assistant"].includes(role) || !isContent(content)) throw new TypeError(role);
      if (prefix && (role !== "assistant" || i < messages.length - 1)) throw refuse("SyntaxError", "prefix");
      if (role === "system" && (isBegun || i > 0)) throw new TypeError("a system prompt that is not the first");
    }
    return messages;
  }

  class LanguageModel extends EventTarget {
    /** @type {any[]} */ said = [];
    contextUsage = 0;
    isDestroyed = false;

    static async availability(options = {}) {
      return availabilityOf(options);
    }

    static async params() {
      return { defaultTopK: 3, maxTopK: 128, defaultTemperature: 1, maxTemperature: 2 };
    }

    /** @param {any} options */
    static async create(options = {}) {
      const availability = availabilityOf(options);
      if (availability === "unavailable") throw refuse("NotSupportedError", "no such model");
      if (availability !== "available" && !state.hasActivation()) throw refuse("NotAllowedError", "a click is needed");
      if ("temperature" in options !== "topK" in options) throw refuse("NotSupportedError", "both or neither");
      if (options.signal?.aborted) throw options.signal.reason;
      if (availability !== "available") await download(options.monitor);
      const session = new LanguageModel();
      session.said = canonical(options.initialPrompts ?? [], false);
      session.contextUsage = usage(session.said);
      if (session.contextUsage > state.window) throw exceeded(session.contextUsage);
      const { monitor: _, signal: __, ...kept } = options;
      state.created.push(kept);
      state.alive++;
      return session;
    }

    get contextWindow() {
      return state.window;
    }

    /** @param {any} input */
    async measureContextUsage(input) {
      if (this.isDestroyed) throw refuse("InvalidStateError", "destroyed");
      return usage(canonical(input, false));
    }

    /** @param {any} input @param {any} options */
    promptStreaming(input, { signal, responseConstraint, omitResponseConstraintInput } = /** @type {any} */ ({})) {
      const session = this;
      const source = (async function* () {
        if (session.isDestroyed) throw refuse("InvalidStateError", "destroyed");
        if (omitResponseConstraintInput && !responseConstraint) throw new TypeError("nothing to omit");
        const messages = canonical(input, session.contextUsage > 0);
        const needed = session.contextUsage + usage(messages);
        if (needed > state.window) throw exceeded(needed);
        state.prompted.push({ messages, responseConstraint, known: session.said.length });
        const answer = state.answer([...session.said, ...messages], { responseConstraint });
        if (answer instanceof DOMException) throw answer;
        let text = "";
        for (const chunk of typeof answer === "string" ? (answer.match(/\S+\s*|\s+/g) ?? []) : answer) {
          await state.hold?.();
          if (signal?.aborted) throw signal.reason;
          if (session.isDestroyed) throw refuse("AbortError", "destroyed");
          text += chunk;
          yield chunk;
        }
        session.said = [...session.said, ...messages, { role: "assistant", content: text }];
        session.contextUsage = needed + words(text) + TAGS;
      })();
      return new ReadableStream({
        async pull(controller) {
          try {
            const { value, done } = await source.next();
            if (done) controller.close();
            else controller.enqueue(value);
          } catch (error) {
            controller.error(error);
          }
        },
        cancel: () => source.return(),
      });
    }

    destroy() {
      if (!this.isDestroyed) state.alive--;
      this.isDestroyed = true;
    }
  }

  /** @param {((monitor: EventTarget) => void) | undefined} monitor */
  async function download(monitor) {
    const target = new EventTarget();
    monitor?.(target);
    for (const loaded of state.download) {
      await state.hold?.();
      if (loaded < 0) throw refuse("NetworkError", "the download failed");
      const event = new Event("downloadprogress");
      target.dispatchEvent(Object.assign(event, { loaded, total: 1 }));
    }
    state.availability = "available";
    if (state.shared) state.shared.availability = "available";
  }

  /** @param {number} requested */
  function exceeded(requested) {
    return Object.assign(refuse("QuotaExceededError", "too long"), { requested, quota: state.window });
  }

  Object.assign(globalThis, { LanguageModel, fakeLanguageModel: state });
})();
