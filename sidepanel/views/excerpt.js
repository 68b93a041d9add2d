/** The part of a passage that is shown of it, and where in it the words of a query stand. */

/** Scripts without spaces between words: there a word may begin anywhere. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmr}\p{scx=Mymr}]/u;
/** Words shorter than this are marked only where a query has no longer one. */
const TELLING = 4;
/** Of what stands before the first word that was found. */
const LEAD = 60;

/**
 * The text in pieces, of which every other one, beginning with the second, is a word of the query.
 *
 * @param {string} text
 * @param {string} query
 * @returns {string[]}
 */
export function split(text, query) {
  const pattern = wordsOf(query);
  return pattern ? text.split(pattern) : [text];
}

/**
 * About `length` characters of a text, from a little before where the query's words begin in it. Short texts are whole.
 *
 * @param {string} text
 * @param {string} query
 * @param {number} length
 */
export function excerpt(text, query, length) {
  if (text.length <= length) return text;
  const first = split(text, query)[0] ?? "";
  const begin =
    first.length === text.length ? 0 : wordBefore(text, Math.min(first.length - LEAD, text.length - length));
  const end = wordBefore(text, begin + length);
  const shown = text.slice(begin, end > begin ? end : begin + length).trim();
  return `${begin > 0 ? "… " : ""}${shown}${begin + length < text.length ? " …" : ""}`.toWellFormed();
}

/**
 * Where the word begins that stands at a place; the place itself in a text without spaces.
 *
 * @param {string} text
 * @param {number} at
 */
function wordBefore(text, at) {
  if (at <= 0) return 0;
  if (at >= text.length) return text.length;
  const space = text.slice(0, at).search(/\s\S*$/u);
  return at - space > LEAD || space < 0 ? at : space + 1;
}

/**
 * @param {string} query
 * @returns {RegExp | null}
 */
function wordsOf(query) {
  const all = query.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  const telling = all.filter((word) => word.length >= TELLING || UNSPACED.test(word));
  const words = telling.length > 0 ? telling : all;
  if (words.length === 0) return null;
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  const begins = longestFirst.map((word) => (UNSPACED.test(word) ? word : `(?<![\\p{L}\\p{N}\\p{M}])${word}`));
  return new RegExp(`(${begins.join("|")})`, "giu");
}
