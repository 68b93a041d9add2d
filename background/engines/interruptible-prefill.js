// WebLLM cannot be interrupted while it reads a prompt, and says nothing meanwhile. It feeds a prompt to its private
// pipeline.embedAndForward in chunks; this wraps that method to feed smaller ones, each about as long as a person will
// wait for Stop, with a look at the abort flag and a word of progress between them.

const FIRST_CHUNK = 16; // tokens; a multiple of the prefill kernels' tile height, small enough for software WebGPU
const SECONDS_A_CHUNK = 0.6;

export class PrefillAborted extends Error {}

/** How many tokens to feed next, so that they take about SECONDS_A_CHUNK. @param {number} tokens @param {number} seconds */
export function nextChunk(tokens, seconds) {
  const fitting = (tokens * SECONDS_A_CHUNK) / Math.max(seconds, 1e-3);
  return Math.max(FIRST_CHUNK, Math.floor(fitting / FIRST_CHUNK) * FIRST_CHUNK);
}

/**
 * @param {any} pipeline  WebLLM's LLMChatPipeline
 * @param {{isAborted: () => boolean, onProgress: (fed: number) => void}} watch
 */
export function makePrefillInterruptible(pipeline, { isAborted, onProgress }) {
  const forward = pipeline.embedAndForward.bind(pipeline);
  let chunk = FIRST_CHUNK;

  pipeline.embedAndForward = async (/** @type {any[]} */ input, /** @type {number} */ length) => {
    const tokens = input.length === 1 && Array.isArray(input[0]) ? input[0] : null;
    if (!tokens || length === 1) return forward(input, length); // one decoded token, or an image among the text
    let logits;
    for (let start = 0; start < length; ) {
      if (isAborted()) throw new PrefillAborted();
      const part = tokens.slice(start, start + chunk);
      const began = performance.now();
      logits = await forward([part], part.length);
      await pipeline.sync();
      chunk = nextChunk(part.length, (performance.now() - began) / 1000);
      start += part.length;
      onProgress(part.length);
    }
    if (isAborted()) throw new PrefillAborted();
    return logits;
  };
}
