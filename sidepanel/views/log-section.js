import { html } from "htm/preact";
import { DownloadIcon } from "./icons.js";

/** @param {import("./settings-dialog.js").SectionProps} props */
export function LogSection({ store }) {
  return html`<p class="settings-intro">Everything that happened in this session, event by event: what was asked, what the model
      and the tools answered, what you allowed. It is kept on this computer and goes nowhere unless you save it and pass it on.</p>
    <button type="button" class="button" data-testid="export-log" onClick=${() => store.send({ type: "export-log" })}>
      <${DownloadIcon} />Export this session's event log</button>`;
}
