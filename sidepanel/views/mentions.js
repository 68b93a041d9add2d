/** "@" in the composer: mentions open tabs, documents and collections, which then go along with the message. */

import { html } from "htm/preact";
import { useEffect, useReducer } from "preact/hooks";
import { hostOf } from "../address.js";
import { mayFollow } from "../browser-state.js";
import { FolderIcon, FollowIcon, GlobeIcon, ImageIcon, PageIcon, TabsIcon } from "./icons.js";
import { attachScreenshot } from "./images.js";
import { mentionAt, mentionGroups, withoutMention } from "./mention-options.js";
import { useSuggestions } from "./suggestions.js";

/** @import { OpenTab, State, Store } from "../types.js" */
/** @import { Mentionable, MentionOption } from "./mention-options.js" */

const SYMBOLS = {
  page: GlobeIcon,
  tab: GlobeIcon,
  "show-tabs": TabsIcon,
  follow: FollowIcon,
  document: PageIcon,
  collection: FolderIcon,
  "all-documents": FolderIcon,
  screenshot: ImageIcon,
};

/**
 * @param {object} props
 * @param {{current: HTMLTextAreaElement | null}} props.box
 * @param {string} props.draft
 * @param {Mentionable} props.mentionable
 * @param {State["explaining"]} props.explaining
 * @param {Store} props.store
 * @returns {ReturnType<typeof useSuggestions>}
 */
export function useMentions({ box, draft, mentionable, explaining, store }) {
  useCaret(box);
  const mention = explaining ? null : mentionAt(draft, caretIn(box.current, draft));
  const word = mention?.word ?? "";

  function now() {
    const { draft } = store.getState();
    return { draft, mention: mentionAt(draft, caretIn(box.current, draft)) };
  }

  function latest() {
    const { mention } = now();
    return mention ? mentionGroups(mentionable, mention.word).flatMap(({ options }) => options) : [];
  }

  /** @param {MentionOption} option */
  function choose(option) {
    const { draft, mention } = now();
    if (mention && option.kind !== "show-tabs") {
      const { text, caret } = withoutMention(draft, mention);
      putText(box.current, text, caret);
      store.dispatch({ type: "draft", text });
    }
    attach(option, store);
  }
  const suggestions = useSuggestions({
    id: "mention-list",
    testid: "mention-list",
    label: "Mention",
    called: "to mention",
    occasion: mention && `@ ${mention.start}`,
    query: word,
    groups: mention ? mentionGroups(mentionable, word) : [],
    empty: `Nothing called “${word}”.`,
    latest,
    choose,
    draw: (option) => ({ testid: "mention-option", name: option.name, view: html`<${Option} option=${option} />` }),
    store,
  });
  useEffect(() => (suggestions.isOpen ? store.watchTabs() : undefined), [suggestions.isOpen]);
  return suggestions;
}

/** @param {{option: MentionOption}} props */
function Option({ option: { kind, name, detail } }) {
  return html`<${SYMBOLS[kind]} /><span class=${kind === "page" ? "mention-name page" : "mention-name"} dir="auto" title=${name}>${name}</span>
    ${detail && html`<span class="suggestion-title" dir="auto" title=${detail}>${detail}</span>`}`;
}

/**
 * Where the caret stands; behind a draft that the box does not show yet.
 *
 * @param {HTMLTextAreaElement | null} box
 * @param {string} draft
 */
const caretIn = (box, draft) => (box?.value === draft ? box.selectionStart : draft.length);

/**
 * At once, not with the next frame: the user may be typing on.
 *
 * @param {HTMLTextAreaElement | null} box
 * @param {string} text
 * @param {number} caret
 */
function putText(box, text, caret) {
  if (!box) return;
  box.value = text;
  box.setSelectionRange(caret, caret);
}

/**
 * Draws anew when the caret moves.
 *
 * @param {{current: HTMLTextAreaElement | null}} box
 */
function useCaret(box) {
  const [, draw] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useEffect(() => {
    const onMove = () => document.activeElement === box.current && draw(0);
    document.addEventListener("selectionchange", onMove);
    return () => document.removeEventListener("selectionchange", onMove);
  }, []);
}

/**
 * @param {MentionOption} option
 * @param {Store} store
 */
function attach(option, store) {
  const id = crypto.randomUUID();
  switch (option.kind) {
    case "page":
    case "tab":
      return attachTab(id, option.tab, store);
    case "show-tabs":
      return store.dispatch({ type: "explain", what: "tabs" });
    case "screenshot":
      return attachScreenshot(store);
    case "document":
      return store.send({ type: "mention-document", id, document: option.document });
    case "collection":
      return store.send({ type: "ask-documents", collection: option.collection });
    case "all-documents":
      return store.send({ type: "ask-documents", collection: null });
    case "follow":
      return mayFollow(store.getState().permissions)
        ? store.send({ type: "follow-tab", value: true })
        : store.dispatch({ type: "explain", what: "follow" });
  }
}

/**
 * @param {string} id
 * @param {OpenTab} tab
 * @param {Store} store
 */
async function attachTab(id, tab, store) {
  const { title, url } = tab;
  const mayRead = await store.requestTab(tab).catch(() => false);
  if (mayRead) store.send({ type: "mention-tab", id, tab: tab.id, title, url });
  else store.dispatch({ type: "notice", level: "warning", text: refusal(tab) });
}

/**
 * What happened and the next step.
 *
 * @param {OpenTab} tab
 */
function refusal({ title, url, isCurrent }) {
  const name = title ? `“${title}”` : "This page";
  const site = url ? hostOf(url) : "it";
  const where = isCurrent ? "" : "go to that tab and ";
  const again = url ? "Mention it again and choose Allow, or " : "To let it, ";
  return `${name} is not attached: Chrome does not let Amplifier read ${site}. ${again}${where}press Amplifier's button in the toolbar.`;
}
