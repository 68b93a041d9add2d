/**
 * HTML as blocks. It is parsed into a document of linkedom's, where no script runs, nothing loads and nothing is shown.
 */
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom/worker";
import { clean, fenced, gather, heading, plain, squeeze, tables } from "./blocks.js";
import { decodeText } from "./decode.js";

/** @typedef {import("./blocks.js").Block} Block */
/** @typedef {{firstRowIsHead?: boolean}} Options */

const SKIPPED = new Set(
  `script style noscript template link meta base title svg canvas object embed audio video iframe frame
   input select textarea button datalist progress meter`.split(/\s+/),
);
const BLOCKS = new Set(
  `address article aside body caption center dd details dialog div dl dt fieldset figcaption figure footer form
   header hgroup html legend li main nav p search section summary td th tr`.split(/\s+/),
);
const CLUTTER = "nav, aside, footer, [role=navigation], [role=search], [role=contentinfo], [role=complementary]";
/** Of a page with menus, an article with a smaller share of the rest than this is taken for a miss of Readability's. */
const LEAST_SHARE = 0.5;
const LARGEST_ARTICLE = 3_000_000;
const DEEPEST = 300;
const LARGEST_SPAN = 50;

/**
 * @param {Uint8Array} bytes
 * @returns {import("./blocks.js").Content}
 */
export function parseHtmlFile(bytes) {
  const { text } = decodeText(bytes, true);
  const whole = parse(text);
  const title = squeeze(whole.querySelector("title")?.textContent ?? "");
  if (!whole.querySelector(CLUTTER)) return { title, blocks: htmlBlocks(whole.documentElement) };
  for (const element of whole.querySelectorAll(CLUTTER)) element.remove();
  const rest = htmlBlocks(whole.documentElement);
  const article = text.length <= LARGEST_ARTICLE ? readArticle(parse(text)) : null;
  const found = article && htmlBlocks(article);
  const blocks = found && sizeOf(found) >= LEAST_SHARE * sizeOf(rest) ? found : rest;
  return { title, blocks, notes: ["Menus, sidebars and footers were left out."] };
}

/** @param {Block[]} blocks */
function sizeOf(blocks) {
  return blocks.reduce((size, block) => size + block.text.length, 0);
}

/**
 * @param {Document} page  is changed
 * @returns {Element | null}
 */
function readArticle(page) {
  const options = { keepClasses: true, serializer: (/** @type {Node} */ node) => node };
  try {
    return /** @type {Element | null} */ (new Readability(page, options).parse()?.content ?? null);
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @returns {Document}
 */
export function parse(text) {
  const page = /<html[\s>]/i.test(text) ? text : `<!doctype html><html><head></head><body>${text}</body></html>`;
  return /** @type {Document} */ (/** @type {unknown} */ (parseHTML(page).document));
}

/**
 * XHTML, in which any element may close itself, as the parser of HTML wants it.
 * @param {string} text
 * @returns {Document}
 */
export function parseXhtml(text) {
  const empty =
    /<(?!(?:br|hr|img|link|meta|input|col|area|base|wbr|source|track)\b)([a-z][\w:.-]*)((?:\s[^<>]*?)?)\/>/gi;
  return parse(text.replace(/^\s*<\?xml[^>]*>/, "").replace(empty, "<$1$2></$1>"));
}

/**
 * @param {Node} root
 * @param {Options} [options]
 * @returns {Block[]}
 */
export function htmlBlocks(root, options = {}) {
  return new Reader(options, 0).read(root);
}

class Reader {
  /**
   * @param {Options} options
   * @param {number} depth
   */
  constructor(options, depth) {
    this.options = options;
    this.depth = depth;
    /** @type {Block[]} */
    this.blocks = [];
    this.line = "";
  }

  /** @param {Node} root */
  read(root) {
    this.children(root);
    this.endLine();
    return this.blocks;
  }

  /**
   * The blocks of an element by itself.
   * @param {Node} root
   */
  apart(root) {
    return new Reader(this.options, this.depth).read(root);
  }

  /** @param {Node} node */
  children(node) {
    if (this.depth > DEEPEST) {
      this.line += (node.textContent ?? "").replace(/\s+/g, " ");
      return;
    }
    this.depth++;
    for (const child of node.childNodes) {
      if (child.nodeType === 1) this.element(/** @type {Element} */ (child));
      else if (child.nodeType === 3 || child.nodeType === 4) this.line += (child.nodeValue ?? "").replace(/\s+/g, " ");
    }
    this.depth--;
  }

  endLine() {
    const lines = clean(this.line)
      .split("\n")
      .map((line) => line.replace(/\s+/g, " ").trim());
    const text = lines
      .join("\n")
      .replace(/\n{2,}/g, "\n")
      .trim();
    if (text) this.blocks.push({ text: plain(text) });
    this.line = "";
  }

  /** @param {Element} element */
  element(element) {
    const name = element.localName.toLowerCase();
    if (SKIPPED.has(name) || isHidden(element) || isFootnoteMark(element)) return;
    if (name === "br") this.line += "\n";
    else if (name === "img") this.line += imageText(element);
    else if (/^h[1-6]$/.test(name)) this.own(headings(element, Number(name[1])));
    else if (name === "pre") this.own(code(element));
    else if (name === "ul" || name === "ol") this.own(this.list(element, name === "ol"));
    else if (name === "blockquote") this.own(this.quote(element));
    else if (name === "table" && !isLayout(element)) this.own(this.table(element));
    else if (BLOCKS.has(name) || name === "table" || name === "hr") {
      this.endLine();
      this.children(element);
      this.endLine();
    } else this.children(element);
  }

  /** @param {Block[]} blocks */
  own(blocks) {
    this.endLine();
    for (const block of blocks) this.blocks.push(block);
  }

  /**
   * @param {Element} list
   * @param {boolean} numbered
   * @returns {Block[]}
   */
  list(list, numbered) {
    let number = Number(list.getAttribute("start") ?? 1) || 0;
    const items = [];
    for (const child of list.children) {
      const blocks = this.apart(child.localName === "li" ? child : wrapped(child));
      const mark = numbered ? `${number}. ` : "- ";
      if (!blocks.length) continue;
      const text = blocks.map((block) => withoutMarks(block)).join("\n");
      // A list that stands in a list without an item of its own belongs to the item before.
      if (child.localName !== "li" && items.length) items[items.length - 1] += `\n${indent(text, mark.length)}`;
      else {
        items.push(mark + indent(text, mark.length).trimStart());
        number++;
      }
    }
    return gather(items).map((text) => ({ text }));
  }

  /**
   * @param {Element} element
   * @returns {Block[]}
   */
  quote(element) {
    return this.apart(element).map((block) => ({ text: withoutMarks(block).replace(/^/gm, "> ") }));
  }

  /**
   * @param {Element} table
   * @returns {Block[]}
   */
  table(table) {
    const rows = rowsOf(table);
    const grid = this.grid(rows).filter((row) => row.some(Boolean));
    if (!grid.length) return [];
    const caption = [...table.children].find((child) => child.localName === "caption");
    const captions = caption ? this.apart(caption) : [];
    const first = rows.find((row) => squeeze(row.textContent ?? ""));
    const marked = first && (parentName(first) === "thead" || cellsOf(first).every((cell) => cell.localName === "th"));
    const [head, body] = marked || this.options.firstRowIsHead ? [grid[0], grid.slice(1)] : [[], grid];
    return [...captions, ...tables(head, body).map((text) => ({ text }))];
  }

  /**
   * The text of each cell by row and column; a cell over several rows is repeated in each.
   * @param {Element[]} rows
   */
  grid(rows) {
    /** @type {string[][]} */
    const grid = rows.map(() => []);
    rows.forEach((row, top) => {
      let left = 0;
      for (const cell of cellsOf(row)) {
        while (grid[top][left] !== undefined) left++;
        const text = this.apart(cell)
          .map((block) => withoutMarks(block).replace(/\n *(?:- )?/g, "; "))
          .join(" ");
        const bottom = Math.min(top + span(cell, "rowspan"), grid.length);
        const right = left + span(cell, "colspan");
        for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) grid[y][x] = x === left ? text : "";
      }
    });
    return grid.map((row) => Array.from(row, (text) => text ?? ""));
  }
}

/** @param {Element} element */
function isHidden(element) {
  if (element.hasAttribute("hidden") || element.getAttribute("aria-hidden") === "true") return true;
  return /(?:display:\s*none|visibility:\s*hidden)/i.test(element.getAttribute("style") ?? "");
}

/** @param {Element} element */
function isFootnoteMark(element) {
  return element.localName === "sup" && element.querySelector("a[href^='#']") !== null;
}

/** @param {Element} image */
function imageText(image) {
  const alt = squeeze(image.getAttribute("alt") ?? "");
  return alt ? `[image: ${alt}]` : "";
}

/**
 * @param {Element} element
 * @param {number} level
 */
function headings(element, level) {
  const text = squeeze(new Reader({}, 0).read(element).map(withoutMarks).join(" "));
  return text ? [heading(text, level)] : [];
}

/**
 * @param {Element} pre
 * @returns {Block[]}
 */
function code(pre) {
  for (const line of pre.querySelectorAll("br")) line.replaceWith("\n");
  const text = clean(pre.textContent ?? "").replace(/^\n+|\s+$/g, "");
  const names = `${pre.getAttribute("class") ?? ""} ${pre.querySelector("code")?.getAttribute("class") ?? ""}`;
  const language = /\blang(?:uage)?-([\w+#-]+)/.exec(names)?.[1] ?? "";
  return text ? [{ text: fenced(text, language) }] : [];
}

/**
 * The text of a block inside another, where a heading is only a line.
 * @param {Block} block
 */
function withoutMarks(block) {
  return block.heading_level ? block.text.replace(/^#+ /, "") : block.text;
}

/**
 * An element as the only child of what is read.
 * @param {Element} child
 * @returns {Node}
 */
function wrapped(child) {
  return /** @type {Node} */ (/** @type {unknown} */ ({ childNodes: [child], textContent: child.textContent }));
}

/**
 * @param {string} text
 * @param {number} columns
 */
function indent(text, columns) {
  return text.replace(/^(?=.)/gm, " ".repeat(columns));
}

/** @param {Element} table */
function rowsOf(table) {
  return [...table.children].flatMap((part) => {
    if (part.localName === "tr") return [part];
    return /^(thead|tbody|tfoot)$/.test(part.localName)
      ? [...part.children].filter((row) => row.localName === "tr")
      : [];
  });
}

/** @param {Element} row */
function cellsOf(row) {
  return [...row.children].filter((cell) => cell.localName === "td" || cell.localName === "th");
}

/** @param {Element} element */
function parentName(element) {
  return /** @type {Element | null} */ (element.parentNode)?.localName ?? "";
}

/**
 * Tables that only place things; a markdown table inside another is none.
 * @param {Element} table
 */
function isLayout(table) {
  return table.querySelector("table") !== null || rowsOf(table).every((row) => cellsOf(row).length < 2);
}

/**
 * @param {Element} cell
 * @param {"rowspan" | "colspan"} name
 */
function span(cell, name) {
  return Math.min(Math.max(Number.parseInt(cell.getAttribute(name) ?? "1", 10) || 1, 1), LARGEST_SPAN);
}
