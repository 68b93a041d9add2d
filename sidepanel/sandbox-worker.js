// A Python apart from the session, for code that nobody has vouched for. The walls, outermost first:
//
// 1. The extension's CSP: no network but the package's own files, no eval.
// 2. Before any code comes, this Worker's globals lose all that is not on a short list: no fetch, storage, Workers or channels.
// 3. Python's way to JavaScript objects is closed: of those that Python itself holds it can call the few functions, but reads
//    no attribute, so that it climbs from none of them to another.
// 4. In Python, importing js or pyodide says that there is none (amplifier_sandbox/apart.py): for clear errors, no wall.
//
// Memory is capped in the wasm module itself, files in a quota, what is posted in a credit. Time is the page's affair: it sets
// the interrupt and, where that does not help, ends the Worker. What comes out are texts; whoever reads them trusts none.

import "../background/network-guard.js";
import { loadPyodide } from "pyodide";

/** @typedef {{memory_mb: number, kernel: boolean, interrupts: Int32Array}} Options */

const base = new URL("../pyodide/", import.meta.url).href;
const APP = "/home/pyodide/app.zip";
const ENVIRONMENT = { HOME: "/home/pyodide", PYDANTIC_DISABLE_PLUGINS: "__all__" };
const WASM_PAGE = 65536;
const FILE_BYTES = 128 << 20;
const FILES = 20_000;
const POSTED_CHARACTERS = 8 << 20; // between two messages of the page
const NO_SPACE = 51; // ENOSPC in Emscripten's numbering

const KEPT_GLOBALS = new Set([
  // ECMAScript: they compute, and reach nothing
  ..."Object Function Array Number String Boolean Symbol BigInt Math JSON Date RegExp Promise Proxy Reflect".split(" "),
  ..."Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator Intl NaN Infinity undefined globalThis".split(" "),
  ..."Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError".split(
    " ",
  ),
  ..."parseInt parseFloat isNaN isFinite eval escape unescape".split(" "),
  ..."decodeURI decodeURIComponent encodeURI encodeURIComponent".split(" "),
  ..."ArrayBuffer SharedArrayBuffer DataView Atomics Int8Array Uint8Array Uint8ClampedArray Int16Array".split(" "),
  ..."Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array".split(
    " ",
  ),
  // what Pyodide uses as it runs
  ..."WebAssembly TextDecoder TextEncoder setTimeout clearTimeout self".split(" "),
]);

// What Python does to an object of JavaScript's: each is given an empty one once the doors are shut.
const DOORS = [
  ..."JsProxy_GetAttr_js JsProxy_SetAttr_js JsProxy_DelAttr_js JsProxy_Dir_js JsProxy_subscript_js".split(" "),
  ..."JsObjMap_GetIter_js JsObjMap_length_js JsObjMap_subscript_js JsObjMap_ass_subscript_js JsObjMap_contains_js".split(
    " ",
  ),
  ..."JsvObject_Entries JsvObject_Keys JsvObject_Values JsModule_GetAll_js JsvFunction_Construct".split(" "),
];
let shut = false;

// Nothing of what follows may be looked up when code of others runs: it could have put something else in its place.
const post = self.postMessage.bind(self);
const { create } = Object;
const { stringify } = JSON;
const { compile, instantiate } = WebAssembly;
let credit = POSTED_CHARACTERS;
/** @type {(message: string) => void} */
let receive;

/**
 * @param {unknown} message
 * @returns {boolean} whether it went; an exception would break Python down, which could read nothing of it
 */
function postText(message) {
  if (typeof message !== "string" || message.length > credit) return false;
  credit -= message.length;
  post(message);
  return true;
}

/** @param {string} name */
async function fetchBytes(name) {
  const response = await fetch(base + name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Lowers the most memory that a wasm module declares, which its engine then enforces.
 * @param {Uint8Array} wasm  changed in place
 * @param {number} pages
 */
function capMemory(wasm, pages) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < wasm.length) {
    const section = wasm[at++];
    const end = number() + at;
    if (section === 5) {
      const [count, flags, least] = [number(), number(), number()];
      const start = at;
      const most = number();
      if (count !== 1 || flags !== 1 || pages < least || pages > most) throw new Error("the memory cannot be limited");
      // As many bytes as there were: a number may have leading zeros.
      for (let i = start, left = pages; i < at; i++, left >>>= 7) wasm[i] = (left & 127) | (i < at - 1 ? 128 : 0);
      return;
    }
    at = end;
  }
  throw new Error("the memory cannot be limited");
}

/**
 * Makes Pyodide's wasm come with a memory limit and with doors to JavaScript that can be shut.
 * @param {number} memoryMegabytes
 */
function prepareWasm(memoryMegabytes) {
  const unchanged = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    WebAssembly.instantiateStreaming = unchanged;
    const wasm = new Uint8Array(await (await source).arrayBuffer());
    capMemory(wasm, (memoryMegabytes << 20) / WASM_PAGE);
    const functions = /** @type {Record<string, any>} */ (imports?.env);
    for (const name of DOORS) {
      const open = functions[name];
      if (typeof open !== "function") throw new Error(`Pyodide has no ${name}`);
      functions[name] = (/** @type {any} */ object, /** @type {any[]} */ ...rest) =>
        open(shut ? create(null) : object, ...rest);
    }
    const module = await compile(wasm);
    return { module, instance: await instantiate(module, imports) };
  };
}

/**
 * Files live in JavaScript's memory, beside the wasm's: they get a limit of their own.
 * @param {any} fs  Emscripten's FS
 */
function limitFiles(fs) {
  const memory = fs.filesystems.MEMFS;
  const { expandFileStorage, resizeFileStorage, createNode } = memory;
  const { ErrnoError } = fs;
  let bytes = 0;
  let files = 0;
  const freed = new FinalizationRegistry((/** @type {number} */ size) => {
    bytes -= size;
  });
  const counted = (/** @type {Function} */ change) => (/** @type {any} */ node, /** @type {number} */ size) => {
    if (bytes + size > FILE_BYTES) throw new ErrnoError(NO_SPACE);
    const before = node.contents;
    change(node, size);
    if (node.contents === before) return;
    bytes += node.contents.length;
    freed.register(node.contents, node.contents.length);
  };
  memory.expandFileStorage = counted(expandFileStorage);
  memory.resizeFileStorage = counted(resizeFileStorage);
  memory.createNode = (/** @type {any[]} */ ...facts) => {
    if (++files > FILES) throw new ErrnoError(NO_SPACE);
    return createNode(...facts);
  };
  Object.freeze(memory);
}

/** Takes away what is not on the list, from the globals and from what they inherit. */
function emptyGlobals() {
  const { now, timeOrigin } = performance;
  const clock = Object.freeze({ now: now.bind(performance), timeOrigin });
  const random = Object.freeze({ getRandomValues: crypto.getRandomValues.bind(crypto) });
  const quiet = () => {};
  const log = Object.freeze({
    log: quiet,
    info: quiet,
    warn: quiet,
    error: quiet,
    debug: quiet,
    trace: quiet,
    assert: quiet,
  });
  const own = { performance: clock, crypto: random, console: log };
  const left = [];
  for (let owner = self; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const name of Reflect.ownKeys(owner)) {
      if (name === "constructor" || KEPT_GLOBALS.has(String(name))) continue;
      if (Reflect.deleteProperty(owner, name)) continue;
      const stays = Reflect.get(owner, name, self);
      if (Object(stays) === stays) left.push(String(name)); // a number is no harm
    }
  }
  if (left.length) throw new Error(`the sandbox cannot take away ${left.join(", ")}`);
  for (const [name, value] of Object.entries(own)) Object.defineProperty(self, name, { value });
  // The way to functions and to the objects behind a class, which some code of Pyodide's might still hold.
  for (const name of ["compileStreaming", "instantiateStreaming"]) Reflect.deleteProperty(WebAssembly, name);
}

/** @param {Options} options */
async function start({ memory_mb, kernel, interrupts }) {
  prepareWasm(memory_mb);
  const [pyodide, app, core] = await Promise.all([
    loadPyodide({ indexURL: base, stdLibURL: `${base}stdlib.zip`, packageBaseUrl: base, env: ENVIRONMENT }),
    fetchBytes("app.zip"),
    kernel ? fetchBytes("pydantic_core.zip") : null,
  ]);
  const sitePackages = pyodide.runPython("import site; site.getsitepackages()[0]");
  if (core) pyodide.unpackArchive(core, "zip", { extractDir: sitePackages });
  pyodide.FS.writeFile(APP, app);
  pyodide.runPython(`import sys; sys.path.insert(0, "${APP}")`);
  pyodide.setInterruptBuffer(interrupts);
  const discard = { write: (/** @type {Uint8Array} */ bytes) => bytes.length };
  pyodide.setStdout(discard); // Python's own sys.stdout is caught where code runs
  pyodide.setStderr(discard);
  /** @type {any} */ (pyodide)._api.on_fatal = (/** @type {unknown} */ error) =>
    postText(stringify({ type: "fatal", reason: `its Python broke down: ${error}` }));
  const main = pyodide.pyimport("amplifier_sandbox.main");
  receive = main.start(postText);
  limitFiles(pyodide.FS);
  self.onmessage = null;
  self.addEventListener("message", ({ data }) => {
    credit = POSTED_CHARACTERS;
    interrupts[0] = 0; // one that came too late for the call it was meant for
    receive(data);
  });
  emptyGlobals();
  shut = true;
  main.ready();
}

self.onmessage = ({ data }) => {
  start(data).catch((error) => post(stringify({ type: "failed", reason: String(error?.message ?? error) })));
};
