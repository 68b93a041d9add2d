/** What scenes are made of. */

/** @import { Engine, Message, PanelEvent, ViewEvent } from "../../../sidepanel/types.js" */

/** @typedef {PanelEvent | ViewEvent} SceneEvent */

export const MODELS = [
  { id: "smollm2-360m", name: "SmolLM2 360M" },
  { id: "qwen3-1.7b", name: "Qwen3 1.7B Instruct" },
];

/**
 * @param {Partial<Engine>} engine
 * @returns {SceneEvent}
 */
export function engine(engine) {
  const model = { id: "smollm2-360m", name: "SmolLM2 360M", context_window: 4096 };
  return {
    type: "engine",
    engine: { state: "ready", model, models: MODELS.slice(0, 1), progress: null, text: "", error: null, ...engine },
  };
}

/**
 * @param {Partial<Message>} message
 * @returns {SceneEvent}
 */
export function message(message) {
  return { type: "message", message: { id: "a1", role: "assistant", state: "done", text: "", ...message } };
}

/**
 * @param {string} text
 * @param {string} [id]
 */
export const user = (text, id = "u1") => message({ id, role: "user", text });

/** @type {SceneEvent} */
export const TAB = {
  type: "tab",
  tab: { id: 1, title: "How glaciers move and why it matters for coastlines", url: "https://www.example.org/glaciers" },
};
/** @type {SceneEvent[]} */
export const READY = [{ type: "ready" }, engine({}), TAB];
/** @type {SceneEvent[]} */
export const BUSY = [{ type: "ready" }, engine({ state: "generating" }), TAB, { type: "busy", value: true }];
