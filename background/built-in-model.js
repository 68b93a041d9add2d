// Chrome's own language model, by the Prompt API (https://webmachinelearning.github.io/prompt-api/): whether there is one, and how
// it is asked for. Only documents have that interface, Workers do not.

/** @import { Model } from "./protocol.js" */

export const BUILT_IN = "browser";

/** Until a session says how much it takes: less than any that Chrome has had. */
const LEAST_CONTEXT = 4096;
/** Millions; Chrome does not say. Gemini Nano has 1,800 to 4,000. */
const PARAMETERS = 1800;

/** @returns {any} the interface; undefined where the browser has none */
export function languageModel() {
  return /** @type {any} */ (globalThis).LanguageModel;
}

/**
 * What a session is to understand and write: English, and of the user's languages those that the model knows; images, where they
 * cost no download of their own.
 */
export async function expectations() {
  const wanted = new Set(["en", ...navigator.languages.map((tag) => tag.split("-")[0])]);
  const known = [];
  for (const language of wanted) {
    const availability = await availabilityOf(expecting(["en", language]));
    if (availability !== "unavailable") known.push(language);
  }
  const text = expecting(known.length ? known : ["en"]);
  const seeing = { ...text, expectedInputs: [...text.expectedInputs, { type: "image" }] };
  const [withImages, without] = await Promise.all([seeing, text].map(availabilityOf));
  return withImages === without ? seeing : text;
}

/** @param {object} options @returns {Promise<string>} */
async function availabilityOf(options) {
  return languageModel()
    .availability(options)
    .catch(() => "unavailable");
}

/** @param {(string|undefined)[]} languages @returns {{expectedInputs: {type: string}[], expectedOutputs: {type: string}[]}} */
function expecting(languages) {
  const text = { type: "text", languages: [...new Set(languages)] };
  return { expectedInputs: [text], expectedOutputs: [text] };
}

/** @returns {Promise<Model|null>} the model as it is listed; null where there is none */
export async function findBuiltIn() {
  if (!languageModel()) return null;
  const expected = await expectations();
  const availability = /** @type {any} */ (await availabilityOf(expected));
  if (availability === "unavailable") return null;
  return {
    id: BUILT_IN,
    name: "Chrome’s built-in model",
    origin: "browser",
    availability,
    path: "",
    lib: "",
    context_window: LEAST_CONTEXT,
    parameters: PARAMETERS,
    files: [],
    licence: "",
    is_vision: expected.expectedInputs.some(({ type }) => type === "image"),
  };
}
