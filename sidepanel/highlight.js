// Shows a passage in the page it was read from. `highlight` is injected into the tab, so it must stand on its own.

/** The name of the highlight, and how it looks; insertCSS puts it into the page. */
export const HIGHLIGHT_CSS =
  "::highlight(amplifier-citation) { background-color: #ffe27a; color: #1f1f1f; } @media print { ::highlight(amplifier-citation) { background-color: transparent; } }";

/**
 * Finds `quote` in the page's text, whatever its line breaks, scrolls there and marks it.
 * @param {string} quote
 * @returns {boolean} whether it is there
 */
export function highlight(quote) {
  const shown = (/** @type {string} */ text) => text.replace(/[\s\u00ad\u200b]+/g, "");
  const wanted = shown(quote);
  /** @type {{node: Text, offset: number}[]} where each character of `text` stands */
  const places = [];
  let text = "";

  /** @param {Node} root */
  const collect = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node instanceof Element) {
        if (node.shadowRoot) collect(node.shadowRoot);
        continue;
      }
      const { data, parentElement } = /** @type {Text} */ (node);
      if (parentElement?.closest("script, style, noscript, template")) continue;
      for (let offset = 0; offset < data.length; offset++) {
        if (!shown(data[offset] ?? "")) continue;
        text += data[offset];
        places.push({ node: /** @type {Text} */ (node), offset });
      }
    }
  };
  collect(document.body);

  let at = wanted ? text.indexOf(wanted) : -1;
  while (at >= 0) {
    const first = places[at];
    const last = places[at + wanted.length - 1];
    if (!first || !last) return false;
    const range = document.createRange();
    range.setStart(first.node, first.offset);
    range.setEnd(last.node, last.offset + 1);
    if (range.getClientRects().length) {
      CSS.highlights.set("amplifier-citation", new Highlight(range));
      first.node.parentElement?.scrollIntoView({ block: "center", behavior: "auto" });
      return true;
    }
    at = text.indexOf(wanted, at + 1); // this one is hidden; the same words may stand elsewhere
  }
  return false;
}
