import { html } from "htm/preact";
import { AlertIcon } from "./icons.js";

/** @import { Problem } from "../types.js" */

/**
 * What happened, and a button with the next step.
 *
 * @param {object} props
 * @param {Problem} props.problem
 * @param {string} [props.label] of the button; none without
 * @param {() => void} [props.onAction]
 */
export function ProblemCard({ problem, label, onAction }) {
  return html`<div class="problem" data-testid="error">
    <${AlertIcon} />
    <div class="problem-body">
      <strong class="problem-title">${problem.title}</strong>
      ${problem.detail && html`<p class="problem-detail">${problem.detail}</p>`}
      ${
        problem.technical &&
        html`<details class="problem-technical">
        <summary>Technical details</summary>
        <p>${problem.technical}</p>
      </details>`
      }
      ${label && html`<button type="button" class="button" data-testid="error-action" onClick=${onAction}>${label}</button>`}
    </div>
  </div>`;
}
