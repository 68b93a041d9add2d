// Relays: view <-> Python's Worker <-> engine port. It decides nothing; JSON text is what crosses to Python.

import { EnginePort } from "./engine-port.js";
import { createHost, watchTab, watchWishes } from "./host.js";
import { createSandboxes } from "./sandboxes.js";

/** @import { Command, PanelEvent } from "./types.js" */

/**
 * Starts Python and the engine, and carries messages between them and the view.
 * @param {(event: PanelEvent) => void} dispatch  takes every event for the view
 * @returns {{send: (command: Command) => void}}
 */
export function connect(dispatch) {
  const worker = new Worker("python-worker.js", { type: "module" });
  const toPython = (/** @type {object} */ message) => worker.postMessage(JSON.stringify(message));
  const engine = new EnginePort(toPython);
  const host = createHost({ sandboxes: createSandboxes(toPython) });

  /** @param {{id: number, name: string, args: object}} call */
  async function answer({ id, name, args }) {
    try {
      toPython({ type: "returned", id, value: await host(name, args) });
    } catch (error) {
      toPython({ type: "raised", id, message: error instanceof Error ? error.message : String(error) });
    }
  }

  worker.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "call") answer(message);
    else if (message.type === "to-engine") engine.post(message.message);
    else dispatch(message);
  };
  worker.onerror = (event) =>
    dispatch({
      type: "fatal",
      error: {
        title: "Amplifier could not start",
        detail: "Close the panel and open it again; if that does not help, install the extension anew.",
        technical: `Python's Worker: ${event.message || "its script could not be loaded"}`,
      },
    });

  engine.open();
  watchTab((tab) => dispatch({ type: "tab", tab }));
  watchWishes(toPython);
  return { send: (command) => toPython(command) };
}
