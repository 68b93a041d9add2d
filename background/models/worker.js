// Downloads of models in a module Worker.
// In:  {key, request: ModelsRequest} | {check: true}
// Out: {type: "downloads", downloads, storage} | {type: "models", models} | {type: "answer", key, answer} | {type: "lost", message}
//   | {type: "fetch", url, headers, port}; see relay.js

import "../network-guard.js";
import { showLife } from "../worker-life.js";
import * as digests from "./digests.js";
import { Downloads } from "./downloads.js";
import { describe } from "./faults.js";
import { ModelFiles } from "./files.js";
import { relayedFetch } from "./relay.js";
import { openStore } from "./store.js";

showLife();

const post = (/** @type {object} */ message, /** @type {Transferable[]} */ transfer = []) =>
  self.postMessage(message, { transfer });

const downloads = new Downloads({
  open: () => openStore((message) => post({ type: "lost", message })),
  files: new ModelFiles(),
  means: {
    fetch: relayedFetch(post),
    digests,
    estimate: () => navigator.storage.estimate(),
  },
  onDownloads: (list, storage) => post({ type: "downloads", downloads: list, storage }),
  onModels: (models) => post({ type: "models", models }),
});

self.onmessage = async ({ data }) => {
  if (data.check) return downloads.check().catch(fail);
  try {
    post({ type: "answer", key: data.key, answer: await downloads.answer(data.request) });
  } catch (error) {
    post({ type: "answer", key: data.key, answer: { type: "error", ...describe(error) } });
  }
};
self.addEventListener("online", () => downloads.hurry());

/** Nothing is known of any model, until a request tries again. @param {unknown} error */
function fail(error) {
  console.warn("The list of models cannot be read.", error);
  post({ type: "models", models: [] });
}

downloads.start().catch(fail);
