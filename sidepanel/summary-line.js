/** The user's line when a summary was asked for by a button, as Python will word it too. */

/** @import { Preferences } from "./types.js" */

export const SUMMARIZE_TEXT = "Summarize this page";
const DEFAULT_STYLE = "short";

/**
 * What a summary is to be, in words; "" where nothing special was chosen.
 *
 * @param {Preferences | undefined} preferences
 * @param {{style?: string | undefined, language?: string | undefined}} [said] chosen for this one
 * @returns {{style: string, language: string}}
 */
export function summaryWords(preferences, said = {}) {
  const id = said.style ?? preferences?.summary_style ?? DEFAULT_STYLE;
  const name = id === DEFAULT_STYLE ? "" : (preferences?.styles.find((style) => style.id === id)?.name ?? "");
  return { style: name, language: said.language ?? preferences?.language ?? "" };
}

/**
 * @param {Preferences | undefined} preferences
 * @param {{style?: string | undefined, language?: string | undefined}} [said]
 * @returns {string}
 */
export function summaryLine(preferences, said = {}) {
  const { style, language } = summaryWords(preferences, said);
  const name = style && `: ${style.charAt(0).toLowerCase()}${style.slice(1)}`;
  return `${SUMMARIZE_TEXT}${name}${language && `${name && ","} in ${language}`}`;
}
