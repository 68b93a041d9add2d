import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, initialState, reduce } from "../../sidepanel/store.js";

/** @import { Message, PanelEvent, State, ViewEvent } from "../../sidepanel/types.js" */

/**
 * @param {(PanelEvent | ViewEvent)[]} events
 * @param {State} [state]
 */
const after = (events, state = initialState()) => events.reduce(reduce, state);

/**
 * @param {string} id
 * @param {Partial<Message>} [rest]
 * @returns {PanelEvent}
 */
const user = (id, rest) => ({ type: "message", message: { id, role: "user", state: "done", text: id, ...rest } });

/**
 * @param {string} id
 * @param {Partial<Message>} [rest]
 * @returns {PanelEvent}
 */
const answer = (id, rest) => ({
  type: "message",
  message: { id, role: "assistant", state: "streaming", text: "", ...rest },
});

/**
 * @param {string} id
 * @returns {ViewEvent}
 */
const prompt = (id) => ({ type: "sent", command: { type: "prompt", id, text: id } });

/** @param {State} state */
const ids = (state) => state.messages.map((message) => message.id);

/**
 * @param {import("../../sidepanel/types.js").EngineState} state
 * @returns {PanelEvent}
 */
const engine = (state) => ({
  type: "engine",
  engine: { state, model: null, models: [], progress: null, text: "", error: null },
});

test("a prompt shows at once as queued and empties the composer", () => {
  const state = after([
    { type: "draft", text: "hello" },
    { type: "sent", command: { type: "prompt", id: "u1", text: "hello" } },
  ]);
  assert.deepEqual(state.messages, [{ id: "u1", role: "user", state: "queued", text: "hello" }]);
  assert.equal(state.draft, "");
});

test("summarizing shows a queued line and keeps what was typed", () => {
  const state = after([
    { type: "draft", text: "hello" },
    { type: "sent", command: { type: "summarize", id: "u1" } },
  ]);
  assert.equal(state.messages[0]?.state, "queued");
  assert.equal(state.messages[0]?.text, "Summarize this page");
  assert.equal(state.draft, "hello");
});

test("a message of a known id replaces, of a new id goes last", () => {
  const state = after([user("u1"), answer("a1"), answer("a1", { state: "done", text: "x" }), user("u2")]);
  assert.deepEqual(ids(state), ["u1", "a1", "u2"]);
  assert.equal(state.messages[1]?.text, "x");
});

test("an answer goes before the questions that still wait", () => {
  const state = after([prompt("u1"), prompt("u2"), prompt("u3"), user("u1"), answer("a1")]);
  assert.deepEqual(ids(state), ["u1", "a1", "u2", "u3"]);
  const later = after([answer("a1", { state: "done" }), user("u2"), answer("a2")], state);
  assert.deepEqual(ids(later), ["u1", "a1", "u2", "a2", "u3"]);
});

test("an answer goes after its question even if that is still called queued", () => {
  assert.deepEqual(ids(after([prompt("u1"), prompt("u2"), answer("a1")])), ["u1", "a1", "u2"]);
});

test("an answer given anew goes before a question that was taken back", () => {
  const state = after([user("u1"), answer("a1"), prompt("u2"), user("u2", { state: "stopped" })]);
  assert.deepEqual(ids(after([{ type: "removed", ids: ["a1"] }, answer("a2")], state)), ["u1", "a2", "u2"]);
});

test("deltas add to their message and leave the others alone", () => {
  const before = after([user("u1"), answer("a1")]);
  const state = after(
    [
      { type: "delta", id: "a1", text: "Hel" },
      { type: "delta", id: "a1", text: "lo" },
    ],
    before,
  );
  assert.equal(state.messages[1]?.text, "Hello");
  assert.equal(state.messages[0], before.messages[0]);
  assert.equal(before.messages[1]?.text, "");
});

test("a delta for a message that is gone changes nothing", () => {
  const state = after([user("u1")]);
  assert.equal(reduce(state, { type: "delta", id: "a1", text: "x" }), state);
});

test("removed messages are gone, and an edit of one ends", () => {
  const state = after([user("u1"), answer("a1"), { type: "edit-start", id: "u1" }, { type: "removed", ids: ["u1"] }]);
  assert.deepEqual(ids(state), ["a1"]);
  assert.equal(state.editing, null);
});

test("an edit replaces the text and drops what followed", () => {
  const state = after([
    user("u1"),
    answer("a1"),
    user("u2"),
    { type: "edit-start", id: "u1" },
    { type: "sent", command: { type: "edit", id: "u1", text: "new" } },
  ]);
  assert.deepEqual(state.messages, [{ id: "u1", role: "user", state: "queued", text: "new" }]);
  assert.equal(state.editing, null);
});

test("a new session clears at once, and keeps what was typed after it", () => {
  const state = after([user("u1"), answer("a1"), { type: "sent", command: { type: "new-session" } }]);
  assert.deepEqual(ids(state), []);
  const late = after([prompt("u2"), answer("a1", { state: "stopped" }), { type: "cleared" }], state);
  assert.deepEqual(ids(late), ["u2"]);
});

test("a failed start ends being busy", () => {
  const error = { title: "No", detail: "" };
  const state = after([
    { type: "busy", value: true },
    { type: "fatal", error },
  ]);
  assert.deepEqual(state.python, { state: "failed", error });
  assert.equal(state.busy, false);
});

test("screen readers hear an answer once, when it has ended", () => {
  const streaming = after([user("u1"), answer("a1"), { type: "delta", id: "a1", text: "Ice." }]);
  assert.equal(streaming.announcement.text, "");
  const done = after([answer("a1", { state: "done", text: "Ice." })], streaming);
  assert.match(done.announcement.text, /Ice\./);
  const again = after([answer("a1", { state: "done", text: "Ice.", notes: ["n"] })], done);
  assert.equal(again.announcement, done.announcement);
});

test("the model's readiness is announced after loading, not after each answer", () => {
  const ready = after([engine("loading"), engine("ready")]);
  assert.match(ready.announcement.text, /ready/);
  assert.equal(after([engine("generating"), engine("ready")], ready).announcement, ready.announcement);
});

test("notices: the newest three, no two of one text, each to dismiss", () => {
  /** @type {PanelEvent[]} */
  const events = ["a", "b", "c", "d", "b"].map((text) => ({ type: "notice", level: "info", text }));
  const state = after(events);
  assert.deepEqual(
    state.notices.map((notice) => notice.text),
    ["c", "d", "b"],
  );
  assert.equal(new Set(state.notices.map((notice) => notice.id)).size, 3);
  const id = state.notices[0]?.id ?? 0;
  assert.deepEqual(
    after([{ type: "dismiss", id }], state).notices.map((notice) => notice.text),
    ["d", "b"],
  );
});

test("the store is current at once and tells its listeners once a frame", () => {
  /** @type {(() => void)[]} */
  const frames = [];
  let told = 0;
  const store = createStore({ send: () => {}, schedule: (callback) => frames.push(callback) });
  store.subscribe(() => {
    told += 1;
  });
  store.dispatch(answer("a1"));
  for (let n = 0; n < 100; n += 1) store.dispatch({ type: "delta", id: "a1", text: "x" });
  assert.equal(store.getState().messages[0]?.text.length, 100);
  assert.equal(frames.length, 1);
  assert.equal(told, 0);
  frames.pop()?.();
  assert.equal(told, 1);
});

test("a command is shown and passed on, in that order", () => {
  /** @type {number[]} */
  const shown = [];
  const store = createStore({ send: () => shown.push(store.getState().messages.length), schedule: () => {} });
  store.send({ type: "prompt", id: "u1", text: "x" });
  assert.deepEqual(shown, [1]);
});
