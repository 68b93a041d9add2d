/** Copying with an answer: every button that copies says whether it did. */

import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { CheckIcon, CloseIcon, CopyIcon } from "./icons.js";

/** How long a button says that it copied. */
export const FEEDBACK_MS = 2000;

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether the clipboard took it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {object} props
 * @param {() => string} props.text
 * @param {(text: string) => void} props.announce
 */
export function CopyButton({ text, announce }) {
  const [result, setResult] = useState("");
  useEffect(() => {
    if (!result) return;
    const timer = setTimeout(() => setResult(""), FEEDBACK_MS);
    return () => clearTimeout(timer);
  }, [result]);

  async function copy() {
    const answer = (await copyText(text())) ? "Copied" : "Could not copy";
    setResult(answer);
    announce(answer);
  }
  const icon = { "": CopyIcon, Copied: CheckIcon }[result] ?? CloseIcon;
  return html`<button type="button" class="icon-button small" data-testid="copy" data-result=${result}
    title=${result || "Copy"} aria-label=${result || "Copy"} onClick=${copy}><${icon} /></button>`;
}
