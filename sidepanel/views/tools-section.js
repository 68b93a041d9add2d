import { html } from "htm/preact";
import { ToolSymbol } from "./tool-symbol.js";

/** @param {import("./settings-dialog.js").SectionProps} props */
export function ToolsSection({ settings }) {
  if (settings.tools.length === 0) return html`<p class="settings-empty">This session has no tools.</p>`;
  return html`<p class="settings-intro">What Amplifier can use in this session. Start a message with “/” to choose one yourself.</p>
    <ul class="items" aria-label="Tools">
      ${settings.tools.map(
        ({
          name,
          title,
          description,
          module,
        }) => html`<li key=${name} class="item item-tool" data-testid="tool-item" data-name=${name}>
          <${ToolSymbol} tool=${name} />
          <div class="item-text"><p class="item-title" dir="auto">${title} <code>/${name}</code></p>
            <p class="item-about" dir="auto">${description}</p>
            ${module && html`<p class="item-about" dir="auto">From your module ${module}</p>`}</div>
        </li>`,
      )}
    </ul>`;
}
