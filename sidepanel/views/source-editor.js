import { html } from "htm/preact";
import { useRef } from "preact/hooks";
import { isPlainEnter } from "./keys.js";

/** @import { ModuleProblem } from "../types.js" */

const INDENT = "    ";

/**
 * Python source with the numbers of its lines; those with a problem are marked.
 *
 * @param {object} props
 * @param {{current: HTMLTextAreaElement | null}} props.box
 * @param {string} props.source
 * @param {ModuleProblem[]} props.problems
 * @param {(text: string) => void} props.onChange
 */
export function SourceEditor({ box, source, problems, onChange }) {
  const leaving = useRef(false); // after Escape, Tab goes on to the next control
  const wrong = new Set(problems.map(({ line }) => line));

  /** @param {KeyboardEvent & {currentTarget: HTMLTextAreaElement}} event */
  function onKeyDown(event) {
    if (event.key === "Escape" && !leaving.current) {
      event.preventDefault();
      leaving.current = true;
      return;
    }
    if (!leaving.current && event.key === "Tab" && !event.shiftKey) insert(event, INDENT);
    else if (isPlainEnter(event)) insert(event, `\n${nextIndent(event.currentTarget)}`);
    leaving.current = false;
  }
  return html`<div class="source-editor">
    <label class="label" for="module-source">Source</label>
    <div class="source-scroller">
      <div class="gutter" aria-hidden="true">
        ${source.split("\n").map((_, n) => html`<span class=${wrong.has(n + 1) ? "wrong" : ""}>${n + 1}</span>`)}
      </div>
      <textarea class="source-text" id="module-source" data-testid="module-source" ref=${box} wrap="off" dir="ltr" rows="8"
        aria-describedby="module-source-keys" spellcheck=${false} autocapitalize="off" autocomplete="off"
        placeholder="Write or paste Python here" value=${source} onKeyDown=${onKeyDown}
        onBlur=${() => {
          leaving.current = false;
        }}
        onInput=${(/** @type {Event & {currentTarget: HTMLTextAreaElement}} */ event) => onChange(event.currentTarget.value)}></textarea>
    </div>
    <p class="item-about" id="module-source-keys">Tab indents; to leave with the keyboard, press Escape, then Tab. Ctrl+S saves.</p>
  </div>`;
}

/**
 * As if typed, so that the browser's own undo takes it back.
 *
 * @param {KeyboardEvent} event
 * @param {string} text
 */
function insert(event, text) {
  event.preventDefault();
  document.execCommand("insertText", false, text);
}

/** @param {HTMLTextAreaElement} box */
function nextIndent({ value, selectionStart }) {
  const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  return line.trimEnd().endsWith(":") ? indent + INDENT : indent;
}

/**
 * Puts the caret at the start of a line and shows it.
 *
 * @param {HTMLTextAreaElement | null} box
 * @param {number} line from 1
 */
export function goToLine(box, line) {
  if (!box) return;
  const lines = box.value.split("\n");
  const at = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  box.focus({ preventScroll: true });
  box.setSelectionRange(Math.min(at, box.value.length), Math.min(at, box.value.length));
  const scroller = box.parentElement;
  const number = scroller?.querySelector(`.gutter span:nth-child(${Math.min(line, lines.length)})`);
  number?.scrollIntoView({ block: "center" });
}
