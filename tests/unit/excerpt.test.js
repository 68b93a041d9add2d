import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt, split } from "../../sidepanel/views/excerpt.js";

/**
 * The words that are marked.
 *
 * @param {string} text
 * @param {string} query
 */
const marked = (text, query) => split(text, query).filter((_, i) => i % 2);

test("the query's words are marked where a word begins with them, whatever their case", () => {
  assert.deepEqual(marked("Dikes protect; a dike-warden mends DIKES, not the Klondike.", "dike"), [
    "Dike",
    "dike",
    "DIKE",
  ]);
  assert.deepEqual(marked("The board and the dikes.", "what does the board do?"), ["board"]); // "what" and "does" are not there
  assert.deepEqual(marked("Go to it.", "go it"), ["Go", "it"]); // there are no longer ones
  assert.deepEqual(marked("Плотины и дамбы", "дамбы"), ["дамбы"]);
  assert.deepEqual(marked("新しい灯台の費用", "灯台"), ["灯台"]);
});

test("signs in a query are no patterns", () => {
  assert.deepEqual(split("a (b) c.*", "(.*)[+"), ["a (b) c.*"]);
  assert.deepEqual(split("Costs: $5", ""), ["Costs: $5"]);
});

test("all of a text is kept when it is split", () => {
  const text = "Seals rest.\nGrey seals rest too.";
  assert.equal(split(text, "seals grey").join(""), text);
});

const LONG = `${"Nothing about it here. ".repeat(30)}The lighthouse was built in 1890. ${"Nothing here either. ".repeat(30)}`;

test("an excerpt begins a little before what was found, at a word, and says what it leaves out", () => {
  const shown = excerpt(LONG, "lighthouse", 200);
  assert.ok(shown.includes("The lighthouse was built in 1890."));
  assert.match(shown, /^… \S/);
  assert.match(shown, /\S …$/);
  assert.ok(shown.length <= 206);
  const inner = shown.slice(2, -2);
  assert.ok(LONG.includes(inner));
  assert.match(LONG, new RegExp(`(^|\\s)${inner.replaceAll(".", "\\.")}(\\s|$)`)); // no word is cut
});

test("an excerpt of a short text is all of it; without a word of the query it is the beginning", () => {
  assert.equal(excerpt("Short.", "nothing", 200), "Short.");
  assert.ok(excerpt(LONG, "glacier", 100).startsWith("Nothing about it here."));
  assert.ok(excerpt(LONG, "", 100).endsWith(" …"));
});

test("an excerpt reaches to the end of the text", () => {
  const text = `${"word ".repeat(100)}last lighthouse`;
  assert.ok(excerpt(text, "lighthouse", 200).endsWith("last lighthouse"));
});

test("a text without spaces is cut anywhere, but no sign in two", () => {
  const text = "灯台🗼".repeat(200);
  for (let length = 50; length < 60; length += 1) {
    const shown = excerpt(text, "x", length);
    assert.ok(shown.length > 40 && shown.isWellFormed());
  }
});
