/** The engine's part of the state, as Python told it, and as it is to become by what the user chose a moment ago. */

import { announce } from "./announce.js";

/** @import { Engine, State } from "./types.js" */

/** @type {Pick<State, "engine" | "choosing">} */
export const INITIAL_ENGINE = {
  engine: {
    state: "absent",
    engine: null,
    model: null,
    models: [],
    asked: "",
    progress: null,
    text: "",
    error: null,
    host: "",
    blind: "",
  },
  choosing: "",
};

/**
 * What Python says before it has taken the user's choice is of the model before.
 *
 * @param {State} state
 * @param {Engine} told
 * @returns {State}
 */
export function setEngine(state, told) {
  const choosing = told.asked === state.choosing ? "" : state.choosing;
  const engine = choosing ? expected(told, choosing) : told;
  const next = { ...state, engine, choosing };
  if (engine.state === state.engine.state) return next;
  if (engine.state === "unavailable") return announce(next, engine.error?.title ?? "The model is not available");
  if (engine.state === "lost") return announce(next, engine.text || "The model is starting again");
  if (engine.state === "ready" && state.engine.state !== "generating") return announce(next, "The model is ready");
  return next;
}

/**
 * @param {State} state
 * @param {string} model id of the one that the user has chosen
 * @returns {State}
 */
export function chooseModel(state, model) {
  return { ...state, engine: expected(state.engine, model), choosing: model };
}

/**
 * The engine's state once another model is chosen: what was said of the one before does not hold for it.
 *
 * @param {Engine} engine
 * @param {string} id
 * @returns {Engine}
 */
function expected(engine, id) {
  const model = engine.models.find((each) => each.id === id);
  if (!model || engine.model?.id === id) return engine;
  if (engine.state === "generating") return { ...engine, model }; // it counts from the next question on
  return {
    ...engine,
    model,
    state: "loading",
    engine: null,
    progress: null,
    text: `Loading ${model.name}`,
    error: null,
  };
}
