/** What can be done with a conversation of the list, behind a button. */

import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { DownloadIcon, EditIcon, PinIcon, TrashIcon } from "./icons.js";

/** @import { SessionItem, Store } from "../types.js" */

const GAP = 4; // pixels between the button and the menu, and to the panel's edge

/**
 * @param {object} props
 * @param {SessionItem} props.item
 * @param {{current: HTMLElement | null}} props.opener
 * @param {() => void} props.close gives the keyboard back to the button
 * @param {() => void} props.lost closes it: the keyboard is elsewhere
 * @param {() => void} props.rename
 * @param {Store} props.store
 */
export function SessionMenu({ item, opener, close, lost, rename, store }) {
  const { id, title, pinned } = item;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [at, setAt] = useState(0);
  useLayoutEffect(() => {
    if (!box.current || !opener.current) return;
    box.current.showPopover(); // above what scrolls, which would cut it
    place(box.current, opener.current.getBoundingClientRect());
    box.current.querySelector("button")?.focus();
    const options = { capture: true, passive: true };
    const onScroll = (/** @type {Event} */ { target }) => target !== box.current && lost(); // it would stay where it is
    document.addEventListener("scroll", onScroll, options);
    return () => document.removeEventListener("scroll", onScroll, options);
  }, []);

  /** @param {() => void} act */
  const choose = (act) => {
    close();
    act();
  };
  /** @param {import("../types.js").Command} command */
  const send = (command) => () => store.send(command);
  const ways = [
    { testid: "session-rename", label: "Rename", icon: EditIcon, act: rename },
    {
      testid: "session-pin",
      label: pinned ? "Unpin" : "Pin",
      icon: PinIcon,
      act: send({ type: "pin-session", id, pinned: !pinned }),
    },
    {
      testid: "session-export",
      label: "Export as JSON",
      format: "json",
      icon: DownloadIcon,
      act: send({ type: "export-session", id, format: "json" }),
    },
    {
      testid: "session-export",
      label: "Export as Markdown",
      format: "markdown",
      icon: DownloadIcon,
      act: send({ type: "export-session", id, format: "markdown" }),
    },
    { testid: "session-delete", label: "Delete", icon: TrashIcon, act: send({ type: "delete-session", id }) },
  ];

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") close();
    else if (to !== undefined) {
      const next = (to + ways.length) % ways.length;
      setAt(next);
      box.current?.querySelectorAll("button")[next]?.focus();
    } else return;
    event.preventDefault();
  }

  /** @param {FocusEvent & {currentTarget: HTMLElement}} event */
  function onFocusOut({ currentTarget, relatedTarget }) {
    const isWithin = relatedTarget instanceof Node && currentTarget.contains(relatedTarget);
    if (!isWithin && relatedTarget !== opener.current) lost();
  }
  return html`<div class="summary-menu session-ways" role="menu" popover="manual" tabindex="-1" aria-label=${title} ref=${box}
    onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
    ${ways.map(
      (
        { testid, label, format, icon, act },
        n,
      ) => html`<button key=${label} type="button" class="summary-way" role="menuitem"
        tabindex=${n === at ? 0 : -1} data-testid=${testid} data-format=${format} onClick=${() => choose(act)}><${icon} />${label}</button>`,
    )}
  </div>`;
}

/**
 * Below the button, or above where there is no room.
 *
 * @param {HTMLElement} menu
 * @param {DOMRect} button
 */
function place(menu, button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + GAP;
  const top = below + height + GAP <= innerHeight ? below : Math.max(GAP, button.top - GAP - height);
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(GAP, button.right - width)}px`;
}
