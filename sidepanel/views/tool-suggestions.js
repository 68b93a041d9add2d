/** Names of tools, and saved prompts, for a message that starts with "/". */

import { html } from "htm/preact";
import { QuoteIcon } from "./icons.js";
import { useSuggestions } from "./suggestions.js";
import { ToolSymbol } from "./tool-symbol.js";

/** @import { SavedPrompt, Store, ToolInfo } from "../types.js" */

/** @typedef {{key: string, tool?: ToolInfo, prompt?: SavedPrompt}} Option */

/**
 * The tools that a draft may mean; those whose name begins so first.
 *
 * @param {string} draft
 * @param {ToolInfo[]} tools
 * @returns {ToolInfo[]}
 */
export function suggestedTools(draft, tools) {
  const word = /^\/([\w-]*)$/.exec(draft)?.[1]?.toLowerCase();
  if (word === undefined) return [];
  const starts = (/** @type {ToolInfo} */ { name }) => name.toLowerCase().startsWith(word);
  const has = (/** @type {ToolInfo} */ { name, title }) => `${name} ${title}`.toLowerCase().includes(word);
  return [...tools.filter(starts), ...tools.filter((tool) => !starts(tool) && has(tool))];
}

/**
 * The saved prompts that a draft may mean: a word of the title begins with what was typed.
 *
 * @param {string} draft
 * @param {SavedPrompt[]} prompts
 * @returns {SavedPrompt[]}
 */
export function suggestedPrompts(draft, prompts) {
  const typed = /^\/([^/\n]*)$/.exec(draft)?.[1]?.toLowerCase();
  if (typed === undefined) return [];
  return prompts.filter(({ title }) => ` ${title.toLowerCase()}`.includes(` ${typed}`));
}

/**
 * @param {string} draft
 * @param {ToolInfo[]} tools
 * @param {SavedPrompt[]} prompts
 * @param {Store} store
 * @returns {ReturnType<typeof useSuggestions>}
 */
export function useToolSuggestions(draft, tools, prompts, store) {
  /** @param {string} text @returns {{label: string, options: Option[]}[]} */
  function groupsFor(text) {
    const offered = suggestedPrompts(text, prompts).map((prompt) => ({ key: `prompt ${prompt.id}`, prompt }));
    return [
      {
        label: offered.length > 0 ? "Tools" : "",
        options: suggestedTools(text, tools).map((tool) => ({ key: tool.name, tool })),
      },
      { label: "Saved prompts", options: offered },
    ];
  }
  return useSuggestions({
    id: "tool-suggestions",
    testid: "tool-suggestions",
    label: "Tools and saved prompts",
    called: prompts.length > 0 ? "tools and prompts" : "tools",
    occasion: draft.startsWith("/") ? "/" : null,
    query: draft,
    groups: groupsFor(draft),
    latest: () => groupsFor(store.getState().draft).flatMap(({ options }) => options),
    choose: ({ tool, prompt }) =>
      store.dispatch({ type: "draft", text: tool ? `/${tool.name} ` : (prompt?.text ?? "") }),
    draw: ({ tool, prompt }) =>
      tool
        ? { testid: "tool-suggestion", name: tool.name, view: html`<${Tool} tool=${tool} />` }
        : { testid: "prompt-suggestion", name: prompt?.title ?? "", view: html`<${Prompt} prompt=${prompt} />` },
    store,
  });
}

/** @param {{tool: ToolInfo}} props */
function Tool({ tool }) {
  return html`<${ToolSymbol} tool=${tool.name} /><span class="suggestion-name">/${tool.name}</span>
    <span class="suggestion-title" dir="auto">${tool.title}</span>`;
}

/** @param {{prompt: SavedPrompt}} props */
function Prompt({ prompt }) {
  return html`<${QuoteIcon} /><span class="suggestion-name prompt-name" dir="auto">${prompt.title}</span>
    <span class="suggestion-title" dir="auto">${prompt.text}</span>`;
}
