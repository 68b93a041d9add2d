/** @import { State } from "./types.js" */

/**
 * The state that tells screen readers a line.
 *
 * @param {State} state
 * @param {string} text
 * @returns {State}
 */
export function announce(state, text) {
  return { ...state, announcement: { id: state.announcement.id + 1, text } };
}
