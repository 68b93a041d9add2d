// The library's own code over texts and vectors that are made here: the embedding model is measured elsewhere.

import { Library } from "../../../../background/library/library.js";
import { openStore } from "../../../../background/library/store.js";
import { DIMENSIONS } from "../../../../background/library/vectors.js";

const A_DOCUMENT = 1000; // chunks
const WORDS = 60; // of a chunk
const VOCABULARY = 20_000;
const SEARCHES = 20;

/** Numbers that look like chance and are the same each time. */
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
/** Few words are frequent and most are rare, as in any language. */
const word = () => `w${Math.floor(VOCABULARY ** random()).toString(36)}`;
const text = () => Array.from({ length: WORDS }, word).join(" ");
const vector = () => Int8Array.from({ length: DIMENSIONS }, () => random() * 255 - 127);

const embedder = { device: "gpu", load: async () => {}, embed: async (texts) => texts.map(vector) };

let library;
let onIdle = () => {};

function opened() {
  library = new Library({
    open: () => openStore((reason) => console.warn(reason)),
    embedder,
    onState: ({ state, error }) => {
      if (error) throw new Error(error.message);
      if (state === "idle" && library?.pending.size === 0) onIdle();
    },
  });
  return library.start();
}

const timed = async (work) => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

async function index(chunks) {
  await opened();
  const documents = Array.from({ length: chunks / A_DOCUMENT }, (_, at) => documentOf(`document-${at}`));
  return {
    index_ms: await timed(async () => {
      for (const { document, parts } of documents)
        await library.answer({ type: "library.put", id: "", document, chunks: parts });
      const all = new Promise((resolve) => {
        onIdle = resolve;
      });
      if (library.pending.size || library.isEmbedding) await all;
    }),
  };
}

function documentOf(id) {
  const parts = Array.from({ length: A_DOCUMENT }, (_, ordinal) => ({
    ...{ id: `${id}-${ordinal}`, document: id, ordinal, heading: "", text: text(), page: null },
  }));
  const document = { id, name: id, collection: "bench", added: 0, size: 0, words: A_DOCUMENT * WORDS };
  return { document, parts };
}

async function search() {
  const ask = (query) => library.answer({ type: "library.search", id: "", query });
  const first_search_ms = await timed(() => ask(text()));
  const times = [];
  for (let at = 0; at < SEARCHES; at++) times.push(await timed(() => ask(`${word()} ${word()} ${word()} ${word()}`)));
  return { first_search_ms, search_ms: times };
}

/** What a start of the browser does. */
async function reopen() {
  return { open_ms: await timed(opened) };
}

const WORK = { index: ({ chunks }) => index(chunks), search, reopen };

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ ...(await WORK[data.type](data)), type: "done", key: data.key });
  } catch (error) {
    self.postMessage({ type: "failed", key: data.key, message: String(error?.stack ?? error) });
  }
};
