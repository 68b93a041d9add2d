import assert from "node:assert/strict";
import { test } from "node:test";
import { mentionAt, mentionGroups, withoutMention } from "../../sidepanel/views/mention-options.js";

/** @import { Attachment, LibraryDocument, OpenTab } from "../../sidepanel/types.js" */
/** @import { Mentionable } from "../../sidepanel/views/mention-options.js" */

/** @param {string} text with "|" where the caret stands */
function typed(text) {
  const caret = text.indexOf("|");
  const draft = text.replace("|", "");
  const mention = mentionAt(draft, caret);
  return mention && { ...mention, ...withoutMention(draft, mention) };
}

test("a mention begins at an @ that no letter precedes, and ends with the word", () => {
  assert.equal(typed("@|")?.word, "");
  assert.equal(typed("Compare @gla|")?.word, "gla");
  assert.equal(typed("one\n@gla|")?.word, "gla");
  assert.equal(typed("Compare @gla|cier now")?.text, "Compare now");
  for (const text of ["me@example.org|", "@gla cier|", "Compare|", "|@gla", "@@a|"])
    assert.equal(typed(text), null, text);
});

test("what is left of a text has no double space where the mention was", () => {
  assert.deepEqual([typed("Compare @a| and")?.text, typed("Compare @a| and")?.caret], ["Compare and", 8]);
  assert.equal(typed("@a| is what?")?.text, "is what?");
  assert.equal(typed("Compare @a|")?.text, "Compare ");
  assert.equal(typed("Compare (\n@a|\n)")?.text, "Compare (\n\n)");
});

/**
 * @param {number} id
 * @param {Partial<OpenTab>} [changes]
 * @returns {OpenTab}
 */
const tab = (id, changes) => ({
  id,
  title: `Tab ${id}`,
  url: `https://site${id}.example/a`,
  isCurrent: id === 1,
  isPage: true,
  ...changes,
});

/**
 * @param {string} id
 * @param {string} name
 * @param {string} collection
 * @returns {LibraryDocument}
 */
const document = (id, name, collection) => ({ id, name, collection, words: 1, chunks: 1, embedded: 1, added: 0 });

/**
 * @param {string} word
 * @param {Partial<Mentionable>} [changes]
 * @param {string[]} [granted]
 */
function offered(word, changes, granted = ["tabs"]) {
  const nothing = { permissions: [], origins: [] };
  const permissions = { permissions: granted, origins: [], revocable: nothing };
  const groups = mentionGroups(
    { tabs: null, permissions, documents: [], attachments: [], blind: "", ...changes },
    word,
  );
  return groups.flatMap(({ options }) => options);
}

/** @param {ReturnType<typeof offered>} options */
const names = (options) => options.map(({ name }) => name);

const TABS = [tab(1), tab(2, { title: "Café Zürich" }), tab(3, { title: "" }), tab(4, { isPage: false })];
const DOCUMENTS = [
  document("d1", "a report.pdf", "A"),
  document("d2", "notes.md", "A"),
  document("d3", "ice.epub", "B"),
];

test("this page, the other tabs that can be read, documents and collections are offered", () => {
  const all = names(offered("", { tabs: TABS, documents: DOCUMENTS }));
  const tabs = ["This page", "Screenshot of this page", "Follow the tab in front", "Café Zürich", "site3.example"];
  assert.deepEqual(all, [...tabs, "a report.pdf", "notes.md", "ice.epub", "A", "B", "All documents"]);
});

test("letters narrow them, whatever their case and accents, and names that begin so come first", () => {
  assert.deepEqual(names(offered("zurich", { tabs: TABS })), ["Café Zürich"]);
  assert.deepEqual(names(offered("SITE2", { tabs: TABS })), ["Café Zürich"]);
  const documents = [document("d1", "glacier.pdf", "A"), document("d2", "the ice.md", "A")];
  assert.deepEqual(names(offered("ice", { documents })), ["the ice.md"]);
  assert.deepEqual(names(offered("i", { documents })), [
    ...["the ice.md", "glacier.pdf", "Follow the tab in front", "Screenshot of this page"],
  ]);
  assert.equal(
    names(offered("all", { tabs: [tab(2, { title: "Rainfall" })], documents: DOCUMENTS }))[0],
    "All documents",
  );
  assert.deepEqual(offered("zebra", { tabs: TABS, documents: DOCUMENTS }), []);
});

test("tabs that Chrome does not show are one entry that asks for them, which Enter alone does not choose by a name", () => {
  const hidden = [tab(1), tab(2, { title: "", url: "" })];
  const show = (/** @type {string} */ word) =>
    offered(word, { tabs: hidden }, []).find(({ kind }) => kind === "show-tabs");
  assert.equal(show("")?.isShy, false);
  assert.equal(show("tabs")?.isShy, false);
  assert.equal(show("zebra")?.isShy, true);
  assert.equal(
    offered("", { tabs: hidden }).some(({ kind }) => kind === "show-tabs"),
    false,
  );
});

test("what is attached already is not offered again", () => {
  /** @type {Attachment} */
  const chip = { id: "t1", kind: "tab", name: "", detail: "", state: "ready", progress: null };
  const attachments = [
    { ...chip, mentioned: "tab 1" },
    { ...chip, mentioned: "document d1" },
    { ...chip, follows: /** @type {const} */ (true) },
  ];
  const all = names(offered("", { tabs: TABS.slice(0, 2), documents: DOCUMENTS.slice(0, 2), attachments }));
  assert.deepEqual(all, ["Screenshot of this page", "Café Zürich", "notes.md", "A"]);
});

test("a screenshot that the model could not see says so", () => {
  const [option] = offered("screen", { blind: "Tiny cannot see images" });
  assert.deepEqual([option?.kind, option?.detail], ["screenshot", "Tiny cannot see images"]);
});
