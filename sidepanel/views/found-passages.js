import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { counted, number } from "../counted.js";
import { excerpt, split } from "./excerpt.js";
import { PageIcon } from "./icons.js";
import { ProblemCard } from "./problem-card.js";

/** @import { FoundPassages as Found } from "../types.js" */

/** Characters of a passage that are shown before it is opened. */
const SHOWN = 260;

/**
 * What a search found in the texts, passage by passage.
 *
 * @param {object} props
 * @param {string} props.query
 * @param {Found | null} props.found null while it is searched
 * @param {Set<string>} props.known ids of the documents that there are
 * @param {string} props.where what was searched, for people
 */
export function FoundPassages({ query, found, known, where }) {
  const passages = found?.passages.filter(({ document }) => known.has(document)) ?? [];
  const state = !found ? "searching" : found.problem ? "error" : passages.length > 0 ? "some" : "none";
  return html`<section class="found" data-testid="found" data-state=${state} aria-label="In the text">
    <h4 class="settings-heading">In the text</h4>
    <div role="status">
      ${state === "searching" && html`<p class="found-state"><span class="spinner" aria-hidden="true" />Searching</p>`}
      ${state === "none" && html`<p class="found-state">Nothing in ${where} speaks of that${found?.pending ? " yet" : ""}.</p>`}
      ${state === "some" && html`<p class="found-state">${counted(passages.length, "passage")}${passages.length > 1 && ", the nearest first"}</p>`}
      ${
        found &&
        found.pending > 0 &&
        html`<p class="found-state" data-testid="found-pending">
          ${`${number(found.total - found.pending)} of ${counted(found.total, "passage")} embedded. The others are found by their words only until they are.`}</p>`
      }
      ${found?.problem && html`<${ProblemCard} problem=${found.problem} />`}
    </div>
    ${
      passages.length > 0 &&
      html`<ol class="seen-list" role="list">
        ${passages.map((passage) => html`<${Passage} key=${`${passage.document} ${passage.heading} ${passage.text}`} passage=${passage} query=${query} />`)}
      </ol>`
    }
  </section>`;
}

/** @param {{passage: Found["passages"][number], query: string}} props */
function Passage({ passage, query }) {
  const { name, page, heading, text } = passage;
  const [open, setOpen] = useState(false);
  const shown = open ? text : excerpt(text, query, SHOWN);
  return html`<li class="passage" data-testid="found-passage">
    <div class="passage-head">
      <${PageIcon} />
      <span class="passage-name" dir="auto" title=${name}>${name}</span>
      ${page !== undefined && html`<span class="passage-page">Page ${page}</span>`}
    </div>
    ${heading && html`<p class="passage-heading" dir="auto">${heading}</p>`}
    <p class="passage-text" dir="auto">${split(shown, query).map((piece, i) => (i % 2 ? html`<mark>${piece}</mark>` : piece))}</p>
    ${
      (open || shown !== text) &&
      html`<button type="button" class="button" data-testid="found-more" aria-expanded=${open}
        onClick=${() => setOpen(!open)}>${open ? "Show less" : "Show all of it"}</button>`
    }
  </li>`;
}
