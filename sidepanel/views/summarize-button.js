import { html } from "htm/preact";
import { hostOf } from "../address.js";
import { summaryWords } from "../summary-line.js";
import { PageIcon } from "./icons.js";
import { SummaryMenu } from "./summary-menu.js";

/** @import { Preferences, Store, Tab } from "../types.js" */

/**
 * Summarizes the tab that the user looks at, and says which one that is and how; beside it, the ways to summarize.
 *
 * @param {{tab: Tab, preferences: Preferences | undefined, store: Store, large?: boolean}} props
 */
export function SummarizeButton({ tab, preferences, store, large = false }) {
  const { style, language } = summaryWords(preferences);
  const page = tab && (tab.title || hostOf(tab.url));
  const about = [style, language, page].filter(Boolean).join(" · ");
  return html`<div class=${large ? "summarize-split large" : "summarize-split"}>
    <button type="button" class=${large ? "summarize large" : "summarize"} data-testid="summarize-tab"
      title=${tab ? `${tab.title}\n${tab.url}` : "Summarize the page in this tab"}
      onClick=${() => store.send({ type: "summarize", id: crypto.randomUUID() })}>
      <${PageIcon} />
      <span class="summarize-lines"><span class="summarize-label">Summarize this page</span>
      ${about && html`<span class="summarize-page" dir="auto">${about}</span>`}</span>
    </button>
    ${preferences && html`<${SummaryMenu} preferences=${preferences} store=${store} large=${large} />`}
  </div>`;
}
