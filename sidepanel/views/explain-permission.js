/** Before Chrome asks for a permission: what it will ask, what Amplifier does with it, and how to take it back. */

import { html } from "htm/preact";
import { useId, useState } from "preact/hooks";
import { FOLLOWING_NEEDS, TABS_NEED } from "../browser-state.js";
import { useBorrowedFocus } from "./borrowed-focus.js";
import { EyeIcon, SlidersIcon, WindowIcon } from "./icons.js";

/** @import { Needs, Store } from "../types.js" */

/**
 * @typedef {object} Explanation
 * @property {string} question
 * @property {Needs} needs
 * @property {string} asks Chrome's own words for it
 * @property {string} because
 * @property {string} use
 * @property {string} refused what happened and the next step
 */

/** @type {Record<"tabs" | "follow", Explanation>} */
const EXPLANATIONS = {
  tabs: {
    question: "List your open tabs?",
    needs: TABS_NEED,
    asks: "Read your browsing history",
    because: "Those are its words for the titles and addresses of tabs.",
    use: "Amplifier lists them here. It reads a tab only when you choose it, and nothing leaves this computer.",
    refused:
      "Your tabs are not listed: Chrome was not allowed to show them. You can still mention this page and documents.",
  },
  follow: {
    question: "Follow the tab in front?",
    needs: FOLLOWING_NEEDS,
    asks: "Read and change all your data on all websites",
    because: "It has no smaller question for whichever page you may be on.",
    use: "Amplifier reads the page in front when you ask something, never before. It changes nothing there, apart from marking a passage that you click, and nothing leaves this computer.",
    refused: "Not following: Chrome was not allowed to. You can still mention this page, or single tabs, with @.",
  },
};

/** @param {{what: "tabs" | "follow", store: Store}} props */
export function ExplainPermission({ what, store }) {
  const { question, needs, asks, because, use, refused } = EXPLANATIONS[what];
  const [asked, setAsked] = useState(false); // Chrome asks the user just now
  const label = useId();
  const description = useId();
  const close = () => store.dispatch({ type: "explain", what: null });
  const { box, onKeyDown, finish } = useBorrowedFocus(close);

  async function allow() {
    setAsked(true);
    const granted = await store.requestPermissions(needs).catch(() => false);
    if (store.getState().explaining !== what) return; // the user went away from it meanwhile
    finish(close);
    if (!granted) store.dispatch({ type: "notice", level: "warning", text: refused });
    else if (what === "follow") store.send({ type: "follow-tab", value: true });
  }
  return html`<section class="explain" data-testid=${`${what}-explain`} role="dialog" tabindex="-1" ref=${box} aria-labelledby=${label}
    aria-describedby=${description} onKeyDown=${onKeyDown}>
    <h2 class="explain-question" id=${label}>${question}</h2>
    <div class="explain-about" id=${description}>
      <p class="explain-line"><${WindowIcon} /><span>Chrome will ask whether Amplifier may “<strong>${asks}</strong>”. ${because}</span></p>
      <p class="explain-line"><${EyeIcon} /><span>${use}</span></p>
      <p class="explain-line"><${SlidersIcon} /><span>Take it back at any time in Settings, under Permissions.</span></p>
    </div>
    <div class="approval-buttons">
      <button type="button" class="button" data-testid=${`${what}-cancel`} onClick=${() => finish(close)}>Not now</button>
      <button type="button" class="button" data-testid=${`${what}-allow`} disabled=${asked} onClick=${allow}>
        ${asked ? "Chrome asks you now" : "Continue"}</button>
    </div>
  </section>`;
}
