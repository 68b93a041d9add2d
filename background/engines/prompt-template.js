// Renders a conversation the way WebLLM does from a model's conv_template: for the CPU engine, and for the one thing WebLLM's
// chat interface cannot do, going on with an unfinished reply.

/** @import { ChatMessage } from "../protocol.js" */

/**
 * @param {ChatMessage[]} messages  a last one of the assistant is an unfinished reply; after any other a new reply is opened
 * @param {any} template            conv_template of mlc-chat-config.json
 * @returns {string}
 */
export function renderPrompt(messages, template) {
  const separators = template.seps.length ? template.seps : [""];
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const rest = messages.filter(({ role }) => role !== "system");
  const head = template.system_template.replace(
    "{system_message}",
    () => system.join("\n") || template.system_message || "",
  );
  const isOpen = rest.at(-1)?.role === "assistant";
  const turns = rest.map(({ role, content }, i) => {
    const opened = template.roles[role] + template.role_content_sep + content;
    if (isOpen && i === rest.length - 1) return opened;
    return opened + separators[role === "assistant" ? separators.length - 1 : 0];
  });
  const reply = isOpen ? "" : template.roles.assistant + (template.role_empty_sep ?? template.role_content_sep);
  return head + turns.join("") + reply;
}
