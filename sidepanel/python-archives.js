// Python from the package's archives. Starting from them takes a second where wheels take four: the standard library as .pyc
// (stdlib.zip), everything of ours as .pyc in one zip that Python imports from directly (app.zip), and pydantic's compiled core
// unpacked, since a shared library cannot be imported out of a zip.

import { loadPyodide } from "pyodide";
import { storedFiles } from "./stored-zip.js";

/** @typedef {import("pyodide").PyodideAPI} Pyodide */

export const BASE = new URL("../pyodide/", import.meta.url).href;
export const APP = "/home/pyodide/app.zip";
// Looking for pydantic's plugins means reading the metadata of every package; there are none.
const ENVIRONMENT = { HOME: "/home/pyodide", PYDANTIC_DISABLE_PLUGINS: "__all__" };
const SITE_PACKAGES = "/lib/python3.14/site-packages";

/** @param {string} name */
export async function fetchBytes(name) {
  const response = await fetch(BASE + name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Pydantic's core by path; its library is the one whose name ends so. @returns {Promise<Map<string, Uint8Array>>} */
export async function fetchCore() {
  const files = storedFiles(await fetchBytes("pydantic_core.zip"));
  return new Map([...files].map(([name, bytes]) => [`${SITE_PACKAGES}/${name}`, bytes]));
}

/**
 * Python with all of ours to import.
 * @param {Promise<Map<string, Uint8Array>>} fetchedCore
 * @param {import("pyodide").PyodideConfig} [options]
 * @returns {Promise<Pyodide>}
 */
export async function startFromArchives(fetchedCore = fetchCore(), options = {}) {
  const [pyodide, app, core] = await Promise.all([
    loadInterpreter({ stdLibURL: `${BASE}stdlib.zip`, ...options }),
    fetchBytes("app.zip"),
    fetchedCore,
  ]);
  for (const [path, bytes] of core) {
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    if (!pyodide.FS.analyzePath(path).exists) pyodide.FS.writeFile(path, bytes);
  }
  pyodide.FS.writeFile(APP, app);
  pyodide.runPython(`import sys; sys.path.insert(0, "${APP}")`);
  return pyodide;
}

/**
 * Pyodide, or why its interpreter is no good: Pyodide only warns of that, and waits for ever.
 * @param {import("pyodide").PyodideConfig} options
 * @returns {Promise<Pyodide>}
 */
export function loadInterpreter(options) {
  const { instantiateStreaming } = WebAssembly;
  /** @type {Promise<never>} */
  const failure = new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = (...source) => {
      WebAssembly.instantiateStreaming = instantiateStreaming;
      const instantiated = instantiateStreaming(...source);
      instantiated.catch(reject);
      return instantiated;
    };
  });
  const common = { indexURL: BASE, packageBaseUrl: BASE, env: ENVIRONMENT };
  return Promise.race([failure, loadPyodide({ ...common, ...options })]);
}
