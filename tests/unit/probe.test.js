// The measuring of the graphics card beside the engine, with a scripted Worker: node --test tests/unit/probe.test.js

import assert from "node:assert/strict";
import { test } from "node:test";
import { startProbe } from "../../background/probe.js";

function started() {
  const worker = {
    told: [],
    ended: 0,
    postMessage: (message) => worker.told.push(message),
    terminate: () => worker.ended++,
  };
  const sent = [];
  return { worker, sent, end: startProbe(worker, "r1", (answer) => sent.push(answer)) };
}

test("what the Worker found is the answer, and the Worker ends", () => {
  const { worker, sent } = started();
  assert.equal(worker.told.length, 1);
  worker.onmessage({ data: { probe: { flops: 1 }, message: "" } });
  assert.deepEqual(sent, [{ type: "probed", id: "r1", probe: { flops: 1 }, message: "" }]);
  assert.equal(worker.ended, 1);
});

test("a Worker that fails is answered for, once", () => {
  const { worker, sent } = started();
  worker.onerror({ message: "its Worker was ended" });
  assert.deepEqual(sent, [{ type: "probed", id: "r1", probe: null, message: "its Worker was ended" }]);
  assert.deepEqual([worker.onmessage, worker.onerror], [null, null]);
});

test("a panel that closes ends it without an answer", () => {
  const { worker, sent, end } = started();
  end();
  assert.deepEqual([sent, worker.ended, worker.onmessage, worker.onerror], [[], 1, null, null]);
});
