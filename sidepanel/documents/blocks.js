// What every parser makes: blocks of markdown, and the reasons why there are none.

/**
 * @typedef {{text: string, page?: number, heading_level?: number}} Block  the markdown of one paragraph, heading, list, table or
 *   code; `page` counts from 1
 * @typedef {"encrypted" | "damaged" | "empty" | "scanned" | "too-big" | "unsupported"} Reason
 * @typedef {{title: string, blocks: Block[], pages?: number, notes?: string[]}} Content  what a parser returns; a title may be ""
 * @typedef {{name: string, progress: (fraction: number) => void}} Job  a file's name, and where to say how much of it is read
 */

/** Characters that show nothing; the tag characters of plane 14 can spell out whole hidden sentences. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const INVISIBLE = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u00ad\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/gu;
const MARKUP = /^(#{1,6} |>|```|~~~)/gm;
export const READABLE =
  "Files that can be read: PDF, DOCX, EPUB, HTML, Markdown, plain text, CSV, JSON and source code.";
const ROWS_A_TABLE = 20;
const LONGEST_LIST = 1200;

/** Why a file has no blocks; the message is for people. */
export class ParseError extends Error {
  /**
   * @param {Reason} reason
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/** @param {string} text */
export function clean(text) {
  return text.replace(INVISIBLE, "").toWellFormed();
}

/** @param {string} text */
export function squeeze(text) {
  return clean(text).replace(/\s+/g, " ").trim();
}

/**
 * Text that is no markdown: a line that would read as markup gets a backslash.
 * @param {string} text
 */
export function plain(text) {
  return text.replace(MARKUP, "\\$1");
}

/**
 * @param {string} text
 * @param {number} level
 * @returns {Block}
 */
export function heading(text, level) {
  const depth = Math.min(Math.max(level, 1), 6);
  return { text: `${"#".repeat(depth)} ${squeeze(text)}`, heading_level: depth };
}

/**
 * @param {string} code
 * @param {string} language
 */
export function fenced(code, language) {
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/**
 * Markdown tables of at most 20 rows, each under the same head.
 * @param {string[]} head
 * @param {string[][]} rows
 * @returns {string[]}
 */
export function tables(head, rows) {
  const width = rows.reduce((most, row) => Math.max(most, row.length), head.length);
  const line = (/** @type {string[]} */ cells) =>
    `| ${Array.from({ length: width }, (_, x) => squeeze(cells[x] ?? "").replaceAll("|", "\\|")).join(" | ")} |`;
  const top = `${line(head)}\n${line(Array(width).fill("---"))}`;
  const parts = [];
  for (let start = 0; start < Math.max(rows.length, 1); start += ROWS_A_TABLE) {
    parts.push([top, ...rows.slice(start, start + ROWS_A_TABLE).map(line)].join("\n"));
  }
  return parts;
}

/**
 * Puts lines together into blocks that are not too long to be one passage; a line is never cut.
 * @param {string[]} lines
 * @param {number} [longest] characters
 * @param {string} [between]
 * @returns {string[]}
 */
export function gather(lines, longest = LONGEST_LIST, between = "\n") {
  /** @type {string[]} */
  const parts = [];
  let size = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    if (size + line.length > longest) {
      parts.push(line);
      size = line.length;
    } else {
      parts[parts.length - 1] += between + line;
      size += between.length + line.length;
    }
  }
  return parts;
}

/** @param {string} text */
export function countWords(text) {
  let words = 0;
  for (const segment of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    if (segment.isWordLike) words++;
  }
  return words;
}
