// The library's life with a scripted store, model and Worker: node --test tests/unit/library_life.test.js

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Catalogue } from "../../background/library/catalogue.js";
import { Library } from "../../background/library/library.js";
import { LibraryError } from "../../background/library/store.js";
import { LibrarySupervisor } from "../../background/library/supervisor.js";
import { DIMENSIONS } from "../../background/library/vectors.js";

/** What store.js does, in memory; `fails` makes the next change fail. */
class MemoryStore {
  constructor() {
    this.documentTable = new Map();
    this.chunkTable = new Map();
    this.vectorTable = new Map();
    this.count = 0;
    this.fails = null;
  }
  check() {
    const { fails } = this;
    this.fails = null;
    if (fails) throw fails;
  }
  async documents() {
    return [...this.documentTable.values()];
  }
  async vectors() {
    return [...this.vectorTable];
  }
  async computed() {
    return this.count;
  }
  async chunks(places) {
    return places.map(({ document, ordinal }) => this.chunkTable.get(document)?.[ordinal]);
  }
  async chunksOf(document) {
    return this.chunkTable.get(document) ?? [];
  }
  async replace({ document, chunks, going, orphans }) {
    this.check();
    for (const id of going) {
      this.documentTable.delete(id);
      this.chunkTable.delete(id);
    }
    for (const id of orphans) this.vectorTable.delete(id);
    if (!document) return;
    this.documentTable.set(document.id, document);
    this.chunkTable.set(document.id, chunks);
  }
  async update(documents) {
    for (const document of documents) this.documentTable.set(document.id, document);
  }
  async addVectors(vectors, computed) {
    this.check();
    for (const [id, vector] of vectors) {
      assert.ok(!this.vectorTable.has(id), `${id} was embedded twice`);
      this.vectorTable.set(id, vector);
    }
    this.count += computed;
    return this.count;
  }
}

/** Embeds when a test lets it; remembers what. */
class ScriptedModel {
  constructor() {
    this.batches = [];
    this.device = "cpu";
    this.isFree = true;
    this.fails = null;
  }
  async load() {
    if (this.fails) throw this.fails;
  }
  async embed(texts) {
    if (this.fails) throw this.fails;
    this.batches.push(texts);
    if (!this.isFree) await new Promise((resolve) => (this.release = resolve));
    return texts.map((text) => new Int8Array(DIMENSIONS).fill(1, 0, text.length));
  }
}

function opened(store = new MemoryStore(), model = new ScriptedModel()) {
  const states = [];
  const library = new Library({ open: async () => store, embedder: model, onState: (state) => states.push(state) });
  const ask = (type, request = {}) => library.answer({ type: `library.${type}`, id: "r", ...request });
  const put = (id, texts, more = {}) => {
    const chunks = texts.map((text, ordinal) => ({ id: `<${text}>`, document: id, ordinal, text, heading: "" }));
    return ask("put", { document: { id, name: id, collection: "Documents", ...more }, chunks });
  };
  return { library, store, model, states, ask, put };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const letters = (count, prefix = "t") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test("chunks are embedded in batches, and the states say how far it is", async () => {
  const { put, model, states, store } = opened();
  await put("a", letters(20));
  await settle();
  assert.deepEqual(
    model.batches.map((batch) => batch.length),
    [8, 8, 4],
  );
  const progress = states.filter(({ state }) => state === "embedding").map(({ embedded }) => embedded);
  assert.deepEqual([...new Set(progress)], [0, 8, 16, 20]);
  const counts = { documents: 1, chunks: 20, embedded: 20, computed: 20 };
  assert.deepEqual(states.at(-1), { state: "idle", ...counts, device: "cpu", error: null });
  assert.equal(store.vectorTable.size, 20);
});

test("a graphics card is given more at once, and the states say where vectors are computed", async () => {
  const { put, model, states } = opened();
  model.device = "gpu";
  model.isFree = false;
  await put("a", letters(80));
  await settle();
  assert.equal(states.at(-1).device, "gpu");
  model.device = "cpu"; // it was lost meanwhile
  model.isFree = true;
  model.release();
  await settle();
  assert.deepEqual(
    model.batches.map((batch) => batch.length),
    [64, 8, 8],
  );
  assert.equal(states.at(-1).device, "cpu");
});

test("another library goes on where the one before it ended", async () => {
  const first = opened();
  first.model.isFree = false;
  await first.put("a", letters(20));
  await settle();
  first.model.release();
  await settle(); // the first batch is kept; the Worker ends in the second
  const second = opened(first.store);
  await second.library.start();
  await settle();
  assert.deepEqual(
    second.model.batches.map((batch) => batch.length),
    [8, 4],
  );
  assert.equal(second.library.state.computed, 20);
});

test("what is deleted or replaced while it is embedded leaves no vector", async () => {
  const { put, ask, model, store, library } = opened();
  model.isFree = false;
  await put("a", ["x", "y"]);
  await settle();
  await ask("delete", { document: "a" });
  await put("b", ["y", "z"], { name: "b" });
  model.isFree = true;
  model.release();
  await settle();
  assert.deepEqual(new Set(store.vectorTable.keys()), new Set(["<y>", "<z>"]));
  assert.deepEqual(model.batches, [["x", "y"], ["z"]]);
  assert.equal(library.vectors.size, 2);
  assert.deepEqual((await ask("search", { query: "x" })).keywords, []);
});

test("a changed document embeds only what changed; another with the same words, nothing", async () => {
  const { put, model, ask } = opened();
  await put("v1", ["x", "y"], { name: "file" });
  await settle();
  await put("v2", ["x", "z"], { name: "file" });
  await put("other", ["z", "x", "x"]);
  await settle();
  assert.deepEqual(model.batches, [["x", "y"], ["z"]]);
  const { documents } = await ask("list");
  assert.deepEqual(
    documents.map(({ id, chunks, embedded }) => [id, chunks, embedded]),
    [
      ["v2", 2, 2],
      ["other", 3, 3],
    ],
  );
});

test("a put that fails changes nothing and is named; the next one works", async () => {
  const { put, store, library, ask } = opened();
  await put("a", ["x"]);
  store.fails = new DOMException("no room", "QuotaExceededError");
  await assert.rejects(put("b", ["y"]), { name: "QuotaExceededError" });
  assert.equal(library.state.error.code, "library-full");
  assert.deepEqual(
    (await ask("list")).documents.map(({ id }) => id),
    ["a"],
  );
  await put("b", ["y"]);
  await settle();
  assert.equal(library.state.error, null);
  assert.equal(library.state.embedded, 2);
});

test("a disk that fills up while embedding stops it until there is a change", async () => {
  const { put, ask, store, model, library } = opened();
  model.isFree = false;
  await put("a", letters(3));
  await put("b", ["z"]);
  await settle();
  store.fails = new DOMException("no room", "QuotaExceededError");
  model.isFree = true;
  model.release();
  await settle();
  assert.equal(library.state.error.code, "library-full");
  assert.deepEqual([library.state.state, library.state.embedded], ["idle", 0]);
  await ask("delete", { document: "b" });
  await settle();
  assert.deepEqual([library.state.error, library.state.embedded], [null, 3]);
});

test("without a model keywords still find, and the state says why", async () => {
  const { put, ask, model, library } = opened();
  model.fails = new LibraryError("embedding-model", "not there");
  await put("a", ["seal on ice"]);
  await settle();
  assert.deepEqual(library.state.error, { code: "embedding-model", message: "not there" });
  const found = await ask("search", { query: "seal" });
  assert.deepEqual([found.keywords.length, found.vectors, found.total, found.pending], [1, [], 1, 1]);
});

test("a store that does not open is named, and the next request tries again", async () => {
  const store = new MemoryStore();
  const answers = [new LibraryError("library-blocked", "no"), store];
  const open = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const library = new Library({ open, embedder: new ScriptedModel(), onState: () => {} });
  await library.start();
  assert.equal(library.state.error.code, "library-blocked");
  assert.deepEqual((await library.answer({ type: "library.list", id: "r" })).documents, []);
  assert.equal(library.state.error, null);
});

test("chunks that are not numbered, and requests nobody knows, are refused", async () => {
  const { ask } = opened();
  const chunks = [{ id: "x", document: "a", ordinal: 1, text: "x", heading: "" }];
  await assert.rejects(ask("put", { document: { id: "a", name: "a", collection: "c" }, chunks }), {
    code: "bad-request",
  });
  await assert.rejects(ask("burn"), { code: "bad-request" });
  await assert.rejects(ask("get", { document: "a" }), { code: "unknown-document" });
});

test("a temporary document is searched by its id alone, and counts as none", async () => {
  const { put, ask, library } = opened();
  await put("a", ["seal on ice"], { collection: "c" });
  await put("page", ["seal on a page", "seal on ice"], { collection: "c", temporary: true });
  await settle();
  const places = async (scope) => {
    const { keywords, vectors, total } = await ask("search", { query: "seal", ...scope });
    const found = [...keywords, ...vectors].map(({ chunk }) => `${chunk.document}: ${chunk.text}`);
    return [total, ...new Set(found.toSorted())];
  };
  const kept = [1, "a: seal on ice"];
  assert.deepEqual(await places({}), kept);
  assert.deepEqual(await places({ collections: ["c"] }), kept);
  assert.deepEqual(await places({ documents: ["page"] }), [2, "page: seal on a page", "page: seal on ice"]);
  assert.equal(library.state.documents, 1);
  const { documents } = await ask("list");
  assert.deepEqual(
    documents.map(({ id, temporary }) => [id, temporary]),
    [
      ["a", undefined],
      ["page", true],
    ],
  );
});

test("temporary documents go when nobody is there any more, and what is left of them when the library starts", async () => {
  const { put, ask, store, library } = opened();
  await put("a", ["x"]);
  await put("page", ["x", "y"], { temporary: true });
  await settle();
  await ask("forget-temporary");
  assert.deepEqual([[...store.documentTable.keys()], [...store.vectorTable.keys()]], [["a"], ["<x>"]]);
  await put("page", ["x", "y"], { temporary: true });
  await settle();
  const next = opened(store);
  await next.library.start();
  await settle();
  assert.deepEqual([[...store.documentTable.keys()], [...store.vectorTable.keys()]], [["a"], ["<x>"]]);
  assert.deepEqual([next.library.vectors.size, next.library.state.chunks], [1, 1]);
  await next.put("b", ["y"]); // embedded again, since its vector went
  await settle();
  assert.deepEqual(next.model.batches, [["y"]]);
  assert.equal(library.vectors.size, 2);
});

test("the catalogue knows what no document has any more", () => {
  const catalogue = new Catalogue();
  const add = (id, ...chunk_ids) => catalogue.add({ id, name: id, collection: "c", chunk_ids });
  add("a", "1", "2", "2");
  add("b", "2", "3");
  assert.deepEqual(catalogue.orphans(["a"], []), ["1"]);
  assert.deepEqual(catalogue.orphans(["a", "b"], ["3"]), ["1", "2"]);
  assert.deepEqual(catalogue.remove("b"), ["3"]);
  assert.deepEqual(catalogue.remove("a"), ["1", "2"]);
  assert.equal(catalogue.places.size, 0);
});

// ---- the supervisor

class ScriptedWorker {
  told = [];
  isTerminated = false;
  postMessage(message) {
    this.told.push(message);
  }
  terminate() {
    this.isTerminated = true;
  }
}

function supervised() {
  const workers = [];
  const startWorker = () => {
    workers.push(new ScriptedWorker());
    return workers.at(-1);
  };
  const supervisor = new LibrarySupervisor({ startWorker });
  const open = () => {
    const got = [];
    const panel = supervisor.addPanel((answer) => got.push(answer));
    return { got, panel, ask: (id) => supervisor.handle(panel, { type: "library.list", id }) };
  };
  return { supervisor, workers, open };
}

test("each panel gets its own answers, and all get the state", () => {
  const { supervisor, workers, open } = supervised();
  const [one, two, idle] = [open(), open(), open()];
  one.ask("r");
  two.ask("r");
  const [first, second] = workers[0].told;
  const say = (data) => workers[0].onmessage({ data });
  say({ type: "answer", key: second.key, answer: { type: "library.listed", documents: [2] } });
  say({ type: "answer", key: first.key, answer: { type: "library.listed", documents: [1] } });
  assert.deepEqual(one.got.at(-1), { type: "library.listed", documents: [1], id: "r" });
  assert.deepEqual(two.got.at(-1), { type: "library.listed", documents: [2], id: "r" });
  supervisor.removePanel(two.panel);
  say({ type: "state", state: { state: "idle" } });
  assert.deepEqual(one.got.at(-1), { type: "library", state: { state: "idle" } });
  assert.equal(two.got.filter(({ type }) => type === "library").length, 1);
  assert.deepEqual(
    idle.got.map(({ state }) => state.state),
    ["loading", "idle"],
  );
});

test("when the last panel closes, the library forgets what it kept for panels alone", () => {
  const { supervisor, workers, open } = supervised();
  const [one, two] = [open(), open()];
  supervisor.removePanel(one.panel);
  assert.deepEqual(workers[0].told, []);
  supervisor.removePanel(two.panel);
  supervisor.removePanel(two.panel);
  assert.deepEqual(
    workers[0].told.map(({ request }) => request.type),
    ["library.forget-temporary"],
  );
  workers[0].onmessage({ data: { type: "answer", key: workers[0].told[0].key, answer: { type: "library.done" } } });
});

test("a Worker that fails is started again; what it owed is told so, and what came meanwhile is asked anew", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { supervisor, workers, open } = supervised();
  const panel = open();
  panel.ask("old");
  workers[0].onerror({ message: "crashed" });
  assert.ok(workers[0].isTerminated);
  assert.deepEqual(panel.got.at(-2), { type: "error", id: "old", code: "library-lost", message: "crashed" });
  panel.ask("new");
  mock.timers.tick(250);
  assert.deepEqual(
    workers[1].told.map(({ request }) => request.id),
    ["new"],
  );
  for (const delay of [1000, 4000, 0]) {
    workers.at(-1).onmessage({ data: { type: "lost", message: "again" } });
    mock.timers.tick(delay);
  }
  assert.equal(workers.length, 4);
  assert.deepEqual(supervisor.state.error, { code: "library-lost", message: "again" });
  panel.ask("later");
  assert.equal(workers.length, 5);
  assert.equal(workers[4].told[0].request.id, "later");
  mock.timers.reset();
});
