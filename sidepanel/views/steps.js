import { html } from "htm/preact";
import { useId, useState } from "preact/hooks";
import { Arguments } from "./arguments.js";
import { DisplayView, isFigure } from "./displays.js";
import * as icons from "./icons.js";
import { MarkdownText } from "./markdown-text.js";
import { memo } from "./memo.js";
import { ToolSymbol } from "./tool-symbol.js";

/** @import { Step, StepState } from "../types.js" */

const Spinner = () => html`<span class="spinner" aria-hidden="true" />`;

/** @type {Record<StepState, {icon: () => unknown, words: string}>} */
const STATES = {
  asking: { icon: icons.ClockIcon, words: "Waits for you" },
  running: { icon: Spinner, words: "Running" },
  done: { icon: icons.CheckIcon, words: "Done" },
  denied: { icon: icons.DenyIcon, words: "Denied" },
  error: { icon: icons.AlertIcon, words: "Failed" },
  stopped: { icon: icons.StopIcon, words: "Stopped" },
};

/**
 * The tool calls of an answer, or of one of its calls that is a session itself.
 *
 * @param {{steps: Step[], announce: (text: string) => void}} props
 */
export function Steps({ steps, announce }) {
  return html`<div class="steps">
    ${steps.map((step) => html`<${StepView} key=${step.id} step=${step} announce=${announce} />`)}
  </div>`;
}

const StepView = memo((/** @type {{step: Step, announce: (text: string) => void}} */ { step, announce }) => {
  const [choice, setChoice] = useState(/** @type {boolean | null} */ (null));
  const body = useId();
  const { tool, title, state, display = [] } = step;
  // While it asks, the question below shows everything; once would be enough.
  const open = choice ?? (state === "running" || state === "error");
  const { icon, words } = STATES[state];
  const figures = state === "done" ? display.filter(isFigure) : [];
  return html`<div class="step" data-testid="step" data-state=${state} data-tool=${tool}>
    <button type="button" class="step-line" data-testid="step-toggle" aria-expanded=${open} aria-controls=${body}
      onClick=${() => setChoice(!open)}>
      <${ToolSymbol} tool=${tool} />
      <span class="step-title" dir="auto">${title}</span>
      <span class="step-short" dir="auto">${!open && shortArgument(step)}</span>
      <span class="step-state"><${icon} /><span class=${state === "done" ? "visually-hidden" : ""}>${words}</span></span>
      <span class="chevron"><${icons.ChevronIcon} /></span>
    </button>
    <div class="step-body" id=${body} hidden=${!open}>${open && html`<${Details} step=${step} announce=${announce} />`}</div>
    ${figures.map((figure, n) => html`<${DisplayView} key=${n} display=${figure} title=${title} announce=${announce} />`)}
  </div>`;
});

/** @param {Step} step */
function shortArgument({ arguments: values }) {
  return values[0]?.value.trimStart().split("\n", 1)[0]?.slice(0, 120) ?? "";
}

/** @param {{step: Step, announce: (text: string) => void}} props */
function Details({ step, announce }) {
  const { title, state, arguments: values, output, display = [], error, text, steps = [] } = step;
  // What people and the model got is often the same, and said once is enough.
  const isSaid = (/** @type {string} */ words) => words.trim() === output?.trim();
  const texts = display.filter((shown) =>
    isFigure(shown) ? state !== "done" : !("text" in shown && isSaid(shown.text)),
  );
  return html`<${Arguments} values=${values} announce=${announce} />
    ${
      (steps.length > 0 || text) &&
      html`<div class="step-session">
        ${steps.length > 0 && html`<${Steps} steps=${steps} announce=${announce} />`}
        ${text && html`<${MarkdownText} text=${text} announce=${announce} />`}
      </div>`
    }
    ${texts.map((shown, n) => html`<${DisplayView} key=${n} display=${shown} title=${title} announce=${announce} />`)}
    ${error && html`<p class="step-error" dir="auto"><${icons.AlertIcon} /><span>${error}</span></p>`}
    ${output && !isSaid(text ?? "") && html`<${Output} text=${output} />`}
    ${state === "denied" && html`<p class="step-note">It did not run: you said No, or nobody answered in time.</p>`}`;
}

/** @param {{text: string}} props */
function Output({ text }) {
  return html`<div class="argument">
    <span class="argument-name">What came back</span>
    <pre class="shown-text" data-testid="step-output" dir="auto" tabindex="0" role="region" aria-label="What came back">${text}</pre>
  </div>`;
}
