// Has Chrome download its own model. It does so for a document that was clicked in a moment ago, and that is the panel.

import { expectations, languageModel } from "../background/built-in-model.js";

/**
 * @param {(message: {type: "built-in-progress", progress: number}) => void} toPython
 * @returns {Record<string, (args: any) => Promise<any>>}
 */
export function createBuiltInCalls(toPython) {
  /** Ends when the model is there, with null, or with why it is not. */
  async function download() {
    try {
      const session = await languageModel().create({
        ...(await expectations()),
        monitor: (/** @type {EventTarget} */ monitor) =>
          monitor.addEventListener("downloadprogress", (event) =>
            toPython({ type: "built-in-progress", progress: /** @type {ProgressEvent} */ (event).loaded }),
          ),
      });
      session.destroy();
      return null;
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      return { error: name, detail: message };
    }
  }
  return { "built-in.download": download };
}
