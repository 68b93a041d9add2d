// Formats that are text already: markdown, plain text, rows, JSON, source code.

import { marked } from "marked";
import Papa from "papaparse";
import { clean, fenced, gather, heading, plain, squeeze, tables } from "./blocks.js";
import { decodeText } from "./decode.js";
import { htmlBlocks, parse } from "./html.js";

/**
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {import("./blocks.js").Content} Content
 */

const GUESSED = "It is not in UTF-8: characters with accents may be wrong.";
const LONGEST_PASSAGE = 1500;
/** Rows whose text is longer than this on the average are read better line by line than as a table. */
const LONGEST_ROW = 240;
const WIDEST_TABLE = 12;
const ROWS_A_PART = 20;
const CHAPTER = /^(?:chapter|part|book|section|appendix|act|scene)\s+(?:\d+|[ivxlcdm]+|[a-z])\b[^\n]{0,80}$/i;

/** @param {Uint8Array} bytes */
function read(bytes) {
  const { text, guessed } = decodeText(bytes);
  return { text: clean(text.replace(/\r\n?/g, "\n")), notes: guessed ? [GUESSED] : [] };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function parseMarkdown(bytes) {
  const { text, notes } = read(bytes);
  const front = /^---\n([\s\S]*?)\n---\n/.exec(text);
  const title = /^title:\s*["']?(.*?)["']?\s*$/m.exec(front?.[1] ?? "")?.[1] ?? "";
  return { title, blocks: markdownBlocks(front ? text.slice(front[0].length) : text), notes };
}

/**
 * @param {string} text
 * @returns {Block[]}
 */
function markdownBlocks(text) {
  return marked.lexer(text).flatMap((token) => {
    if (token.type === "heading") return squeeze(token.text) ? [heading(token.text, token.depth)] : [];
    if (token.type === "space" || token.type === "hr") return [];
    if (token.type === "html") return htmlBlocks(parse(token.raw).documentElement);
    const raw = token.raw.replace(/^\n+|\s+$/g, "");
    if (token.type === "list") {
      const items = /** @type {import("marked").Tokens.List} */ (token).items;
      return gather(items.map((item) => item.raw.trimEnd())).map((part) => ({ text: part }));
    }
    if (token.type === "table") {
      const table = /** @type {import("marked").Tokens.Table} */ (token);
      const cells = (/** @type {{text: string}[]} */ row) => row.map((cell) => cell.text.replaceAll("\\|", "|"));
      return tables(cells(table.header), table.rows.map(cells)).map((part) => ({ text: part }));
    }
    return raw ? [{ text: raw }] : [];
  });
}

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function parsePlain(bytes) {
  const { text, notes } = read(bytes);
  return { title: "", blocks: plainBlocks(text), notes };
}

/**
 * @param {string} text
 * @returns {Block[]}
 */
function plainBlocks(text) {
  return text.split(/\n\s*\n|\f/).flatMap((part) => {
    const passage = part.replace(/[ \t]+$/gm, "").replace(/^\n+|\s+$/g, "");
    if (!passage.trim()) return [];
    if (CHAPTER.test(passage.trim())) return [heading(passage, 2)];
    return splitLong(passage).map((piece) => ({ text: plain(piece) }));
  });
}

/**
 * A passage in pieces at the ends of lines, or of sentences where a line is endless.
 * @param {string} passage
 */
function splitLong(passage) {
  if (passage.length <= 2 * LONGEST_PASSAGE) return [passage];
  const lines = passage.split("\n");
  return gather(lines, LONGEST_PASSAGE).flatMap((piece) =>
    piece.length <= 2 * LONGEST_PASSAGE
      ? [piece]
      : gather(piece.split(/(?<=[.!?。！？]["”»)]?)\s+/), LONGEST_PASSAGE, " "),
  );
}

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function parseCsv(bytes) {
  const { text, notes } = read(bytes);
  const { data } = Papa.parse(text, { skipEmptyLines: "greedy" });
  const rows = /** @type {string[][]} */ (data).map((row) => row.map(squeeze));
  if (!rows.length) return { title: "", blocks: [], notes };
  const named = hasHead(rows);
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const head = Array.from({ length: width }, (_, x) => (named && rows[0][x]) || `Column ${x + 1}`);
  const blocks = rowBlocks(head, named ? rows.slice(1) : rows);
  return { title: "", blocks: blocks.length ? blocks : [{ text: plain(head.join(", ")) }], notes };
}

/**
 * Whether the first row names the columns: text in each, never the same twice.
 * @param {string[][]} rows
 */
function hasHead(rows) {
  const names = rows[0];
  const distinct = new Set(names).size === names.length;
  return distinct && names.every((name) => name && !/^[-+]?[\d.,\s%€$£]+$/.test(name));
}

/**
 * Rows in parts of 20 under headings that say which they are: as tables, or as "column: value" where they are too wide.
 * @param {string[]} head
 * @param {string[][]} rows
 * @returns {Block[]}
 */
function rowBlocks(head, rows) {
  const characters = rows.reduce((sum, row) => sum + row.reduce((size, cell) => size + cell.length, 0), 0);
  const wide = head.length > WIDEST_TABLE || characters > rows.length * LONGEST_ROW;
  /** @type {Block[]} */
  const blocks = [];
  for (let start = 0; start < rows.length; start += ROWS_A_PART) {
    const part = rows.slice(start, start + ROWS_A_PART);
    if (rows.length > ROWS_A_PART) blocks.push(heading(`Rows ${start + 1}–${start + part.length}`, 2));
    const texts = wide ? part.map((row) => record(head, row)) : tables(head, part);
    for (const text of texts) if (text) blocks.push({ text });
  }
  return blocks;
}

/**
 * @param {string[]} head
 * @param {string[]} row
 */
function record(head, row) {
  return plain(row.flatMap((cell, x) => (cell ? [`${head[x]}: ${cell}`] : [])).join("\n"));
}

/**
 * @param {Uint8Array} bytes
 * @returns {Content}
 */
export function parseJson(bytes) {
  const { text, notes } = read(bytes);
  try {
    const value = readJson(text);
    return { title: "", blocks: valueBlocks(value, ""), notes };
  } catch {
    return {
      title: "",
      blocks: plainBlocks(text),
      notes: [...notes, "It is not valid JSON and was read as plain text."],
    };
  }
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim());
    if (lines.length < 2) throw error;
    return lines.map((line) => JSON.parse(line)); // JSON lines
  }
}

/**
 * A value as blocks of "path: value" lines: as much of it in a block as makes one passage.
 * @param {unknown} value
 * @param {string} path
 * @returns {Block[]}
 */
function valueBlocks(value, path) {
  const records = tableOf(value);
  if (records) return [...(path ? [heading(path, 2)] : []), ...rowBlocks(records.head, records.rows)];
  const lines = valueLines(value, path);
  const size = lines.reduce((sum, line) => sum + line.length, 0);
  if (size <= LONGEST_PASSAGE || typeof value !== "object" || value === null) {
    return lines.length ? splitLong(lines.join("\n")).map((text) => ({ text: plain(text) })) : [];
  }
  const parts = Object.entries(value).map(([key, inner]) => valueBlocks(inner, join(path, key, value)));
  return mergeSmall(parts.flat());
}

/**
 * Neighbours that are short become one block.
 * @param {Block[]} blocks
 */
function mergeSmall(blocks) {
  /** @type {Block[]} */
  const merged = [];
  for (const block of blocks) {
    const last = merged.at(-1);
    const joins = last && isLines(last) && isLines(block) && last.text.length + block.text.length < LONGEST_PASSAGE;
    if (joins) last.text += `\n${block.text}`;
    else merged.push({ ...block });
  }
  return merged;
}

/** @param {Block} block */
function isLines(block) {
  return !block.heading_level && !block.text.startsWith("| ");
}

/**
 * @param {unknown} value
 * @param {string} path
 * @returns {string[]}
 */
function valueLines(value, path) {
  if (typeof value !== "object" || value === null) {
    return [path ? `${path}: ${String(value)}` : String(value)];
  }
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null)) {
    return value.length ? [`${path ? `${path}: ` : ""}${value.join(", ")}`] : [];
  }
  return Object.entries(value).flatMap(([key, inner]) => valueLines(inner, join(path, key, value)));
}

/**
 * @param {string} path
 * @param {string} key
 * @param {object} parent
 */
function join(path, key, parent) {
  if (Array.isArray(parent)) return `${path}[${key}]`;
  return path ? `${path}.${key}` : key;
}

/**
 * Records of the same few fields as head and rows; null for anything else.
 * @param {unknown} value
 */
function tableOf(value) {
  if (!Array.isArray(value) || value.length < 2) return null;
  const head = Object.keys(value[0] ?? {});
  const isFlat = (/** @type {unknown} */ item) =>
    typeof item === "object" &&
    item !== null &&
    !Array.isArray(item) &&
    Object.entries(item).every(([key, inner]) => head.includes(key) && (typeof inner !== "object" || inner === null));
  if (!head.length || head.length > 50 || !value.every(isFlat)) return null;
  return { head, rows: value.map((item) => head.map((key) => squeeze(String(item[key] ?? "")))) };
}

/**
 * Source code in blocks that end where the outermost level does.
 * @param {Uint8Array} bytes
 * @param {string} language
 * @returns {Content}
 */
export function parseCode(bytes, language) {
  const { text, notes } = read(bytes);
  const units = [""];
  let afterBlank = false;
  for (const line of text.split("\n")) {
    const begins = afterBlank && /^[^\s)\]}]/.test(line);
    if (begins || units[units.length - 1].length > 2 * LONGEST_PASSAGE) units.push(line);
    else units[units.length - 1] += `\n${line}`;
    afterBlank = !line.trim();
  }
  const parts = gather(units.map((unit) => unit.replace(/^\n+|\s+$/g, "")).filter(Boolean), LONGEST_PASSAGE, "\n\n");
  return { title: "", blocks: parts.map((part) => ({ text: fenced(part, language) })), notes };
}
