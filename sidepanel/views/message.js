import { html } from "htm/preact";
import { AssistantMessage } from "./assistant-message.js";
import { memo } from "./memo.js";
import { UserMessage } from "./user-message.js";

/** @import { Message, Store } from "../types.js" */

/**
 * @typedef {object} MessageProps
 * @property {Message} message
 * @property {Store} store
 * @property {boolean} editing
 * @property {boolean} latest the last answer: the one to retry or continue
 * @property {string} waiting when a queued message will be sent
 */

/** One message; renders again only when it changed. */
export const MessageView = memo((/** @type {MessageProps} */ props) =>
  props.message.role === "user" ? html`<${UserMessage} ...${props} />` : html`<${AssistantMessage} ...${props} />`,
);
