// Keyword search over the library's chunks: BM25 by MiniSearch, words of every script.

import MiniSearch from "minisearch";

/** @import { Chunk } from "../protocol.js" */

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that put no spaces between words: two neighbouring letters stand for a word. */
const UNSPACED = "\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmr}\\p{scx=Mymr}";
const RUN = new RegExp(`([${UNSPACED}]+)|[^${UNSPACED}]+`, "gu");
const ANY_UNSPACED = new RegExp(`[${UNSPACED}]`, "u");
/**
 * How many occurrences of its words a query may look at. The rarest words decide a search; those that are in every other
 * chunk cost the most and tell the least.
 */
const MOST_OCCURRENCES = 5000;

/** The terms of a text, in order: all in lower case, widths and ligatures made equal. @param {string} text */
export function terms(text) {
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  if (!ANY_UNSPACED.test(text)) return words;
  return words.flatMap((word) => [...word.matchAll(RUN)].flatMap(([run, unspaced]) => (unspaced ? pairs(run) : [run])));
}

/** @param {string} run */
function pairs(run) {
  const letters = [...run];
  return letters.length === 1 ? letters : letters.slice(1).map((letter, i) => letters[i] + letter);
}

export class KeywordIndex {
  constructor() {
    /** @type {MiniSearch<{id: string, words: string[]}>} */
    this.index = new MiniSearch({
      fields: ["words"],
      stringifyField: /** @type {any} */ ((/** @type {string[]} */ words) => words), // terms() has cut them already
      tokenize: /** @type {any} */ ((/** @type {string[]} */ words) => words),
      processTerm: (term) => term,
      searchOptions: { tokenize: terms, combineWith: "OR", prefix: false, fuzzy: false },
    });
    /** @type {Map<string, number>} chunks that ever had a word; those that went are still counted */
    this.occurrences = new Map();
  }

  /** A chunk that is there already stays as it is: the same id means the same words. @param {Chunk} chunk */
  add(chunk) {
    if (this.index.has(chunk.id)) return;
    const words = terms(`${chunk.heading}\n${chunk.text}`);
    this.index.add({ id: chunk.id, words });
    for (const term of new Set(words)) this.occurrences.set(term, (this.occurrences.get(term) ?? 0) + 1);
  }

  /** @param {string} id */
  remove(id) {
    if (this.index.has(id)) this.index.discard(id);
  }

  /**
   * Chunks that have a word of the query, best first.
   * @param {string} query
   * @param {number} limit
   * @param {(id: string) => boolean} [isWanted]
   * @returns {{id: string, score: number}[]} scores are BM25's
   */
  search(query, limit, isWanted) {
    const filter = isWanted && ((/** @type {{id: string}} */ { id }) => isWanted(id));
    const found = this.index.search(this.tellingTerms(query).join(" "), filter ? { filter } : {});
    // MiniSearch multiplies BM25's score by the number of words that match, which puts three common ones before a rare one.
    const scored = found.map(({ id, score, queryTerms }) => ({ id, score: score / queryTerms.length }));
    return scored.sort((a, b) => b.score - a.score).slice(0, limit);
  }

  /** The query's words that any chunk has, rarest first, as many as there is time for. @param {string} query */
  tellingTerms(query) {
    const count = (/** @type {string} */ term) => this.occurrences.get(term) ?? 0;
    const known = [...new Set(terms(query))].filter(count).sort((a, b) => count(a) - count(b));
    let sum = 0;
    return known.filter((term, i) => {
      sum += count(term);
      return i === 0 || sum <= MOST_OCCURRENCES;
    });
  }
}
