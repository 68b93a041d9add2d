/** The panel's state in one place: a pure reducer, and a store that tells its listeners once a frame. */

import { announce } from "./announce.js";
import {
  emptyTray,
  INITIAL_ATTACHMENTS,
  reduceAttachments,
  removeAttachment,
  showMention,
  startFollowing,
  withAttachments,
} from "./attachments-state.js";
import { INITIAL_BROWSER, reduceBrowser } from "./browser-state.js";
import { chooseModel, INITIAL_ENGINE, setEngine } from "./engine-state.js";
import { INITIAL_MODELS, takeModels } from "./models-state.js";
import { INITIAL_SESSIONS, reduceSessions, showSentSessions } from "./sessions-state.js";
import { INITIAL_SETTINGS, reduceSettings, showSentSettings } from "./settings-state.js";
import { summaryLine } from "./summary-line.js";
import { timeLeft } from "./time-left.js";

/** @import { Approval, Command, Message, Needs, OpenTab, PanelEvent, State, Store, ViewEvent } from "./types.js" */

const NOTICES_SHOWN = 3;
/** Seconds that are worth saying. */
const LONG = 30;

/**
 * @param {string} [draft] what the composer holds from the start
 * @returns {State}
 */
export function initialState(draft = "") {
  return {
    python: { state: "starting", error: null },
    messages: [],
    busy: false,
    tab: null,
    draft,
    editing: null,
    notices: [],
    announcement: { id: 0, text: "" },
    approvals: [],
    timeline: [],
    ...INITIAL_ATTACHMENTS,
    ...INITIAL_BROWSER,
    ...INITIAL_ENGINE,
    ...INITIAL_MODELS,
    ...INITIAL_SESSIONS,
    ...INITIAL_SETTINGS,
  };
}

/**
 * The state after an event. Pure; returns the same object when nothing changed.
 *
 * @param {State} state
 * @param {PanelEvent | ViewEvent} event
 * @returns {State}
 */
export function reduce(state, event) {
  switch (event.type) {
    case "ready":
      return { ...state, python: { state: "ready", error: null } };
    case "fatal":
      return announce(
        { ...state, python: { state: "failed", error: event.error }, busy: false, approvals: [] },
        event.error.title,
      );
    case "restarting":
      return restart(state);
    case "timeline":
      return { ...state, timeline: event.entries };
    case "message":
      return putMessage(state, event.message);
    case "delta":
      return appendText(state, event.id, event.text);
    case "removed":
      return keepMessages(state, (message) => !event.ids.includes(message.id));
    case "cleared":
      // What was asked after another conversation was asked for belongs to that one.
      return keepMessages(
        state,
        ({ id, role, state: its }) => role === "user" && its === "queued" && !state.sessions.left.includes(id),
      );
    case "busy":
      return state.busy === event.value ? state : { ...state, busy: event.value };
    case "engine":
      return setEngine(state, event.engine);
    case "tab":
      return { ...state, tab: event.tab };
    case "notice":
      return addNotice(state, event);
    case "dismiss":
      return { ...state, notices: state.notices.filter((notice) => notice.id !== event.id) };
    case "draft":
      return { ...state, draft: event.text };
    case "edit-start":
      return { ...state, editing: event.id };
    case "edit-cancel":
      return { ...state, editing: null };
    case "announce":
      return announce(state, event.text);
    case "sent":
      return showSent(state, event.command);
    case "approval":
      return addApproval(state, event.approval);
    case "approval-over":
      return endApproval(state, event.id);
    case "attachment":
    case "attachment-removed":
      return reduceAttachments(state, event);
    case "tabs":
    case "permissions-changed":
    case "explain":
      return reduceBrowser(state, event);
    case "models": {
      const { type: _, ...models } = event;
      return takeModels(state, models);
    }
    case "session":
    case "sessions":
    case "sessions-open":
    case "sessions-close":
      return reduceSessions(state, event);
    default:
      return reduceSettings(state, event);
  }
}

/**
 * What the user sees at once of a command, before Python has taken it.
 *
 * @param {State} state
 * @param {Command} command
 * @returns {State}
 */
function showSent(state, command) {
  switch (command.type) {
    case "prompt":
      return showPrompt(state, command);
    case "summarize":
      return putMessage(state, queued(command.id, summaryLine(state.settings?.preferences, command)));
    case "edit":
      return showEdited(state, command.id, command.text);
    case "new-session":
      return announce(
        { ...state, messages: [], editing: null, approvals: [] },
        command.temporary ? "Temporary conversation: nothing is kept" : "New session",
      );
    case "approve":
    case "deny":
      return endApproval(state, command.id);
    case "detach":
      return removeAttachment(state, command.id);
    case "choose-model":
      return chooseModel(state, command.model);
    case "mention-tab":
    case "mention-document":
      return showMention(state, command);
    case "follow-tab":
      return command.value ? startFollowing(state) : state;
    default:
      return showSentSessions(showSentSettings(state, command), command);
  }
}

/**
 * Python begins anew: what ran, what was asked and what lay ready to be sent is not known to it. The conversation is, and it
 * tells that anew.
 *
 * @param {State} state
 * @returns {State}
 */
function restart(state) {
  const detached = [...state.detached, ...state.attachments.map(({ id }) => id)];
  const python = /** @type {const} */ ({ state: "starting", error: null });
  const next = { ...state, python, choosing: "", busy: false, approvals: [], attachments: [], detached };
  return announce(next, "Amplifier starts again");
}

/**
 * @param {State} state
 * @param {Extract<Command, {type: "prompt"}>} prompt
 * @returns {State}
 */
function showPrompt(state, { id, text, attachments: ids = [] }) {
  const message = queued(id, text);
  const attachments = state.attachments.filter((attachment) => ids.includes(attachment.id));
  return putMessage(emptyTray({ ...state, draft: "" }), attachments.length > 0 ? { ...message, attachments } : message);
}

/**
 * @param {State} state
 * @param {Approval} approval
 * @returns {State}
 */
function addApproval(state, approval) {
  const index = state.approvals.findIndex((other) => other.id === approval.id);
  if (index >= 0) return { ...state, approvals: state.approvals.with(index, approval) };
  return announce({ ...state, approvals: [...state.approvals, approval] }, `Amplifier asks: ${approval.question}`);
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
function endApproval(state, id) {
  const approvals = state.approvals.filter((approval) => approval.id !== id);
  return approvals.length === state.approvals.length ? state : { ...state, approvals };
}

/**
 * @param {string} id
 * @param {string} text
 * @returns {Message}
 */
function queued(id, text) {
  return { id, role: "user", state: "queued", text };
}

/**
 * @param {State} state
 * @param {string} id
 * @param {string} text
 * @returns {State}
 */
function showEdited(state, id, text) {
  const index = state.messages.findIndex((message) => message.id === id);
  if (index < 0) return { ...state, editing: null };
  const edited = withAttachments(queued(id, text), state.messages[index]);
  const messages = [...state.messages.slice(0, index), edited];
  return { ...state, messages, editing: null };
}

/**
 * Replaces the message of the same id, or inserts it.
 *
 * @param {State} state
 * @param {Message} message
 * @returns {State}
 */
function putMessage(state, message) {
  const index = state.messages.findIndex((other) => other.id === message.id);
  if (index < 0) {
    const at = insertionPoint(state.messages, message);
    return announceEnd(
      { ...state, messages: [...state.messages.slice(0, at), message, ...state.messages.slice(at)] },
      undefined,
      message,
    );
  }
  const before = state.messages[index];
  const next = withAttachments(message, before);
  return announceEnd({ ...state, messages: replaced(state.messages, index, next) }, before, next);
}

/**
 * New messages go last, but an answer goes before the questions that still wait for their turn or lost it.
 *
 * @param {Message[]} messages
 * @param {Message} message
 * @returns {number}
 */
function insertionPoint(messages, message) {
  if (message.role === "user") return messages.length;
  const waits = (/** @type {Message} */ { role, state }) =>
    role === "user" && (state === "queued" || state === "stopped");
  const firstWaiting = messages.findLastIndex((other) => !waits(other)) + 1;
  if (firstWaiting === messages.length) return firstWaiting;
  const answersEarlier = firstWaiting > 0 && messages[firstWaiting - 1]?.role === "user";
  return answersEarlier ? firstWaiting : firstWaiting + 1;
}

/**
 * @param {State} state
 * @param {string} id
 * @param {string} text
 * @returns {State}
 */
function appendText(state, id, text) {
  const index = state.messages.findLastIndex((message) => message.id === id);
  const message = state.messages[index];
  if (!message) return state;
  return { ...state, messages: replaced(state.messages, index, { ...message, text: message.text + text }) };
}

/**
 * @param {State} state
 * @param {(message: Message) => boolean} keep
 * @returns {State}
 */
function keepMessages(state, keep) {
  const messages = state.messages.filter(keep);
  const editing = messages.some((message) => message.id === state.editing) ? state.editing : null;
  return { ...state, messages, editing };
}

/**
 * Screen readers hear an answer when it has ended, not token by token.
 *
 * @param {State} state
 * @param {Message | undefined} before
 * @param {Message} message
 * @returns {State}
 */
function announceEnd(state, before, message) {
  if (message.role !== "assistant" || !before) return state; // one that comes whole was given earlier
  if (before?.state === message.state) return announceTime(state, before, message);
  if (message.state === "done") return announce(state, `Answer:\n\n${message.text}`);
  if (message.state === "stopped") return announce(state, "Stopped");
  if (message.state === "error") return announce(state, message.error?.title ?? "The answer failed");
  return state;
}

/**
 * How long it takes, where that is long, and once: not each time the number changes.
 *
 * @param {State} state
 * @param {Message} before
 * @param {Message} message
 * @returns {State}
 */
function announceTime(state, before, { progress }) {
  const left = progress?.seconds_left ?? 0;
  const isNews = left >= LONG && before.progress?.seconds_left === undefined;
  return isNews ? announce(state, `${progress?.label}, ${timeLeft(left)}`) : state;
}

/**
 * @param {State} state
 * @param {Omit<import("./types.js").Notice, "id">} notice
 * @returns {State}
 */
function addNotice(state, { level, text, action }) {
  const id = Math.max(0, ...state.notices.map((notice) => notice.id)) + 1;
  const others = state.notices.filter((notice) => notice.text !== text);
  return { ...state, notices: [...others, { id, level, text, ...(action && { action }) }].slice(-NOTICES_SHOWN) };
}

/**
 * Once before the next paint; hidden pages have no frames, so a timer stands in.
 *
 * @param {() => void} callback
 */
function nextFrame(callback) {
  let frame = 0;
  const timer = setTimeout(() => {
    cancelAnimationFrame(frame);
    callback();
  }, 200);
  frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    callback();
  });
}

/** @param {Message[]} messages @param {number} index @param {Message} message */
const replaced = (messages, index, message) => messages.map((other, i) => (i === index ? message : other));

/**
 * State is current as soon as dispatch returns; listeners hear of it once a frame, however many tokens arrived.
 *
 * @param {object} options
 * @param {(command: Command) => void} options.send
 * @param {(needs: Needs) => Promise<boolean>} [options.requestPermissions]
 * @param {Store["removePermissions"]} [options.removePermissions]
 * @param {Store["requestTab"]} [options.requestTab]
 * @param {(onTabs: (tabs: OpenTab[]) => void) => () => void} [options.watchTabs]
 * @param {(files: Iterable<File>) => void} [options.attach]
 * @param {Store["screenshot"]} [options.screenshot]
 * @param {Store["image"]} [options.image]
 * @param {State} [options.state]
 * @param {(callback: () => void) => void} [options.schedule]
 * @returns {Store}
 */
export function createStore({
  send,
  requestPermissions = async () => false,
  removePermissions = async () => false,
  requestTab = async () => false,
  watchTabs = () => () => {},
  attach = () => {},
  screenshot = async () => Promise.reject(new Error("there is no tab")),
  image = async () => null,
  state = initialState(),
  schedule = nextFrame,
}) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  let scheduled = false;

  /** @param {PanelEvent | ViewEvent} event */
  function dispatch(event) {
    const next = reduce(state, event);
    if (next === state) return;
    state = next;
    if (scheduled) return;
    scheduled = true;
    schedule(() => {
      scheduled = false;
      for (const listener of listeners) listener();
    });
  }

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispatch,
    requestPermissions,
    removePermissions,
    requestTab,
    watchTabs: () => watchTabs((tabs) => dispatch({ type: "tabs", tabs })),
    attach,
    screenshot,
    image,
    send(command) {
      dispatch({ type: "sent", command });
      send(command);
    },
  };
}
