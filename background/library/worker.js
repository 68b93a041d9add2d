// The library in a module Worker.
// In:  {key, request: LibraryRequest}
// Out: {type: "state", state} | {type: "answer", key, answer} | {type: "lost", message}

import "../network-guard.js";
import { showLife } from "../worker-life.js";
import { Embedder } from "./embedder.js";
import { Library } from "./library.js";
import { describe, openStore } from "./store.js";

showLife();

const post = (/** @type {object} */ message) => self.postMessage(message);

const library = new Library({
  open: () => openStore((message) => post({ type: "lost", message })),
  embedder: new Embedder(),
  onState: (state) => post({ type: "state", state }),
});

self.onmessage = async ({ data: { key, request } }) => {
  try {
    post({ type: "answer", key, answer: await library.answer(request) });
  } catch (error) {
    post({ type: "answer", key, answer: { type: "error", ...describe(error) } });
  }
};

library.start();
