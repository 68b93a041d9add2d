/** What a tool shows to people: text, code, tables, figures. Nothing of it becomes markup of the panel. */

import { html } from "htm/preact";
import { languageName } from "./arguments.js";
import { CodeView } from "./code-view.js";

/** @import { Display } from "../types.js" */

/** @typedef {Extract<Display, {type: "table"}>} Table */

const IMAGES = /^image\/(png|jpeg|gif|webp)$/;
const NUMBER = /^[-+−]?[\d.,\s]*\d(e[-+]?\d+)?\s?%?$/i;

/** Tables and figures are what the user asked for; texts are for those who look closer. */
export const isFigure = (/** @type {Display} */ { type }) => type === "table" || type === "image" || type === "svg";

/**
 * @param {object} props
 * @param {Display} props.display
 * @param {string} props.title of the step it came from
 * @param {(text: string) => void} props.announce
 */
export function DisplayView({ display, title, announce }) {
  switch (display.type) {
    case "text":
      return html`<pre class="shown-text" dir="auto">${display.text}</pre>`;
    case "code":
      return html`<${CodeView} text=${display.text} label=${languageName(display.language)} announce=${announce} />`;
    case "table":
      return html`<${TableView} table=${display} title=${title} />`;
    case "image":
      return html`<${Figure} url=${imageUrl(display)} title=${title} />`;
    case "svg":
      // In an <img> an SVG runs no script and loads nothing; as markup of the panel it could do both.
      return html`<${Figure} url=${`data:image/svg+xml,${encodeURIComponent(display.text.toWellFormed())}`} title=${title} drawn=${true} />`;
    default:
      return null;
  }
}

/** @param {Extract<Display, {type: "image"}>} image */
function imageUrl({ mime, data }) {
  return IMAGES.test(mime) && /^[\w+/=\s]*$/.test(data) ? `data:${mime};base64,${data}` : "";
}

/** @param {{url: string, title: string, drawn?: boolean}} props `drawn`: may have no size of its own */
function Figure({ url, title, drawn = false }) {
  if (!url) return html`<p class="step-note">A picture of a kind that is not shown.</p>`;
  return html`<figure class="figure" data-testid="step-figure"><img class=${drawn ? "drawn" : ""} src=${url} alt=${`Figure from: ${title}`} /></figure>`;
}

/** @param {{table: Table, title: string}} props */
function TableView({ table, title }) {
  const { columns, rows, more } = table;
  const numeric = columns.map((_, n) => rows.length > 0 && rows.every((row) => NUMBER.test(row[n] ?? "")));
  const align = (/** @type {number} */ n) => (numeric[n] ? "right" : undefined);
  const cells = (/** @type {string[]} */ row) =>
    columns.map((_, n) => html`<td align=${align(n)} dir="auto">${row[n] ?? ""}</td>`);
  return html`<figure class="step-table" data-testid="step-table">
    <div class="table-box" tabindex="0" role="region" aria-label=${`Table from: ${title}`}>
      <table>
        <thead><tr>${columns.map((name, n) => html`<th scope="col" align=${align(n)} dir="auto">${name}</th>`)}</tr></thead>
        <tbody>${rows.map((row, n) => html`<tr key=${n}>${cells(row)}</tr>`)}</tbody>
      </table>
    </div>
    ${caption(rows.length, more) && html`<figcaption>${caption(rows.length, more)}</figcaption>`}
  </figure>`;
}

/**
 * @param {number} shown
 * @param {number} more
 */
function caption(shown, more) {
  if (more > 0) return `${more.toLocaleString("en")} more ${more === 1 ? "row" : "rows"}`;
  return shown === 0 ? "No rows" : "";
}
