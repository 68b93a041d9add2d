/** The ways to summarize, behind a button: choosing one summarizes at once, and is kept. */

import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { CaretIcon, CheckIcon } from "./icons.js";
import { focusComposer } from "./keys.js";
import { LanguageSelect } from "./language-select.js";

/** @import { Preferences, Store } from "../types.js" */

/** @param {{preferences: Preferences, store: Store, large: boolean}} props */
export function SummaryMenu({ preferences, store, large }) {
  const [open, setOpen] = useState(false);
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));

  function close() {
    setOpen(false);
    button.current?.focus();
  }

  /** @param {string} style */
  function summarize(style) {
    close();
    store.send({ type: "set-preference", name: "summary_style", value: style });
    store.send({ type: "summarize", id: crypto.randomUUID(), style, language: preferences.language });
    if (large) focusComposer(); // the large button goes with the first message
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const opens = !open && (event.key === "ArrowDown" || event.key === "ArrowUp");
    if (opens) setOpen(true);
    else if (open && event.key === "Escape") close();
    else return;
    event.preventDefault();
  }

  /** @param {FocusEvent & {currentTarget: HTMLElement}} event */
  function onFocusOut({ currentTarget, relatedTarget }) {
    if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setOpen(false);
  }
  return html`<div class="summary-ways" onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
    <button type="button" ref=${button} class="summarize-more" data-testid="summary-ways" title="Ways to summarize"
      aria-label="Ways to summarize" aria-haspopup="menu" aria-expanded=${open} aria-controls=${open ? "summary-menu" : undefined}
      onClick=${() => (open ? close() : setOpen(true))}><${CaretIcon} /></button>
    ${open && html`<${Menu} preferences=${preferences} summarize=${summarize} store=${store} />`}
  </div>`;
}

/** @param {{preferences: Preferences, summarize: (style: string) => void, store: Store}} props */
function Menu({ preferences, summarize, store }) {
  const { styles, summary_style: chosen } = preferences;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      styles.findIndex(({ id }) => id === chosen),
    ),
  );
  useEffect(() => {
    box.current?.querySelectorAll("button")[active]?.focus();
    box.current?.scrollIntoView({ block: "nearest" });
  }, []);

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const at = { ArrowDown: active + 1, ArrowUp: active - 1, Home: 0, End: -1 }[event.key];
    if (at === undefined) return;
    event.preventDefault();
    const next = (at + styles.length) % styles.length;
    setActive(next);
    box.current?.querySelectorAll("button")[next]?.focus();
  }
  // It takes the focus of a click between its parts, which would otherwise close it.
  return html`<div class="summary-menu" ref=${box} data-testid="summary-menu" tabindex="-1">
    <div role="menu" id="summary-menu" aria-label="Ways to summarize" onKeyDown=${onKeyDown}>
      ${styles.map(
        ({ id, name, detail }, n) => html`<button key=${id} type="button" class="summary-way" role="menuitemradio"
          aria-checked=${id === chosen} tabindex=${n === active ? 0 : -1} data-testid="summary-style" data-style=${id}
          onClick=${() => summarize(id)}>
          <span class="summary-check">${id === chosen && html`<${CheckIcon} />`}</span>
          <span class="summary-name">${name}</span> <span class="summary-detail">${detail}</span></button>`,
      )}
    </div>
    <${LanguageSelect} preferences=${preferences} store=${store} />
  </div>`;
}
