/** What models, documents and conversations take of the disk. */

import { html } from "htm/preact";

/** @import { Models } from "../types.js" */

/** @param {{storage: Models["storage"]}} props */
export function StorageLines({ storage }) {
  const most = Math.max(1, ...storage.lines.map((line) => line.bytes));
  return html`<section class="storage" aria-labelledby="storage-title" data-testid="storage">
    <h3 class="settings-heading" id="storage-title">On the disk</h3>
    <dl class="storage-lines">
      ${storage.lines.map(
        (line) => html`<div key=${line.label} data-testid="storage-line"><dt>${line.label}</dt><dd>${line.text}</dd>
          <meter class="coverage" min="0" max=${most} value=${line.bytes} aria-hidden="true" /></div>`,
      )}
    </dl>
    <p class="item-about" data-testid="storage-text">${storage.text}</p>
  </section>`;
}
