import { html } from "htm/preact";

/**
 * A text with the words of a search marked, wherever in a word they are: so does the search find them.
 *
 * @param {{text: string, query: string}} props
 */
export function Marked({ text, query }) {
  const words = query.split(/\s+/u).filter(Boolean);
  if (words.length === 0) return text;
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(literally).join("|")})`, "giu");
  return text.split(pattern).map((piece, i) => (i % 2 ? html`<mark>${piece}</mark>` : piece));
}

/** @param {string} word */
const literally = (word) => word.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
