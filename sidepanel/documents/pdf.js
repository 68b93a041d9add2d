// PDF: pdf.js gives the pieces of text with their places, pdf-layout.js makes blocks of them.

import { getDocument, OPS, PasswordException, PDFWorker } from "pdfjs-dist";
import { ParseError, squeeze } from "./blocks.js";
import { documentBlocks, normalTitle, pageRows } from "./pdf-layout.js";

/**
 * @typedef {import("pdfjs-dist/types/src/display/api.js").PDFDocumentProxy} Pdf
 * @typedef {import("./pdf-layout.js").Row} Row
 */

const OUTLINE_DEPTH = 4;
const PAGES_TO_LOOK_AT = 3;
const MOST_QUOTED = 4;
const JUNK_TITLE = /^(untitled|microsoft word\b.*|.*\.(docx?|pdf|indd|tex|dvi|odt|qxd|pptx?|xlsx?))$/i;

/**
 * @param {Uint8Array} bytes  is handed over and empty afterwards
 * @param {import("./blocks.js").Job} job
 * @returns {Promise<import("./blocks.js").Content>}
 */
export async function parsePdf(bytes, job) {
  const port = new Worker(new URL("pdf-worker.js", location.href), { type: "module", name: "pdf" });
  const loading = getDocument({
    data: bytes,
    worker: PDFWorker.create({ port, verbosity: 0 }),
    verbosity: 0,
    cMapUrl: new URL("cmaps/", location.href).href,
    useWorkerFetch: true,
    useSystemFonts: false,
    disableFontFace: true, // nothing is drawn
    disableWorkerRendering: true,
    useWasm: false,
  });
  try {
    return await readPdf(await loading.promise, job);
  } catch (error) {
    if (error instanceof PasswordException) {
      throw new ParseError("encrypted", "It is locked with a password. Save it without one first.");
    }
    throw error;
  } finally {
    await loading.destroy();
    port.terminate();
  }
}

/**
 * @param {Pdf} pdf
 * @param {import("./blocks.js").Job} job
 */
async function readPdf(pdf, job) {
  /** @type {Row[][]} */
  const pages = [];
  /** @type {number[]} */
  const failed = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    try {
      pages.push(await readPage(pdf, number));
    } catch {
      failed.push(number);
      pages.push([]);
    }
    job.progress(number / pdf.numPages);
  }
  if (failed.length === pdf.numPages) throw new ParseError("damaged", "None of its pages can be read.");
  const without = pages.flatMap((rows, index) => (rows.length || failed.includes(index + 1) ? [] : [index + 1]));
  if (without.length + failed.length === pdf.numPages) throw await noText(pdf);
  const { blocks, repeated } = documentBlocks(pages, await outlineOf(pdf));
  const notes = [];
  if (failed.length) notes.push(`Pages that could not be read: ${ranges(failed)}.`);
  if (without.length) notes.push(`Pages without text (images, or empty): ${ranges(without)}.`);
  if (repeated.length) notes.push(`Left out, as it is on many pages: ${quoted(repeated)}.`);
  return { title: await titleOf(pdf), blocks, pages: pdf.numPages, notes };
}

/**
 * @param {Pdf} pdf
 * @param {number} number
 */
async function readPage(pdf, number) {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const rows = pageRows(
    items.filter((item) => "str" in item),
    page.getViewport({ scale: 1 }).transform,
  );
  page.cleanup();
  return rows;
}

/** @param {Pdf} pdf */
async function noText(pdf) {
  const drawsImage = new Set([OPS.paintImageXObject, OPS.paintInlineImageXObject, OPS.paintImageMaskXObject]);
  for (let number = 1; number <= Math.min(pdf.numPages, PAGES_TO_LOOK_AT); number++) {
    const operators = await (await pdf.getPage(number)).getOperatorList();
    if (operators.fnArray.some((operator) => drawsImage.has(operator))) {
      return new ParseError("scanned", "Its pages are images. Run text recognition (OCR) on it first.");
    }
  }
  return new ParseError("empty", "It holds no text.");
}

/**
 * Level of each title of the outline, by the title's letters.
 * @param {Pdf} pdf
 */
async function outlineOf(pdf) {
  /** @type {Map<string, number>} */
  const levels = new Map();
  const add = (/** @type {{title: string, items: any[]}[]} */ entries, /** @type {number} */ level) => {
    for (const entry of entries) {
      const title = normalTitle(entry.title);
      if (title && !levels.has(title)) levels.set(title, level);
      if (level < OUTLINE_DEPTH) add(entry.items, level + 1);
    }
  };
  add((await pdf.getOutline().catch(() => null)) ?? [], 1);
  return levels;
}

/** @param {Pdf} pdf */
async function titleOf(pdf) {
  const stored = await pdf.getMetadata().catch(() => null);
  const title = squeeze(String(/** @type {{Title?: unknown} | undefined} */ (stored?.info)?.Title ?? ""));
  return JUNK_TITLE.test(title) ? "" : title;
}

/** @param {string[]} lines */
function quoted(lines) {
  const some = lines.slice(0, MOST_QUOTED).map((line) => (line === "…" ? "page numbers" : `“${line}”`));
  return some.join(", ") + (lines.length > MOST_QUOTED ? ` and ${lines.length - MOST_QUOTED} more` : "");
}

/** @param {number[]} numbers ascending */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
}
