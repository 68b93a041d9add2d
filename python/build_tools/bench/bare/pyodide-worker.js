// Pyodide as its npm package has it, with nothing of ours.

import { loadPyodide } from "./pyodide/pyodide.mjs";

const pyodide = await loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href });
self.postMessage(pyodide.version);
