// The engine's supervisor with a scripted Worker: node --test tests/unit/engine_supervisor.test.js

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { EngineSupervisor } from "../../background/engine-supervisor.js";

const INDEX = {
  default: "small",
  models: ["small", "large"].map((id) => ({
    id,
    name: id,
    path: "",
    lib: "",
    context_window: 100,
    files: [],
    licence: "",
  })),
};
/** The same, with weights for the CPU engine too. */
const PORTABLE = { ...INDEX, models: INDEX.models.map((model) => ({ ...model, gguf: `${model.id}/gguf.json` })) };
const DELAYS = [250, 1000, 2000, 4000, 8000];

/** Remembers what it was told; speaks when a test makes it. */
class ScriptedWorker {
  constructor(engine) {
    this.engine = engine;
    this.told = [];
    this.terminated = false;
  }
  postMessage(message) {
    this.told.push(message);
  }
  terminate() {
    this.terminated = true;
  }
  say(message) {
    this.onmessage({ data: message });
  }
  /** Keys of what it was told, by type. */
  keys(type) {
    return this.told.filter((message) => message.type === type).map((message) => message.key);
  }
}

/** A supervisor with all the Workers it started. */
function supervised(index = Promise.resolve(INDEX)) {
  const workers = [];
  const startWorker = (engine) => {
    workers.push(new ScriptedWorker(engine));
    return workers.at(-1);
  };
  return { supervisor: new EngineSupervisor({ index, startWorker }), workers };
}

/** A panel that collects its answers; a closed one's port throws, as Chrome's does. */
function open(supervisor) {
  const got = [];
  let closed = false;
  const panel = supervisor.addPanel((answer) => {
    if (closed) throw new Error("Attempting to use a disconnected port object");
    got.push(answer);
  });
  return {
    got,
    ask: (request) => supervisor.handle(panel, request),
    complete: (id) => supervisor.handle(panel, { type: "complete", id, request: { messages: [] } }),
    abort: (id) => supervisor.handle(panel, { type: "abort", id }),
    close: () => {
      closed = true;
      supervisor.removePanel(panel);
    },
    /** What was answered to one request. */
    answers: (id) => got.filter((answer) => answer.id === id).map(({ id: _, ...answer }) => answer),
    states: () => got.filter(({ type }) => type === "state").map(({ engine }) => engine.state),
  };
}

/** Promises settle; nothing waits for time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A supervisor whose first model is loaded, and its panel. */
async function loaded() {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "load" });
  await settle();
  workers[0].say({ type: "loaded" });
  return { supervisor, workers, panel, worker: workers[0] };
}

const DONE = { finish_reason: "stop", usage: null };
const ABORTED = { type: "done", finish_reason: "abort", usage: null };

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("a model is loaded once, however many panels ask", async () => {
  const { supervisor, workers, panel } = await loaded();
  const other = open(supervisor);
  other.ask({ type: "load", id: "load" });
  other.ask({ type: "load", id: "again", model: "small" });
  await settle();
  assert.equal(workers.length, 1);
  assert.deepEqual(other.answers("again"), [{ type: "loaded", model: "small" }]);
  assert.deepEqual([...new Set(panel.states())], ["absent", "loading", "ready"]);
  assert.deepEqual(supervisor.state.models, INDEX.models);
});

test("completions are answered one after the other, in order of arrival, each to its panel", async () => {
  const { supervisor, panel, worker } = await loaded();
  const other = open(supervisor);
  panel.complete("r1");
  other.complete("r1");
  panel.complete("r2");
  for (let i = 0; i < 3; i++) {
    assert.equal(worker.keys("complete").length, i + 1);
    assert.equal(supervisor.state.state, "generating");
    const key = worker.keys("complete")[i];
    worker.say({ type: "delta", key, text: `text ${i}` });
    worker.say({ type: "done", key, ...DONE });
  }
  assert.equal(supervisor.state.state, "ready");
  assert.deepEqual(panel.answers("r1"), [
    { type: "delta", text: "text 0" },
    { type: "done", ...DONE },
  ]);
  assert.deepEqual(other.answers("r1").slice(0, 2), [{ type: "waiting" }, { type: "delta", text: "text 1" }]);
  assert.deepEqual(panel.answers("r2")[0], { type: "delta", text: "text 2" });
});

test("a failed completion fails alone", async () => {
  const { panel, worker, supervisor } = await loaded();
  panel.complete("r1");
  panel.complete("r2");
  worker.say({ type: "error", key: worker.keys("complete")[0], code: "context-length", message: "long" });
  assert.deepEqual(panel.answers("r1"), [{ type: "error", code: "context-length", message: "long" }]);
  assert.equal(worker.keys("complete").length, 2);
  assert.equal(supervisor.state.state, "generating");
});

test("aborting what waits answers it at once and leaves the rest", async () => {
  const { supervisor, panel, worker } = await loaded();
  const other = open(supervisor);
  panel.complete("r1");
  other.complete("r1");
  panel.complete("r2");
  other.abort("r1");
  assert.deepEqual(other.answers("r1"), [{ type: "waiting" }, ABORTED]);
  assert.deepEqual(panel.answers("r1"), []);
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  assert.equal(worker.keys("complete").length, 2);
  assert.deepEqual(worker.keys("abort"), []);
});

test("aborting what runs tells the Worker once, and its own word ends it", async () => {
  const { supervisor, panel, worker } = await loaded();
  panel.complete("r1");
  panel.abort("r1");
  panel.abort("r1");
  const [key] = worker.keys("complete");
  assert.deepEqual(worker.keys("abort"), [key]);
  assert.deepEqual(panel.answers("r1"), []);
  worker.say({ type: "done", key, finish_reason: "abort", usage: null });
  assert.deepEqual(panel.answers("r1"), [ABORTED]);
  assert.equal(supervisor.state.state, "ready");
});

test("an abort that comes after the end does nothing", async () => {
  const { supervisor, panel, worker } = await loaded();
  panel.complete("r1");
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  panel.abort("r1");
  mock.timers.tick(60_000);
  assert.equal(supervisor.state.state, "ready");
  assert.deepEqual(worker.keys("abort"), []);
});

test("an aborted Worker that does not stop is replaced", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  panel.complete("r1");
  panel.complete("r2");
  panel.abort("r1");
  mock.timers.tick(29_000);
  assert.equal(worker.terminated, false);
  mock.timers.tick(1_000);
  assert.equal(worker.terminated, true);
  assert.deepEqual(panel.answers("r1"), [ABORTED]);
  mock.timers.tick(DELAYS[0]);
  workers[1].say({ type: "loaded" });
  assert.equal(workers[1].keys("complete").length, 1);
  assert.equal(supervisor.state.state, "generating");
});

test("a stopped completion in good time leaves no alarm behind", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  panel.complete("r1");
  panel.abort("r1");
  worker.say({ type: "done", key: worker.keys("complete")[0], finish_reason: "abort", usage: null });
  panel.complete("r2");
  mock.timers.tick(60_000);
  assert.equal(workers.length, 1);
  assert.equal(supervisor.state.state, "generating");
});

test("a closed panel's completion is aborted, what it waits for is forgotten, and it is sent nothing", async () => {
  const { supervisor, panel, worker } = await loaded();
  const other = open(supervisor);
  panel.complete("r1");
  panel.complete("r2");
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  other.complete("r1");
  panel.close();
  const [key] = worker.keys("complete");
  assert.deepEqual(worker.keys("abort"), [key]);
  worker.say({ type: "counted", key: worker.keys("count")[0], counts: [1] });
  worker.say({ type: "done", key, finish_reason: "abort", usage: null });
  assert.equal(worker.keys("complete").length, 2);
  worker.say({ type: "done", key: worker.keys("complete")[1], ...DONE });
  assert.deepEqual(other.answers("r1").at(-1), { type: "done", ...DONE });
  assert.equal(supervisor.state.state, "ready");
});

test("a panel that closes while the model is asked for does not hinder the others", async () => {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "load" });
  panel.ask({ type: "load", id: "bad", model: "none" });
  panel.close();
  await settle();
  const other = open(supervisor);
  workers[0].say({ type: "loaded" });
  assert.equal(other.states().at(-1), "ready");
});

test("counts wait for a model", async () => {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  panel.ask({ type: "count", id: "c1", texts: ["a", "b"] });
  panel.ask({ type: "load", id: "load" });
  await settle();
  assert.deepEqual(workers[0].keys("count"), []);
  workers[0].say({ type: "loaded" });
  workers[0].say({ type: "counted", key: workers[0].keys("count")[0], counts: [1, 2] });
  assert.deepEqual(panel.answers("c1"), [{ type: "counted", counts: [1, 2] }]);
});

test("counts are answered beside a running completion, and asked again of the next Worker", async () => {
  const { workers, panel, worker } = await loaded();
  panel.complete("r1");
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  assert.equal(worker.keys("count").length, 1);
  worker.say({ type: "lost", message: "gone" });
  assert.deepEqual(panel.answers("c1"), []);
  mock.timers.tick(DELAYS[0]);
  workers[1].say({ type: "loaded" });
  workers[1].say({ type: "counted", key: workers[1].keys("count")[0], counts: [1] });
  assert.deepEqual(panel.answers("c1"), [{ type: "counted", counts: [1] }]);
});

test("a lost engine fails what ran, keeps what waits and comes back", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  panel.complete("r1");
  panel.complete("r2");
  worker.say({ type: "lost", message: "device lost" });
  assert.deepEqual(panel.answers("r1"), [{ type: "error", code: "engine-lost", message: "the engine was restarted" }]);
  assert.equal(worker.terminated, true);
  assert.equal(supervisor.state.state, "lost");
  assert.deepEqual(supervisor.state.error, { code: "engine-lost", message: "device lost" });
  mock.timers.tick(DELAYS[0]);
  assert.equal(supervisor.state.state, "loading");
  workers[1].say({ type: "loaded" });
  assert.equal(supervisor.state.error, null);
  assert.equal(workers[1].keys("complete").length, 1);
  worker.onmessage({ data: { type: "lost", message: "the old Worker's last word" } });
  assert.equal(supervisor.state.state, "generating");
});

test("a Worker that cannot even start counts as lost", async () => {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "load" });
  await settle();
  workers[0].onerror({ message: "script error" });
  assert.equal(supervisor.state.state, "lost");
  mock.timers.tick(DELAYS[0]);
  assert.equal(workers.length, 2);
});

test("a Worker that falls silent while loading is replaced, one that goes on is not", async () => {
  const { supervisor, workers } = supervised();
  open(supervisor).ask({ type: "load", id: "load" });
  await settle();
  for (let i = 0; i < 3; i++) {
    mock.timers.tick(179_000);
    workers[0].say({ type: "progress", progress: i / 10, text: "Loading" });
    assert.equal(supervisor.state.progress, i / 10);
  }
  mock.timers.tick(180_000);
  assert.equal(supervisor.state.state, "lost");
  mock.timers.tick(DELAYS[0]);
  workers[1].say({ type: "loaded" });
  mock.timers.tick(800_000); // no load takes so long, and no unused model is given up so soon
  assert.equal(supervisor.state.state, "ready");
});

test("attempts grow further apart and end in unavailable, which refuses what waits", async () => {
  const { supervisor, workers, panel } = await loaded();
  panel.complete("r1");
  panel.complete("r2");
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  for (const [i, delay] of DELAYS.entries()) {
    workers[i].say({ type: "lost", message: `loss ${i}` });
    assert.equal(supervisor.state.state, "lost");
    mock.timers.tick(delay - 1);
    assert.equal(workers.length, i + 1);
    mock.timers.tick(1);
    assert.equal(workers.length, i + 2);
  }
  workers[DELAYS.length].say({ type: "lost", message: "for good" });
  assert.equal(supervisor.state.state, "unavailable");
  const refusal = { type: "error", code: "engine-lost", message: "for good" };
  assert.deepEqual(supervisor.state.error, { code: "engine-lost", message: "for good" });
  assert.deepEqual(panel.answers("r2"), [refusal]);
  assert.deepEqual(panel.answers("c1"), [refusal]);
  mock.timers.tick(60_000);
  assert.equal(workers.length, DELAYS.length + 1);
});

test("loading that fails while recovering is tried again; at first it is not", async () => {
  const { supervisor, workers, worker } = await loaded();
  worker.say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0]);
  workers[1].say({ type: "load-failed", code: "no-adapter", message: "null" });
  assert.equal(supervisor.state.state, "lost");
  mock.timers.tick(DELAYS[1]);
  workers[2].say({ type: "loaded" });
  assert.equal(supervisor.state.state, "ready");

  const first = supervised();
  open(first.supervisor).ask({ type: "load", id: "load" });
  await settle();
  first.workers[0].say({ type: "load-failed", code: "no-adapter", message: "null" });
  assert.equal(first.supervisor.state.state, "unavailable");
});

test("an answer that ends makes the next loss the first again", async () => {
  const { workers, panel, worker } = await loaded();
  worker.say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0]);
  workers[1].say({ type: "loaded" });
  panel.complete("r1");
  workers[1].say({ type: "done", key: workers[1].keys("complete")[0], ...DONE });
  workers[1].say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0]);
  assert.equal(workers.length, 3);
});

test("unavailable refuses with its code until a load is asked for again", async () => {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "load" });
  await settle();
  workers[0].say({ type: "load-failed", code: "no-adapter", message: "null" });
  panel.complete("r1");
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  const refusal = { type: "error", code: "no-adapter", message: "null" };
  assert.deepEqual(panel.answers("r1"), [refusal]);
  assert.deepEqual(panel.answers("c1"), [refusal]);
  assert.equal(workers[0].terminated, true);
  panel.ask({ type: "load", id: "again" });
  await settle();
  assert.equal(supervisor.state.state, "loading");
  assert.equal(supervisor.state.error, null);
  panel.complete("r2");
  workers[1].say({ type: "loaded" });
  assert.equal(workers[1].keys("complete").length, 1);
});

test("a load while lost does not wait for the next attempt, nor make it twice", async () => {
  const { supervisor, workers, worker, panel } = await loaded();
  worker.say({ type: "lost", message: "gone" });
  panel.ask({ type: "load", id: "now" });
  await settle();
  assert.equal(supervisor.state.state, "loading");
  mock.timers.tick(60_000);
  assert.equal(workers.length, 2);
});

test("an unknown model is refused and changes nothing", async () => {
  const { supervisor, workers, panel } = await loaded();
  panel.ask({ type: "load", id: "l2", model: "none" });
  await settle();
  assert.deepEqual(panel.answers("l2"), [{ type: "error", code: "unknown-model", message: "none" }]);
  assert.equal(supervisor.state.model, "small");
  assert.equal(workers.length, 1);
});

test("a load never cuts another panel's answer: it counts when that is done", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  const other = open(supervisor);
  other.complete("r1");
  panel.ask({ type: "load", id: "l2", model: "large" });
  await settle();
  assert.deepEqual(panel.answers("l2"), [{ type: "loaded", model: "large" }]);
  assert.deepEqual([worker.terminated, supervisor.state.model, workers.length], [false, "small", 1]);
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  assert.deepEqual(other.answers("r1"), [{ type: "done", ...DONE }]);
  assert.deepEqual([worker.terminated, supervisor.state.model], [true, "large"]);
  assert.deepEqual(workers[1].told[0], { type: "load", model: INDEX.models[1] });
});

test("choosing again and again while another answers loads only the last", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  const other = open(supervisor);
  other.complete("r1");
  panel.ask({ type: "load", id: "l2", model: "large" });
  await settle();
  panel.ask({ type: "load", id: "l3", model: "small" });
  await settle();
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  assert.deepEqual([workers.length, supervisor.state.state], [1, "ready"]);
});

test("stopping and choosing another model at once ends the answer as stopped, and then the model changes", async () => {
  const { supervisor, panel, worker } = await loaded();
  panel.complete("r1");
  panel.abort("r1");
  panel.ask({ type: "load", id: "l2", model: "large" });
  await settle();
  worker.say({ ...ABORTED, key: worker.keys("complete")[0] });
  assert.deepEqual(panel.answers("r1"), [ABORTED]);
  assert.equal(supervisor.state.model, "large");
});

/** Two panels, one with the small model, which is loaded, one with the large. */
async function apart() {
  const first = await loaded();
  const { supervisor, workers, panel } = first;
  const other = open(supervisor);
  other.ask({ type: "load", id: "load", model: "large" });
  await settle();
  workers[1].say({ type: "loaded" });
  panel.ask({ type: "load", id: "back", model: "small" });
  await settle();
  workers[2].say({ type: "loaded" });
  const asking = (model) => (id) => ({ type: "complete", id, request: {}, model, in_turn: true });
  const ends = (worker = workers.at(-1)) => worker.say({ type: "done", key: worker.keys("complete").at(-1), ...DONE });
  return { supervisor, workers, panel, other, small: asking("small"), large: asking("large"), ends };
}

test("panels that want different models alternate, turn by turn", async () => {
  const { supervisor, workers, panel, other, small, large, ends } = await apart();
  panel.ask(small("a1"));
  other.ask(large("b1"));
  panel.ask(small("a2"));
  assert.deepEqual(other.answers("b1"), [{ type: "waiting" }]);
  ends();
  assert.equal(workers.length, 3, "the turn is not over");
  ends();
  panel.ask({ type: "turn-over" });
  panel.ask(small("c1")); // the next turn comes after the other's
  assert.deepEqual([workers.length, supervisor.state.model], [4, "large"]);
  workers[3].say({ type: "loaded" });
  ends();
  other.ask({ type: "turn-over" });
  assert.deepEqual(other.answers("b1").at(-1), { type: "done", ...DONE });
  assert.deepEqual([workers.length, supervisor.state.model], [5, "small"]);
  workers[4].say({ type: "loaded" });
  ends();
  for (const id of ["a1", "a2", "c1"]) assert.deepEqual(panel.answers(id).at(-1), { type: "done", ...DONE });
  assert.deepEqual(
    workers.map(({ terminated }) => terminated),
    [true, true, true, true, false],
  );
});

test("a turn that waits for long between two requests gives way, and goes on afterwards", async () => {
  const { supervisor, workers, panel, other, small, large, ends } = await apart();
  panel.ask(small("a1"));
  other.ask(large("b1"));
  ends();
  mock.timers.tick(4999);
  assert.equal(workers.length, 3);
  mock.timers.tick(1);
  assert.equal(supervisor.state.model, "large");
  panel.ask(small("a2"));
  workers[3].say({ type: "loaded" });
  ends();
  other.ask({ type: "turn-over" });
  assert.equal(supervisor.state.model, "small");
});

test("what was asked without a turn gives way at once", async () => {
  const { supervisor, panel, other, large, ends } = await apart();
  panel.ask({ type: "complete", id: "a1", request: {}, model: "small" });
  other.ask(large("b1"));
  ends();
  assert.equal(supervisor.state.model, "large");
});

test("a count loads its panel's model too, and the model stays until the completion that it was for", async () => {
  const { supervisor, workers, panel, other, small, large, ends } = await apart();
  panel.ask(small("a1"));
  other.ask({ type: "count", id: "n1", texts: ["a"], model: "large", in_turn: true });
  open(supervisor).ask({ type: "count", id: "n2", texts: ["a"], model: "small", in_turn: true });
  assert.deepEqual(workers[2].keys("count"), [], "it begins a turn behind the other's");
  panel.ask({ type: "count", id: "n3", texts: ["a"], model: "small", in_turn: true });
  assert.equal(workers[2].keys("count").length, 1, "it is in the middle of one");
  workers[2].say({ type: "counted", key: workers[2].keys("count")[0], counts: [1] });
  ends();
  panel.ask({ type: "turn-over" });
  workers[3].say({ type: "loaded" });
  assert.equal(workers[3].keys("count").length, 1);
  workers[3].say({ type: "counted", key: workers[3].keys("count")[0], counts: [1] });
  assert.deepEqual(other.answers("n1"), [{ type: "counted", counts: [1] }]);
  assert.equal(supervisor.state.model, "large", "the turn has only begun");
  other.ask(large("b1"));
  ends();
  other.ask({ type: "turn-over" });
  workers[4].say({ type: "loaded" });
  assert.equal(workers[4].keys("count").length, 1);
});

test("counts that a Worker owes when its model goes are asked of that model again", async () => {
  const { workers, panel, other, large } = await apart();
  panel.ask({ type: "count", id: "n1", texts: ["a"], model: "small" });
  workers[2].say({ type: "lost", message: "gone" });
  other.ask(large("b1"));
  workers[3].say({ type: "loaded" });
  assert.deepEqual(workers[3].keys("count"), []);
  workers[3].say({ type: "done", key: workers[3].keys("complete")[0], ...DONE });
  other.ask({ type: "turn-over" });
  workers[4].say({ type: "loaded" });
  workers[4].say({ type: "counted", key: workers[4].keys("count")[0], counts: [7] });
  assert.deepEqual(panel.answers("n1"), [{ type: "counted", counts: [7] }]);
});

test("what waits for one model is answered with it, whoever asked", async () => {
  const { supervisor, workers, panel, other, large, small, ends } = await apart();
  const third = open(supervisor);
  panel.ask({ type: "complete", id: "a1", request: {}, model: "small" });
  other.ask(large("b1"));
  panel.ask(small("a2"));
  third.ask(large("c1"));
  ends();
  workers[3].say({ type: "loaded" });
  ends(); // b1
  ends(); // c1, before a2
  assert.deepEqual(third.answers("c1").at(-1), { type: "done", ...DONE });
  for (const each of [other, third]) each.ask({ type: "turn-over" });
  assert.equal(supervisor.state.model, "small");
});

test("a model that fails refuses those who want it; the others' is loaded again", async () => {
  const { supervisor, workers, panel, other, large, small, ends } = await apart();
  other.ask(large("b1"));
  panel.ask(small("a1"));
  workers[3].say({ type: "load-failed", code: "out-of-memory", message: "no room" });
  assert.deepEqual(other.answers("b1"), [{ type: "error", code: "out-of-memory", message: "no room" }]);
  assert.equal(supervisor.state.model, "small");
  workers[4].say({ type: "loaded" });
  ends();
  assert.deepEqual(panel.answers("a1").at(-1), { type: "done", ...DONE });
});

test("a panel that closes or stops in its turn lets the other's model in", async () => {
  const one = await apart();
  one.panel.ask(one.small("a1"));
  one.other.ask(one.large("b1"));
  one.panel.close();
  one.workers[2].say({ ...ABORTED, key: one.workers[2].keys("complete")[0] });
  assert.equal(one.supervisor.state.model, "large");
  const two = await apart();
  two.panel.ask(two.small("a1"));
  two.other.ask(two.large("b1"));
  two.panel.abort("a1");
  two.other.abort("b1");
  two.ends();
  two.panel.ask({ type: "turn-over" });
  assert.deepEqual([two.supervisor.state.model, two.workers.length], ["small", 3]);
});

test("a request for a model that nobody knows fails alone", async () => {
  const { supervisor, panel } = await loaded();
  panel.ask({ type: "complete", id: "r1", request: {}, model: "none" });
  assert.deepEqual(panel.answers("r1"), [{ type: "error", code: "unknown-model", message: "none" }]);
  assert.equal(supervisor.state.state, "ready");
});

test("on the CPU by order, and automatic again: the graphics card is looked for anew", async () => {
  const { workers, panel } = await portable({ engine: "cpu" });
  workers[0].say({ type: "loaded" });
  panel.ask({ type: "load", id: "l2", model: "small", engine: "auto" });
  await settle();
  assert.deepEqual(engines(workers), ["wllama", "webllm"]);
  workers[1].say(NO_ADAPTER);
  workers[2].say({ type: "loaded" });
  panel.ask({ type: "load", id: "l3", model: "small", engine: "auto" });
  await settle();
  assert.deepEqual(engines(workers), ["wllama", "webllm", "wllama"], "there is none");
});

test("what only the engine knows of a model's context is told to all", async () => {
  const { supervisor, workers } = supervised();
  supervisor.setBuiltIn({ ...INDEX.models[0], id: "browser", origin: "browser", context_window: 6000 });
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "l", model: "browser" });
  await settle();
  assert.deepEqual(engines(workers), ["browser"]);
  workers[0].say({ type: "loaded", context_window: 9216 });
  assert.equal(supervisor.state.models.find(({ id }) => id === "browser").context_window, 9216);
  supervisor.setBuiltIn(null);
  assert.equal(supervisor.state.state, "ready", "what is loaded goes on");
});

test("two panels that ask for different models: the later wins and no Worker is left over", async () => {
  const { supervisor, workers } = supervised();
  open(supervisor).ask({ type: "load", id: "l", model: "small" });
  open(supervisor).ask({ type: "load", id: "l", model: "large" });
  await settle();
  assert.deepEqual(
    workers.map(({ terminated }) => terminated),
    [true, false],
  );
  workers[0].onmessage({ data: { type: "loaded" } });
  assert.equal(supervisor.state.state, "loading");
  workers[1].say({ type: "loaded" });
  assert.equal(supervisor.state.model, "large");
});

test("an attempt for the old model does not come after another was chosen", async () => {
  const { supervisor, workers, worker, panel } = await loaded();
  worker.say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0] - 50);
  panel.ask({ type: "load", id: "l2", model: "large" });
  await settle();
  workers[1].say({ type: "lost", message: "gone too" });
  mock.timers.tick(50);
  assert.equal(supervisor.state.state, "lost");
  mock.timers.tick(DELAYS[0]);
  assert.equal(supervisor.state.model, "large");
  assert.equal(workers.length, 3);
});

test("a package without its list of models says so", async () => {
  const { supervisor } = supervised(Promise.reject(new Error("no index")));
  const panel = open(supervisor);
  panel.complete("r1");
  panel.ask({ type: "load", id: "load" });
  await settle();
  assert.equal(supervisor.state.state, "unavailable");
  assert.equal(panel.answers("r1")[0].code, "load-failed");
});

/** A supervisor of models that run on the CPU too, asked for one; its first Worker has not answered yet. */
async function portable(load = {}) {
  const { supervisor, workers } = supervised(Promise.resolve(PORTABLE));
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "load", ...load });
  await settle();
  return { supervisor, workers, panel };
}

const NO_ADAPTER = { type: "load-failed", code: "no-adapter", message: "null" };
const engines = (workers) => workers.map(({ engine }) => engine);

test("where there is no adapter the CPU engine takes over by itself, and what waits is answered", async () => {
  const { supervisor, workers, panel } = await portable();
  panel.complete("r1");
  assert.equal(supervisor.state.engine, "webllm");
  workers[0].say(NO_ADAPTER);
  assert.equal(workers[0].terminated, true);
  assert.deepEqual(engines(workers), ["webllm", "wllama"]);
  assert.deepEqual(workers[1].told[0], { type: "load", model: PORTABLE.models[0] });
  workers[1].say({ type: "loaded" });
  assert.equal(supervisor.state.engine, "wllama");
  assert.equal(supervisor.state.error, null);
  assert.equal(workers[1].keys("complete").length, 1);
  assert.deepEqual([...new Set(panel.states())], ["absent", "loading", "ready", "generating"]);
});

test("a browser without WebGPU is no different", async () => {
  const { workers } = await portable();
  workers[0].say({ ...NO_ADAPTER, code: "no-webgpu" });
  assert.deepEqual(engines(workers), ["webllm", "wllama"]);
});

test("any other failure is not the CPU engine's business", async () => {
  const { supervisor, workers } = await portable();
  workers[0].say({ ...NO_ADAPTER, code: "load-failed" });
  assert.deepEqual(engines(workers), ["webllm"]);
  assert.equal(supervisor.state.state, "unavailable");
});

test("it is unavailable if the CPU engine fails too, and trying again begins with the GPU", async () => {
  const { supervisor, workers, panel } = await portable();
  panel.complete("r1");
  workers[0].say(NO_ADAPTER);
  workers[1].say({ type: "load-failed", code: "out-of-memory", message: "no room" });
  assert.equal(supervisor.state.state, "unavailable");
  assert.deepEqual(supervisor.state.error, { code: "out-of-memory", message: "no room" });
  assert.deepEqual(panel.answers("r1"), [{ type: "error", code: "out-of-memory", message: "no room" }]);
  panel.ask({ type: "load", id: "again" });
  await settle();
  assert.deepEqual(engines(workers), ["webllm", "wllama", "webllm"]);
});

test("who insists on the GPU gets it or an error", async () => {
  const { supervisor, workers } = await portable({ engine: "gpu" });
  workers[0].say(NO_ADAPTER);
  assert.deepEqual(engines(workers), ["webllm"]);
  assert.equal(supervisor.state.state, "unavailable");
  assert.equal(supervisor.state.error.code, "no-adapter");
});

test("who insists on the CPU gets it at once, and it stays until someone insists on the GPU", async () => {
  const { supervisor, workers, panel } = await portable({ engine: "cpu" });
  assert.deepEqual(engines(workers), ["wllama"]);
  workers[0].say({ type: "loaded" });
  open(supervisor).ask({ type: "load", id: "load" });
  await settle();
  assert.equal(workers.length, 1);
  panel.ask({ type: "load", id: "l2", engine: "gpu" });
  await settle();
  assert.deepEqual(engines(workers), ["wllama", "webllm"]);
  assert.equal(workers[0].terminated, true);
});

test("another model looks for the GPU anew", async () => {
  const { workers, panel } = await portable();
  workers[0].say(NO_ADAPTER);
  workers[1].say({ type: "loaded" });
  panel.ask({ type: "load", id: "l2", model: "large" });
  await settle();
  assert.deepEqual(engines(workers), ["webllm", "wllama", "webllm"]);
});

test("a CPU engine that is lost comes back as one", async () => {
  const { supervisor, workers, panel } = await portable();
  workers[0].say(NO_ADAPTER);
  workers[1].say({ type: "loaded" });
  workers[1].say({ type: "lost", message: "crashed" });
  assert.equal(supervisor.state.state, "lost");
  panel.ask({ type: "load", id: "now" }); // as a panel does that opens meanwhile
  await settle();
  workers[2].say({ type: "lost", message: "again" });
  mock.timers.tick(DELAYS[1]);
  assert.deepEqual(engines(workers), ["webllm", "wllama", "wllama", "wllama"]);
  assert.equal(supervisor.state.state, "loading");
});

test("a GPU that is lost again and again gives way to the CPU", async () => {
  const { supervisor, workers } = await portable();
  workers[0].say({ type: "loaded" });
  for (const [i, delay] of DELAYS.entries()) {
    workers[i].say({ type: "lost", message: `loss ${i}` });
    mock.timers.tick(delay);
  }
  workers[DELAYS.length].say({ type: "lost", message: "for good" });
  assert.equal(workers.at(-1).engine, "wllama");
  workers.at(-1).say({ type: "loaded" });
  assert.equal(supervisor.state.state, "ready");
});

const MINUTE = 60_000;

test("a model that nobody used for fifteen minutes gives its memory back, and the next question loads it again", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  mock.timers.tick(15 * MINUTE - 1);
  assert.equal(supervisor.state.state, "ready");
  mock.timers.tick(1);
  assert.ok(worker.terminated);
  assert.equal(supervisor.state.state, "asleep");
  assert.equal(supervisor.state.model, "small");
  assert.match(supervisor.state.text, /wakes when you ask/);
  panel.complete("r1");
  assert.equal(supervisor.state.state, "loading");
  assert.deepEqual(workers[1].told[0].model.id, "small");
  workers[1].say({ type: "loaded" });
  assert.equal(workers[1].keys("complete").length, 1);
  workers[1].say({ type: "done", key: workers[1].keys("complete")[0], ...DONE });
  assert.deepEqual(panel.answers("r1"), [{ type: "done", ...DONE }]);
});

test("counting tokens wakes the model too, and so does a panel that opens", async () => {
  const { supervisor, workers, panel } = await loaded();
  mock.timers.tick(15 * MINUTE);
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  workers[1].say({ type: "loaded" });
  workers[1].say({ type: "counted", key: workers[1].keys("count")[0], counts: [1] });
  assert.deepEqual(panel.answers("c1"), [{ type: "counted", counts: [1] }]);
  panel.close();
  mock.timers.tick(15 * MINUTE);
  assert.equal(supervisor.state.state, "asleep");
  open(supervisor).ask({ type: "load", id: "load" });
  await settle();
  assert.equal(workers.length, 3);
  assert.equal(supervisor.state.state, "loading");
});

test("whatever is used stays: each answer begins the time anew, and one that takes long is not cut off", async () => {
  const { supervisor, panel, worker } = await loaded();
  mock.timers.tick(14 * MINUTE);
  panel.complete("r1");
  mock.timers.tick(20 * MINUTE);
  assert.equal(supervisor.state.state, "generating");
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  mock.timers.tick(14 * MINUTE);
  panel.ask({ type: "count", id: "c1", texts: ["a"] });
  mock.timers.tick(15 * MINUTE);
  assert.equal(supervisor.state.state, "ready", "a count is still to be answered");
  worker.say({ type: "counted", key: worker.keys("count")[0], counts: [1] });
  mock.timers.tick(15 * MINUTE);
  assert.equal(supervisor.state.state, "asleep");
  assert.ok(worker.terminated);
});

test("how long a model stays can be set at any time, also for ever", async () => {
  const { supervisor, panel, workers } = await loaded();
  panel.ask({ type: "keep", minutes: null });
  mock.timers.tick(24 * 60 * MINUTE);
  assert.equal(supervisor.state.state, "ready");
  panel.ask({ type: "keep", minutes: 5 });
  mock.timers.tick(5 * MINUTE);
  assert.equal(supervisor.state.state, "asleep");
  panel.ask({ type: "keep", minutes: null });
  panel.complete("r1");
  panel.abort("r1");
  workers[1].say({ type: "loaded" });
  mock.timers.tick(24 * 60 * MINUTE);
  assert.equal(supervisor.state.state, "ready");
});

test("with the last panel goes the look at the machine's memory, and soon after it the model", async () => {
  for (const minutes of [60, 15, 1]) {
    const { supervisor, panel } = await loaded();
    const other = open(supervisor);
    panel.ask({ type: "keep", minutes });
    panel.ask({ type: "keep-unwatched", minutes: 2 });
    const least = Math.min(minutes, 2) * MINUTE;
    panel.close();
    mock.timers.tick(minutes === 1 ? 0 : 10 * MINUTE);
    assert.equal(supervisor.state.state, "ready", "one is still open");
    other.close();
    mock.timers.tick(least - 1);
    assert.equal(supervisor.state.state, "ready");
    mock.timers.tick(1);
    assert.equal(supervisor.state.state, "asleep");
  }
});

test("a model that is to stay always stays with no panel open, too", async () => {
  const { supervisor, panel } = await loaded();
  panel.ask({ type: "keep", minutes: null });
  panel.ask({ type: "keep-unwatched", minutes: 2 });
  panel.close();
  mock.timers.tick(24 * 60 * MINUTE);
  assert.equal(supervisor.state.state, "ready");
});

test("a panel that opens in time keeps the model, and an answer that a closed one asked for begins the time anew", async () => {
  const { supervisor, panel, worker } = await loaded();
  panel.ask({ type: "keep", minutes: 60 });
  panel.ask({ type: "keep-unwatched", minutes: 2 });
  panel.close();
  mock.timers.tick(MINUTE);
  const next = open(supervisor);
  mock.timers.tick(59 * MINUTE);
  assert.equal(supervisor.state.state, "ready");
  next.complete("r1");
  next.close();
  mock.timers.tick(5000);
  assert.equal(supervisor.state.state, "generating");
  worker.say({ type: "done", key: worker.keys("complete")[0], finish_reason: "abort", usage: null });
  mock.timers.tick(2 * MINUTE - 1);
  assert.equal(supervisor.state.state, "ready");
  mock.timers.tick(1);
  assert.equal(supervisor.state.state, "asleep");
});

test("a Worker that loads, or that was lost, is not put to sleep", async () => {
  const { supervisor, worker, workers } = await loaded();
  mock.timers.tick(14 * MINUTE);
  worker.say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0]);
  assert.equal(supervisor.state.state, "loading");
  mock.timers.tick(MINUTE);
  assert.equal(supervisor.state.state, "loading");
  workers[1].say({ type: "loaded" });
  mock.timers.tick(15 * MINUTE);
  assert.equal(supervisor.state.state, "asleep");
});

// ---- downloaded models

const FETCHED = {
  ...INDEX.models[0],
  id: "fetched",
  origin: "downloaded",
  stored: [{ name: "a", url: "u", bytes: 1 }],
};

test("a downloaded model can be chosen once it is known which there are, and its files are the Worker's business", async () => {
  let know = () => {};
  const downloadsKnown = new Promise((resolve) => {
    know = resolve;
  });
  const workers = [];
  const startWorker = () => {
    workers.push(new ScriptedWorker());
    return workers.at(-1);
  };
  const supervisor = new EngineSupervisor({ index: Promise.resolve(INDEX), startWorker, downloadsKnown });
  const panel = open(supervisor);
  panel.ask({ type: "load", id: "l", model: "fetched" });
  await settle();
  assert.equal(workers.length, 0);
  supervisor.setDownloaded([FETCHED]);
  know();
  await settle();
  assert.deepEqual(workers[0].told, [{ type: "load", model: FETCHED }]);
  const listed = supervisor.state.models;
  assert.deepEqual(
    listed.map(({ id }) => id),
    ["small", "large", "fetched"],
  );
  assert.equal(listed[2].stored, undefined);
});

test("a downloaded model that lacks a file is reported, and loaded by itself once it is whole", async () => {
  const { supervisor, workers } = supervised();
  let reports = 0;
  supervisor.onIncomplete = () => reports++;
  const panel = open(supervisor);
  await settle();
  supervisor.setDownloaded([FETCHED]);
  panel.ask({ type: "load", id: "l", model: "fetched" });
  await settle();
  workers[0].say({ type: "load-failed", code: "incomplete-model", message: "a is missing" });
  assert.deepEqual([reports, supervisor.state.state, workers.length], [1, "unavailable", 1]);
  supervisor.setDownloaded([]);
  assert.equal(workers.length, 1);
  supervisor.setDownloaded([FETCHED]);
  assert.deepEqual([workers.length, supervisor.state.state], [2, "loading"]);
  workers[1].say({ type: "loaded" });
  supervisor.setDownloaded([FETCHED]); // whatever else is downloaded leaves it alone
  assert.deepEqual([workers.length, supervisor.state.state], [2, "ready"]);
});

test("a model that is deleted while it is loaded goes on answering", async () => {
  const { supervisor, workers } = supervised();
  const panel = open(supervisor);
  await settle();
  supervisor.setDownloaded([FETCHED]);
  panel.ask({ type: "load", id: "l", model: "fetched" });
  await settle();
  workers[0].say({ type: "loaded" });
  supervisor.setDownloaded([]);
  assert.equal(supervisor.state.state, "ready");
  workers[0].say({ type: "lost", message: "gone" });
  mock.timers.tick(DELAYS[0]);
  assert.equal(workers.length, 2); // whether it is still there is for the Worker to find out
});

test("a machine that is short of memory gets an idle model's, and the next request wakes it", async () => {
  const { supervisor, workers, panel, worker } = await loaded();
  panel.ask({ type: "sleep" });
  assert.deepEqual([supervisor.state.state, supervisor.state.why, worker.terminated], ["asleep", "memory", true]);
  panel.complete("r1");
  assert.equal(supervisor.state.state, "loading");
  workers[1].say({ type: "loaded" });
  workers[1].say({ type: "done", key: workers[1].keys("complete")[0], ...DONE });
  assert.deepEqual(panel.answers("r1"), [{ type: "done", ...DONE }]);
});

test("a model that answers or counts keeps its memory", async () => {
  const { supervisor, panel, worker } = await loaded();
  panel.complete("r1");
  panel.ask({ type: "sleep" });
  assert.equal(supervisor.state.state, "generating");
  worker.say({ type: "done", key: worker.keys("complete")[0], ...DONE });
  panel.ask({ type: "count", id: "c", texts: ["a"] });
  panel.ask({ type: "sleep" });
  assert.equal(supervisor.state.state, "ready");
});

test("what was asleep for want of memory is asleep for another reason the next time", async () => {
  const { supervisor, workers, panel } = await loaded();
  panel.ask({ type: "sleep" });
  panel.complete("r1");
  workers[1].say({ type: "loaded" });
  workers[1].say({ type: "done", key: workers[1].keys("complete")[0], ...DONE });
  mock.timers.tick(15 * 60_000);
  assert.deepEqual([supervisor.state.state, supervisor.state.why], ["asleep", "unused"]);
});

test("it is told how long a model took to load", async () => {
  const { supervisor } = await loaded();
  assert.ok(supervisor.state.load_seconds > 0 && supervisor.state.load_seconds < 60);
});

const SERVED = {
  id: "served",
  name: "served",
  origin: "server",
  path: "",
  lib: "",
  context_window: 50,
  files: [],
  licence: "",
  server: { url: "http://localhost:1/v1", api_key: "secret", kind: "other", model: "m" },
};

/** A supervisor whose panel has offered a server's model and loaded it. */
async function serving() {
  const { supervisor, workers, panel } = await loaded();
  panel.ask({ type: "offer", models: [SERVED] });
  panel.ask({ type: "load", id: "served", model: "served" });
  await settle();
  const worker = workers.at(-1);
  worker.say({ type: "loaded", context_window: 80 });
  return { supervisor, workers, panel, worker };
}

test("a server of the user's is an engine of its own; its key is the Worker's business, and its window the server's", async () => {
  const { panel, worker, supervisor } = await serving();
  assert.equal(worker.engine, "server");
  assert.deepEqual(worker.told[0], { type: "load", model: SERVED });
  const { api_key: _, ...server } = SERVED.server;
  assert.deepEqual(supervisor.state.models.at(-1), { ...SERVED, context_window: 80, server });
  assert.ok(!JSON.stringify(panel.got).includes("secret"));
});

test("what runs elsewhere is not put to sleep", async () => {
  const { supervisor, panel } = await serving();
  mock.timers.tick(16 * 60_000);
  panel.ask({ type: "sleep" });
  assert.equal(supervisor.state.state, "ready");
});

test("a server's model that is offered no more ends at once, and is asked nothing again", async () => {
  const { supervisor, workers, panel, worker } = await serving();
  panel.complete("c1");
  panel.ask({ type: "offer", models: [] });
  await settle();
  assert.ok(worker.terminated);
  assert.deepEqual([supervisor.state.state, supervisor.state.error.code], ["unavailable", "withdrawn"]);
  const count = workers.length;
  panel.complete("c2");
  panel.ask({ type: "load", id: "again", model: "served" });
  await settle();
  assert.equal(workers.length, count);
  assert.equal(panel.answers("c2")[0].code, "withdrawn");
  assert.equal(panel.answers("again")[0].code, "unknown-model");
});

test("one that is withdrawn while it is tried again is not tried any more", async () => {
  const { supervisor, workers, panel, worker } = await serving();
  worker.say({ type: "lost", message: "it broke off" });
  panel.ask({ type: "offer", models: [] });
  const count = workers.length;
  mock.timers.tick(60_000);
  assert.equal(workers.length, count);
  assert.equal(supervisor.state.state, "unavailable");
});

test("another key has the server loaded anew, the same offer does not", async () => {
  const { workers, panel } = await serving();
  panel.ask({ type: "offer", models: [SERVED] });
  assert.equal(workers.length, 2);
  panel.ask({ type: "offer", models: [{ ...SERVED, server: { ...SERVED.server, api_key: "other" } }] });
  assert.equal(workers.length, 3);
  assert.equal(workers[2].told[0].model.server.api_key, "other");
});

test("a server that failed is looked for again with the next request", async () => {
  const { supervisor, workers, panel } = await serving();
  panel.ask({ type: "offer", models: [{ ...SERVED, context_window: 60 }] });
  workers.at(-1).say({ type: "load-failed", code: "server-unreachable", message: "not there" });
  assert.equal(supervisor.state.state, "unavailable");
  panel.complete("c1");
  assert.equal(supervisor.state.state, "loading");
  workers.at(-1).say({ type: "load-failed", code: "server-unreachable", message: "not there" });
  assert.deepEqual(panel.answers("c1"), [{ type: "error", code: "server-unreachable", message: "not there" }]);
  panel.complete("c2");
  workers.at(-1).say({ type: "loaded" });
  assert.equal(workers.at(-1).keys("complete").length, 1);
});
