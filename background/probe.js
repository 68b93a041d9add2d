// A measuring of the graphics card, beside the engine, in a Worker that ends with it.

/** @import { Answer } from "./protocol.js" */

/**
 * @param {Worker} worker  engines/gpu-probe.js
 * @param {string} id  of the request
 * @param {(answer: Answer) => void} send
 * @returns {() => void}  ends it without an answer
 */
export function startProbe(worker, id, send) {
  function end() {
    worker.onmessage = worker.onerror = null;
    worker.terminate();
  }
  worker.onmessage = ({ data: { probe, message } }) => {
    end();
    send({ type: "probed", id, probe, message });
  };
  worker.onerror = ({ message }) => {
    end();
    send({ type: "probed", id, probe: null, message: message || "its Worker failed" });
  };
  worker.postMessage(null);
  return end;
}
