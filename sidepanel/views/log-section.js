import { html } from "htm/preact";
import { AlertIcon, DownloadIcon, InfoIcon } from "./icons.js";
import { secondOf } from "./when.js";

/** @import { Happening, Level } from "../types.js" */

/** @type {Record<Level, string>} */
const WORDS = { info: "", warning: "Warning: ", error: "Error: " };

/** @param {import("./settings-dialog.js").SectionProps} props */
export function LogSection({ state, store }) {
  return html`<${Timeline} entries=${state.timeline} />
    <h4 class="settings-heading">Event log</h4>
    <p class="settings-intro">Everything that happened in this session, event by event: what was asked, what the model
      and the tools answered, what you allowed. It is kept on this computer and goes nowhere unless you save it and pass it on.</p>
    <button type="button" class="button" data-testid="export-log" onClick=${() => store.send({ type: "export-log" })}>
      <${DownloadIcon} />Export this session's event log</button>`;
}

/** What happened, the latest first. @param {{entries: Happening[]}} props */
function Timeline({ entries }) {
  return html`<h4 class="settings-heading first">What happened</h4>
    ${
      entries.length === 0
        ? html`<p class="settings-empty" data-testid="timeline-empty">Nothing to tell yet. What starts, fails and comes back while the
            panel is open is listed here.</p>`
        : html`<ol class="timeline" data-testid="timeline" tabindex="0" aria-label="What happened, the latest first" reversed>
            ${entries.toReversed().map((entry, at) => html`<${Line} key=${entries.length - at} entry=${entry} />`)}
          </ol>`
    }`;
}

/** @param {{entry: Happening}} props */
function Line({ entry: { time, level, text } }) {
  return html`<li class="timeline-entry" data-testid="timeline-entry" data-level=${level}>
    <${level === "info" ? InfoIcon : AlertIcon} />
    <div><time class="log-time" datetime=${isoOf(time)}>${secondOf(time)}</time>
      <span class="visually-hidden">${WORDS[level]}</span><span class="timeline-text" dir="auto">${text}</span></div>
  </li>`;
}

/** @param {number} time */
function isoOf(time) {
  const date = new Date(time);
  return Number.isNaN(date.valueOf()) ? undefined : date.toISOString();
}
