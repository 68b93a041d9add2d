// Hosts Python: starts Pyodide from the package's own files and joins it to the page by one function each way.

import "../background/network-guard.js";
import { showLife } from "../background/worker-life.js";
import { startFromArchives } from "./python-archives.js";
import { forgetSnapshots, startFromSnapshot } from "./python-snapshot.js";

/** @import { Pyodide } from "./python-archives.js" */

showLife();

/** Messages that come before Python is up wait here. @type {string[]} */
const early = [];
/** @type {(message: string) => void} */
let receive = (message) => early.push(message);
self.onmessage = ({ data }) => receive(data);

const post = (/** @type {object} */ message) => self.postMessage(JSON.stringify(message));

/** After this Pyodide does nothing any more; another Worker can, from the archives in case the kept memory was why. @param {unknown} error */
async function onFatalError(error) {
  post({ type: "fatal-error", reason: String(error) });
  await forgetSnapshots().catch(() => {});
  self.close();
}

/** The fast way, or the one that needs only the package. @returns {Promise<[Pyodide, "snapshot" | "archives"]>} */
async function startPython() {
  try {
    const pyodide = await startFromSnapshot();
    if (pyodide) return [pyodide, "snapshot"];
  } catch (error) {
    console.warn("Python starts from the archives, since the kept memory is no good:", error);
    await forgetSnapshots().catch(() => {});
  }
  return [await startFromArchives(), "archives"];
}

async function start() {
  const [pyodide, from] = await startPython();
  /** @type {any} */ (pyodide)._api.on_fatal = onFatalError;
  post({ type: "started", from });
  const main = pyodide.pyimport("amplifier_browser.main");
  receive = main.start((/** @type {string} */ message) => self.postMessage(message));
  for (const message of early.splice(0)) receive(message);
}

start().catch((error) => {
  const problem = {
    title: "Amplifier could not start",
    detail: "Try again; if that does not help, close the panel and open it again, or install the extension anew.",
    technical: error.message,
  };
  post({ type: "fatal", error: problem });
  return forgetSnapshots(); // in case the kept memory was why
});
