import { useEffect, useRef } from "preact/hooks";

/**
 * For what opens in the midst of the page: takes the keyboard, and gives it back to the button that opened it when it
 * closes from within, by Escape or by `finish`.
 *
 * @param {() => void} close
 * @param {(box: HTMLElement) => HTMLElement | null} [first] what gets the keyboard; else the box itself
 */
export function useBorrowedFocus(close, first = (box) => box) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const opener = useRef(/** @type {Element | null} */ (null));
  useEffect(() => {
    if (!box.current) return;
    opener.current = document.activeElement;
    first(box.current)?.focus({ preventScroll: true });
    box.current.scrollIntoView({ block: "nearest" });
  }, []);

  /** @param {() => void} end */
  function finish(end) {
    if (opener.current instanceof HTMLElement) opener.current.focus();
    end();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    finish(close);
  }
  return { box, onKeyDown, finish };
}
