// Vectors and keywords of the library: node --test tests/unit/library_search.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import { KeywordIndex, terms } from "../../background/library/keywords.js";
import { DIMENSIONS, quantize, VectorIndex } from "../../background/library/vectors.js";

/** The same numbers between -1 and 1 for the same seed. */
function numbers(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
}

function randomVector(next) {
  return Float32Array.from({ length: DIMENSIONS }, next);
}

function cosine(a, b) {
  const sums = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    sums[0] += a[i] * b[i];
    sums[1] += a[i] * a[i];
    sums[2] += b[i] * b[i];
  }
  return sums[0] / Math.sqrt(sums[1] * sums[2]);
}

function chunk(id, text, heading = "") {
  return { id, document: "d", ordinal: 0, text, heading };
}

function indexed(texts) {
  const index = new KeywordIndex();
  for (const [id, text] of Object.entries(texts)) index.add(chunk(id, text));
  return index;
}

const ids = (found) => found.map(({ id }) => id);
const middle = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

// ---- vectors

test("bytes keep the cosine of a vector to one hundredth", () => {
  const next = numbers(1);
  const index = new VectorIndex();
  const vectors = Array.from({ length: 200 }, () => randomVector(next));
  for (const [i, vector] of vectors.entries()) index.add(`c${i}`, quantize(vector));
  const query = vectors[7].map((value) => value + next());
  const found = index.search(quantize(query), 200);
  assert.equal(found.length, 200);
  for (const { id, score } of found) assert.ok(Math.abs(score - cosine(query, vectors[Number(id.slice(1))])) < 0.01);
  assert.equal(found[0].id, "c7");
});

test("the nearest come first, no more than asked for, and only those that are wanted", () => {
  const index = new VectorIndex();
  const axis = (i, size = 1) => quantize(Float32Array.from({ length: DIMENSIONS }, (_, j) => (j === i ? size : 0.001)));
  for (let i = 0; i < 10; i++) index.add(`c${i}`, axis(i));
  const query = Float32Array.from({ length: DIMENSIONS }, (_, j) => (j < 10 ? 10 - j : 0));
  assert.deepEqual(ids(index.search(quantize(query), 3)), ["c0", "c1", "c2"]);
  assert.deepEqual(ids(index.search(quantize(query), 2, (id) => id > "c4")), ["c5", "c6"]);
  assert.deepEqual(index.search(quantize(query), 0), []);
  assert.deepEqual(index.search(new Int8Array(DIMENSIONS), 3), []);
});

test("rows that go leave the others where they can be found", () => {
  const next = numbers(2);
  const index = new VectorIndex();
  const kept = new Map();
  for (let i = 0; i < 3000; i++) {
    const vector = quantize(randomVector(next));
    index.add(`c${i}`, vector);
    if (i % 3) kept.set(`c${i}`, vector);
  }
  for (let i = 0; i < 3000; i += 3) index.remove(`c${i}`);
  index.remove("c0");
  index.remove("unknown");
  assert.equal(index.size, kept.size);
  for (const [id, vector] of kept) assert.deepEqual(ids(index.search(vector, 1)), [id]);
  index.add("c1", kept.get("c2"));
  assert.equal(index.size, kept.size);
  assert.deepEqual(new Set(ids(index.search(kept.get("c2"), 2))), new Set(["c1", "c2"]));
});

// ---- keywords

test("words are cut the same in every script", () => {
  assert.deepEqual(terms("Hello, WORLD: ﬁle_name don’t 2,500"), "hello world file name don t 2 500".split(" "));
  assert.deepEqual(terms("naïve Über हिन्दी 한국어"), ["naïve", "über", "हिन्दी", "한국어"]);
  assert.deepEqual(terms("東京都foo"), ["東京", "京都", "foo"]);
  assert.deepEqual(terms("水 ｶﾅ"), ["水", "カナ"]);
  assert.deepEqual(terms("--- ... !"), []);
});

test("the chunk with the rarer word, or more of the words, comes first", () => {
  const index = indexed({
    a: "the seal lay on the ice",
    b: "the ship lay in the harbour",
    c: "the harbour froze and a seal came to the ship",
    d: "the weather was fine",
  });
  assert.deepEqual(ids(index.search("seal ship", 10)), ["c", "a", "b"]);
  assert.deepEqual(ids(index.search("the weather", 1)), ["d"]);
  assert.deepEqual(index.search("zeppelin", 10), []);
  assert.deepEqual(index.search("", 10), []);
  assert.deepEqual(ids(index.search("sea", 10)), [], "a part of a word is not the word");
});

test("headings count, and Chinese is found within a sentence", () => {
  const index = new KeywordIndex();
  index.add(chunk("a", "It takes two weeks.", "Shipping > Abroad"));
  index.add(chunk("b", "我住在东京都附近的一个小镇"));
  index.add(chunk("c", "我在京城上学"));
  assert.deepEqual(ids(index.search("shipping abroad", 10)), ["a"]);
  assert.deepEqual(ids(index.search("东京都", 10)), ["b"]);
});

test("a removed chunk is not found, and an added one is not added twice", () => {
  const index = indexed({ a: "seal", b: "seal seal" });
  index.add(chunk("a", "seal"));
  assert.equal(index.search("seal", 10).length, 2);
  index.remove("b");
  index.remove("b");
  assert.deepEqual(ids(index.search("seal", 10)), ["a"]);
  assert.deepEqual(ids(index.search("seal", 10, (id) => id !== "a")), []);
});

test("words that are nearly everywhere give way to those that tell", () => {
  const index = new KeywordIndex();
  for (let i = 0; i < 6000; i++) index.add(chunk(`c${i}`, i === 4321 ? "the walrus" : `the word${i}`));
  assert.deepEqual(index.tellingTerms("the walrus, the unknown"), ["walrus"]);
  assert.deepEqual(ids(index.search("the walrus", 10)), ["c4321"]);
  assert.deepEqual(index.tellingTerms("the"), ["the"]);
  assert.equal(index.search("the", 10).length, 10);
});

// ---- ten thousand chunks; how fast is printed, and checked in the browser, where it counts

test("10,000 chunks: the nearest and the rare are found", (context) => {
  const next = numbers(3);
  const word = () => `w${Math.floor(20000 ** ((next() + 1) / 2)).toString(36)}`; // as rare as in a language
  const words = (count) => Array.from({ length: count }, word).join(" ");
  const vectors = new VectorIndex();
  const keywords = new KeywordIndex();
  const all = [];
  for (let i = 0; i < 10_000; i++) {
    all.push(quantize(randomVector(next)));
    vectors.add(`c${i}`, all[i]);
    keywords.add(chunk(`c${i}`, `${words(80)} only${i}`, words(3)));
  }
  const times = { vectors: [], keywords: [] };
  for (let i = 0; i < 30; i++) {
    const query = quantize(randomVector(next));
    let began = performance.now();
    const near = vectors.search(query, 20);
    times.vectors.push(performance.now() - began);
    const best = Math.max(...all.map((vector) => cosine(query, vector)));
    assert.ok(Math.abs(near[0].score - best) < 1e-6);
    const text = `what is ${words(8)} only${i * 333}`;
    began = performance.now();
    const found = keywords.search(text, 20);
    times.keywords.push(performance.now() - began);
    assert.ok(ids(found).includes(`c${i * 333}`));
  }
  for (const [kind, each] of Object.entries(times)) context.diagnostic(`${kind}: median ${middle(each).toFixed(1)} ms`);
});
