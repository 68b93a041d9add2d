import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { copyText, FEEDBACK_MS } from "./copy.js";

/** Characters that change how a line looks without being seen; joiners are letters' and emoji's own. */
const UNSEEN = /(?![\n\t\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * The text with a mark in place of each character that could hide or turn round what is written.
 *
 * @param {string} text
 */
export function withoutTricks(text) {
  const marked = (/** @type {string} */ character) =>
    `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, marked);
}

/**
 * Code in a box of its own, all of it: lines wrap and the box scrolls, and it says how many lines there are.
 *
 * @param {object} props
 * @param {string} props.text
 * @param {string} props.label
 * @param {(text: string) => void} props.announce
 */
export function CodeView({ text, label, announce }) {
  const lines = text.trimEnd().split("\n").length;
  return html`<div class="code-box">
    <div class="code-head"><span>${label}${lines > 1 && ` · ${lines} lines`}</span>
      <${CopyWords} text=${text} announce=${announce} /></div>
    <pre tabindex="0" dir="ltr" role="region" aria-label=${label}><code>${withoutTricks(text.trimEnd())}</code></pre>
  </div>`;
}

/** @param {{text: string, announce: (text: string) => void}} props */
function CopyWords({ text, announce }) {
  const [result, setResult] = useState("");
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(""), FEEDBACK_MS);
    return () => clearTimeout(timer);
  }, [result]);

  async function copy() {
    const answer = (await copyText(text)) ? "Copied" : "Could not copy";
    setResult(answer);
    announce(answer);
  }
  return html`<button type="button" class="code-copy" aria-label="Copy code" onClick=${copy}>${result || "Copy"}</button>`;
}
