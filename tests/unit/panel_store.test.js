import assert from "node:assert/strict";
import { test } from "node:test";
import { mayFollow, maySeeTabs } from "../../sidepanel/browser-state.js";
import { editedModule } from "../../sidepanel/settings-state.js";
import { createStore, initialState, reduce } from "../../sidepanel/store.js";

/** @import { Attachment, Command, LibraryDocument, Message, PanelEvent, Settings, State, UserModule, ViewEvent } from "../../sidepanel/types.js" */

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

// Approvals

/**
 * @param {string} id
 * @returns {PanelEvent}
 */
const approval = (id) => ({
  type: "approval",
  approval: {
    id,
    tool: "python",
    title: "Run Python code",
    question: `Run ${id}?`,
    arguments: [],
    sees: "",
    scopes: ["once"],
    expires: 0,
  },
});

/** @param {State} state */
const asked = (state) => state.approvals.map(({ id }) => id);

test("questions wait in a queue, are announced once, and go when they are over", () => {
  const state = after([approval("p1"), approval("p2")]);
  assert.deepEqual(asked(state), ["p1", "p2"]);
  assert.equal(state.announcement.text, "Amplifier asks: Run p2?");
  const again = after([approval("p1")], state);
  assert.deepEqual(asked(again), ["p1", "p2"]);
  assert.equal(again.announcement, state.announcement);
  assert.deepEqual(asked(after([{ type: "approval-over", id: "p1" }], state)), ["p2"]);
  assert.equal(reduce(state, { type: "approval-over", id: "p9" }), state);
});

test("an answered question goes at once, and all go with the session", () => {
  const state = after([approval("p1"), approval("p2"), approval("p3")]);
  const answered = after(
    [
      { type: "sent", command: { type: "approve", id: "p1", scope: "once" } },
      { type: "sent", command: { type: "deny", id: "p3" } },
    ],
    state,
  );
  assert.deepEqual(asked(answered), ["p2"]);
  assert.deepEqual(asked(after([{ type: "sent", command: { type: "new-session" } }], state)), []);
  assert.deepEqual(asked(after([{ type: "fatal", error: { title: "No", detail: "" } }], state)), []);
});

// Settings

/**
 * @param {string} id
 * @param {Partial<UserModule>} [changes]
 * @returns {UserModule}
 */
const userModule = (id, changes) => ({
  id,
  name: id,
  source: `source of ${id}`,
  kind: "tool",
  enabled: false,
  state: "valid",
  problems: [],
  wants: ["page"],
  granted: [],
  log: [],
  ...changes,
});

/**
 * @param {Partial<Settings>} [changes]
 * @returns {PanelEvent}
 */
const settings = (changes) => ({
  type: "settings",
  settings: { grants: [], notes: [], tools: [], modules: [], capabilities: [], ...changes },
});

/**
 * @param {Command} command
 * @returns {ViewEvent}
 */
const sent = (command) => ({ type: "sent", command });

test("what is taken back or deleted goes at once; a deleted note can come back", () => {
  const state = after([
    settings({
      grants: [{ id: "g1", title: "Run", detail: "", created: 0 }],
      notes: [{ id: "n1", text: "metric", created: 0 }],
    }),
    sent({ type: "revoke", id: "g1" }),
    sent({ type: "delete-note", id: "n1" }),
  ]);
  assert.deepEqual(state.settings?.grants, []);
  assert.deepEqual(state.settings?.notes, []);
  assert.deepEqual(state.undo?.command, { type: "add-note", text: "metric" });
  assert.equal(after([sent({ type: "add-note", text: "metric" })], state).undo, null);
  assert.equal(after([{ type: "settings-section", section: "log" }], state).undo, null);
});

test("commands about settings change nothing before Python has told them", () => {
  const state = initialState();
  assert.equal(reduce(state, sent({ type: "revoke", id: "g1" })), state);
  assert.equal(reduce(state, sent({ type: "remove-module", id: "m1" })), state);
});

test("what is edited outlives the closed dialog, and is no draft any more once it is as saved", () => {
  const state = after([
    settings({ modules: [userModule("m1")] }),
    { type: "settings-open" },
    { type: "module-open", key: "m1" },
    { type: "module-draft", key: "m1", name: "m1", source: "changed" },
    { type: "settings-close" },
    { type: "settings-open" },
  ]);
  assert.equal(state.editor, "m1");
  assert.equal(editedModule(state, "m1")?.source, "changed");
  /** @type {ViewEvent} */
  const undone = { type: "module-draft", key: "m1", name: "m1", source: "source of m1" };
  assert.deepEqual(after([undone], state).drafts, {});
  assert.deepEqual(after([settings({ modules: [userModule("m1", { source: "changed" })] })], state).drafts, {});
});

test("news of the settings leaves unsaved changes alone", () => {
  const state = after([
    settings({ modules: [userModule("m1")] }),
    { type: "module-open", key: "m1" },
    { type: "module-draft", key: "m1", name: "m1", source: "changed" },
    { type: "module-new", name: "", source: "new" },
    settings({ modules: [userModule("m1", { enabled: true }), userModule("m2")] }),
  ]);
  assert.equal(editedModule(state, "m1")?.source, "changed");
  assert.equal(state.editor, "new-1");
  assert.equal(editedModule(state, "new-1")?.source, "new");
});

test("the editor goes on with a module saved for the first time, and with what was typed meanwhile", () => {
  const saving = after([
    settings({ modules: [userModule("m1")] }),
    { type: "module-new", name: "mine", source: "a" },
    sent({ type: "save-module", id: null, name: "mine", source: "a" }),
  ]);
  assert.equal(saving.saving, "new-1");
  const checking = userModule("m2", { name: "mine", source: "a", state: "checking" });
  const saved = after([settings({ modules: [userModule("m1"), checking] })], saving);
  assert.equal(saved.editor, "m2");
  assert.equal(saved.saving, "m2");
  assert.deepEqual(saved.drafts, {});
  const problems = [{ line: 1, message: "no" }];
  const checked = after(
    [
      { type: "module-draft", key: "m2", name: "mine", source: "ab" },
      settings({ modules: [userModule("m1"), { ...checking, state: "invalid", problems }] }),
    ],
    saved,
  );
  assert.equal(checked.saving, null);
  assert.equal(checked.announcement.text, "mine is saved: 1 problem");
  assert.equal(editedModule(checked, "m2")?.source, "ab");
});

test("two new modules do not write over each other; an empty one leaves nothing behind", () => {
  const state = after([
    settings(),
    { type: "module-new", name: "a", source: "a" },
    { type: "module-close" },
    { type: "module-new", name: "b", source: "b" },
    { type: "module-close" },
    { type: "module-new", name: "", source: "" },
    { type: "module-close" },
  ]);
  assert.deepEqual(
    Object.values(state.drafts).map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(Object.keys(after([{ type: "module-discard", key: "new-1" }], state).drafts), ["new-2"]);
});

test("a removed module can come back as it stood in the editor", () => {
  const state = after([
    settings({ modules: [userModule("m1")] }),
    { type: "module-open", key: "m1" },
    { type: "module-draft", key: "m1", name: "m1", source: "changed" },
    sent({ type: "remove-module", id: "m1" }),
  ]);
  assert.deepEqual(state.settings?.modules, []);
  assert.equal(state.editor, null);
  assert.deepEqual(state.undo?.command, { type: "save-module", id: null, name: "m1", source: "changed" });
});

test("switches and grants show at once", () => {
  const state = after([
    settings({ modules: [userModule("m1"), userModule("m2")] }),
    sent({ type: "enable-module", id: "m1", enabled: true }),
    sent({ type: "grant-module", id: "m1", capability: "page", granted: true }),
  ]);
  const [first, second] = state.settings?.modules ?? [];
  assert.equal(first?.enabled, true);
  assert.deepEqual(first?.granted, ["page"]);
  assert.deepEqual(second, userModule("m2"));
  const back = after([sent({ type: "grant-module", id: "m1", capability: "page", granted: false })], state);
  assert.deepEqual(back.settings?.modules[0]?.granted, []);
});

// Attachments and documents

/**
 * @param {string} id
 * @param {Partial<Attachment>} [changes]
 * @returns {PanelEvent}
 */
const attachment = (id, changes) => ({
  type: "attachment",
  attachment: { id, kind: "document", name: `${id}.pdf`, detail: "", state: "reading", progress: null, ...changes },
});

/** @param {State} state */
const tray = (state) => state.attachments.map(({ id, state }) => `${id} ${state}`);

/** @param {State} state */
const sentWith = (state) => state.messages[0]?.attachments?.map(({ id, name, state }) => `${id} ${name} ${state}`);

test("an attachment is put once, replaced by its news in its place, and gone when removed", () => {
  const state = after([attachment("d1"), attachment("d2"), attachment("d1", { state: "ready" })]);
  assert.deepEqual(tray(state), ["d1 ready", "d2 reading"]);
  assert.deepEqual(tray(after([sent({ type: "detach", id: "d1" })], state)), ["d2 reading"]);
  assert.deepEqual(tray(after([{ type: "attachment-removed", id: "d2" }], state)), ["d1 ready"]);
  assert.equal(reduce(state, { type: "attachment-removed", id: "d9" }), state);
});

test("late news of a removed attachment does not bring it back", () => {
  const state = after([attachment("d1"), sent({ type: "detach", id: "d1" })]);
  assert.equal(reduce(state, attachment("d1", { state: "indexing" })), state);
});

test("a prompt takes its attachments along and empties the tray; a failed one does not go", () => {
  const state = after([
    attachment("d1", { state: "indexing" }),
    attachment("d2", { state: "error" }),
    sent({ type: "prompt", id: "u1", text: "?", attachments: ["d1"] }),
  ]);
  assert.deepEqual(sentWith(state), ["d1 d1.pdf indexing"]);
  assert.deepEqual(tray(state), []);
});

test("a sent attachment's news goes to its message, and Python's word of the message forgets none of it", () => {
  const state = after([
    attachment("d1", { state: "indexing" }),
    sent({ type: "prompt", id: "u1", text: "?", attachments: ["d1"] }),
    attachment("d1", { state: "ready" }),
    user("u1"),
    user("u1", { attachments: [{ id: "d1", kind: "document", name: "d1.pdf" }] }),
  ]);
  assert.deepEqual(sentWith(state), ["d1 d1.pdf ready"]);
  assert.deepEqual(tray(state), []);
  assert.deepEqual(sentWith(after([sent({ type: "edit", id: "u1", text: "!" })], state)), ["d1 d1.pdf ready"]);
  const cleared = after([sent({ type: "new-session" }), attachment("d1", { state: "ready" })], state);
  assert.deepEqual(tray(cleared), []);
});

test("screen readers hear that a file is attached, ready or refused, and not each step between", () => {
  const said = (/** @type {State} */ state) => state.announcement.text;
  const reading = after([attachment("d1")]);
  assert.match(said(reading), /Attaching d1.pdf/);
  const indexing = after([attachment("d1", { progress: 0.5 }), attachment("d1", { state: "indexing" })], reading);
  assert.equal(indexing.announcement, reading.announcement);
  assert.match(said(after([attachment("d1", { state: "ready" })], indexing)), /d1.pdf is ready/);
  const problem = { title: "It is locked", detail: "" };
  assert.equal(said(after([attachment("d1", { state: "error", problem })], indexing)), "d1.pdf: It is locked");
  assert.match(said(after([attachment("s1", { state: "ready" })])), /s1.pdf is attached/);
});

/** @param {string} id @param {number} tab */
const mention = (id, tab) =>
  sent({ type: "mention-tab", id, tab, title: `Tab ${tab}`, url: `https://site${tab}.example/a` });

test("a mentioned tab is in the tray at once, and Python's news of it forgets not which tab it is", () => {
  const state = after([mention("t1", 7), sent({ type: "mention-tab", id: "t2", tab: 8, title: "", url: "" })]);
  const about = (/** @type {State} */ { attachments }) => attachments.map(({ name, detail }) => `${name}: ${detail}`);
  assert.deepEqual(tray(state), ["t1 reading", "t2 reading"]);
  assert.deepEqual(about(state), ["Tab 7: site7.example", "This page: "]);
  const read = after([attachment("t1", { kind: "tab", name: "Seven", detail: "900 words", state: "ready" })], state);
  assert.deepEqual(about(read), ["Seven: 900 words", "This page: "]);
  assert.equal(read.attachments[0]?.mentioned, "tab 7");
});

test("a mentioned document is in the tray at once, by its name", () => {
  const known = settings({ documents: [{ ...inLibrary("d1", "A"), name: "report.pdf" }] });
  const state = after([known, sent({ type: "mention-document", id: "m1", document: "d1" })]);
  assert.equal(state.attachments[0]?.name, "report.pdf");
  assert.equal(state.attachments[0]?.mentioned, "document d1");
});

const FOLLOWED = attachment("followed-tab", { kind: "tab", name: "First", state: "ready", follows: true });
const ELSEWHERE = attachment("followed-tab", { kind: "tab", name: "Second", state: "ready", follows: true });

test("what follows the user stays for the next message, and each message keeps the page that it was sent with", () => {
  const asked = sent({ type: "prompt", id: "u1", text: "?", attachments: ["followed-tab", "t1"] });
  const state = after([FOLLOWED, mention("t1", 7), asked, ELSEWHERE, user("u1")]);
  assert.deepEqual(
    state.attachments.map(({ name }) => name),
    ["Second"],
  );
  assert.deepEqual(sentWith(state), ["followed-tab First ready", "t1 Tab 7 reading"]);
});

test("following ends for good when its chip is removed, until it is asked for again", () => {
  const ended = after([FOLLOWED, sent({ type: "detach", id: "followed-tab" })]);
  assert.deepEqual(tray(after([ELSEWHERE], ended)), []);
  assert.deepEqual(tray(after([sent({ type: "follow-tab", value: true }), ELSEWHERE], ended)), ["followed-tab ready"]);
});

test("tabs, permissions and what is explained are kept as the page tells them", () => {
  const granted = { permissions: ["tabs"], origins: [] };
  const tab = { id: 1, title: "", url: "", isCurrent: true, isPage: true };
  const state = after([
    { type: "tabs", tabs: [tab] },
    { type: "permissions-changed", permissions: { ...granted, revocable: granted } },
    { type: "explain", what: "follow" },
  ]);
  assert.deepEqual(state.tabs, [tab]);
  assert.ok(maySeeTabs(state.permissions) && !mayFollow(state.permissions));
  const all = { permissions: ["tabs"], origins: ["https://*/*", "http://*/*"] };
  const following = after([{ type: "permissions-changed", permissions: { ...all, revocable: granted } }], state);
  assert.ok(mayFollow(following.permissions));
  assert.equal(state.explaining, "follow");
  assert.equal(reduce(state, { type: "explain", what: null }).explaining, null);
});

/**
 * @param {string} id
 * @param {string} collection
 * @returns {LibraryDocument}
 */
const inLibrary = (id, collection) => ({ id, collection, name: id, words: 1, chunks: 1, embedded: 1, added: 0 });

/** @param {State} state */
const shelves = (state) => state.settings?.documents?.map(({ id, collection }) => `${id} in ${collection}`);

test("documents move, and go, at once; a renamed collection takes its documents along", () => {
  const state = after([settings({ documents: [inLibrary("d1", "A"), inLibrary("d2", "A"), inLibrary("d3", "B")] })]);
  const moved = after([sent({ type: "move-document", id: "d1", collection: "B" })], state);
  assert.deepEqual(shelves(moved), ["d1 in B", "d2 in A", "d3 in B"]);
  const renamed = after([sent({ type: "rename-collection", from: "B", to: "C" })], moved);
  assert.deepEqual(shelves(renamed), ["d1 in C", "d2 in A", "d3 in C"]);
  const deleted = after([sent({ type: "delete-document", id: "d2" })], renamed);
  assert.deepEqual(shelves(deleted), ["d1 in C", "d3 in C"]);
  assert.equal(deleted.announcement.text, "d2 deleted");
});

test("deleted documents can be put back, one or a whole collection, until something else is deleted", () => {
  const state = after([settings({ documents: [inLibrary("d1", "A"), inLibrary("d2", "A"), inLibrary("d3", "B")] })]);
  const one = after([sent({ type: "delete-document", id: "d3" })], state);
  assert.deepEqual(one.undo?.command, { type: "restore-documents", ids: ["d3"] });
  const all = after([sent({ type: "delete-collection", collection: "A" })], one);
  assert.deepEqual(shelves(all), []);
  assert.deepEqual(all.undo, {
    text: "A deleted, with 2 documents.",
    command: { type: "restore-documents", ids: ["d1", "d2"] },
  });
  assert.equal(all.announcement.text, "A deleted, with 2 documents");
  assert.equal(after([sent({ type: "restore-documents", ids: ["d1", "d2"] })], all).undo, null);
  assert.equal(after([{ type: "settings-close" }], all).undo, null);
  assert.equal(after([sent({ type: "delete-collection", collection: "none" })], state), state);
});

test("a Python that begins anew knows nothing of what ran", () => {
  const approval = /** @type {any} */ ({ id: "p", question: "Run?" });
  const attachment = /** @type {Attachment} */ ({
    id: "a",
    kind: "document",
    name: "a.pdf",
    detail: "",
    state: "ready",
    progress: 1,
  });
  const before = after([
    { type: "ready" },
    user("u"),
    { type: "busy", value: true },
    { type: "approval", approval },
    { type: "attachment", attachment },
  ]);
  const state = reduce(before, { type: "restarting" });
  assert.deepEqual([state.python.state, state.busy, state.approvals, state.attachments], ["starting", false, [], []]);
  assert.deepEqual(ids(state), ["u"]);
  assert.deepEqual(after([{ type: "attachment", attachment }], state).attachments, []);
});

test("the timeline is told as a whole", () => {
  const entries = [{ time: 1, level: /** @type {const} */ ("info"), text: "It runs" }];
  assert.deepEqual(after([{ type: "timeline", entries }]).timeline, entries);
});

test("what is said before a choice of the user's is known is not said of the model that was chosen", () => {
  const models = ["small", "large"].map((id) => ({ id, name: `The ${id} one` }));
  const [small, large] = models;
  /** @param {any} changes */
  const told = (changes) => ({
    type: "engine",
    engine: { ...initialState().engine, state: "ready", models, model: small, ...changes },
  });
  const chosen = after([told({}), { type: "sent", command: { type: "choose-model", model: "large" } }]);
  const seen = ({ engine }) => [engine.state, engine.model?.id];
  assert.deepEqual(seen(chosen), ["loading", "large"]);
  const early = after([told({ engine: "webllm" })], chosen);
  assert.deepEqual(seen(early), ["loading", "large"]);
  assert.equal(early.announcement, chosen.announcement);
  const known = after([told({ asked: "large", model: large, state: "loading" })], early);
  assert.deepEqual(seen(known), ["loading", "large"]);
  assert.deepEqual(seen(after([told({ asked: "large", model: large })], known)), ["ready", "large"]);
  const busy = after([
    told({ state: "generating" }),
    { type: "sent", command: { type: "choose-model", model: "large" } },
  ]);
  assert.deepEqual(seen(busy), ["generating", "large"]);
  assert.deepEqual(seen(after([told({})], busy)), ["loading", "large"], "the answer ended meanwhile");
});
