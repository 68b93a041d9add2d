/** The models' part of the state: what Python tells of them, and what of it is said aloud. */

import { announce } from "./announce.js";

/** @import { ModelItem, Models, State } from "./types.js" */

/** @type {Pick<State, "models">} */
export const INITIAL_MODELS = { models: null };

/** Ends and interruptions; how far a download is would be too much. */
const SAID = {
  complete: " is on this computer",
  paused: " is paused",
  waiting: " waits for the network",
  partial: " is not complete",
};

/**
 * @param {State} state
 * @param {Models} models
 * @returns {State}
 */
export function takeModels(state, models) {
  const next = { ...state, models };
  const known = new Map((state.models?.models ?? []).map((model) => [model.id, model]));
  for (const model of models.models) {
    const words = news(known.get(model.id), model);
    if (words) return announce(next, `${model.name}${words}`);
  }
  const { added } = models;
  if (added && added.address !== state.models?.added?.address)
    return announce(next, added.problem ? added.problem.title : "Added to the list");
  return next;
}

/**
 * @param {ModelItem | undefined} before
 * @param {ModelItem} model
 * @returns {string | null}
 */
function news(before, model) {
  if (!before) return null;
  if (model.problem && model.problem.title !== before.problem?.title) return `: ${model.problem.title}`;
  if (model.state === before.state) return null;
  if (model.state === "absent") return " is not on this computer any more";
  return SAID[/** @type {keyof typeof SAID} */ (model.state)] ?? null;
}

/**
 * The models that a search leaves.
 *
 * @param {ModelItem[]} models
 * @param {string} query
 * @param {"all" | "fitting" | "here"} which
 * @returns {ModelItem[]}
 */
export function filterModels(models, query, which) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return models.filter((model) => {
    if (which === "here" && model.state === "absent") return false;
    if (which === "fitting" && model.fits === "no") return false;
    const text = [
      model.id,
      model.name,
      model.publisher,
      model.licence,
      model.good_for,
      model.is_vision && "pictures vision",
    ];
    const all = text.filter(Boolean).join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
