import { html } from "htm/preact";
import { PageIcon } from "./icons.js";

/** @import { Source } from "../types.js" */

/** @param {string} url */
export function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host || url : url;
}

/**
 * The page an answer is about; leads back to it.
 *
 * @param {{source: Source}} props
 */
export function SourceCard({ source }) {
  const { title, url, words } = source;
  const about = [hostOf(url), words ? `${words.toLocaleString("en")} words` : ""].filter(Boolean).join(" · ");
  const body = html`<${PageIcon} />
    <span class="source-lines"><span class="source-title" dir="auto">${title || url}</span>
    <span class="source-about">${about}</span></span>`;
  if (!/^https?:/i.test(url)) return html`<div class="source" data-testid="source">${body}</div>`;
  return html`<a class="source" data-testid="source" href=${url} title=${url} target="_blank" rel="noopener noreferrer">${body}</a>`;
}
