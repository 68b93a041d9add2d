// Reads one file, then is ended by files.js. Nothing of a file is ever run, shown or sent anywhere.

import "../../background/network-guard.js";
import { MOST_CHARACTERS, MOST_WORDS } from "../limits.js";
import { countWords, ParseError, squeeze } from "./blocks.js";
import { parseDocx } from "./docx.js";
import { parseEpub } from "./epub.js";
import { parseHtmlFile } from "./html.js";
import { kindOf } from "./kinds.js";
import { parsePdf } from "./pdf.js";
import { parseCode, parseCsv, parseJson, parseMarkdown, parsePlain } from "./text.js";

/** @typedef {import("./blocks.js").Content} Content */

self.onmessage = async ({ data: { bytes, name, mime } }) => {
  try {
    const id = await digest(bytes);
    const job = { name, progress: (/** @type {number} */ fraction) => self.postMessage({ progress: fraction }) };
    self.postMessage({ parsed: { id, ...finish(await parseAny(new Uint8Array(bytes), mime, job), name) } });
  } catch (error) {
    self.postMessage({ parsed: refusal(error) });
  }
};

/** @param {ArrayBuffer} bytes */
async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {Uint8Array} bytes
 * @param {string} mime
 * @param {import("./blocks.js").Job} job
 * @returns {Content | Promise<Content>}
 */
function parseAny(bytes, mime, job) {
  const kind = kindOf(bytes, job.name, mime);
  switch (kind.format) {
    case "pdf":
      return parsePdf(bytes, job);
    case "docx":
      return parseDocx(bytes, kind.sizes);
    case "epub":
      return parseEpub(bytes, job);
    case "html":
      return parseHtmlFile(bytes);
    case "markdown":
      return parseMarkdown(bytes);
    case "csv":
      return { ...parseCsv(bytes), title: stem(job.name) };
    case "json":
      return { ...parseJson(bytes), title: stem(job.name) };
    case "code":
      return { ...parseCode(bytes, kind.language), title: job.name };
    default:
      return parsePlain(bytes);
  }
}

/**
 * @param {Content} content
 * @param {string} name
 */
function finish(content, name) {
  const blocks = content.blocks.filter((block) => block.text.trim());
  if (blocks.reduce((size, block) => size + block.text.length, 0) > MOST_CHARACTERS) throw tooLong();
  const words = blocks.reduce((sum, block) => sum + countWords(block.text), 0);
  if (!words) throw new ParseError("empty", "It holds no text.");
  if (words > MOST_WORDS) throw tooLong();
  const first = blocks
    .slice(0, 3)
    .find((block) => block.heading_level)
    ?.text.replace(/^#+ /, "");
  const title = squeeze(content.title) || first || stem(name);
  return { ...content, title, blocks, words, notes: content.notes ?? [] };
}

/** @param {string} name */
function stem(name) {
  return name.replace(/\.[^.]*$/, "") || name;
}

function tooLong() {
  return new ParseError("too-big", "It has more than 2,000,000 words. Split it into parts first.");
}

/** @param {unknown} error */
function refusal(error) {
  if (!(error instanceof ParseError)) {
    const detail = (error instanceof Error ? error.message : String(error)).replace(/\.?\s*$/, ".");
    return { error: "damaged", detail: `It cannot be read: ${detail}` };
  }
  return { error: error.reason, detail: error.message };
}
