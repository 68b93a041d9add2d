// A completion as each kind of server wants it, and what it says of an answer, in our terms.

import { toGrammar, UnsupportedFormat } from "./grammar.js";

/** @import { Completion, Server, Usage } from "../protocol.js" */

/**
 * The body of a request for chat completions. What OpenAI's interface lacks is sent to those that are known to take it.
 * @param {Completion} request
 * @param {Server} server
 */
export function bodyOf({ messages, max_tokens, temperature, top_p, seed, stop, repetition_penalty }, { kind, model }) {
  const goesOn = messages.at(-1)?.role === "assistant";
  return {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...given({ max_tokens, temperature, top_p, seed, stop }),
    ...(kind === "llama.cpp" ? { ...given({ repeat_penalty: repetition_penalty }), return_progress: true } : {}),
    ...(kind === "lm-studio" ? given({ repeat_penalty: repetition_penalty }) : {}),
    ...(kind === "vllm" ? given({ repetition_penalty }) : {}),
    ...(kind === "vllm" && goesOn ? { continue_final_message: true, add_generation_prompt: false } : {}),
  };
}

/** @param {object} values */
const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/**
 * What llama.cpp is to be held to, or null where nothing or what it cannot do is asked: the answer is read as it comes.
 * @param {Completion["response_format"]} format
 */
export function grammarOf(format) {
  if (!format) return null;
  try {
    const grammar = toGrammar(format);
    // One that is a single token of the model's starts nothing unless it is named here too.
    return { ...grammar, preserved_tokens: (grammar.grammar_triggers ?? []).map(({ value }) => value) };
  } catch (error) {
    if (error instanceof UnsupportedFormat) return null;
    throw error;
  }
}

/**
 * @param {any} usage  the server's
 * @param {any} timings  llama.cpp's
 * @param {{asked: number, began: number|null, ended: number}} times  in milliseconds; `began`: the first word of the answer
 * @returns {Usage|null}
 */
export function usageOf(usage, timings, { asked, began, ended }) {
  if (!usage) return null;
  const first = began ?? ended;
  return {
    input_tokens: usage.prompt_tokens,
    cache_read_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    output_tokens: usage.completion_tokens,
    prefill_seconds: (timings?.prompt_ms ?? first - asked) / 1000,
    decode_seconds: (timings?.predicted_ms ?? ended - first) / 1000,
  };
}

/** Tokens of a text, rather too many than too few. @param {string} text */
export function estimate(text) {
  const [ascii, others] = [text.match(/[\0-\x7f]/g)?.length ?? 0, text.match(/[^\0-\x7f]/gu)?.length ?? 0];
  return Math.ceil(ascii / 3) + others;
}
