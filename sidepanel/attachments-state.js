/** The attachments' part of the state: those that wait in the tray, and those that went with a message. */

import { announce } from "./announce.js";

/** @import { Attachment, AttachmentEvent, Message, State } from "./types.js" */

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
  const owner = state.messages.find((message) => message.attachments?.some(({ id }) => id === attachment.id));
  if (owner) return putSent(state, owner, attachment);
  return state.detached.includes(attachment.id) ? state : putInTray(state, attachment);
}

/**
 * @param {State} state
 * @param {Attachment} attachment
 * @returns {State}
 */
function putInTray(state, attachment) {
  const index = state.attachments.findIndex(({ id }) => id === attachment.id);
  const before = state.attachments[index];
  const attachments = before ? state.attachments.with(index, attachment) : [...state.attachments, attachment];
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
 * @param {State} state
 * @returns {State}
 */
export function emptyTray(state) {
  const { attachments, detached } = state;
  if (attachments.length === 0) return state;
  return { ...state, attachments: [], detached: [...detached, ...attachments.map(({ id }) => id)] };
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
