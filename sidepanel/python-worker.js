// Hosts Python: starts Pyodide from the package's own files and joins it to the page by one function each way.
//
// Starting from precompiled archives takes a second where wheels take four: the standard library as .pyc (stdlib.zip),
// everything of ours as .pyc in one zip that Python imports from directly (app.zip), and pydantic's compiled core unpacked,
// since a shared library cannot be imported out of a zip.

import "../background/network-guard.js";
import { loadPyodide } from "pyodide";
import { showLife } from "../background/worker-life.js";

showLife();

const base = new URL("../pyodide/", import.meta.url).href;
const APP = "/home/pyodide/app.zip";
// Looking for pydantic's plugins means reading the metadata of every package; there are none.
const ENVIRONMENT = { HOME: "/home/pyodide", PYDANTIC_DISABLE_PLUGINS: "__all__" };

/** Messages that come before Python is up wait here. @type {string[]} */
const early = [];
/** @type {(message: string) => void} */
let receive = (message) => early.push(message);
self.onmessage = ({ data }) => receive(data);

const fetchBytes = async (/** @type {string} */ name) => {
  const response = await fetch(base + name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** After this Pyodide does nothing any more; another Worker can. @param {unknown} error */
function onFatalError(error) {
  self.postMessage(JSON.stringify({ type: "fatal-error", reason: String(error) }));
  self.close();
}

/** Rejects if the wasm is no good: Pyodide only warns of that, and waits for ever. @returns {Promise<never>} */
function wasmFailure() {
  const { instantiateStreaming } = WebAssembly;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = (...source) => {
      const instantiated = instantiateStreaming(...source);
      instantiated.catch(reject);
      return instantiated;
    };
  });
}

async function start() {
  const failure = wasmFailure();
  const [pyodide, app, core] = await Promise.all([
    Promise.race([
      failure,
      loadPyodide({ indexURL: base, stdLibURL: `${base}stdlib.zip`, packageBaseUrl: base, env: ENVIRONMENT }),
    ]),
    fetchBytes("app.zip"),
    fetchBytes("pydantic_core.zip"),
  ]);
  /** @type {any} */ (pyodide)._api.on_fatal = onFatalError;
  const sitePackages = pyodide.runPython("import site; site.getsitepackages()[0]");
  pyodide.unpackArchive(core, "zip", { extractDir: sitePackages });
  pyodide.FS.writeFile(APP, app);
  pyodide.runPython(`import sys; sys.path.insert(0, "${APP}")`);
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
  self.postMessage(JSON.stringify({ type: "fatal", error: problem }));
});
