/** States of the list of conversations, and of the line that says which one is open. */

import { message, READY, user } from "./scene-parts.js";

/** @import { OpenSession, Problem, SessionItem } from "../../../sidepanel/types.js" */
/** @import { SceneEvent } from "./scene-parts.js" */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = new Date().setHours(12, 0, 0, 0);

/**
 * @param {string} id
 * @param {string} title
 * @param {number} daysAgo
 * @param {Partial<SessionItem>} [rest]
 * @returns {SessionItem}
 */
function item(id, title, daysAgo, rest) {
  const updated = NOON - daysAgo * DAY - Number(id.slice(1)) * 60_000;
  const created = updated - HOUR;
  return { id, title, created, updated, pinned: false, messages: 6, model: "smollm2-360m", open: false, ...rest };
}

const ITEMS = [
  item("s1", "Words for the garden club’s letter", 40, { pinned: true, messages: 24 }),
  item("s2", "How glaciers move and why it matters for coastlines, in a title that takes up more than two lines", 0, {
    open: true,
  }),
  item("s3", "ما هو النهر الجليدي؟", 0, { messages: 2 }),
  item("s4", "Draft a short, friendly reply to the landlord", 1, { messages: 1 }),
  item("s5", "Pros and cons of working from home", 45),
  item("s6", "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen".repeat(2), 46, { messages: 1204 }),
  item("s7", "Explain how rainbows form", 420),
];

const FOUND = ITEMS.slice(1, 4).map((each) => ({
  ...each,
  snippet: "…so a glacier is compressed snow that flows; where Glaciers end in the sea, they calve and the coast…",
}));

/** @type {Problem} */
const TROUBLE = {
  title: "The conversations cannot be read",
  detail: "The browser does not open their database. This conversation goes on. Close other windows of the browser.",
  technical: "UnknownError: Internal error opening backing store for indexedDB.open.",
};

/** @type {Problem} */
const UNSAVED = {
  title: "This conversation is not being saved",
  detail: "It goes on, and saving is tried again by itself. Free some space on the disk, or export the conversation.",
  technical: "QuotaExceededError",
};

const ASKED = [
  user("How do glaciers move?"),
  message({ text: "They flow under their own weight and slide on meltwater." }),
];

/**
 * @param {Partial<OpenSession>} [session]
 * @returns {SceneEvent}
 */
const open = (session) => ({
  type: "session",
  session: { id: "s2", title: "How glaciers move and why it matters for coastlines", state: "kept", ...session },
});

/**
 * @param {SessionItem[]} sessions
 * @param {string} [query]
 * @param {Problem | null} [error]
 * @returns {SceneEvent[]}
 */
const listed = (sessions, query = "", error = null) => [
  ...READY,
  open(),
  ...ASKED,
  { type: "sessions-open" },
  { type: "sessions", query, sessions, error },
];

const HOSTILE = '<img src=x onerror="document.body.dataset.hacked=1"><b>bold</b>';

/** @type {Record<string, SceneEvent[]>} */
export const SESSIONS_SCENES = {
  sessions: listed(ITEMS),
  "sessions-loading": [...READY, { type: "sessions-open" }],
  "sessions-empty": listed([]),
  "sessions-found": listed(FOUND, "glacier sea"),
  "sessions-nothing": listed([], "zeppelin"),
  "sessions-error": listed([], "", TROUBLE),
  "sessions-deleted": [...listed(ITEMS), { type: "sent", command: { type: "delete-session", id: "s4" } }],
  "sessions-hostile": listed(
    [item("s1", HOSTILE, 0, { snippet: HOSTILE }), item("s2", "x".repeat(300), 0)],
    "<img onerror",
  ),
  "sessions-many": listed(Array.from({ length: 500 }, (_, n) => item(`s${n + 1}`, `Conversation ${n + 1}`, n / 5))),
  "session-kept": [...READY, open(), ...ASKED],
  "session-temporary": [...READY, open({ id: "s9", title: "New conversation", state: "temporary" }), ...ASKED],
  "session-temporary-empty": [...READY, open({ id: "s9", title: "New conversation", state: "temporary" })],
  "session-unsaved": [...READY, open({ state: "unsaved", problem: UNSAVED }), ...ASKED],
  "session-elsewhere": [
    ...READY,
    open(),
    ...ASKED,
    {
      type: "notice",
      level: "warning",
      text: "This conversation is open in another window. Close it there, or take it over here.",
      action: { label: "Take it over", command: { type: "open-session", id: "s4", take: true } },
    },
  ],
};
