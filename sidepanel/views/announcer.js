import { html } from "htm/preact";
import { plainText } from "../markdown.js";
import { memo } from "./memo.js";

/** @import { State } from "../types.js" */

/** Speaks to screen readers what others see; the transcript itself is silent, or each token would be read. */
export const Announcer = memo(
  (/** @type {{announcement: State["announcement"], testid?: string}} */ { announcement, testid = "announcer" }) =>
    html`<div class="visually-hidden" role="status" aria-live="polite" data-testid=${testid}>
      ${announcement.text && html`<p key=${announcement.id}>${plainText(announcement.text)}</p>`}
    </div>`,
);
