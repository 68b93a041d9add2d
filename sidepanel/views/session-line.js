import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { AlertIcon, TemporaryIcon } from "./icons.js";
import { ProblemCard } from "./problem-card.js";

/** @import { OpenSession, Store } from "../types.js" */

/**
 * Which conversation is open, and whether it is kept. One that has not begun has no name yet.
 *
 * @param {{session: OpenSession | null, empty: boolean, store: Store}} props
 */
export function SessionLine({ session, empty, store }) {
  if (!session) return null;
  const { title, state, problem } = session;
  if (state === "temporary")
    return html`<p class="session-line" data-testid="session-title" data-state=${state}><${TemporaryIcon} />
      <span class="session-line-text">Temporary: nothing is kept</span></p>`;
  if (state === "unsaved" && problem)
    return html`<${Unsaved} key=${session.id} title=${title} problem=${problem} store=${store} />`;
  if (empty) return null;
  return html`<p class="session-line" data-testid="session-title" data-state=${state} title=${title}>
    <span class="session-line-text" dir="auto">${title}</span></p>`;
}

/** @param {{title: string, problem: import("../types.js").Problem, store: Store}} props */
function Unsaved({ title, problem, store }) {
  const [isOpen, setOpen] = useState(false);
  const { action } = problem;
  return html`<div class="session-unsaved">
    <button type="button" class="session-line" data-testid="session-title" data-state="unsaved" title=${title} aria-expanded=${isOpen}
      onClick=${() => setOpen(!isOpen)}><${AlertIcon} /><span class="session-line-text">Not saved: <bdi>${title}</bdi></span></button>
    ${
      isOpen &&
      html`<${ProblemCard} problem=${problem} label=${action?.label} onAction=${() => action && store.send(action.command)} />`
    }
  </div>`;
}
