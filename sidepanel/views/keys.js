/** Enter alone; not while an input method is composing a word, where Enter picks a candidate. */
export function isPlainEnter(/** @type {KeyboardEvent} */ event) {
  const modified = event.shiftKey || event.ctrlKey || event.altKey || event.metaKey;
  return event.key === "Enter" && !modified && !event.isComposing && event.keyCode !== 229;
}

/** Where the keyboard goes when the thing that had it is gone. */
export function focusComposer() {
  document.getElementById("composer")?.focus();
}
