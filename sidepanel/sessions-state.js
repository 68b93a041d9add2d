/** The kept conversations' part of the state: which one is open, the list as Python told it, and what was just deleted. */

import { announce } from "./announce.js";
import { counted } from "./counted.js";

/** @import { Command, PanelEvent, SessionItem, State, ViewEvent } from "./types.js" */

/** @type {Pick<State, "session" | "sessions">} */
export const INITIAL_SESSIONS = {
  session: null,
  sessions: { isOpen: false, items: null, query: "", error: null, deleted: null, isAwaited: false, left: [] },
};

/**
 * @param {State} state
 * @param {PanelEvent | ViewEvent} event
 * @returns {State}
 */
export function reduceSessions(state, event) {
  switch (event.type) {
    case "session":
      return takeSession(state, event.session);
    case "sessions":
      return takeSessions(state, event);
    case "sessions-open":
      // What a search left is no list of all.
      return change(state, { isOpen: true, ...(state.sessions.query && { items: null, query: "" }) });
    case "sessions-close":
      return change(state, { isOpen: false, deleted: null });
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {import("./types.js").OpenSession} session
 * @returns {State}
 */
function takeSession(state, session) {
  const next = { ...state, session };
  if (session.state === "unsaved" && state.session?.state !== "unsaved")
    return announce(next, session.problem?.title ?? "This conversation is not being saved");
  const isAwaited = state.sessions.isAwaited && session.id !== state.session?.id;
  return isAwaited ? change(announce(next, `${session.title} is open`), { isAwaited: false }) : next;
}

/**
 * @param {State} state
 * @param {Extract<PanelEvent, {type: "sessions"}>} told
 * @returns {State}
 */
function takeSessions(state, { query, sessions: items, error }) {
  const next = change(state, { items, query, error, isAwaited: false });
  if (!state.sessions.isOpen) return next;
  if (error) return state.sessions.error ? next : announce(next, error.title);
  const isNews = query !== "" && query !== state.sessions.query;
  return isNews ? announce(next, `${counted(items.length, "conversation")} found`) : next;
}

/**
 * What the user sees at once of a command, before Python has told the list anew.
 *
 * @param {State} state
 * @param {Command} command
 * @returns {State}
 */
export function showSentSessions(state, command) {
  switch (command.type) {
    case "open-session":
    case "fork-session":
      return change(leave(state), { isAwaited: true });
    case "rename-session":
      return changeItem(state, command.id, { title: command.title });
    case "pin-session":
      return announce(
        changeItem(state, command.id, { pinned: command.pinned }),
        command.pinned ? "Pinned" : "No longer pinned",
      );
    case "delete-session":
      return deleteSession(state, command.id);
    case "restore-sessions":
      return restoreSessions(state);
    case "delete-all-sessions":
      return deleteAll(state);
    default:
      return state;
  }
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
function deleteSession(state, id) {
  const { items } = state.sessions;
  const item = items?.find((other) => other.id === id);
  if (!items || !item) return state;
  const next = remove(state, items, [item], `“${item.title}” deleted.`);
  return announce(next, `${item.title} deleted. Undo brings it back.`);
}

/**
 * @param {State} state
 * @returns {State}
 */
function deleteAll(state) {
  const { items } = state.sessions;
  if (!items) return state;
  const doomed = items.filter(({ pinned }) => !pinned);
  const text = `${counted(doomed.length, "conversation")} deleted`;
  return announce(remove(state, items, doomed, `${text}.`), `${text}. Undo brings them back.`);
}

/**
 * @param {State} state
 * @param {SessionItem[]} items
 * @param {SessionItem[]} doomed some of them
 * @param {string} text what is said beside the way back
 * @returns {State}
 */
function remove(state, items, doomed, text) {
  const next = doomed.some(({ open }) => open) ? leave(state) : state;
  /** @type {Command} */
  const command = { type: "restore-sessions", ids: doomed.map(({ id }) => id) };
  const kept = items.filter((item) => !doomed.includes(item));
  return change(next, { items: kept, deleted: { items: doomed, undo: { text, command } } });
}

/**
 * @param {State} state
 * @returns {State}
 */
function restoreSessions(state) {
  const { items, deleted } = state.sessions;
  if (!items || !deleted) return state;
  const back = deleted.items.map((item) => ({ ...item, open: false })); // another one has been opened in its place
  const [first] = back;
  return announce(
    change(state, { items: [...items, ...back].sort(inOrder), deleted: null }),
    back.length === 1
      ? `${first?.title} is back in the list`
      : `${counted(back.length, "conversation")} are back in the list`,
  );
}

/**
 * Questions that wait for their turn stay with the conversation that they were asked in.
 *
 * @param {State} state
 * @returns {State}
 */
function leave(state) {
  return change(state, { left: state.messages.map(({ id }) => id) });
}

/**
 * Pinned ones first, then the latest, as Python lists them.
 *
 * @param {SessionItem} a
 * @param {SessionItem} b
 */
function inOrder(a, b) {
  return Number(b.pinned) - Number(a.pinned) || b.updated - a.updated;
}

/**
 * @param {State} state
 * @param {string} id
 * @param {Partial<SessionItem>} changes
 * @returns {State}
 */
function changeItem(state, id, changes) {
  const items = state.sessions.items?.map((item) => (item.id === id ? { ...item, ...changes } : item)).sort(inOrder);
  return change(state, { items: items ?? null });
}

/**
 * @param {State} state
 * @param {Partial<State["sessions"]>} changes
 * @returns {State}
 */
function change(state, changes) {
  return { ...state, sessions: { ...state.sessions, ...changes } };
}
