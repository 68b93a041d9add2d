/** Keeps what was typed when the panel reloads itself after a failed start. */

/** @import { State } from "./types.js" */

const KEY = "draft";

/**
 * What has not reached Python: messages still queued, then the composer's text.
 *
 * @param {State} state
 */
export function saveDraft(state) {
  const waiting = state.messages.filter((message) => message.state === "queued").map((message) => message.text);
  const text = [...waiting, state.draft].filter(Boolean).join("\n\n");
  if (text) sessionStorage.setItem(KEY, text);
}

/** The saved text, once. */
export function restoreDraft() {
  const text = sessionStorage.getItem(KEY) ?? "";
  sessionStorage.removeItem(KEY);
  return text;
}
