// What the engine has read of earlier prompts, and what it wrote itself, stays in its cache; here it is found out how much of it the
// next prompt begins with. WebLLM itself goes by whole conversations: it feeds the new message alone where the last reply ended by
// itself, without the stop token that was sampled but never fed, so that with most templates the model reads another text than in a
// fresh prompt; and everything again where a reply was cut short, the last one is asked for anew, or anything else is other than
// before. Tokens are a better measure: those that the prompt begins with stay, the rest of the cache is taken away, and the rest
// of the prompt is fed. What the model then has before it is what a fresh engine would have.

const SEQUENCE = 0;

/** How many tokens two lists begin with alike. @param {number[]} a @param {number[]} b */
export function shared(a, b) {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) if (a[at] !== b[at]) return at;
  return end;
}

/** The tokens, if there is nothing else in a pipeline's input, such as an image. @param {any[]} input @returns {number[]|null} */
function tokensOf(input) {
  return input.length === 1 && Array.isArray(input[0]) ? input[0] : null;
}

/** A function of TVM's runtime that is not in each library. @param {any} tvm @param {string} name */
function runtimeFunction(tvm, name) {
  tvm.beginScope();
  try {
    return tvm.detachFromCurrentScope(tvm.getGlobalFunc(name));
  } catch {
    return null;
  } finally {
    tvm.endScope();
  }
}

/** Must come before other wrappers of embedAndForward that feed in parts. @param {any} pipeline  WebLLM's LLMChatPipeline */
export function reusePrompts(pipeline) {
  const { tvm } = pipeline;
  const takeAway = runtimeFunction(tvm, "vm.builtin.kv_state_popn");
  const isPlain = pipeline.slidingWindowSize === -1 && pipeline.kvStateKind === "kv_cache" && !pipeline.artifact;
  if (!takeAway || !isPlain) return;
  const reset = pipeline.resetKVCache.bind(pipeline);
  const forward = pipeline.embedAndForward.bind(pipeline);
  const getInputData = pipeline.getInputData.bind(pipeline);
  /** @type {number[]|null} what is in the cache; null if nobody knows */
  let cached = null;
  let isForgotten = true; // by WebLLM, which believes the cache to be empty

  /** Of what is in the cache, keeps the first tokens. @param {number} count */
  function keep(count) {
    if (cached === null || count === 0) {
      reset();
      cached = [];
    } else if (cached.length > count) {
      const surplus = cached.length - count;
      takeAway(pipeline.kvCache, tvm.scalar(SEQUENCE, "int64"), tvm.scalar(surplus, "int32"));
      cached.length = count;
    }
    isForgotten = false;
    pipeline.filledKVCacheLength = count;
  }

  pipeline.resetKVCache = () => {
    isForgotten = true;
  };

  pipeline.getInputData = async () => {
    const { messages } = pipeline.conversation;
    if (messages.some((/** @type {any[]} */ [, , content]) => Array.isArray(content))) {
      if (isForgotten) keep(0); // with images WebLLM's own way is taken
      return getInputData();
    }
    pipeline.filledKVCacheLength = 0; // so that it gives the whole prompt
    const [input, length, sizeOf] = await getInputData();
    const tokens = tokensOf(input);
    if (tokens === null) {
      keep(0);
      return [input, length, sizeOf];
    }
    keep(cached ? shared(cached, tokens.slice(0, -1)) : 0); // the last is fed in any case: what comes after it is wanted
    const rest = tokens.slice(pipeline.filledKVCacheLength);
    return [[rest], rest.length, sizeOf];
  };

  pipeline.embedAndForward = async (/** @type {any[]} */ input, /** @type {number} */ length) => {
    const before = cached;
    cached = null; // if this fails
    const logits = await forward(input, length);
    const tokens = tokensOf(input);
    if (before && tokens) {
      before.push(...tokens);
      cached = before;
    }
    return logits;
  };
}
