// A look at a server of the user's, beside the engine, in a Worker that ends with it.

/** @import { Answer, LookRequest } from "./protocol.js" */

/**
 * @param {Worker} worker  engines/server.js
 * @param {LookRequest} request
 * @param {(answer: Answer) => void} send
 */
export function startLook(worker, { id, server }, send) {
  const answer = (/** @type {any} */ message) => {
    worker.onmessage = worker.onerror = null;
    worker.terminate();
    send({ ...message, id });
  };
  worker.onmessage = ({ data }) => answer(data.type === "looked" ? data : { ...data, type: "error" });
  worker.onerror = ({ message }) => answer({ type: "error", code: "failed", message: message || "its Worker failed" });
  worker.postMessage({ type: "look", server });
}
