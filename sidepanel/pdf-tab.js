// Reads the PDF that a tab shows. The panel may reach no site, so a script in the tab gets the file once more, from the
// browser's cache where it can, and hands it over.

import browser from "webextension-polyfill";
import { parseFile } from "./documents/files.js";
import { MOST_BYTES } from "./limits.js";

/**
 * @typedef {object} PdfPage
 * @property {string} title
 * @property {string} markdown
 * @property {"pdf"} method
 * @property {number} visible_chars
 * @property {number} kept_chars
 * @property {number} words
 * @property {number} pages
 * @property {{text: string, page?: number}[]} blocks
 * @property {string[]} notes what of it could not be read
 *
 * @typedef {{error: "pdf", reason: import("./documents/files.js").Refusal["error"] | "file" | "unreachable", detail: string}} PdfRefusal
 * @typedef {{size: number} | {reason: PdfRefusal["reason"], detail: string}} Fetched
 */

/** Bytes that a script hands over at a time. */
const SLICE = 4 << 20;
/** A PDF's name stands within its first bytes. */
const HEAD = 1024;

/** What was read last, by the file's hash: questions about one PDF follow each other. */
let last = { hash: "", parsed: /** @type {import("./documents/files.js").Parsed | null} */ (null) };

/**
 * The text of the PDF in a tab, block by block with its pages. Rejects where the tab may not be looked into.
 * @param {number} tabId
 * @param {string} url of the tab, for the file's name
 * @returns {Promise<PdfPage | PdfRefusal>}
 */
export async function readPdfTab(tabId, url) {
  const store = `amplifier-${crypto.randomUUID()}`;
  const fetched = /** @type {Fetched} */ (await inTab(tabId, fetchPdf, [store, MOST_BYTES]));
  if ("reason" in fetched) return refuse(fetched.reason, fetched.detail);
  const bytes = new Uint8Array(fetched.size);
  for (let start = 0; start < fetched.size; start += SLICE) {
    const end = Math.min(start + SLICE, fetched.size);
    const slice = atob(await inTab(tabId, takeSlice, [store, start, end, end === fetched.size]));
    for (let i = 0; i < slice.length; i++) bytes[start + i] = slice.charCodeAt(i);
  }
  if (!new TextDecoder("latin1").decode(bytes.subarray(0, HEAD)).includes("%PDF-")) {
    return refuse("unreachable", "The address gives no PDF when it is asked again.");
  }
  const parsed = await parse(bytes, nameOf(url));
  return "error" in parsed ? refuse(parsed.error, parsed.detail) : pageOf(parsed);
}

/**
 * @template {any[]} Args
 * @template T
 * @param {number} tabId
 * @param {(...args: Args) => T} func
 * @param {Args} args
 * @returns {Promise<Awaited<T>>}
 */
async function inTab(tabId, func, args) {
  const [injection] = await browser.scripting.executeScript({
    target: { tabId },
    func: /** @type {(...args: unknown[]) => unknown} */ (func),
    args,
  });
  if (injection?.error || injection?.result === undefined) throw new Error("the tab returned nothing");
  return /** @type {any} */ (injection.result);
}

/**
 * Injected: gets the file and keeps it under a name.
 * @param {string} store
 * @param {number} most bytes
 * @returns {Promise<Fetched>}
 */
async function fetchPdf(store, most) {
  const tooBig = { reason: /** @type {const} */ ("too-big"), detail: `It is larger than ${most >> 20} MB.` };
  if (location.protocol === "file:") return { reason: "file", detail: "Chrome keeps files from each other." };
  try {
    const response = await fetch(location.href, { cache: "force-cache" });
    if (!response.ok) return { reason: "unreachable", detail: `The site answered ${response.status}.` };
    if (Number(response.headers.get("content-length")) > most) return tooBig;
    const blob = await response.blob();
    if (blob.size > most) return tooBig;
    Object.assign(globalThis, { [store]: blob });
    return { size: blob.size };
  } catch (error) {
    return { reason: "unreachable", detail: String(error) };
  }
}

/**
 * Injected: a part of the file as base64; after the last one it is forgotten.
 * @param {string} store
 * @param {number} start
 * @param {number} end
 * @param {boolean} isLast
 * @returns {Promise<string>}
 */
async function takeSlice(store, start, end, isLast) {
  const kept = /** @type {Record<string, any>} */ (globalThis);
  const reader = new FileReader();
  const read = new Promise((resolve, reject) => {
    reader.onload = resolve;
    reader.onerror = () => reject(reader.error);
  });
  reader.readAsDataURL(kept[store].slice(start, end));
  await read;
  if (isLast) delete kept[store];
  return String(reader.result).split(",")[1] ?? "";
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} name
 */
async function parse(bytes, name) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (last.parsed && last.hash === hash) return last.parsed;
  const parsed = await parseFile(new File([bytes], name, { type: "application/pdf" }));
  if (!("error" in parsed)) last = { hash, parsed };
  return parsed;
}

/** @param {string} url */
function nameOf(url) {
  const last = url.split(/[?#]/)[0]?.split("/").at(-1) || "document.pdf";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/**
 * @param {import("./documents/files.js").Parsed} parsed
 * @returns {PdfPage}
 */
function pageOf({ title, blocks, words, pages = 1, notes }) {
  const markdown = blocks.map((block) => block.text).join("\n\n");
  return {
    title,
    markdown,
    method: "pdf",
    visible_chars: markdown.length,
    kept_chars: markdown.length,
    words,
    pages,
    blocks: blocks.map(({ text, page }) => ({ text, page })),
    notes,
  };
}

/**
 * @param {PdfRefusal["reason"]} reason
 * @param {string} detail
 * @returns {PdfRefusal}
 */
function refuse(reason, detail) {
  return { error: "pdf", reason, detail };
}

/**
 * Injected: shows a page of the PDF. Chrome's viewer looks at the address only when it loads.
 * @param {number} page
 */
export function turnToPage(page) {
  location.replace(`${location.href.split("#")[0]}#page=${page}`);
  location.reload();
}
