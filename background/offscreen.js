// The page that outlives all panels: accepts a port from each and hands its requests to the supervisor of the engine's Worker,
// of the library's or of the downloads'.

import { findBuiltIn } from "./built-in-model.js";
import { EngineSupervisor } from "./engine-supervisor.js";
import { BrowserModel } from "./engines/browser-model.js";
import { LibrarySupervisor } from "./library/supervisor.js";
import { startLook } from "./look.js";
import { Relay } from "./models/relay.js";
import { DownloadsSupervisor } from "./models/supervisor.js";
import { startProbe } from "./probe.js";
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
  relay: new Relay({ fetch: fetch.bind(globalThis), scope: document }),
  persist: () => navigator.storage.persist(),
  onModels: (models) => engine.setDownloaded(models),
});
const engine = new EngineSupervisor({
  index,
  startWorker: (name) => (name === "browser" ? new BrowserModel() : start(`background/engines/${name}.js`)),
  downloadsKnown: Promise.all([downloads.known, lookForBuiltIn()]),
  onIncomplete: () => downloads.check(),
});
async function lookForBuiltIn() {
  const model = await findBuiltIn();
  engine.setBuiltIn(model);
}

const library = new LibrarySupervisor({ startWorker: () => start("background/library/worker.js") });

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== ENGINE_PORT) return;
  const send = (/** @type {object} */ answer) => port.postMessage(answer);
  const enginePanel = engine.addPanel(send);
  const libraryPanel = library.addPanel(send);
  const downloadsPanel = downloads.addPanel(send);
  let endProbe = () => {};
  port.onMessage.addListener((request) => {
    if (request.type.startsWith("library.")) library.handle(libraryPanel, request);
    else if (request.type.startsWith("models.")) downloads.handle(downloadsPanel, request);
    else if (request.type === "probe")
      endProbe = startProbe(start("background/engines/gpu-probe.js"), request.id, send);
    else if (request.type === "look-for-built-in") lookForBuiltIn();
    else if (request.type === "look") startLook(start("background/engines/server.js"), request, send);
    else engine.handle(enginePanel, request);
  });
  port.onDisconnect.addListener(() => {
    engine.removePanel(enginePanel);
    library.removePanel(libraryPanel);
    downloads.removePanel(downloadsPanel);
    endProbe();
  });
});
