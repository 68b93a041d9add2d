import assert from "node:assert/strict";
import { test } from "node:test";
import { groupSessions, whenOf } from "../../sidepanel/session-groups.js";
import { initialState, reduce } from "../../sidepanel/store.js";

/** @import { Command, OpenSession, PanelEvent, SessionItem, State, ViewEvent } from "../../sidepanel/types.js" */

/**
 * @param {(PanelEvent | ViewEvent)[]} events
 * @param {State} [state]
 */
const after = (events, state = initialState()) => events.reduce(reduce, state);

/** @param {Command} command @returns {ViewEvent} */
const sent = (command) => ({ type: "sent", command });

/**
 * @param {string} id
 * @param {Partial<SessionItem>} [rest]
 * @returns {SessionItem}
 */
const item = (id, rest) => ({
  ...{ id, title: `Title ${id}`, created: 0, updated: 100, pinned: false, messages: 2, model: "m", open: false },
  ...rest,
});

/**
 * @param {SessionItem[]} sessions
 * @param {string} [query]
 * @returns {PanelEvent}
 */
const listed = (sessions, query = "") => ({ type: "sessions", query, sessions, error: null });

/**
 * @param {string} id
 * @param {Partial<OpenSession>} [rest]
 * @returns {PanelEvent}
 */
const session = (id, rest) => ({ type: "session", session: { id, title: `Title ${id}`, state: "kept", ...rest } });

/** @param {State} state */
const ids = (state) => state.sessions.items?.map(({ id }) => id);

const LIST = [item("p", { pinned: true }), item("a", { updated: 300 }), item("b", { updated: 200 })];
const OPEN = after([{ type: "sessions-open" }, listed(LIST)]);

test("there is no list until Python has told it", () => {
  const state = after([{ type: "sessions-open" }]);
  assert.equal(state.sessions.items, null);
  assert.deepEqual(ids(after([listed([])], state)), []);
});

test("what a search found is not shown as all when the list is opened again", () => {
  const found = after([listed([item("a")], "ice"), { type: "sessions-close" }], OPEN);
  assert.equal(after([{ type: "sessions-open" }], found).sessions.items, null);
  assert.deepEqual(ids(after([{ type: "sessions-close" }, { type: "sessions-open" }], OPEN)), ["p", "a", "b"]);
});

test("the number found is said once a search, and nothing of a list that nobody sees", () => {
  const found = after([listed([item("a")], "ice")], OPEN);
  assert.equal(found.announcement.text, "1 conversation found");
  assert.equal(after([listed([], "ice")], found).announcement, found.announcement);
  assert.equal(after([listed([], "snow")], found).announcement.text, "0 conversations found");
  assert.equal(after([listed([item("a")], "ice")]).announcement.text, "");
});

test("trouble with the list is kept and said, until there is a list", () => {
  const error = { title: "Broken", detail: "" };
  const state = after([{ type: "sessions", query: "", sessions: [], error }], OPEN);
  assert.equal(state.sessions.error, error);
  assert.equal(state.announcement.text, "Broken");
  assert.equal(after([listed(LIST)], state).sessions.error, null);
});

test("a deleted conversation goes at once, and comes back to its place", () => {
  const deleted = after([sent({ type: "delete-session", id: "a" })], OPEN);
  assert.deepEqual(ids(deleted), ["p", "b"]);
  assert.deepEqual(deleted.sessions.deleted?.undo, {
    text: "“Title a” deleted.",
    command: { type: "restore-sessions", ids: ["a"] },
  });
  assert.match(deleted.announcement.text, /Title a deleted/);
  const told = after([listed([LIST[0], LIST[2]].map((each) => /** @type {SessionItem} */ (each)))], deleted);
  const restored = after([sent({ type: "restore-sessions", ids: ["a"] })], told);
  assert.deepEqual(ids(restored), ["p", "a", "b"]);
  assert.equal(restored.sessions.deleted, null);
  assert.match(restored.announcement.text, /Title a is back/);
});

test("undo is of the last deletion, and over when the list is closed", () => {
  const deleted = after([sent({ type: "delete-session", id: "a" })], OPEN);
  assert.equal(after([{ type: "sessions-close" }], deleted).sessions.deleted, null);
  const all = after([sent({ type: "delete-all-sessions" })], deleted);
  assert.deepEqual(ids(all), ["p"]);
  assert.equal(all.announcement.text, "1 conversation deleted. Undo brings them back.");
  const restored = after([sent({ type: "restore-sessions", ids: ["b"] })], all);
  assert.deepEqual(ids(restored), ["p", "b"]);
});

test("a pinned conversation goes to the top, a renamed one stays", () => {
  const pinned = after([sent({ type: "pin-session", id: "b", pinned: true })], OPEN);
  assert.deepEqual(ids(pinned), ["b", "p", "a"]);
  const renamed = after([sent({ type: "rename-session", id: "a", title: "Ice" })], pinned);
  assert.deepEqual(
    renamed.sessions.items?.map(({ title }) => title),
    ["Title b", "Title p", "Ice"],
  );
  assert.equal(OPEN.sessions.items?.[1]?.title, "Title a");
});

test("a conversation that was asked for is said when it is open; a failure to open it is forgotten", () => {
  const before = after([session("a")]);
  const opened = after([sent({ type: "open-session", id: "b" }), session("b")], before);
  assert.equal(opened.announcement.text, "Title b is open");
  assert.equal(after([session("b", { title: "New title" })], opened).announcement, opened.announcement);
  const failed = after([sent({ type: "open-session", id: "b" }), listed(LIST), session("c")], before);
  assert.equal(failed.announcement.text, "");
});

test("a question that waits stays with its conversation; one that is asked after another was, goes along", () => {
  const asked = (/** @type {string} */ id) => sent({ type: "prompt", id, text: id });
  /** @type {Command[]} */
  const ways = [
    { type: "open-session", id: "b" },
    { type: "fork-session", message: "a1" },
    { type: "delete-session", id: "a" },
    { type: "delete-all-sessions" },
  ];
  for (const way of ways) {
    const list = listed([item("a", { open: true }), item("b")]);
    const state = after([list, asked("u1"), sent(way), asked("u2"), { type: "cleared" }]);
    assert.deepEqual(
      state.messages.map(({ id }) => id),
      ["u2"],
      way.type,
    );
  }
  const other = after([listed([item("a"), item("b")]), asked("u1"), sent({ type: "delete-session", id: "a" })]);
  assert.deepEqual(other.sessions.left, []);
});

test("that a conversation is not saved is said once", () => {
  const problem = { title: "Not saved", detail: "" };
  const state = after([session("a"), session("a", { state: "unsaved", problem })]);
  assert.equal(state.announcement.text, "Not saved");
  assert.equal(after([session("a", { state: "unsaved", problem })], state).announcement, state.announcement);
});

test("answers that come whole belong to a conversation that was opened, and are not read out", () => {
  const message = /** @type {const} */ ({ id: "a1", role: "assistant", state: "done", text: "Ice." });
  assert.equal(after([{ type: "message", message }]).announcement.text, "");
});

test("a notice keeps its action", () => {
  const action = {
    label: "Take it over",
    command: /** @type {Command} */ ({ type: "open-session", id: "a", take: true }),
  };
  const state = after([{ type: "notice", level: "warning", text: "Open elsewhere", action }]);
  assert.deepEqual(state.notices, [{ id: 1, level: "warning", text: "Open elsewhere", action }]);
});

test("conversations are grouped by age, in the order of the list", () => {
  const now = new Date(2026, 10, 26, 9, 30); // a Thursday
  /** @param {string} id @param {Date} date @param {Partial<SessionItem>} [rest] */
  const at = (id, date, rest) => item(id, { updated: date.valueOf(), ...rest });
  const groups = groupSessions(
    [
      at("pinned", new Date(2026, 5, 1), { pinned: true }),
      at("future", new Date(2026, 10, 27)),
      at("midnight", new Date(2026, 10, 26)),
      at("late", new Date(2026, 10, 25, 23, 59)),
      at("monday", new Date(2026, 10, 23)),
      at("sunday", new Date(2026, 10, 22, 23, 59)),
      at("november", new Date(2026, 10, 1)),
      at("october", new Date(2026, 9, 31)),
      at("year", new Date(2025, 9, 31)),
    ],
    now,
  );
  assert.deepEqual(
    groups.map(({ label, items }) => [label, ...items.map(({ id }) => id)]),
    [
      ["Pinned", "pinned"],
      ["Today", "future", "midnight"],
      ["Yesterday", "late"],
      ["Earlier this week", "monday"],
      ["November 2026", "sunday", "november"],
      ["October 2026", "october"],
      ["October 2025", "year"],
    ],
  );
});

test("on a Monday nothing is of earlier this week", () => {
  const groups = groupSessions([item("a", { updated: new Date(2026, 10, 21).valueOf() })], new Date(2026, 10, 23, 1));
  assert.deepEqual(
    groups.map(({ label }) => label),
    ["November 2026"],
  );
});

test("no more of a date is said than is needed", () => {
  const now = new Date(2026, 10, 26, 9, 30);
  /** @param {Date} date */
  const when = (date) => whenOf(date.valueOf(), now).replace(/\s/g, " ");
  assert.equal(when(new Date(2026, 10, 26, 8, 5)), "8:05 AM");
  assert.equal(when(new Date(2026, 10, 25, 8, 5)), "Yesterday, 8:05 AM");
  assert.match(when(new Date(2026, 10, 23, 8, 5)), /^Monday\b.*8:05 AM$/);
  assert.equal(when(new Date(2026, 10, 19)), "Nov 19");
  assert.equal(when(new Date(2025, 10, 19)), "Nov 19, 2025");
});
