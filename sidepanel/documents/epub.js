// Books: the chapters in the order of the spine.

import { heading, ParseError, squeeze } from "./blocks.js";
import { decodeText } from "./decode.js";
import { htmlBlocks, parseXhtml } from "./html.js";
import { bareName, parseXml, unzip } from "./zip.js";

/** Fonts are often scrambled in books that anyone may read. */
const FONT_SCRAMBLING = new Set(["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"]);
const PARTS = /\.(x?html?|xml|opf|ncx)$/i;

/**
 * @param {Uint8Array} bytes
 * @param {import("./blocks.js").Job} job
 * @returns {import("./blocks.js").Content}
 */
export function parseEpub(bytes, job) {
  const files = unzip(bytes, (name) => PARTS.test(name));
  if (isLocked(files)) throw new ParseError("encrypted", "Its publisher locked it (DRM), so it cannot be read here.");
  const book = readPackage(files);
  const notes = [];
  /** @type {import("./blocks.js").Block[]} */
  const blocks = [];
  for (const [index, path] of book.chapters.entries()) {
    if (files[path]) blocks.push(...chapter(files[path], book.labels.get(path)));
    else notes.push(`A chapter is missing in the file: ${path}.`);
    job.progress((index + 1) / book.chapters.length);
  }
  if (!blocks.length && book.images) throw new ParseError("scanned", "It holds images only, no text.");
  return { title: book.title, blocks, notes };
}

/**
 * @param {Uint8Array} bytes
 * @param {string} [label]  its title in the table of contents, for a chapter without a heading
 */
function chapter(bytes, label) {
  const blocks = htmlBlocks(parseXhtml(decodeText(bytes, true).text).documentElement);
  if (!blocks.length || !label || blocks.some((block) => block.heading_level)) return blocks;
  if (squeeze(blocks[0].text) === label) blocks.shift();
  return [heading(label, 1), ...blocks];
}

/** @param {Record<string, Uint8Array>} files */
function isLocked(files) {
  if (files["META-INF/rights.xml"] || files["META-INF/sinf.xml"]) return true;
  const encryption = files["META-INF/encryption.xml"];
  if (!encryption) return false;
  const methods = parseXml(encryption).filter((element) => bareName(element) === "EncryptionMethod");
  const data = methods.filter((method) => !/EncryptedKey$/.test(/** @type {Element} */ (method.parentNode).localName));
  return data.some((method) => !FONT_SCRAMBLING.has(method.getAttribute("Algorithm") ?? ""));
}

/** @param {Record<string, Uint8Array>} files */
function readPackage(files) {
  const container = files["META-INF/container.xml"];
  const root = container && parseXml(container).find((element) => bareName(element) === "rootfile");
  const path = root?.getAttribute("full-path") ?? Object.keys(files).find((name) => name.endsWith(".opf")) ?? "";
  if (!files[path]) throw new ParseError("damaged", "It has no list of its chapters.");
  const elements = parseXml(files[path]);
  const items = elements.filter((element) => bareName(element) === "item");
  const byId = new Map(items.map((item) => [item.getAttribute("id"), item]));
  const spine = elements.filter((element) => bareName(element) === "itemref");
  const ordered = spine
    .map((reference) => byId.get(reference.getAttribute("idref")))
    .filter((item) => item !== undefined);
  const isContents = (/** @type {Element} */ item) => /\bnav\b/.test(item.getAttribute("properties") ?? "");
  const place = (/** @type {Element} */ item) => resolve(path, item.getAttribute("href") ?? "");
  const contents = items.filter((item) => isContents(item) || item.getAttribute("media-type")?.includes("ncx"));
  return {
    title: squeeze(elements.find((element) => bareName(element) === "title")?.textContent ?? ""),
    chapters: ordered.filter((item) => !isContents(item)).map(place),
    labels: readContents(files, contents.map(place)),
    images: items.some((item) => item.getAttribute("media-type")?.startsWith("image/")),
  };
}

/**
 * Titles by the files that they lead to.
 * @param {Record<string, Uint8Array>} files
 * @param {string[]} places  of navigation documents, old and new
 */
function readContents(files, places) {
  /** @type {Map<string, string>} */
  const labels = new Map();
  const add = (
    /** @type {string} */ path,
    /** @type {string | null | undefined} */ link,
    /** @type {string} */ label,
  ) => {
    const target = resolve(path, link ?? "");
    if (label && !labels.has(target)) labels.set(target, label);
  };
  for (const path of places.filter((place) => files[place])) {
    for (const element of parseXml(files[path])) {
      if (bareName(element) === "a") add(path, element.getAttribute("href"), squeeze(element.textContent ?? ""));
      if (bareName(element) !== "navPoint") continue;
      const parts = [...element.children];
      const label = parts.find((part) => bareName(part) === "navLabel")?.textContent ?? "";
      add(path, parts.find((part) => bareName(part) === "content")?.getAttribute("src"), squeeze(label));
    }
  }
  return labels;
}

/**
 * @param {string} base  path of the file that names another
 * @param {string} link
 */
function resolve(base, link) {
  const url = new URL(link.replace(/#.*$/s, ""), `file:///${base.split("/").map(encodeURIComponent).join("/")}`);
  try {
    return decodeURIComponent(url.pathname.slice(1));
  } catch {
    return url.pathname.slice(1);
  }
}
