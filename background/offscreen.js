// The engine's page: accepts a port from every panel and hands requests to the supervisor, which owns the engine's Worker.

import { EngineSupervisor } from "./engine-supervisor.js";
import { ENGINE_PORT, MODEL_INDEX } from "./protocol.js";

const index = fetch(chrome.runtime.getURL(MODEL_INDEX)).then((response) => response.json());

const supervisor = new EngineSupervisor({
  index,
  startWorker: () => new Worker(chrome.runtime.getURL("background/engines/webllm.js"), { type: "module" }),
});

chrome.runtime.onConnect.addListener((port) => {
  if (port.name !== ENGINE_PORT) return;
  const panel = supervisor.addPanel((answer) => port.postMessage(answer));
  port.onMessage.addListener((request) => supervisor.handle(panel, request));
  port.onDisconnect.addListener(() => supervisor.removePanel(panel));
});
