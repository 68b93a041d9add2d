import { html } from "htm/preact";
import { PageIcon } from "./icons.js";
import { hostOf } from "./source-card.js";

/** @import { Store, Tab } from "../types.js" */

/**
 * Summarizes the tab that the user looks at, and says which one that is.
 *
 * @param {{tab: Tab, store: Store, large?: boolean}} props
 */
export function SummarizeButton({ tab, store, large = false }) {
  const page = tab && (tab.title || hostOf(tab.url));
  return html`<button type="button" class=${large ? "summarize large" : "summarize"} data-testid="summarize-tab"
    title=${tab ? `${tab.title}\n${tab.url}` : "Summarize the page in this tab"}
    onClick=${() => store.send({ type: "summarize", id: crypto.randomUUID() })}>
    <${PageIcon} />
    <span class="summarize-lines"><span class="summarize-label">Summarize this page</span>
    ${page && html`<span class="summarize-page" dir="auto">${page}</span>`}</span>
  </button>`;
}
