// Which files a model is made of, and what each must be like. Pure: from the Spec and the model's own two descriptions.

import { DownloadError } from "./faults.js";

/** @import { Model, Spec, StoredFile } from "../protocol.js" */

/**
 * A file of a model.
 * @typedef {object} Part
 * @property {string} name           within the model
 * @property {string} url            what WebLLM asks for it by
 * @property {number|null} bytes     its length; null if nobody has told
 * @property {string|null} md5       hex
 * @property {string|null} sha256    hex
 */

export const CONFIG = "mlc-chat-config.json";
export const WEIGHTS = "tensor-cache.json";
/** Under this name the library is kept, wherever it comes from. */
export const LIBRARY = "library.wasm";
/** WebLLM reads the first of these that a model has, and no other. */
const TOKENIZERS = ["tokenizer.json", "tokenizer.model"];
/** WebLLM adds a branch to an address that names none, and would then ask for other addresses than ours. */
const BASE = /^https?:\/\/[^/]+\/.+\/resolve\/[^/]+\/$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/** Refuses what cannot be downloaded, or must not be. @param {Spec} spec */
export function checkSpec(spec) {
  if (!spec?.id || /[/\\]/.test(spec.id)) throw bad("a model needs an id without slashes");
  if (!BASE.test(spec.base))
    throw bad(`the address must be like https://HOST/NAME/resolve/BRANCH/, but is ${spec.base}`);
  if (!spec.lib) throw bad("the model has no library");
  if (isPackaged(spec.lib)) return;
  if (!/^https?:$/.test(new URL(spec.lib).protocol)) throw bad(`no library can come from ${spec.lib}`);
  // A library is code. What may run is decided when the package is made, not by whoever has the address.
  if (!SHA256.test(spec.lib_sha256 ?? "")) throw bad("the model's library is not pinned by a hash");
}

/** Whether a library is in the package. @param {string} lib */
export function isPackaged(lib) {
  return !/^[a-z][a-z0-9+.-]*:/i.test(lib);
}

/** The two files that say what the others are. @param {Spec} spec @returns {Part[]} */
export function descriptions(spec) {
  return [part(spec, CONFIG), part(spec, WEIGHTS)];
}

/**
 * All files, in the order in which they are fetched: first those whose size nobody has told.
 * @param {Spec} spec @param {string} config  text of mlc-chat-config.json @param {string} weights  text of tensor-cache.json
 * @returns {Part[]}
 */
export function planOf(spec, config, weights) {
  /** @type {string[]} */
  const tokenizers = parse(CONFIG, config).tokenizer_files;
  const tokenizer = TOKENIZERS.find((name) => tokenizers.includes(name));
  if (!tokenizer) throw bad(`no tokenizer that WebLLM reads is among ${tokenizers.join(", ")}`);
  const shards = parse(WEIGHTS, weights).records.map((/** @type {any} */ record) =>
    part(spec, record.dataPath, { bytes: record.nbytes, md5: record.md5sum ?? null }),
  );
  const library = { name: LIBRARY, url: spec.lib, bytes: null, md5: null, sha256: spec.lib_sha256 };
  return [...descriptions(spec), part(spec, tokenizer), ...(isPackaged(spec.lib) ? [] : [library]), ...shards];
}

/** @param {Spec} spec @param {string} name @param {Partial<Part>} [facts] @returns {Part} */
function part(spec, name, facts = {}) {
  const url = new URL(name, spec.base).href;
  if (!url.startsWith(spec.base) || name === LIBRARY) throw bad(`${name} is no file of the model`);
  return { name, url, bytes: null, md5: null, sha256: null, ...facts };
}

/** Whether a file must be read as text to be believed. @param {string} name */
export function isJson(name) {
  return name === CONFIG || name === WEIGHTS || name === TOKENIZERS[0];
}

/** A JSON file of the model; throws if it has not the structure that it must have. @param {string} name @param {string} text */
export function parse(name, text) {
  const value = JSON.parse(text);
  const isRecord = (/** @type {any} */ { dataPath, nbytes, md5sum }) =>
    typeof dataPath === "string" && nbytes > 0 && (md5sum === undefined || /^[0-9a-f]{32}$/i.test(md5sum));
  const isRight =
    (name === CONFIG && Array.isArray(value.tokenizer_files)) ||
    (name === WEIGHTS && Array.isArray(value.records) && value.records.length > 0 && value.records.every(isRecord)) ||
    (name === TOKENIZERS[0] && typeof value.model === "object");
  if (!isRight) throw new TypeError(`${name} is not what it should be`);
  return value;
}

/** What the engine loads once all is there. @param {Spec} spec @param {StoredFile[]} stored @returns {Model} */
export function modelOf(spec, stored) {
  const isWeights = (/** @type {StoredFile} */ { name }) => ![CONFIG, LIBRARY, ...TOKENIZERS].includes(name);
  return {
    id: spec.id,
    name: spec.name,
    origin: "downloaded",
    path: spec.base,
    lib: spec.lib,
    context_window: spec.context_window,
    parameters: spec.parameters,
    files: stored.filter(isWeights).map(({ name }) => name),
    licence: spec.licence,
    ...(spec.overrides ? { overrides: spec.overrides } : {}),
    is_vision: Boolean(spec.is_vision),
    stored,
  };
}

/** @param {string} message */
function bad(message) {
  return new DownloadError("bad-model", message);
}
