/** What is kept on this computer, and the end of it. */

import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { bytes as size } from "../bytes.js";
import { number } from "../counted.js";
import { Confirm } from "./confirm.js";

/** @import { KeptData } from "../types.js" */

/** @type {Record<KeptData["lines"][number]["name"], string>} */
const NAMES = {
  conversations: "Conversations",
  documents: "Documents",
  models: "Downloaded models",
  notes: "Notes",
  modules: "My modules",
};

/** @param {import("./settings-dialog.js").SectionProps} props */
export function DataSection({ settings, store }) {
  useEffect(() => store.send({ type: "show-data" }), []);
  const { data } = settings;
  return html`<p class="settings-intro">All of this is on this computer, in this browser’s profile, and nowhere else.</p>
    ${data ? html`<${Kept} data=${data} />` : html`<p class="settings-empty"><span class="spinner" aria-hidden="true" /> Looking</p>`}
    <h4 class="settings-heading">Delete everything</h4>
    <p class="settings-intro">All of the above, with settings, permissions and saved prompts, also those that Chrome synchronizes. This cannot
      be undone. All open panels start anew.</p>
    <${Confirm} testid="delete-everything" label="Delete everything…" question="Delete everything that Amplifier keeps, for good?" verb="Delete everything"
      word="delete" onConfirm=${() => store.send({ type: "delete-everything" })} />`;
}

/** @param {number | null} bytes */
function amount(bytes) {
  if (bytes === null) return "";
  return bytes > 0 && bytes < 1000 ? "under 1 kB" : size(bytes);
}

/** @param {{data: KeptData}} props */
function Kept({ data }) {
  const { lines, usage, quota } = data;
  const sum =
    usage === null ? "" : `${size(usage)} in all${quota ? `, of ${size(quota)} that the browser allows` : ""}`;
  return html`<table class="kept" data-testid="kept-data">
      <thead class="visually-hidden"><tr><th scope="col">What</th><th scope="col">How many</th><th scope="col">How much</th></tr></thead>
      <tbody>${lines.map(
        ({ name, count, bytes }) => html`<tr key=${name} data-testid="kept-line" data-name=${name}>
          <th scope="row" class="kept-name">${NAMES[name]}</th><td class="kept-number">${count === null ? "?" : number(count)}</td><td class="kept-number">${amount(bytes)}</td></tr>`,
      )}</tbody>
    </table>
    ${sum && html`<p class="item-about">${sum}. What is searched and cached counts too.</p>`}`;
}
