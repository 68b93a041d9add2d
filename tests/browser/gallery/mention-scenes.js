/** "@" in the composer: the list, chips of tabs, what is told before Chrome asks, and what it granted. */

import { message, READY, user } from "./scene-parts.js";

/** @import { Attachment, Explaining, Granted, LibraryDocument, OpenTab, Settings } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

const LONG_TITLE = "Glacier retreat in the eastern Alps, 1850 to 2025: measurements, photographs and what they tell us";
const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><b>bold</b>\u202etxt.exe';

/**
 * @param {number} id
 * @param {string} title
 * @param {string} url
 * @returns {OpenTab}
 */
const tab = (id, title, url) => ({ id, title, url, isCurrent: id === 1, isPage: /^(https?:|$)/.test(url) });

const TABS = [
  tab(1, "How glaciers move and why it matters for coastlines", "https://www.example.org/glaciers"),
  tab(2, LONG_TITLE, "https://journal.alpine-research.example.net/2025/retreat"),
  tab(3, "Rainfall 2026", "https://weather.example.org/rain"),
  tab(4, "", "https://cafe.example.com/menu"),
  tab(5, "New Tab", "chrome://newtab/"),
  tab(6, "Café Zürich: opening hours", "https://cafe.example.com/hours"),
];
const HIDDEN = TABS.map((open) => (open.isCurrent ? open : { ...open, title: "", url: "", isPage: true }));

/**
 * @param {string} id
 * @param {string} name
 * @param {string} collection
 * @returns {LibraryDocument}
 */
const document = (id, name, collection) => ({
  id,
  name,
  collection,
  words: 900,
  chunks: 9,
  embedded: 9,
  added: "2026-11-20T10:00:00Z",
});

const DOCUMENTS = [
  document("d1", "Annual report 2025.pdf", "Documents"),
  document("d2", "Minutes_of_the_meeting_of_the_coastal_protection_board_2025-11-24_final.docx", "Documents"),
  document("d3", "glaciers.epub", "Ice"),
];

/** @param {Partial<Settings>} changes @returns {SceneEvent} */
const settings = (changes) => ({
  type: "settings",
  settings: { grants: [], notes: [], tools: [], modules: [], capabilities: [], ...changes },
});

const ALL_SITES = ["http://*/*", "https://*/*"];

/** @param {Granted} granted @returns {SceneEvent} */
const allowed = (granted) => ({ type: "permissions-changed", permissions: { ...granted, revocable: granted } });

/** @param {string} text @param {OpenTab[]} tabs @returns {SceneEvent[]} */
const typing = (text, tabs = TABS) => [
  ...READY,
  settings({ documents: DOCUMENTS }),
  allowed({ permissions: tabs === HIDDEN ? [] : ["tabs"], origins: [] }),
  { type: "tabs", tabs },
  { type: "draft", text },
];

/** @param {Partial<Attachment>} changes @returns {SceneEvent} */
const chip = (changes) => ({
  type: "attachment",
  attachment: {
    id: "t1",
    kind: "tab",
    name: "Rainfall 2026",
    detail: "weather.example.org",
    state: "ready",
    progress: null,
    ...changes,
  },
});

const FOLLOWED = chip({
  id: "followed-tab",
  name: "How glaciers move and why it matters for coastlines",
  detail: "www.example.org",
  follows: true,
});

/** @param {Explaining} what @returns {SceneEvent[]} */
const explaining = (what) => [...READY, message({ text: "Yes." }), { type: "explain", what }];

/** @param {Granted} granted @returns {SceneEvent[]} */
const permissions = (granted) => [
  ...READY,
  settings({}),
  allowed(granted),
  { type: "settings-open" },
  { type: "settings-section", section: "permissions" },
];

/** @type {Record<string, SceneEvent[]>} */
export const MENTION_SCENES = {
  mentions: typing("Compare @"),
  "mentions-hidden-tabs": typing("@", HIDDEN),
  "mentions-filtered": typing("Compare @cafe"),
  "mentions-nothing": typing("Compare @zebra"),
  "mentions-shy": typing("Ask @zebra", HIDDEN),
  "mentions-hostile": [
    ...typing("@", [tab(1, HOSTILE, "https://example.org/"), tab(2, HOSTILE, "https://example.org/a")]),
    settings({ documents: [document("d1", HOSTILE, HOSTILE)] }),
    chip({ name: HOSTILE, detail: HOSTILE }),
    { ...FOLLOWED },
  ],
  "tab-chips": [
    ...READY,
    FOLLOWED,
    chip({}),
    chip({ id: "t2", name: LONG_TITLE, detail: "journal.alpine-research.example.net", state: "reading" }),
    chip({
      id: "t3",
      name: "Bank: your account",
      detail: "bank.example.com",
      state: "error",
      problem: {
        title: "Chrome does not let Amplifier read this page.",
        detail: "Go to that tab and press Amplifier's button in the toolbar, then mention it again.",
      },
    }),
    { type: "draft", text: "What changed since last year?" },
  ],
  following: [
    ...READY,
    user("What is this about?"),
    message({ text: "Glaciers." }),
    FOLLOWED,
    { type: "draft", text: "" },
  ],
  "explain-follow": explaining("follow"),
  "explain-tabs": explaining("tabs"),
  "browser-permissions": permissions({
    permissions: ["tabs"],
    origins: [...ALL_SITES, "https://weather.example.org/*"],
  }),
  "browser-permissions-none": permissions({ permissions: [], origins: [] }),
};
