// Python's memory with everything imported, kept by the browser itself: a start from it takes a third of one from the archives.
//
// The first start of a version is from the archives; then a Worker of its own, which never sees anything of the user's, imports
// all there is and writes the pages of its memory that are not empty to the origin's private file system. Later starts read them
// straight into the wasm memory. Pyodide's own snapshots know no shared libraries: here pydantic's is loaded before Python
// begins, in making and in restoring alike, so that it has the same place in memory and table both times.

import { APP, BASE, fetchBytes, fetchCore, loadInterpreter, startFromArchives } from "./python-archives.js";

/** @import { Pyodide } from "./python-archives.js" */

/**
 * What a file begins with, as JSON after its length: all that is not memory.
 * @typedef {object} Head
 * @property {number} bytes  of the whole file
 * @property {number} table  length of the table of functions
 * @property {number} memory  bytes
 * @property {[number, number][]} runs  start and length of what is not empty, in the order of the file
 * @property {number[]} handles  of the library, as Python knows it
 * @property {object} objects  JavaScript's that Python refers to
 */

/**
 * A FileSystemSyncAccessHandle.
 * @typedef {object} SyncFile
 * @property {(into: Uint8Array | Uint32Array, from: {at: number}) => number} read
 * @property {(bytes: Uint8Array | Uint32Array, to: {at: number}) => number} write
 * @property {() => number} getSize
 * @property {() => void} flush
 * @property {() => void} close
 */

const FOLDER = "python";
const STDLIB = "/lib/python314.zip";
const PAGE = 4096;
const NUMBER = 4; // bytes
// Every module, since what is imported later is not in the memory; then what only importing needed goes.
const IMPORT_ALL = `
import gc, importlib, pkgutil
import amplifier_browser, amplifier_browser.main
for module in pkgutil.walk_packages(amplifier_browser.__path__, "amplifier_browser."):
    if ".examples" not in module.name:
        importlib.import_module(module.name)
del module
gc.collect()
`;
// Chance would repeat itself, and names that must differ with it.
const RENEW = `
import sys
if "random" in sys.modules: sys.modules["random"].seed()
if "tempfile" in sys.modules: sys.modules["tempfile"]._name_sequence = None
if "uuid" in sys.modules: sys.modules["uuid"]._node = sys.modules["uuid"]._last_timestamp = None
`;

/** Starts from the kept memory. Null if there is none that fits; throws if it is no good. @returns {Promise<Pyodide | null>} */
export async function startFromSnapshot() {
  const file = await openKept();
  if (!file) return null;
  // All that can be is begun at once, and waited for below.
  const script = import(`${BASE}pyodide.asm.mjs`);
  const library = loadLibrary();
  const files = Promise.all(["stdlib.zip", "app.zip"].map(fetchBytes));
  for (const begun of [script, files, library]) begun.catch(() => {});
  try {
    const head = readHead(file);
    const pyodide = await loadInterpreter({
      stdLibURL: "data:,",
      _loadSnapshot: new Uint8Array(0), // not empty for Pyodide, which then leaves its memory to us
      createPyodideModule: async (settings) => {
        const module = await createModule(settings, library, head.handles);
        module.API.restoreSnapshot = () => restore(module, file, head);
        return module;
      },
    });
    const [stdlib, app] = await files;
    pyodide.FS.writeFile(STDLIB, stdlib); // modules that nobody has imported yet are read from them
    pyodide.FS.writeFile(APP, app);
    pyodide.runPython(RENEW);
    return pyodide;
  } finally {
    file.close();
  }
}

/** Makes the memory that later starts begin from, and keeps it. */
export async function makeSnapshot() {
  const core = fetchCore();
  const createPyodideModule = (/** @type {any} */ settings) => createModule(settings, loadLibrary(core), []);
  const pyodide = await startFromArchives(core, { _makeSnapshot: true, createPyodideModule });
  pyodide.runPython(IMPORT_ALL);
  const { _module: module, _api: api } = /** @type {any} */ (pyodide);
  const memory = module.HEAPU8;
  const runs = runsOf(memory);
  const head = {
    table: module.wasmTable.length,
    memory: memory.byteLength,
    runs,
    handles: Object.keys(module.LDSO.loadedLibsByHandle).map(Number).filter(Boolean),
    objects: api.serializeHiwireState(),
  };
  await keep(
    head,
    runs.map(([start, length]) => memory.subarray(start, start + length)),
  );
}

/** Forgets what was kept, of this version and of others. */
export async function forgetSnapshots() {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(FOLDER, { recursive: true }).catch(() => {});
}

/**
 * Pydantic's compiled core, and where Python looks for it.
 * @param {Promise<Map<string, Uint8Array>>} core
 */
async function loadLibrary(core = fetchCore()) {
  const [path, bytes] = /** @type {[string, Uint8Array<ArrayBuffer>]} */ (
    [...(await core)].find(([name]) => name.endsWith(".so"))
  );
  return { path, compiled: await WebAssembly.compile(bytes) };
}

/**
 * Pyodide's module, with the library in its place before Python begins.
 * @param {any} settings
 * @param {ReturnType<typeof loadLibrary>} library
 * @param {number[]} handles  by which Python knows the library
 */
async function createModule(settings, library, handles) {
  const { path, compiled } = await library;
  settings.preRun.push((/** @type {any} */ module) => {
    const shared = module.newDSO(path, undefined, "loading");
    shared.global = false;
    shared.exports = module.loadWebAssemblyModule(compiled, {}, path, {});
    for (const handle of handles) module.LDSO.loadedLibsByHandle[handle] = shared;
  });
  const { default: create } = await import(`${BASE}pyodide.asm.mjs`);
  return create(settings);
}

/**
 * Puts the kept memory in the place of the new one. Throws if it does not fit.
 * @param {any} module
 * @param {SyncFile} file
 * @param {Head} head
 */
function restore(module, file, head) {
  if (module.wasmTable.length !== head.table) throw new Error("the kept memory is of another table");
  if (module.HEAPU8.byteLength < head.memory) module.growMemory(head.memory);
  const memory = module.HEAPU8;
  let at = head.bytes - head.runs.reduce((sum, [, length]) => sum + length, 0);
  let end = 0;
  for (const [start, length] of head.runs) {
    memory.fill(0, end, start);
    end = start + length;
    if (file.read(memory.subarray(start, end), { at }) !== length) throw new Error("the kept memory is cut off");
    at += length;
  }
  memory.fill(0, end);
  return head.objects;
}

/** @param {Uint8Array} memory @returns {[number, number][]} start and length of all that is not zero, in whole pages */
function runsOf(memory) {
  const words = new BigUint64Array(memory.buffer, 0, memory.byteLength / 8);
  /** @type {[number, number][]} */
  const runs = [];
  for (let page = 0; page < memory.byteLength; page += PAGE) {
    let word = page / 8;
    const last = word + PAGE / 8;
    while (word < last && words[word] === 0n) word++;
    if (word === last) continue;
    const run = runs.at(-1);
    if (run && run[0] + run[1] === page) run[1] += PAGE;
    else runs.push([page, PAGE]);
  }
  return runs;
}

/** @param {SyncFile} file @returns {Head} */
function readHead(file) {
  const length = new Uint32Array(1);
  file.read(length, { at: 0 });
  const text = new Uint8Array(Math.min(length[0] ?? 0, file.getSize()));
  file.read(text, { at: NUMBER });
  const head = JSON.parse(new TextDecoder().decode(text));
  if (head.bytes !== file.getSize()) throw new Error("the kept memory is cut off");
  return head;
}

/**
 * Writes a file beside the one there is, and moves it into place when it is whole.
 * @param {Omit<Head, "bytes">} head
 * @param {Uint8Array[]} parts
 */
async function keep(head, parts) {
  const name = await fileName();
  await forgetSnapshots();
  const folder = await openFolder();
  const handle = await folder.getFileHandle(`${name}.new`, { create: true });
  /** @type {SyncFile} */
  const file = await /** @type {any} */ (handle).createSyncAccessHandle();
  try {
    const sum = parts.reduce((bytes, part) => bytes + part.byteLength, 0);
    const text = headText(head, sum);
    let at = file.write(new Uint32Array([text.byteLength]), { at: 0 });
    at += file.write(text, { at });
    for (const part of parts) at += file.write(part, { at });
    file.flush();
  } finally {
    file.close();
  }
  await /** @type {any} */ (handle).move(name);
}

/** Its own length is a part of it. @param {Omit<Head, "bytes">} head @param {number} sum bytes of memory */
function headText(head, sum) {
  const write = (/** @type {number} */ bytes) => new TextEncoder().encode(JSON.stringify({ ...head, bytes }));
  const digits = 10;
  const length = write(0).byteLength - 1 + digits;
  const bytes = NUMBER + length + sum;
  const text = write(bytes);
  return new Uint8Array([...text, ...new Uint8Array(length - text.byteLength).fill(0x20)]);
}

/** @returns {Promise<SyncFile | null>} null if there is none */
async function openKept() {
  try {
    const handle = await (await openFolder()).getFileHandle(await fileName());
    return await /** @type {any} */ (handle).createSyncAccessHandle({ mode: "read-only" }); // several panels may start at once
  } catch {
    return null;
  }
}

async function openFolder() {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}

/** Of this version, in this browser: memory fits no other. */
async function fileName() {
  const made = await (await fetch(`${BASE}made-from.txt`)).text();
  const bytes = new TextEncoder().encode(`${made} ${navigator.userAgent}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `memory-${Array.from(hash.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
