// Renders a conversation the way WebLLM does from a model's conv_template, for the one thing WebLLM's chat interface
// cannot do: go on with an unfinished reply.

/** @import { ChatMessage } from "../protocol.js" */

/**
 * @param {ChatMessage[]} messages  the last one is the assistant's unfinished reply
 * @param {any} template            conv_template of mlc-chat-config.json
 * @returns {string}
 */
export function renderPrompt(messages, template) {
  const separators = template.seps.length ? template.seps : [""];
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const rest = messages.filter(({ role }) => role !== "system");
  const head = template.system_template.replace("{system_message}", system.join("\n") || template.system_message || "");
  const turns = rest.map(({ role, content }, i) => {
    const opened = template.roles[role] + template.role_content_sep + content;
    return i === rest.length - 1 ? opened : opened + separators[role === "assistant" ? separators.length - 1 : 0];
  });
  return head + turns.join("");
}
