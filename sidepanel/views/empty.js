import { html } from "htm/preact";
import { Logo, TemporaryIcon } from "./icons.js";
import { focusComposer } from "./keys.js";
import { SummarizeButton } from "./summarize-button.js";

/** @import { Engine, Preferences, Store, Tab } from "../types.js" */

const EXAMPLES = [
  "Explain how rainbows form, in three sentences.",
  "Draft a short, friendly reply to this message: ",
  "List the pros and cons of working from home.",
];

/**
 * An empty session: what one can do here, and what happens to what one writes.
 *
 * @param {{tab: Tab, engine: Engine, preferences: Preferences | undefined, temporary: boolean, store: Store}} props
 */
export function Empty({ tab, engine, preferences, temporary, store }) {
  /** @param {string} text */
  function fill(text) {
    store.dispatch({ type: "draft", text });
    focusComposer();
  }
  /** @param {boolean} isTemporary */
  function begin(isTemporary) {
    store.send({ type: "new-session", temporary: isTemporary });
    focusComposer(); // the button is another one then
  }
  return html`<section class="empty" aria-label="Start">
    <${Logo} />
    <h2 class="empty-title">How can I help?</h2>
    <p class="empty-privacy">
      Runs on this computer${engine.model && html` with <span class="nowrap">${engine.model.name}</span>`}.
      What you read and write stays here.
    </p>
    <${SummarizeButton} tab=${tab} preferences=${preferences} store=${store} large=${true} />
    <ul class="examples" aria-label="Examples">
      ${EXAMPLES.map((text) => html`<li><button type="button" class="example" onClick=${() => fill(text)}>${text.trim()}</button></li>`)}
    </ul>
    ${
      temporary
        ? html`<p class="empty-kept"><span>When you leave this conversation, it is gone.</span>
          <button type="button" class="button" data-testid="session-kept" onClick=${() => begin(false)}>Keep it instead</button></p>`
        : html`<p class="empty-kept"><button type="button" class="button" data-testid="session-temporary" onClick=${() => begin(true)}>
          <${TemporaryIcon} />Temporary conversation</button></p>`
    }
  </section>`;
}
