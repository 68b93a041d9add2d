/**
 * Reads the page it is injected into and returns it as markdown.
 *
 * The page itself is never changed: what a person can see of it is first copied into a document without a window,
 * where no script runs and nothing loads, and all further work is done on that copy.
 */
import { Readability } from "@mozilla/readability";
import TurndownService from "turndown";
import { frameBody, unreadFrames } from "./frames.js";
import { markDataTable, nameOfRole, placeOf } from "./roles.js";
import { addTranscript } from "./transcript-list.js";

/**
 * @typedef {{title: string, url: string, lang: string, byline: string, markdown: string, method: "article" | "page",
 *   visible_chars: number, kept_chars: number, words: number, unread_frames: string[]}} Page
 * @typedef {{error: "no-text" | "pdf" | "failed", detail: string, title: string, url: string, unread_frames?: string[]}} Refusal
 */

const SKIPPED = new Set(
  `script style noscript template link meta svg canvas object embed audio video
   input select textarea button datalist progress meter`.split(/\s+/),
);
const CLUTTER = "nav, footer, [role=navigation], [role=search], [role=contentinfo]";
const INLINE = new Set("span b strong i em label time small font u mark cite".split(" "));
const LEAST_WORDS = 20;
/** An article with a smaller share of the visible text than this is taken for a miss of Readability's. */
const LEAST_SHARE = 0.1;
/** The same for its share of the running text: what is in no link, menu or footer. */
const LEAST_PROSE = 2 / 3;
/** Characters of a text that is more than a label. */
const PROSE = 20;
/** A fixed box with a larger share of the page's text is a part of it. */
const OVERLAY_SHARE = 0.2;
/** Pixels between words that are apart. */
const GAP = 3;
const HEADINGS = "h1, h2, h3, h4, h5, h6";
/** Scripts written without spaces, where a sentence may be few words by any segmenter's count. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
/** Characters that show nothing; the tag characters of plane 14 can spell out whole hidden sentences. */
const INVISIBLE = /[\u00ad\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * The page as markdown, or why there is none. Never throws.
 * @returns {Page | Refusal}
 */
export function read() {
  try {
    return readDocument();
  } catch (error) {
    return refuse("failed", String(error));
  }
}

/** @returns {Page | Refusal} */
function readDocument() {
  if (
    document.contentType === "application/pdf" ||
    document.querySelector("body > embed[type='application/pdf']:only-child")
  ) {
    return refuse("pdf", "This tab shows a PDF, whose text the page reader cannot see.");
  }
  if (!document.body) return refuse("no-text", "This document has no body.");
  const copy = copyVisible();
  const visible = Math.max(squeeze(document.body.innerText).length, textOf(copy.body).length);
  const article = isPlainText() ? null : readArticle(copy);
  const whole = wholePage(copy);
  const found = article?.content && !isMiss(article.content, whole, visible) ? article.content : null;
  const content = found ? addTranscript(found, copy.body) : whole;
  const text = textOf(content);
  const words = countWords(text);
  if (words < LEAST_WORDS && (text.match(UNSPACED)?.length ?? 0) < LEAST_WORDS) {
    const detail = `This page shows next to no text (${words} words).`;
    return { ...refuse("no-text", detail), unread_frames: unreadFrames(document) };
  }
  return {
    ...identity(),
    lang: document.documentElement.lang,
    byline: squeeze(article?.byline ?? ""),
    markdown: isPlainText() ? clean(document.body.innerText) : toMarkdown(content),
    method: found ? "article" : "page",
    visible_chars: visible,
    kept_chars: text.length,
    words,
    unread_frames: unreadFrames(document),
  };
}

/**
 * Readability's answer, null where it finds no article or trips over the page.
 * @param {Document} copy left unchanged
 */
function readArticle(copy) {
  const options = {
    keepClasses: true, // "language-*" names a code block's language
    serializer: (/** @type {Node} */ node) => /** @type {HTMLElement} */ (node),
  };
  try {
    return new Readability(/** @type {Document} */ (copy.cloneNode(true)), options).parse();
  } catch {
    return null;
  }
}

/**
 * Whether Readability lost too much: of all text, of the running text, or of the code.
 * @param {HTMLElement} article
 * @param {HTMLElement} whole
 * @param {number} visible characters
 */
function isMiss(article, whole, visible) {
  if (textOf(article).length < LEAST_SHARE * visible || proseIn(article) < LEAST_PROSE * proseIn(whole)) return true;
  return article.querySelectorAll("pre").length < whole.querySelectorAll("pre").length / 2;
}

/**
 * Characters of running text.
 * @param {HTMLElement} root
 */
function proseIn(root) {
  const texts = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let length = 0;
  while (texts.nextNode()) {
    const text = squeeze(texts.currentNode.nodeValue ?? "");
    if (text.length >= PROSE && !texts.currentNode.parentElement?.closest("a")) length += text.length;
  }
  return length;
}

/** Chrome shows text/plain and its like as one <pre>, which is no code. */
function isPlainText() {
  return document.contentType.startsWith("text/") && document.contentType !== "text/html";
}

/** Title and address; a file without a title goes by its place. */
function identity() {
  const heading = document.querySelector("h1")?.textContent ?? "";
  const title = squeeze(document.title) || squeeze(heading) || location.host + location.pathname;
  return { title, url: location.href.replace(/#.*$/s, "") };
}

/**
 * @param {Refusal["error"]} error
 * @param {string} detail
 * @returns {Refusal}
 */
function refuse(error, detail) {
  return { error, detail, ...identity() };
}

/** @param {string} text */
function clean(text) {
  return text.replace(INVISIBLE, "").toWellFormed().trim();
}

/** @param {string} text */
function squeeze(text) {
  return clean(text).replace(/\s+/g, " ");
}

/** @param {Node} node */
function textOf(node) {
  return squeeze(node.textContent ?? "");
}

/** @param {string} text */
function countWords(text) {
  let words = 0;
  for (const segment of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    if (segment.isWordLike) words++;
  }
  return words;
}

// ---- the copy: visible text only, judged by the live page's computed styles

/** @returns {Document} */
function copyVisible() {
  const copy = document.implementation.createHTMLDocument();
  copy.head.replaceWith(copy.importNode(document.head, true)); // Readability reads the byline from meta and JSON-LD
  copy.documentElement.lang = document.documentElement.lang;
  copyChildren(document.body, copy.body, true);
  return copy;
}

/**
 * @param {Element} from
 * @param {Element} to
 * @param {boolean} shown whether text directly inside `from` can be seen
 */
function copyChildren(from, to, shown) {
  for (const child of renderedChildren(from)) {
    if (child.nodeType === Node.ELEMENT_NODE) copyElement(/** @type {HTMLElement} */ (child), to);
    else if (child.nodeType === Node.TEXT_NODE && shown) to.append(child.nodeValue ?? "");
  }
}

/**
 * What the browser lays out as the children of an element: an open shadow root's before its own, a slot's guests.
 * @param {Element} element
 * @returns {Iterable<Node>}
 */
function renderedChildren(element) {
  if (element.localName === "slot") {
    const guests = /** @type {HTMLSlotElement} */ (element).assignedNodes({ flatten: true });
    if (guests.length) return guests;
  }
  return (element.shadowRoot ?? element).childNodes;
}

/**
 * @param {HTMLElement} element
 * @param {Element} to
 */
function copyElement(element, to) {
  if (SKIPPED.has(element.localName) && !isTitleButton(element)) return;
  const style = getComputedStyle(element);
  if (isHidden(element, style)) return;
  const frame = frameBody(element);
  const ownLine = isBlock(style) && !isInRow(element);
  const target = emptyCopy(element, ownLine, to);
  const space = isApart(element, style) && !to.closest("pre") ? " " : "";
  placeOf(target, to).append(space, target, isBlock(style) && !ownLine ? " " : "");
  // A block link stays a link, by whose density Readability knows menus, but in a line of its own.
  if (element.localName === "a" && ownLine) wrap(target);
  copyChildren(frame ?? element, target, style.visibility === "visible" && style.fontSize !== "0px");
  if (target.localName === "table") markDataTable(/** @type {HTMLTableElement} */ (target));
}

/**
 * Whether a button is the title of what stands under it: in a heading, or of a part that is unfolded.
 * @param {HTMLElement} element
 */
function isTitleButton(element) {
  if (element.localName !== "button") return false;
  const isUnfolded = element.ariaExpanded === "true" && !element.hasAttribute("aria-haspopup");
  return isUnfolded || element.closest(HEADINGS) !== null;
}

/**
 * Whether a gap is seen between an inline element and the one before it, although no space stands there.
 * @param {HTMLElement} element
 * @param {CSSStyleDeclaration} style
 */
function isApart(element, style) {
  const before = element.previousSibling;
  if (!style.display.startsWith("inline") || before?.nodeType !== Node.ELEMENT_NODE) return false;
  const [first, second] = [/** @type {Element} */ (before), element].map((each) => each.getBoundingClientRect());
  const inOneLine = first.top < second.bottom && second.top < first.bottom;
  return inOneLine && Math.max(second.left - first.right, first.left - second.right) >= GAP;
}

/**
 * @param {HTMLElement} element
 * @param {CSSStyleDeclaration} style
 */
function isHidden(element, style) {
  if (style.display === "none") return true;
  if (element.getAttribute("aria-hidden") === "true") return !holdsMostText(element);
  // Text that is still to fade in has a transition; without one it is there for machines only.
  if (style.opacity === "0" && style.transitionDuration === "0s") return true;
  if (style.position === "fixed" && isOverlay(element)) return true;
  if (style.position !== "absolute" && style.position !== "fixed") return false;
  const box = element.getBoundingClientRect();
  const clipped = style.overflow !== "visible" && box.width <= 1 && box.height <= 1;
  const { scrollX, scrollY } = element.ownerDocument.defaultView ?? window;
  const offPage = box.width > 0 && (box.right + scrollX <= 0 || box.bottom + scrollY <= 0);
  return clipped || offPage;
}

/**
 * Whether a fixed box lies over the page, as notices and toolbars do, and is neither a dialog nor a good part of the page itself.
 * @param {HTMLElement} element
 */
function isOverlay(element) {
  if (element.matches("dialog, [role=dialog], [role=alertdialog], [aria-modal=true]")) return false;
  return element.innerText.length < OVERLAY_SHARE * element.ownerDocument.body.innerText.length;
}

/**
 * Some sites mark the whole page aria-hidden while a banner is open.
 * @param {HTMLElement} element
 */
function holdsMostText(element) {
  return element.innerText.length > element.ownerDocument.body.innerText.length / 2;
}

/** @param {CSSStyleDeclaration} style */
function isBlock(style) {
  return !/^(inline|contents|ruby)/.test(style.display) && style.float === "none"; // a floated letter is a drop cap
}

/**
 * Whether an inline element is a block only because it stands in a row of boxes.
 * @param {HTMLElement} element
 */
function isInRow(element) {
  if (!element.parentElement || !(INLINE.has(element.localName) || element.localName === "a")) return false;
  const style = getComputedStyle(element.parentElement);
  return style.display.endsWith("flex") && style.flexDirection.startsWith("row");
}

/**
 * Spans and custom elements become what they look like, so that lines on the screen stay lines.
 * @param {HTMLElement} element
 * @param {boolean} ownLine
 * @param {Element} to where it comes in the copy
 * @returns {HTMLElement}
 */
function emptyCopy(element, ownLine, to) {
  const owner = to.ownerDocument;
  const name = element.localName;
  const role = nameOfRole(element, to);
  const isWord = name === "pre" && to.closest(HEADINGS) !== null; // of a heading
  const neutral = INLINE.has(name) || name.includes("-") || isWord || /^(slot|i?frame|frameset|button)$/.test(name);
  if (role || (neutral && (ownLine || !INLINE.has(name)))) {
    const renamed = owner.createElement(role ?? (ownLine ? "div" : "span"));
    renamed.id = element.id;
    renamed.className = element.className;
    return renamed;
  }
  const copied = owner.importNode(element, false);
  for (const attribute of ["style", "hidden", "aria-hidden"]) copied.removeAttribute(attribute); // judged already
  return copied;
}

/** @param {HTMLElement} element */
function wrap(element) {
  const block = element.ownerDocument.createElement("div");
  element.before(block);
  block.append(element);
}

/**
 * The whole copy less menus and footers, or with them where they are most of the page; of that the part that its author calls
 * the main one, unless most is outside.
 * @param {Document} copy
 */
function wholePage(copy) {
  const body = /** @type {HTMLElement} */ (copy.body.cloneNode(true));
  for (const element of body.querySelectorAll(CLUTTER)) element.remove();
  if (textOf(body).length < textOf(copy.body).length / 2) return copy.body;
  const main = /** @type {HTMLElement | null} */ (body.querySelector("main, [role=main]"));
  return main && proseIn(main) > proseIn(body) / 2 ? main : body;
}

// ---- from the copy to markdown

/** @param {HTMLElement} content */
function toMarkdown(content) {
  unwrapLayoutTables(content);
  return clean(
    markdownService()
      .turndown(content)
      .replace(/[ \t]+$/gm, ""),
  );
}

/** Markdown for small models: no addresses, no emphasis, no escapes but where a line would read as markup. */
function markdownService() {
  const service = new TurndownService({ headingStyle: "atx", codeBlockStyle: "fenced", br: "" });
  service.escape = (text) => text.replace(/^(#{1,6} |>|```|~~~)/, "\\$1");
  service.addRule("plain", { filter: ["a", "em", "i", "strong", "b"], replacement: (content) => content });
  service.addRule("struck", { filter: ["del", "s"], replacement: (content) => `~~${content}~~` });
  service.addRule("image", { filter: "img", replacement: (_, node) => imageText(/** @type {Element} */ (node)) });
  service.addRule("footnote mark", { filter: isFootnoteMark, replacement: () => "" });
  service.addRule("heading", {
    filter: ["h1", "h2", "h3", "h4", "h5", "h6"],
    replacement: (content, node) => headingLine(content, node.nodeName),
  });
  service.addRule("code", { filter: "pre", replacement: (_, node) => fenced(/** @type {Element} */ (node)) });
  service.addRule("item", {
    filter: "li",
    replacement: (content, node) => item(content, /** @type {Element} */ (node)),
  });
  service.addRule("table", {
    filter: "table",
    replacement: (_, node) => tableText(/** @type {HTMLTableElement} */ (/** @type {unknown} */ (node))),
  });
  return service;
}

/**
 * @param {Element} image
 * @returns {string} nothing where the text around begins with the same words
 */
function imageText(image) {
  const alt = squeeze(image.getAttribute("alt") ?? "");
  let around = image.parentElement;
  while (around && !textOf(around)) around = around.parentElement;
  return alt && !(around && textOf(around).startsWith(alt)) ? `[image: ${alt}]` : "";
}

/**
 * A heading in one line, whatever it is built of.
 * @param {string} content
 * @param {string} name H1 to H6
 */
function headingLine(content, name) {
  const text = squeeze(content);
  return text ? `\n\n${"#".repeat(Number(name[1]))} ${text}\n\n` : "";
}

/** @param {Element} node */
function isFootnoteMark(node) {
  return node.nodeName === "SUP" && node.querySelector("a[href^='#']") !== null;
}

/** @param {Element} pre */
function fenced(pre) {
  for (const line of pre.querySelectorAll("br")) line.replaceWith("\n");
  const code = (pre.textContent ?? "").replace(/^\n+|\s+$/g, "");
  if (!code) return "";
  const names = `${pre.className} ${pre.querySelector("code")?.className ?? ""}`;
  const language = /\blang(?:uage)?-([\w+#-]+)/.exec(names)?.[1] ?? "";
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `\n\n${fence}${language}\n${code}\n${fence}\n\n`;
}

/**
 * @param {string} content
 * @param {Element} node
 */
function item(content, node) {
  const list = node.parentElement;
  const start = Number(list?.getAttribute("start") ?? 1);
  const mark = list?.nodeName === "OL" ? `${start + [...list.children].indexOf(node)}. ` : "- ";
  const tight = content.includes("```") ? content.trim() : content.trim().replace(/\n{2,}/g, "\n");
  const text = tight.replace(/\n(?=.)/g, `\n${" ".repeat(mark.length)}`);
  return `${mark}${text}${node.nextSibling ? "\n" : ""}`;
}

/**
 * Tables that only place things become plain blocks; a markdown table inside another is none.
 * @param {HTMLElement} content
 */
function unwrapLayoutTables(content) {
  for (const table of [...content.querySelectorAll("table")].reverse()) {
    const rows = [...table.rows];
    if (!table.querySelector("table") && rows.some((row) => row.cells.length > 1)) continue;
    for (const part of [...rows.flatMap((row) => [...row.cells]), ...rows, ...table.tBodies, table]) toDiv(part);
  }
}

/** @param {Element} element */
function toDiv(element) {
  const div = element.ownerDocument.createElement("div");
  div.append(...element.childNodes);
  element.replaceWith(div);
}

/** @param {HTMLTableElement} table */
function tableText(table) {
  const grid = gridOf(table).filter((row) => row.some(Boolean));
  if (!grid.length) return "";
  const width = Math.max(...grid.map((row) => row.length));
  const first = [...table.rows].find((row) => textOf(row));
  const hasHead = first?.parentElement?.nodeName === "THEAD" || ![...(first?.cells ?? [])].some(isDataCell);
  const rows = [...(hasHead ? [] : [[]]), ...grid].map((row) => Array.from({ length: width }, (_, x) => row[x] ?? ""));
  rows.splice(1, 0, Array(width).fill("---"));
  const caption = table.caption ? `${textOf(table.caption)}\n\n` : "";
  return `\n\n${caption}${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n\n`;
}

/** @param {HTMLTableCellElement} cell */
function isDataCell(cell) {
  return cell.nodeName === "TD";
}

/**
 * The text of each cell by row and column; a cell over several rows is repeated in each.
 * @param {HTMLTableElement} table
 */
function gridOf(table) {
  /** @type {string[][]} */
  const grid = [...table.rows].map(() => []);
  [...table.rows].forEach((row, top) => {
    let left = 0;
    for (const cell of row.cells) {
      while (grid[top][left] !== undefined) left++;
      const text = cellText(cell);
      const bottom = cell.rowSpan === 0 ? grid.length : Math.min(top + cell.rowSpan, grid.length);
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < left + Math.min(cell.colSpan, 50); x++) grid[y][x] = x === left ? text : "";
      }
    }
  });
  return grid;
}

/** @param {Element} cell */
function cellText(cell) {
  for (const image of cell.querySelectorAll("img")) image.replaceWith(imageText(image));
  for (const mark of cell.querySelectorAll("sup")) if (isFootnoteMark(mark)) mark.remove();
  for (const entry of cell.querySelectorAll("li + li")) entry.prepend("; ");
  for (const block of cell.querySelectorAll("br, p, div, ul, ol, pre, blockquote, h1, h2, h3, h4, h5, h6")) {
    block.before(" ");
    block.after(" ");
  }
  return textOf(cell).replaceAll(" ;", ";").replaceAll("|", "\\|");
}
