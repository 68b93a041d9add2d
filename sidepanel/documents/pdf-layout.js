/**
 * From pieces of text with places on a page to headings, paragraphs, lists and tables. Pure: knows nothing of pdf.js.
 *
 * A segment is text on one baseline without a wide gap; a row is the segments side by side on a baseline. Lengths are in
 * points, y grows downwards. Sizes and gaps below are in multiples of the size of the letters.
 */
import { clean, gather, heading, plain, squeeze, tables } from "./blocks.js";

/**
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {{str: string, dir: string, transform: number[], width: number}} Item  as pdf.js gives it
 * @typedef {{text: string, x: number, right: number, y: number, size: number, rtl: boolean, turned: boolean}} Segment
 * @typedef {{cells: Segment[], text: string, x: number, right: number, y: number, size: number, turned: boolean}} Row
 * @typedef {{rows: Row[], page: number}} Paragraph
 * @typedef {{page: number, table: string[][]}} Table
 */

const SAME_LINE = 0.4;
const SPACE = 0.15;
const CELL_GAP = 1;
const OVERLAP = 0.5;
const INDENT = 0.8;
const HEADING_SIZE = 1.15;
const LONGEST_HEADING = 200;
const MOST_HEADINGS = 0.3;
const PROSE = 25; // characters of a line of a column, rather than of a table's cell
const LOOSEST_LINES = 2.5;

const BULLET = /^[•▪■◆●○◦‣⁃∙·–—*-]\s+(?=\S)|^[•▪■◆●◦‣⁃]/;
const MARKER = /^(?:[•▪■◆●○◦‣⁃∙·–—*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])$/;
const NUMBERED = /^\(?(?:\d{1,3}|[a-z])[.)]\s+\S/;
const SENTENCE_END = /[.!?:;…。！？]["”»’)\]]*$/;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const LEADER = /(?:\s?[.·]){5,}\s*/g; // the dots between a title and its page in a table of contents
const HYPHENATED = /\p{L}+-\p{L}+/gu;

/**
 * @param {Item[]} items  of one page, in the order of the file
 * @param {number[]} view  the page's transformation, which puts it upright
 * @returns {Row[]} in reading order
 */
export function pageRows(items, view) {
  const segments = toSegments(items, view);
  const upright = segments.filter((segment) => !segment.turned);
  const rows = toRows(isOutOfOrder(upright) ? cut(upright) : upright);
  return [...rows, ...segments.filter((segment) => segment.turned).map((segment) => toRow([segment]))];
}

/**
 * @param {Item[]} items
 * @param {number[]} view
 * @returns {Segment[]}
 */
function toSegments(items, view) {
  const pieces = items.map((item) => placed(item, view));
  const turn = commonTurn(pieces);
  /** @type {Segment[]} */
  const segments = [];
  let spaced = false;
  for (const piece of pieces) {
    if (!piece.text.trim()) {
      spaced ||= piece.text.length > 0;
      continue;
    }
    const next = upright(piece, turn);
    const last = segments.at(-1);
    if (!last || !append(last, next, spaced)) segments.push(next);
    spaced = /\s$/.test(piece.text);
  }
  for (const segment of segments) segment.text = squeeze(segment.text);
  return segments.filter((segment) => segment.text);
}

/**
 * @param {Item} item
 * @param {number[]} view
 */
function placed(item, view) {
  const [a, b, c, d, e, f] = item.transform;
  const across = [view[0] * a + view[2] * b, view[1] * a + view[3] * b];
  const up = [view[0] * c + view[2] * d, view[1] * c + view[3] * d];
  return {
    text: item.str,
    x: view[0] * e + view[2] * f + view[4],
    y: view[1] * e + view[3] * f + view[5],
    width: item.width,
    size: Math.hypot(up[0], up[1]) || 1,
    quarter: (Math.round(Math.atan2(across[1], across[0]) / (Math.PI / 2)) + 4) % 4,
    rtl: item.dir === "rtl",
  };
}

/** @param {ReturnType<typeof placed>[]} pieces */
function commonTurn(pieces) {
  const characters = [0, 0, 0, 0];
  for (const piece of pieces) characters[piece.quarter] += piece.text.length;
  return characters.indexOf(Math.max(...characters));
}

/**
 * A page whose text all stands on its side is read as if it were turned.
 * @param {ReturnType<typeof placed>} piece
 * @param {number} turn  quarters of a circle
 * @returns {Segment}
 */
function upright({ text, x, y, width, size, quarter, rtl }, turn) {
  const [left, base] = [
    [x, y],
    [y, -x],
    [-x, -y],
    [-y, x],
  ][turn];
  return { text, x: left, right: left + width, y: base, size, rtl, turned: quarter !== turn };
}

/**
 * Adds a piece to the segment that it goes on with; false where it does not.
 * @param {Segment} last
 * @param {Segment} next
 * @param {boolean} spaced  white space stands between them
 */
function append(last, next, spaced) {
  const size = Math.max(last.size, next.size);
  if (last.turned || next.turned || Math.abs(next.y - last.y) > SAME_LINE * size) return false;
  const leftwards = next.rtl || last.rtl;
  const gap = leftwards && next.x < last.x ? last.x - next.right : next.x - last.right;
  if (gap > CELL_GAP * size || gap < -OVERLAP * size) return isPrintedTwice(last, next);
  last.text += (spaced || gap > SPACE * size ? " " : "") + next.text;
  last.x = Math.min(last.x, next.x);
  last.right = Math.max(last.right, next.right);
  last.size = size;
  last.rtl ||= next.rtl;
  return true;
}

/**
 * Some writers print bold letters twice, a hair apart.
 * @param {Segment} last
 * @param {Segment} next
 */
function isPrintedTwice(last, next) {
  return last.text.endsWith(next.text) && Math.abs(next.right - last.right) < next.size / 4;
}

// ---- the order of reading

/**
 * Whether the order of the file is not that of reading: it jumps about, or goes through the lines of two columns by turns.
 * @param {Segment[]} segments
 */
function isOutOfOrder(segments) {
  let jumps = 0;
  for (let i = 1; i < segments.length; i++) {
    const [before, after] = [segments[i - 1], segments[i]];
    const nextColumn = after.rtl ? after.right < before.x : after.x > before.x + 3 * before.size;
    if (after.y < before.y - before.size && !nextColumn) jumps++;
  }
  if (jumps > 2 && jumps > segments.length / 20) return true;
  const pairs = toRows(segments).filter((row) => row.cells.length === 2);
  const prose = pairs.filter((row) => row.cells.every((cell) => cell.text.length >= PROSE));
  return prose.length >= 5 && prose.length >= 0.6 * pairs.length;
}

/**
 * Orders segments by cutting the page along its widest gaps: into columns where both sides hold prose, else into bands.
 * @param {Segment[]} segments
 * @returns {Segment[]}
 */
function cut(segments) {
  const size = median(segments.map((segment) => segment.size));
  if (segments.length < 2) return segments;
  const columns = split(segments, (s) => [s.x, s.right], size);
  if (columns?.every(isProse)) {
    const rtl = segments.filter((segment) => segment.rtl).length > segments.length / 2;
    return (rtl ? columns.reverse() : columns).flatMap(cut);
  }
  const bands = split(segments, (s) => [s.y - s.size, s.y + s.size / 4], size / 2);
  if (bands) return bands.flatMap(cut);
  return [...segments].sort((a, b) => (Math.abs(a.y - b.y) > SAME_LINE * size ? a.y - b.y : a.x - b.x));
}

/** @param {Segment[]} part */
function isProse(part) {
  const characters = part.reduce((sum, segment) => sum + segment.text.length, 0);
  return part.length >= 3 && characters / part.length >= 0.6 * PROSE;
}

/**
 * Two parts on the sides of the widest gap; null where none is as wide as `least`.
 * @param {Segment[]} segments
 * @param {(segment: Segment) => number[]} extent
 * @param {number} least
 */
function split(segments, extent, least) {
  const sorted = [...segments].sort((a, b) => extent(a)[0] - extent(b)[0]);
  let end = extent(sorted[0])[1];
  let best = { gap: least, at: 0 };
  for (let i = 1; i < sorted.length; i++) {
    const [from, to] = extent(sorted[i]);
    if (from - end >= best.gap) best = { gap: from - end, at: i };
    end = Math.max(end, to);
  }
  return best.at ? [sorted.slice(0, best.at), sorted.slice(best.at)] : null;
}

/** @param {number[]} numbers */
function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

/**
 * @param {Segment[]} segments
 * @returns {Row[]}
 */
function toRows(segments) {
  /** @type {Segment[][]} */
  const groups = [];
  for (const segment of segments) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    const beside = before && Math.abs(before.y - segment.y) <= SAME_LINE * Math.max(before.size, segment.size);
    if (last && beside) last.push(segment);
    else groups.push([segment]);
  }
  return groups.map(toRow);
}

/**
 * @param {Segment[]} segments
 * @returns {Row}
 */
function toRow(segments) {
  const rtl = segments.filter((segment) => segment.rtl).length > segments.length / 2;
  const cells = [...segments].sort((a, b) => (rtl ? b.x - a.x : a.x - b.x));
  if (cells.length > 1 && MARKER.test(cells[0].text)) {
    const [mark, first] = cells.splice(0, 2);
    cells.unshift({ ...first, x: Math.min(mark.x, first.x), text: `${mark.text} ${first.text}` });
  }
  const longest = cells.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  return {
    cells,
    text: cells.map((cell) => cell.text).join(" "),
    x: Math.min(...cells.map((cell) => cell.x)),
    right: Math.max(...cells.map((cell) => cell.right)),
    y: longest.y,
    size: longest.size,
    turned: segments[0].turned,
  };
}

// ---- from rows to blocks

/**
 * @param {Row[][]} pages
 * @param {Map<string, number>} outline  level of each title of the outline, by normalTitle
 * @returns {{blocks: Block[], repeated: string[]}} `repeated`: running heads and feet that were left out
 */
export function documentBlocks(pages, outline) {
  const running = runningLines(pages);
  const kept = pages.map((rows) => rows.filter((row) => !running.has(row)));
  const spacing = lineSpacing(kept);
  const parts = kept.flatMap((rows, index) => pageParts(rows, index + 1, spacing, outline));
  const levels = headingLevels(parts);
  const compounds = new Set(kept.flat().flatMap((row) => row.text.toLowerCase().match(HYPHENATED) ?? []));
  const blocks = parts.flatMap((part) =>
    "table" in part ? tableBlocks(part) : paragraphBlocks(part, levels, outline, compounds),
  );
  return { blocks: mergeLists(blocks), repeated: [...new Set(running.values())] };
}

/** @param {string} title */
export function normalTitle(title) {
  return clean(title)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/**
 * Running heads and feet: first and last lines that are the same on many pages, or that count the pages.
 * @param {Row[][]} pages
 * @returns {Map<Row, string>} each with its text, numbers left out
 */
function runningLines(pages) {
  const edges = pages.flatMap((rows, page) => edgesOf(rows).map((row) => ({ row, keys: keysOf(row, page) })));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { keys } of edges) for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const least = Math.max(3, 0.4 * pages.length);
  const running = edges.filter(({ keys: [line, ...counted] }) => {
    return (counts.get(line) ?? 0) >= least || counted.some((key) => (counts.get(key) ?? 0) >= 3);
  });
  return new Map(running.map(({ row }) => [row, pattern(row).replaceAll("#", "…")]));
}

/** @param {Row[]} rows */
function edgesOf(rows) {
  const heights = rows.filter((row) => !row.turned).map((row) => row.y);
  const [top, bottom] = [Math.min(...heights), Math.max(...heights)];
  return rows.filter((row) => !row.turned && (row.y === top || row.y === bottom));
}

/** @param {Row} row */
function pattern(row) {
  return row.text.replace(/\d+/g, "#");
}

/**
 * What a line shares with one on another page if both are running lines: its text but for numbers, and where it counts the
 * pages, that text with how far its count is from the page's place in the file.
 * @param {Row} row
 * @param {number} page
 */
function keysOf(row, page) {
  const numbers = row.text.match(/\d+/g) ?? [];
  const counts = new Set([numbers[0], numbers.at(-1)].flatMap((number) => (number ? [Number(number) - page] : [])));
  return [pattern(row), ...[...counts].map((offset) => `${offset} ${pattern(row)}`)];
}

/**
 * The usual distance of lines, in multiples of their size.
 * @param {Row[][]} pages
 */
function lineSpacing(pages) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const rows of pages) {
    for (let i = 1; i < rows.length; i++) {
      const step = (rows[i].y - rows[i - 1].y) / rows[i].size;
      const alike = Math.abs(rows[i].size - rows[i - 1].size) < 0.05 * rows[i].size;
      const rounded = Math.round(step * 20) / 20;
      if (alike && step > 0.8 && step <= LOOSEST_LINES) counts.set(rounded, (counts.get(rounded) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 1.2;
}

/**
 * @param {Row[]} rows
 * @param {number} page
 * @param {number} spacing
 * @param {Map<string, number>} outline
 * @returns {(Paragraph | Table)[]}
 */
function pageParts(rows, page, spacing, outline) {
  /** @type {(Paragraph | Table)[]} */
  const parts = [];
  for (let i = 0; i < rows.length; ) {
    const found = tableAt(rows, i);
    if (found) {
      parts.push({ page, table: found.table });
      i += found.length;
      continue;
    }
    const last = parts.at(-1);
    if (last && "rows" in last && continues(last.rows, rows[i], rows, spacing, outline)) last.rows.push(rows[i]);
    else parts.push({ page, rows: [rows[i]] });
    i++;
  }
  return parts;
}

/**
 * @param {Row[]} paragraph
 * @param {Row} row
 * @param {Row[]} page
 * @param {number} spacing
 * @param {Map<string, number>} outline
 */
function continues(paragraph, row, page, spacing, outline) {
  const before = paragraph[paragraph.length - 1];
  if (row.turned !== before.turned || Math.abs(row.size - before.size) > 0.12 * before.size) return false;
  if (outline.has(normalTitle(row.text)) || outline.has(normalTitle(paragraph.map((r) => r.text).join(" "))))
    return false;
  if (isItem(row) || before.text.search(LEADER) >= 0) return false;
  const step = row.y - before.y;
  if (step < 0) return !SENTENCE_END.test(before.text) && /^\p{Ll}/u.test(row.text); // on in the next column
  if (step > spacing * 1.2 * row.size) return false;
  const ended = SENTENCE_END.test(before.text);
  const indented = row.x > before.x + INDENT * row.size && row.x < before.x + 5 * row.size;
  if (indented && ended && !isItem(before)) return false;
  if (indented && paragraph.length > 1 && !before.cells[0].rtl) return false;
  return !(ended && isShort(before, page));
}

/** @param {Row} row */
function isItem(row) {
  return BULLET.test(row.text) || NUMBERED.test(row.text);
}

/**
 * Whether a line ends well before others in its column do.
 * @param {Row} row
 * @param {Row[]} page
 */
function isShort(row, page) {
  const beside = page.filter(
    (other) => other.x < row.right && other.right > row.x && Math.abs(other.x - row.x) < 4 * row.size,
  );
  const right = Math.max(...beside.map((other) => other.right));
  const left = Math.min(...beside.map((other) => other.x));
  return row.cells[0].rtl ? row.x > left + 0.25 * (right - left) : row.right < right - 0.25 * (right - left);
}

/**
 * The table that begins at a row: rows in sequence whose cells stand in the same columns.
 * @param {Row[]} rows
 * @param {number} start
 */
function tableAt(rows, start) {
  let end = start;
  while (end < rows.length && rows[end].cells.length > 1 && (end === start || follows(rows[end - 1], rows[end]))) end++;
  for (; end - start >= 2; end--) {
    const run = rows.slice(start, end);
    const columns = columnsOf(run);
    if (columns.length < 2 || (run.length < 3 && columns.length < 3)) continue;
    const table = run.map((row) => columns.map((column) => row.cells.find((cell) => isIn(cell, column))?.text ?? ""));
    if (run.every((row, i) => table[i].filter(Boolean).length === row.cells.length))
      return { table, length: end - start };
  }
  return null;
}

/**
 * @param {Row} before
 * @param {Row} row
 */
function follows(before, row) {
  return row.y > before.y && row.y - before.y < 4 * row.size && row.turned === before.turned;
}

/** @param {Row[]} rows */
function columnsOf(rows) {
  const cells = rows.flatMap((row) => row.cells).sort((a, b) => a.x - b.x);
  /** @type {{x: number, right: number}[]} */
  const columns = [];
  for (const cell of cells) {
    const last = columns.at(-1);
    if (last && cell.x < last.right) last.right = Math.max(last.right, cell.right);
    else columns.push({ x: cell.x, right: cell.right });
  }
  return rows[0].cells[0].rtl ? columns.reverse() : columns;
}

/**
 * @param {Segment} cell
 * @param {{x: number, right: number}} column
 */
function isIn(cell, column) {
  return cell.x >= column.x && cell.right <= column.right;
}

/**
 * @param {Table} part
 * @returns {Block[]}
 */
function tableBlocks({ table, page }) {
  return tables(table[0], table.slice(1)).map((text) => ({ text, page }));
}

/**
 * Levels of the sizes of letters that are clearly larger than the text's; none where too much of it is large.
 * @param {(Paragraph | Table)[]} parts
 * @returns {Map<number, number>} by rounded size
 */
function headingLevels(parts) {
  const paragraphs = parts.filter((part) => "rows" in part);
  /** @type {Map<number, number>} */
  const characters = new Map();
  for (const { rows } of paragraphs) {
    for (const row of rows) characters.set(rounded(row), (characters.get(rounded(row)) ?? 0) + row.text.length);
  }
  const body = [...characters].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
  const large = paragraphs.filter(({ rows }) => rounded(rows[0]) >= body * HEADING_SIZE && canBeHeading(rows));
  const all = [...characters.values()].reduce((sum, count) => sum + count, 0);
  const inLarge = large.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.text.length, 0);
  if (inLarge > MOST_HEADINGS * all) return new Map();
  const sizes = [...new Set(large.map(({ rows }) => rounded(rows[0])))].sort((a, b) => b - a);
  return new Map(sizes.map((size, index) => [size, Math.min(index + 1, 6)]));
}

/** @param {Row} row */
function rounded(row) {
  return Math.round(row.size * 2) / 2;
}

/** @param {Row[]} rows */
function canBeHeading(rows) {
  const length = rows.reduce((sum, row) => sum + row.text.length, 0);
  const listed = rows.some((row) => row.text.search(LEADER) >= 0);
  return (
    !listed && rows.length <= 3 && length <= LONGEST_HEADING && rows.some((row) => /\p{L}{2}|\p{Lo}/u.test(row.text))
  );
}

/**
 * @param {Paragraph} paragraph
 * @param {Map<number, number>} levels
 * @param {Map<string, number>} outline
 * @param {Set<string>} compounds
 * @returns {Block[]}
 */
function paragraphBlocks({ rows, page }, levels, outline, compounds) {
  const lines = rows.map((row) => row.text.replace(LEADER, " … "));
  const text = joinLines(lines, compounds);
  const level = outline.get(normalTitle(text)) ?? (canBeHeading(rows) ? levels.get(rounded(rows[0])) : undefined);
  if (level) return [{ ...heading(text, level), page }];
  if (BULLET.test(text)) return [{ text: `- ${text.replace(BULLET, "").trim()}`, page }];
  return [{ text: plain(text), page }];
}

/**
 * The lines of a paragraph as one, words that were divided at a line's end made whole.
 * @param {string[]} lines
 * @param {Set<string>} compounds  words that have a hyphen elsewhere too, where no line ends
 */
export function joinLines(lines, compounds = new Set()) {
  return lines.reduce((text, line) => {
    const divided = /(\p{L}+)[-‐]$/u.exec(text);
    const rest = /^\p{Ll}+/u.exec(line)?.[0];
    if (divided && rest) {
      const keeps = compounds.has(`${divided[1]}-${rest}`.toLowerCase());
      return (keeps ? text : text.slice(0, -1)) + line;
    }
    if (/\S[-‐]$/.test(text)) return text + line;
    return UNSPACED.test(text.slice(-1)) && UNSPACED.test(line.slice(0, 1)) ? text + line : `${text} ${line}`;
  });
}

/**
 * Items that follow one another on a page become one list.
 * @param {Block[]} blocks
 * @returns {Block[]}
 */
function mergeLists(blocks) {
  /** @type {Block[]} */
  const merged = [];
  for (let i = 0; i < blocks.length; ) {
    let end = i;
    const isListed = (/** @type {Block} */ block) =>
      !block.heading_level && (block.text.startsWith("- ") || NUMBERED.test(block.text));
    while (end < blocks.length && isListed(blocks[end]) && blocks[end].page === blocks[i].page) end++;
    if (end > i) {
      for (const text of gather(blocks.slice(i, end).map((block) => block.text)))
        merged.push({ text, page: blocks[i].page });
    } else merged.push(blocks[i]);
    i = Math.max(end, i + 1);
  }
  return merged;
}
