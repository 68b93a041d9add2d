// The page that outlives all panels: accepts a port from each and hands its requests to the supervisor of the engine's Worker
// or to that of the library's.

import { EngineSupervisor } from "./engine-supervisor.js";
import { LibrarySupervisor } from "./library/supervisor.js";
import { ENGINE_PORT, MODEL_INDEX } from "./protocol.js";

const index = fetch(chrome.runtime.getURL(MODEL_INDEX)).then((response) => response.json());

/** @param {string} path */
const start = (path) => new Worker(chrome.runtime.getURL(path), { type: "module" });

const engine = new EngineSupervisor({ index, startWorker: () => start("background/engines/webllm.js") });
const library = new LibrarySupervisor({ startWorker: () => start("background/library/worker.js") });

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== ENGINE_PORT) return;
  const send = (/** @type {object} */ answer) => port.postMessage(answer);
  const enginePanel = engine.addPanel(send);
  const libraryPanel = library.addPanel(send);
  port.onMessage.addListener((request) => {
    if (request.type.startsWith("library.")) library.handle(libraryPanel, request);
    else engine.handle(enginePanel, request);
  });
  port.onDisconnect.addListener(() => {
    engine.removePanel(enginePanel);
    library.removePanel(libraryPanel);
  });
});
