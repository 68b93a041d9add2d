/** What an "@" in a draft may mean: which of the open tabs and documents, by what is typed after it. */

import { hostOf } from "../address.js";
import { documentKey, tabKey } from "../attachments-state.js";
import { maySeeTabs } from "../browser-state.js";

/** @import { Attachment, LibraryDocument, OpenTab, Permissions } from "../types.js" */
/** @import { Group } from "./suggestions.js" */

/**
 * @typedef {object} About
 * @property {string} key
 * @property {string} name
 * @property {string} detail
 * @property {boolean} [isShy]
 *
 * @typedef {About & ({kind: "page" | "tab", tab: OpenTab}
 *   | {kind: "show-tabs" | "follow" | "all-documents" | "screenshot"}
 *   | {kind: "document", document: string}
 *   | {kind: "collection", collection: string})} MentionOption
 *
 * @typedef {object} Mentionable what there is to mention
 * @property {OpenTab[] | null} tabs
 * @property {Permissions} permissions
 * @property {LibraryDocument[]} documents
 * @property {Attachment[]} attachments what is mentioned already
 * @property {string} blind why the model takes no images; "" if it does
 */

/**
 * The mention that is being typed, if the caret stands in one.
 *
 * @param {string} text
 * @param {number} caret
 * @returns {{start: number, end: number, word: string} | null} from "@" to the end of the word; what is typed up to the caret
 */
export function mentionAt(text, caret) {
  const word = /(?:^|\s)@([^\s@]*)$/u.exec(text.slice(0, caret))?.[1];
  if (word === undefined) return null;
  const rest = /^[^\s@]*/u.exec(text.slice(caret))?.[0] ?? "";
  return { start: caret - word.length - 1, end: caret + rest.length, word };
}

/**
 * The text without a mention, and where the caret then stands; of two spaces around it one stays.
 *
 * @param {string} text
 * @param {{start: number, end: number}} mention
 */
export function withoutMention(text, { start, end }) {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const isDouble = /^ /.test(after) && /(^|\s)$/.test(before);
  return { text: before + (isDouble ? after.slice(1) : after), caret: start };
}

/**
 * @param {Mentionable} mentionable
 * @param {string} word
 * @returns {Group<MentionOption>[]}
 */
export function mentionGroups({ tabs, permissions, documents, attachments, blind }, word) {
  const taken = new Set(attachments.map(({ mentioned }) => mentioned));
  const fits = (/** @type {MentionOption} */ option) => matches(option, word) && !taken.has(option.key);
  const narrowed = (/** @type {MentionOption[]} */ options) => beginsFirst(options.filter(fits), word);
  const always = {
    label: "",
    options: narrowed([...pageOptions(tabs), screenshot(blind), ...followOptions(attachments)]),
  };
  const hidden = maySeeTabs(permissions) ? [] : [showTabs(word)];
  const named = [
    { label: "Open tabs", options: [...narrowed(tabOptions(tabs)), ...hidden] },
    { label: "Documents", options: narrowed(documents.map(documentOption)) },
    { label: "Collections", options: narrowed(collectionOptions(documents)) },
  ];
  if (!word) return [always, ...named];
  const groups = [...named, always];
  const begins = groups.filter(({ options: [first] }) => first && beginsWith(first, word));
  return [...begins, ...groups.filter((group) => !begins.includes(group))];
}

/** @param {OpenTab[] | null} tabs @returns {MentionOption[]} */
function pageOptions(tabs) {
  const tab = tabs?.find(({ isCurrent, isPage }) => isCurrent && isPage);
  return tab
    ? [{ kind: "page", key: tabKey(tab.id), name: "This page", detail: tab.title || hostOf(tab.url), tab }]
    : [];
}

/** @param {string} blind @returns {MentionOption} */
const screenshot = (blind) => ({
  kind: "screenshot",
  key: "screenshot",
  name: "Screenshot of this page",
  detail: blind,
});

/** @param {Attachment[]} attachments @returns {MentionOption[]} */
function followOptions(attachments) {
  if (attachments.some(({ follows }) => follows)) return [];
  return [{ kind: "follow", key: "follow", name: "Follow the tab in front", detail: "" }];
}

/** @param {OpenTab[] | null} tabs @returns {MentionOption[]} */
function tabOptions(tabs) {
  const others = (tabs ?? []).filter(({ isCurrent, isPage, url }) => !isCurrent && isPage && url);
  return others.map((tab) => {
    const site = hostOf(tab.url);
    return { kind: "tab", key: tabKey(tab.id), name: tab.title || site, detail: tab.title ? site : "", tab };
  });
}

/** @param {string} word @returns {MentionOption} */
function showTabs(word) {
  /** @type {MentionOption} */
  const option = { kind: "show-tabs", key: "show-tabs", name: "Show my open tabs…", detail: "" };
  return { ...option, isShy: !matches(option, word) };
}

/** @param {LibraryDocument} document @returns {MentionOption} */
const documentOption = ({ id, name, collection }) => ({
  kind: "document",
  key: documentKey(id),
  name,
  detail: collection,
  document: id,
});

/** @param {LibraryDocument[]} documents @returns {MentionOption[]} */
function collectionOptions(documents) {
  const names = [...new Set(documents.map(({ collection }) => collection))].sort((a, b) => a.localeCompare(b));
  const size = (/** @type {string} */ name) => documents.filter(({ collection }) => collection === name).length;
  const options = names.map(
    (name) =>
      /** @type {MentionOption} */ ({
        kind: "collection",
        key: `collection ${name}`,
        name,
        detail: counted(size(name)),
        collection: name,
      }),
  );
  if (names.length < 2) return options;
  return [...options, { kind: "all-documents", key: "all", name: "All documents", detail: counted(documents.length) }];
}

/** @param {number} count */
const counted = (count) => `${count.toLocaleString("en")} ${count === 1 ? "document" : "documents"}`;

/** A text as it is compared: without case and accents. @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** @param {About} option @param {string} word */
const matches = ({ name, detail }, word) => plain(`${name} ${detail}`).includes(plain(word));

/**
 * @param {MentionOption[]} options
 * @param {string} word
 */
function beginsFirst(options, word) {
  if (!word) return options;
  return [
    ...options.filter((option) => beginsWith(option, word)),
    ...options.filter((option) => !beginsWith(option, word)),
  ];
}

/** Whether a word of its name begins so. @param {About} option @param {string} word */
const beginsWith = ({ name }, word) => ` ${plain(name)}`.includes(` ${plain(word)}`);
