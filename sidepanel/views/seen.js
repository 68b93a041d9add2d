import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { ChevronIcon } from "./icons.js";

/** @import { Seen } from "../types.js" */

/**
 * What stood before the model when it answered, passage by passage and word for word.
 *
 * @param {{seen: Seen[]}} props
 */
export function SeenPassages({ seen }) {
  const [open, setOpen] = useState(false);

  /** @param {MouseEvent} event */
  function toggle(event) {
    event.preventDefault();
    setOpen(!open);
  }
  return html`<details class="seen" data-testid="seen" open=${open}>
    <summary data-testid="seen-toggle" onClick=${toggle}><span class="chevron"><${ChevronIcon} /></span>What the model saw
      <span class="seen-count">${seen.length === 1 ? "1 passage" : `${seen.length} passages`}</span></summary>
    ${
      open &&
      html`<ol class="seen-list" role="list">
        ${seen.map((passage) => html`<${Passage} key=${passage.number} passage=${passage} />`)}
      </ol>`
    }
  </details>`;
}

/** @param {{passage: Seen}} props */
function Passage({ passage }) {
  const { number, name, page, heading, text } = passage;
  return html`<li class="passage" data-testid="seen-passage">
    <div class="passage-head">
      <span class="passage-number">${number}</span>
      <span class="passage-name" dir="auto" title=${name}>${name}</span>
      ${page !== undefined && html`<span class="passage-page">Page ${page}</span>`}
    </div>
    ${heading && html`<p class="passage-heading" dir="auto">${heading}</p>`}
    <p class="passage-text" dir="auto">${text}</p>
  </li>`;
}
