/** The attachments' part of the state: those that wait in the tray, and those that went with a message. */

import { hostOf } from "./address.js";
import { announce } from "./announce.js";

/** @import { Attachment, AttachmentEvent, Command, Message, State } from "./types.js" */

/** The id of the chip that follows the tab in front. */
export const FOLLOWED = "followed-tab";

/** @type {Pick<State, "attachments" | "detached">} */
export const INITIAL_ATTACHMENTS = { attachments: [], detached: [] };

/**
 * @param {State} state
 * @param {AttachmentEvent} event
 * @returns {State}
 */
export function reduceAttachments(state, event) {
  if (event.type === "attachment-removed") return removeAttachment(state, event.id);
  const { attachment } = event;
  if (attachment.follows) return putInTray(state, attachment); // a message keeps the page that was in front when it was sent
  const owner = state.messages.find((message) => message.attachments?.some(({ id }) => id === attachment.id));
  if (owner) return putSent(state, owner, attachment);
  return putInTray(state, attachment);
}

/**
 * What a mention puts into the tray before Python has taken it.
 *
 * @param {State} state
 * @param {Extract<Command, {type: "mention-tab" | "mention-document"}>} command
 * @returns {State}
 */
export function showMention(state, command) {
  const about = command.type === "mention-tab" ? aboutTab(command) : aboutDocument(state, command.document);
  return putInTray(state, { id: command.id, state: "reading", progress: null, ...about });
}

/**
 * @param {{tab: number, title: string, url: string}} tab
 * @returns {Pick<Attachment, "kind" | "name" | "detail" | "mentioned">}
 */
function aboutTab({ tab, title, url }) {
  const detail = hostOf(url);
  return { kind: "tab", name: title || detail || "This page", detail, mentioned: tabKey(tab) };
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {Pick<Attachment, "kind" | "name" | "detail" | "mentioned">}
 */
function aboutDocument({ settings }, id) {
  const known = settings?.documents?.find((document) => document.id === id);
  return { kind: "document", name: known?.name ?? "Document", detail: "", mentioned: documentKey(id) };
}

/** @param {number} id */
export const tabKey = (id) => `tab ${id}`;

/** @param {string} id */
export const documentKey = (id) => `document ${id}`;

/**
 * The chip that follows has one name each time: what was removed may come again.
 *
 * @param {State} state
 * @returns {State}
 */
export function startFollowing(state) {
  return { ...state, detached: state.detached.filter((id) => id !== FOLLOWED) };
}

/**
 * @param {State} state
 * @param {Attachment} attachment
 * @returns {State}
 */
function putInTray(state, attachment) {
  if (state.detached.includes(attachment.id)) return state;
  const index = state.attachments.findIndex(({ id }) => id === attachment.id);
  const before = state.attachments[index];
  const next = before?.mentioned ? { mentioned: before.mentioned, ...attachment } : attachment;
  const attachments = before ? state.attachments.with(index, next) : [...state.attachments, next];
  return announceChange({ ...state, attachments }, before, attachment);
}

/**
 * @param {State} state
 * @param {Message} owner the message that it went with
 * @param {Attachment} attachment
 * @returns {State}
 */
function putSent(state, owner, attachment) {
  const { attachments: others = [] } = owner;
  const before = others.find(({ id }) => id === attachment.id);
  const attachments = others.map((other) => (other.id === attachment.id ? attachment : other));
  const messages = state.messages.map((message) => (message === owner ? { ...owner, attachments } : message));
  return announceChange({ ...state, messages }, before, attachment);
}

/**
 * @param {State} state
 * @param {Partial<Attachment> | undefined} before
 * @param {Attachment} attachment
 * @returns {State}
 */
function announceChange(state, before, { name, state: now, problem }) {
  if (before?.state === now) return state;
  if (now === "error") return announce(state, `${name}: ${problem?.title ?? "could not be read"}`);
  if (now === "ready") return announce(state, before ? `${name} is ready` : `${name} is attached`);
  return before ? state : announce(state, `Attaching ${name}`);
}

/**
 * @param {State} state
 * @param {string} id
 * @returns {State}
 */
export function removeAttachment(state, id) {
  const gone = state.attachments.find((attachment) => attachment.id === id);
  if (!gone) return state;
  const attachments = state.attachments.filter((attachment) => attachment !== gone);
  return announce({ ...state, attachments, detached: [...state.detached, id] }, `${gone.name} removed`);
}

/**
 * The tray after sending: empty but for what follows the user.
 *
 * @param {State} state
 * @returns {State}
 */
export function emptyTray(state) {
  const kept = state.attachments.filter(({ follows }) => follows);
  const gone = state.attachments.filter(({ follows }) => !follows);
  return gone.length === 0
    ? state
    : { ...state, attachments: kept, detached: [...state.detached, ...gone.map(({ id }) => id)] };
}

/**
 * The message with what is known of its attachments: whoever tells it anew may name them only, or leave them out.
 *
 * @param {Message} message
 * @param {Message | undefined} before
 * @returns {Message}
 */
export function withAttachments(message, before) {
  const known = before?.attachments;
  if (!known) return message;
  const attachments = (message.attachments ?? known).map((attachment) => ({
    ...known.find(({ id }) => id === attachment.id),
    ...attachment,
  }));
  return { ...message, attachments };
}
