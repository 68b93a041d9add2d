// A fake of background/engines/webllm.js, at the outermost seam: what a model might say, word for word, for tests that are
// about what becomes of it. The words come over a BroadcastChannel from the test; what was asked goes back over it.
// In: {answers: string[]} to be given in turn, then "Fine." again and again | {ask: "requests"}. Out: {requests: Completion[]}
// A model that sees decodes its images here, the way WebLLM does; `seen` of a request is what came of them.

const channel = new BroadcastChannel("scripted-engine");
const CHUNK = 7; // characters a delta, so that marks of calls are cut in two

/** @type {string[]} */
let answers = [];
/** @type {any[]} */
const requests = [];

channel.onmessage = ({ data }) => {
  if (data.answers) {
    answers = [...data.answers];
    requests.length = 0;
    channel.postMessage({ ready: true });
  } else if (data.ask === "requests") channel.postMessage({ requests });
};

self.onmessage = ({ data }) => {
  if (data.type === "load") self.postMessage({ type: "loaded" });
  else if (data.type === "count") self.postMessage({ type: "counted", key: data.key, counts: data.texts.map(words) });
  else if (data.type === "complete") complete(data.key, data.request);
};

/** @param {string} text */
function words(text) {
  return text.split(/\s+/).filter(Boolean).length;
}

/** @param {any} request */
async function seenIn({ messages }) {
  const parts = messages.flatMap((/** @type {any} */ { content }) => (Array.isArray(content) ? content : []));
  const images = parts.filter((/** @type {any} */ { type }) => type === "image_url");
  const decode = async (/** @type {any} */ { image_url: { url } }) => {
    const { width, height } = await createImageBitmap(await (await fetch(url, { mode: "cors" })).blob());
    return { width, height, type: url.slice(0, url.indexOf(";")) };
  };
  return Promise.all(images.map(decode));
}

/** @param {number} key @param {any} request */
async function complete(key, request) {
  requests.push({ ...request, seen: await seenIn(request) });
  const answer = answers.shift() ?? "Fine.";
  for (let i = 0; i < answer.length; i += CHUNK)
    self.postMessage({ type: "delta", key, text: answer.slice(i, i + CHUNK) });
  const usage = { input_tokens: 9, cache_read_tokens: 0, output_tokens: 3, prefill_seconds: 0.1, decode_seconds: 0.1 };
  self.postMessage({ type: "done", key, finish_reason: "stop", usage });
}
