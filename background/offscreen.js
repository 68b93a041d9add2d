// The page that outlives all panels: accepts a port from each and hands its requests to the supervisor of the engine's Worker,
// of the library's or of the downloads'.

import { EngineSupervisor } from "./engine-supervisor.js";
import { LibrarySupervisor } from "./library/supervisor.js";
import { DownloadsSupervisor } from "./models/supervisor.js";
import { ENGINE_PORT, MODEL_INDEX } from "./protocol.js";
import { watchLife } from "./worker-life.js";

const index = fetch(chrome.runtime.getURL(MODEL_INDEX)).then((response) => response.json());

/** A Worker whose end counts as an error of it, for the supervisors, which drop one before they end it. @param {string} path */
function start(path) {
  const worker = new Worker(chrome.runtime.getURL(path), { type: "module" });
  watchLife(worker, () => worker.dispatchEvent(new ErrorEvent("error", { message: "its Worker was ended" })));
  return worker;
}

const downloads = new DownloadsSupervisor({
  startWorker: () => start("background/models/worker.js"),
  persist: () => navigator.storage.persist(),
  onModels: (models) => engine.setDownloaded(models),
});
const engine = new EngineSupervisor({
  index,
  startWorker: (name) => start(`background/engines/${name}.js`),
  downloadsKnown: downloads.known,
  onIncomplete: () => downloads.check(),
});
const library = new LibrarySupervisor({ startWorker: () => start("background/library/worker.js") });

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== ENGINE_PORT) return;
  const send = (/** @type {object} */ answer) => port.postMessage(answer);
  const enginePanel = engine.addPanel(send);
  const libraryPanel = library.addPanel(send);
  const downloadsPanel = downloads.addPanel(send);
  port.onMessage.addListener((request) => {
    if (request.type.startsWith("library.")) library.handle(libraryPanel, request);
    else if (request.type.startsWith("models.")) downloads.handle(downloadsPanel, request);
    else engine.handle(enginePanel, request);
  });
  port.onDisconnect.addListener(() => {
    engine.removePanel(enginePanel);
    library.removePanel(libraryPanel);
    downloads.removePanel(downloadsPanel);
  });
});
