import { html } from "htm/preact";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { CloseIcon, PageIcon } from "./icons.js";

/** @import { Citation } from "../types.js" */

/**
 * The passage of a document behind a sentence of the answer.
 *
 * @param {{citation: Citation, onClose: () => void}} props
 */
export function CitationCard({ citation, onClose }) {
  const { number, quote, name = "Document", page } = citation;
  const { box, onKeyDown, finish } = useBorrowedFocus(onClose);
  return html`<section class="passage" data-testid="citation-card" tabindex="-1" aria-label=${`Passage ${number}`} ref=${box}
    onKeyDown=${onKeyDown}>
    <div class="passage-head">
      <span class="passage-number" aria-hidden="true">${number}</span>
      <${PageIcon} />
      <span class="passage-name" dir="auto" title=${name} data-testid="citation-name">${name}</span>
      ${page !== undefined && html`<span class="passage-page" data-testid="citation-page">Page ${page}</span>`}
      <button type="button" class="icon-button small" data-testid="citation-close" title="Close (Escape)" aria-label="Close passage"
        onClick=${() => finish(onClose)}><${CloseIcon} /></button>
    </div>
    <blockquote class="passage-text" dir="auto" data-testid="citation-quote">${quote}</blockquote>
  </section>`;
}
