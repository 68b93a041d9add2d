/**
 * Markdown from the model to DOM that is safe to show.
 *
 * Two guards, each sufficient: the parser knows no raw HTML, so markup in the text stays text; the sanitizer then lets
 * through a short list of elements, none of which can load, run, submit or style anything.
 */

import DOMPurify from "dompurify";
import { Marked } from "marked";
import { clock } from "./clock.js";

/** @import { Token, TokensList } from "marked" */
/** @import { Citation } from "./types.js" */

/** @param {string} text */
function escapeHtml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const marked = new Marked({
  gfm: true,
  tokenizer: {
    html: () => undefined,
    tag: () => undefined,
  },
  renderer: {
    // Loading an image would tell its host what was read, so it is shown as words.
    image: ({ href, text }) => escapeHtml(text ? `${text} (${href})` : href),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    heading({ tokens, depth }) {
      // The panel's own heading is the first level; an answer's begin below it.
      const level = Math.min(depth + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
  },
});

const ALLOWED_TAGS =
  "p br hr h3 h4 h5 h6 strong em del code pre ul ol li blockquote table thead tbody tr th td a".split(" ");

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  const href = node.nodeName === "A" ? node.getAttribute("href") : null;
  if (href === null) return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer");
  // The side panel shows no address on hover: without this a link could say one thing and mean another.
  node.setAttribute("title", href);
});

/**
 * The top-level blocks of a text, so that a stream renders again only what changed.
 *
 * @param {string} text markdown
 * @returns {{raw: string, token: Token}[]}
 */
export function splitBlocks(text) {
  const tokens = lex(text);
  const blocks = [];
  for (const token of tokens) {
    if (token.type === "space" || token.type === "def") continue;
    // A definition that arrives late changes the links of blocks before it.
    blocks.push({ raw: `${token.raw}\0${Object.keys(tokens.links).length}`, token });
  }
  return blocks;
}

/**
 * @param {string} text
 * @returns {TokensList}
 */
function lex(text) {
  try {
    return marked.lexer(text);
  } catch {
    // No input should do this; if one does, the reader still gets every character.
    /** @type {Token[]} */
    const tokens = [{ type: "text", raw: text, text }];
    return Object.assign(tokens, { links: {} });
  }
}

/**
 * @param {Token} token one top-level block
 * @param {Citation[]} [citations] what marks like [1] in the text stand for
 * @returns {DocumentFragment} safe to insert; code has a copy button, tables a box to scroll in, citations a button each
 */
export function renderBlock(token, citations = []) {
  const fragment = purify.sanitize(marked.parser([token]), {
    ALLOWED_TAGS,
    ALLOWED_ATTR: ["href", "align", "class", "start"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    ADD_URI_SAFE_ATTR: ["align", "start"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  decorate(fragment);
  if (citations.length) addCitations(fragment, citations);
  return fragment;
}

/**
 * Adds what is ours around what is the model's.
 *
 * @param {DocumentFragment} fragment
 */
function decorate(fragment) {
  for (const child of fragment.children) child.setAttribute("dir", "auto");
  // A link whose address was refused is no link.
  for (const link of fragment.querySelectorAll("a:not([href])")) link.replaceWith(...link.childNodes);
  for (const pre of fragment.querySelectorAll("pre")) wrapCode(pre);
  for (const table of fragment.querySelectorAll("table")) {
    const box = wrap(table, "table-box");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Table");
  }
}

/**
 * @param {DocumentFragment} fragment
 * @param {Citation[]} citations
 */
function addCitations(fragment, citations) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
  for (const text of texts) {
    const parts = text.data.split(/ ?(\[(?:\d+|\?)\])(?=\s|$)/);
    if (parts.length > 1) text.replaceWith(...parts.map((part, i) => (i % 2 ? citationMark(part, citations) : part)));
  }
}

/**
 * @param {string} mark as [1] or [?]
 * @param {Citation[]} citations
 */
function citationMark(mark, citations) {
  const number = mark.slice(1, -1);
  const known = citations.find((citation) => String(citation.number) === number);
  if (!known && number !== "?") return mark;
  const element = document.createElement(known ? "button" : "span");
  element.className = known ? "citation" : "citation unsupported";
  element.textContent = number;
  element.dataset.testid = "citation";
  if (known?.page) element.dataset.place = `p. ${known.page}`;
  if (known?.time !== undefined) element.dataset.place = clock(known.time);
  element.title = known ? `${placeOf(known)}“${known.quote}”` : "No passage says this plainly";
  element.setAttribute("aria-label", known ? `Show passage ${number}: ${placeOf(known)}${known.quote}` : element.title);
  if (known) element.setAttribute("type", "button");
  else element.setAttribute("role", "img");
  return element;
}

/** Which page of which document, or which moment, if the passage has any. @param {Citation} citation */
function placeOf({ document, name, page, time }) {
  if (time !== undefined) return `At ${clock(time)}: `;
  if (!document) return page ? `Page ${page}: ` : "";
  return page ? `${name}, page ${page}: ` : `${name}: `;
}

/** @param {HTMLPreElement} pre */
function wrapCode(pre) {
  const code = pre.querySelector("code");
  const language = /^language-(\S+)$/.exec(code?.className ?? "")?.[1] ?? "";
  code?.removeAttribute("class");
  pre.dir = "ltr";
  pre.tabIndex = 0;
  const box = wrap(pre, "code-box");
  const head = document.createElement("div");
  head.className = "code-head";
  const label = document.createElement("span");
  label.textContent = language;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy code");
  head.append(label, button);
  box.prepend(head);
}

/**
 * @param {Element} element
 * @param {string} className
 */
function wrap(element, className) {
  const box = document.createElement("div");
  box.className = className;
  element.replaceWith(box);
  box.append(element);
  return box;
}

/**
 * The words of a markdown text without its marks, for screen readers.
 *
 * @param {string} text
 */
export function plainText(text) {
  const html = marked.parser(lex(text));
  const fragment = purify.sanitize(html, { ALLOWED_TAGS, ALLOWED_ATTR: [], RETURN_DOM_FRAGMENT: true });
  return (fragment.textContent ?? "").trim();
}

/**
 * Makes `parent` look like `fresh` and touches only what differs, so that focus, selection and scrolling survive.
 *
 * @param {Node} parent
 * @param {Node} fresh
 */
export function syncChildren(parent, fresh) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, index) => {
    const current = parent.childNodes[index];
    if (!current) parent.appendChild(node);
    else if (current.nodeName !== node.nodeName) parent.replaceChild(node, current);
    else syncNode(current, node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/**
 * @param {Node} current
 * @param {Node} fresh same node name
 */
function syncNode(current, fresh) {
  if (!(current instanceof Element && fresh instanceof Element)) {
    if (current.nodeValue !== fresh.nodeValue) current.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...current.attributes]) if (!fresh.hasAttribute(name)) current.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  syncChildren(current, fresh);
}
