import { html } from "htm/preact";
import { hostOf } from "../address.js";
import { PageIcon } from "./icons.js";

/** @import { Source } from "../types.js" */

/** How much of it was read. @param {number} words @param {number} read */
function coverage(words, read) {
  if (!words) return "";
  const all = `${words.toLocaleString("en")} words`;
  if (!read) return all;
  return read < words ? `read ${read.toLocaleString("en")} of ${all}` : `read all ${all}`;
}

/**
 * The page an answer is about; leads back to it.
 *
 * @param {{source: Source}} props
 */
export function SourceCard({ source }) {
  const { title, url, words = 0, read = 0 } = source;
  const about = [hostOf(url), coverage(words, read)].filter(Boolean).join(" · ");
  const body = html`<${PageIcon} />
    <span class="source-lines"><span class="source-title" dir="auto">${title || url}</span>
    <span class="source-about">${about}</span>
    ${read > 0 && html`<meter class="coverage" data-testid="coverage" min="0" max=${words} value=${read} aria-label="How much of the page was read" />`}
    </span>`;
  if (!/^https?:/i.test(url)) return html`<div class="source" data-testid="source">${body}</div>`;
  return html`<a class="source" data-testid="source" href=${url} title=${url} target="_blank" rel="noopener noreferrer">${body}</a>`;
}
