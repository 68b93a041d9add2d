// Python's Worker as the page sees it, with a scripted Worker and scripted locks: node --test tests/unit/python_process.test.js

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { PythonProcess } from "../../sidepanel/python-process.js";
import { Unkept } from "../../sidepanel/unkept.js";

let workers = [];
let waiting = new Map();

class ScriptedWorker extends EventTarget {
  constructor() {
    super();
    this.told = [];
    this.name = `lock ${workers.push(this)}`;
  }
  set onmessage(listener) {
    this.addEventListener("message", listener);
  }
  postMessage(message) {
    this.told.push(JSON.parse(message));
  }
  terminate() {
    this.end();
  }
  live() {
    this.say({ alive: this.name });
  }
  end() {
    waiting.get(this.name)?.();
    waiting.delete(this.name);
  }
  say(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

function started() {
  const seen = [];
  const python = new PythonProcess({
    onMessage: (message, reply) => seen.push(["message", message, reply]),
    onStart: (reason) => seen.push(["start", reason]),
    onFailed: (reason) => seen.push(["failed", reason]),
    onError: (text) => seen.push(["error", text]),
  });
  python.start();
  return { python, seen };
}

beforeEach(() => {
  workers = [];
  waiting = new Map();
  globalThis.Worker = ScriptedWorker;
  const locks = { request: (name, callback) => waiting.set(name, callback) };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
});

test("a Worker that ends is replaced, and answers reach only the one that asked", () => {
  const { python, seen } = started();
  workers[0].live();
  workers[0].say('{"type":"call","id":1}');
  workers[0].end();
  assert.deepEqual(
    seen.map(([what, about]) => [what, about.type ?? about]),
    [
      ["message", "call"],
      ["start", "its Worker was ended"],
    ],
  );
  seen[0][2]({ type: "returned", id: 1 });
  python.send({ type: "stop" });
  assert.deepEqual(workers[0].told, [{ type: "returned", id: 1 }]);
  assert.deepEqual(workers[1].told, [{ type: "stop" }]);
  workers[0].say('{"type":"delta"}');
  assert.equal(seen.length, 2, "the dead one is not heard any more");
});

test("what Pyodide says of its end is the reason", () => {
  const { seen } = started();
  workers[0].live();
  workers[0].say('{"type":"fatal-error","reason":"out of memory"}');
  workers[0].end();
  assert.deepEqual(seen, [["start", "out of memory"]]);
});

test("the third end in a minute is the last, until it is started by hand", () => {
  const { python, seen } = started();
  for (let at = 0; at < 3; at++) {
    workers[at].live();
    workers[at].end();
  }
  assert.deepEqual(
    seen.map(([what]) => what),
    ["start", "start", "failed"],
  );
  assert.equal(workers.length, 3);
  python.restart("by hand");
  assert.equal(workers.length, 4);
  assert.deepEqual(seen.at(-1), ["start", "by hand"]);
});

test("a Worker that was replaced may end", () => {
  const { python, seen } = started();
  workers[0].live();
  python.restart("by hand");
  assert.deepEqual(seen, [["start", "by hand"]]);
  assert.equal(workers.length, 2);
});

test("an error before the first word is a failed start, and later one that it goes on from", () => {
  const { seen } = started();
  workers[0].onerror({ message: "" });
  workers[0].say('{"type":"ready"}');
  workers[0].onerror({ message: "oops" });
  assert.deepEqual(
    seen.map(([what, about]) => [what, about.type ?? about]),
    [
      ["failed", "its script could not be loaded"],
      ["message", "ready"],
      ["error", "oops"],
    ],
  );
});

test("what was asked is kept until it is on the disk", () => {
  const unkept = new Unkept();
  const first = { type: "prompt", id: "1", text: "One?" };
  const second = { type: "summarize", id: "2" };
  for (const message of [first, { type: "stop" }, second]) unkept.sent(message);
  assert.deepEqual(unkept.all(), [first, second]);
  unkept.kept([{ id: "1" }, { id: "other" }]);
  assert.deepEqual(unkept.all(), [second]);
  unkept.sent({ type: "new-session" });
  assert.deepEqual(unkept.all(), []);
});

test("nothing of a temporary conversation is kept", () => {
  const unkept = new Unkept();
  unkept.sent({ type: "prompt", id: "1", text: "Early?" });
  unkept.opened({ state: "temporary" });
  unkept.sent({ type: "prompt", id: "2", text: "A secret?" });
  assert.deepEqual(unkept.all(), []);
  unkept.opened({ state: "kept" });
  unkept.sent({ type: "prompt", id: "3", text: "No secret?" });
  assert.equal(unkept.all().length, 1);
});
