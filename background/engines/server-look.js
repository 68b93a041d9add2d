// What there is at the address of a server: which program it is, and its models.

import { errorOf, ServerError } from "./server-errors.js";

/** @import { Found, FoundModel, Server } from "../protocol.js" */

/** Asks the server; `path` is from its root. @typedef {(path: string, body?: object) => Promise<Response>} Ask */

/** What Ollama and LM Studio give a model that nobody gave more, whatever it could take. */
const USUAL_WINDOW = 4096;

const UNSAID = { context_window: null, parameters: null, is_vision: false };

/**
 * Asks one server, and no other to which it may pass on.
 * @param {{url: string, api_key?: string}} server
 * @returns {Ask}
 */
export function asker({ url, api_key }, signal = /** @type {AbortSignal|undefined} */ (undefined)) {
  const root = rootOf(url);
  return async (path, body) => {
    const response = await fetch(root + path, {
      method: body ? "POST" : "GET",
      headers: {
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(api_key ? { Authorization: `Bearer ${api_key}` } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
      redirect: "manual",
      credentials: "omit",
      cache: "no-store",
      referrerPolicy: "no-referrer",
    });
    if (response.type === "opaqueredirect") throw new ServerError("not-a-server", "it passes on to another address");
    return response;
  };
}

/** Without /v1. @param {string} url */
const rootOf = (url) => url.replace(/\/v1$/, "");

/**
 * @param {Ask} ask
 * @returns {Promise<Found>}
 * @throws {ServerError|TypeError} a TypeError if it cannot be reached
 */
export async function look(ask) {
  const list = await listed(ask);
  for (const [kind, models] of /** @type {[Server["kind"], typeof llamaModels][]} */ ([
    ["llama.cpp", llamaModels],
    ["ollama", ollamaModels],
    ["lm-studio", studioModels],
    ["vllm", vllmModels],
  ])) {
    const found = await models(ask, list);
    if (found) return { kind, models: found };
  }
  return { kind: "other", models: list.map(({ id }) => ({ ...UNSAID, model: id })) };
}

/** @param {Ask} ask @returns {Promise<any[]>} */
async function listed(ask) {
  const response = await ask("/v1/models");
  const text = await response.text();
  if (!response.ok) throw errorOf(response.status, text);
  const data = parsed(text)?.data;
  if (data === null && parsed(text)?.object === "list") return []; // Ollama without a model
  if (!Array.isArray(data)) throw new ServerError("not-a-server", text.slice(0, 100) || "an empty answer");
  return data.filter(({ id }) => typeof id === "string");
}

/** What another interface of the same server answers, or null if it has none. @param {Promise<Response>} asked @returns {Promise<any>} */
async function answered(asked) {
  const response = await asked;
  const text = await response.text();
  return response.ok ? parsed(text) : null;
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {Ask} ask @param {any[]} list @returns {Promise<FoundModel[]|null>} */
async function llamaModels(ask, list) {
  if (!list.some(({ owned_by }) => owned_by === "llamacpp")) return null;
  const props = await answered(ask("/props"));
  const context_window = number(props?.default_generation_settings?.n_ctx);
  return list.map(({ id, meta }) => ({
    model: id,
    context_window: context_window ?? number(meta?.n_ctx),
    parameters: millions(meta?.n_params),
    is_vision: Boolean(props?.modalities?.vision),
  }));
}

/** @param {Ask} ask @param {any[]} list @returns {Promise<FoundModel[]|null>} */
async function ollamaModels(ask, list) {
  const version = await answered(ask("/api/version"));
  if (typeof version?.version !== "string") return null;
  const running = (await answered(ask("/api/ps")))?.models ?? [];
  const models = await Promise.all(list.map(({ id }) => ollamaModel(ask, id, running)));
  return models.filter((model) => model !== null);
}

/** @param {Ask} ask @param {string} model @param {any[]} running @returns {Promise<FoundModel|null>} */
async function ollamaModel(ask, model, running) {
  const response = await ask("/api/show", { model });
  const text = await response.text();
  if (!response.ok) throw errorOf(response.status, text, "ollama");
  const { capabilities = [], model_info = {}, parameters: settings = "" } = parsed(text) ?? {};
  if (capabilities.length && !capabilities.includes("completion")) return null; // it makes vectors
  const [, most] = Object.entries(model_info).find(([name]) => name.endsWith(".context_length")) ?? [];
  // What it takes at a time depends on how it was started; what is longer is cut off without a word.
  const started = running.find((/** @type {any} */ each) => each.name === model)?.context_length;
  const set = /^num_ctx\s+(\d+)/m.exec(settings)?.[1];
  const context_window = number(started) ?? number(set) ?? ifSmall(most);
  const parameters = millions(model_info["general.parameter_count"]);
  return { model, context_window, parameters, is_vision: capabilities.includes("vision") };
}

/** @param {Ask} ask @returns {Promise<FoundModel[]|null>} */
async function studioModels(ask) {
  const data = (await answered(ask("/api/v0/models")))?.data;
  if (!Array.isArray(data)) return null;
  return data
    .filter(({ type }) => type !== "embeddings")
    .map(({ id, type, loaded_context_length: loaded, max_context_length: most }) => ({
      ...UNSAID,
      model: id,
      context_window: number(loaded) ?? ifSmall(most),
      is_vision: type === "vlm",
    }));
}

/** @param {Ask} _ask @param {any[]} list @returns {Promise<FoundModel[]|null>} */
async function vllmModels(_ask, list) {
  if (!list.some(({ max_model_len }) => number(max_model_len))) return null;
  return list.map(({ id, max_model_len }) => ({ ...UNSAID, model: id, context_window: number(max_model_len) }));
}

/** What a model could take says what it is given only where that is less than usual. @param {unknown} most */
function ifSmall(most) {
  const tokens = number(most);
  return tokens && tokens < USUAL_WINDOW ? tokens : null;
}

/** @param {unknown} value */
function millions(value) {
  const told = number(value);
  return told && Math.ceil(told / 1e6);
}

/** @param {unknown} value */
function number(value) {
  const told = Number(value);
  return Number.isFinite(told) && told > 0 ? told : null;
}
