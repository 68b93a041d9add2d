// Where vectors are computed, with scripted Workers: node --test tests/unit/embedder.test.js

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Embedder, isRealAdapter } from "../../background/library/embedder.js";
import { LibraryError } from "../../background/library/store.js";

mock.method(console, "warn", () => {});

/** An embedding Worker that answers each request as `script` says: with "done", a reason to fail, or not yet (null). */
class ScriptedWorker {
  constructor(script) {
    this.script = script;
    this.requests = [];
    this.isTerminated = false;
  }
  get device() {
    return this.requests[0].device;
  }
  postMessage(request) {
    this.requests.push(request);
    const said = request.type in this.script ? this.script[request.type] : "done";
    if (said === "done") this.say({ type: "done", key: request.key, vectors: request.texts?.map(vectorOf) });
    else if (said !== null) this.say({ type: "failed", key: request.key, message: said });
  }
  say(data) {
    queueMicrotask(() => this.isTerminated || this.onmessage({ data }));
  }
  terminate() {
    this.isTerminated = true;
  }
}

const vectorOf = (text) => Int8Array.of(text.length);

/** An embedder whose Workers are scripted one after the other; without a script left, all goes well. */
function opened(scripts, { hasGpu = true } = {}) {
  const workers = [];
  const startWorker = () => {
    const worker = new ScriptedWorker(scripts.shift() ?? {});
    workers.push(worker);
    return worker;
  };
  const embedder = new Embedder({ startWorker, hasGpu: async () => hasGpu });
  return { embedder, workers, devices: () => workers.map(({ device }) => device) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("the GPU is chosen where there is one, once", async () => {
  const { embedder, devices } = opened([]);
  assert.equal(embedder.device, null);
  const [first, second] = await Promise.all([embedder.embed(["a"]), embedder.embed(["bb", "ccc"])]);
  assert.deepEqual([first, second], [[vectorOf("a")], ["bb", "ccc"].map(vectorOf)]);
  assert.deepEqual([embedder.device, devices()], ["gpu", ["gpu"]]);
});

test("without a GPU the processor does it", async () => {
  const { embedder, devices } = opened([], { hasGpu: false });
  await embedder.load();
  assert.deepEqual([embedder.device, devices()], ["cpu", ["cpu"]]);
});

test("a GPU that cannot load the model, or computes wrongly, gives way to the processor", async () => {
  const { embedder, workers, devices } = opened([{ load: "a kernel is missing" }]);
  assert.deepEqual(await embedder.embed(["a"]), [vectorOf("a")]);
  assert.deepEqual([embedder.device, devices()], ["cpu", ["gpu", "cpu"]]);
  assert.deepEqual(
    workers.map(({ isTerminated }) => isTerminated),
    [true, false],
  );
});

test("what a GPU failed at is done again by the processor, and so is all that comes after", async () => {
  const { embedder, workers, devices } = opened([{ embed: "out of memory" }]);
  await embedder.load();
  assert.equal(embedder.device, "gpu");
  assert.deepEqual(await embedder.embed(["a", "bb"]), ["a", "bb"].map(vectorOf));
  assert.equal(embedder.device, "cpu");
  await embedder.embed(["c"]);
  assert.deepEqual(devices(), ["gpu", "cpu"]);
  assert.equal(workers[0].isTerminated, true);
});

test("a GPU that is lost while it computes leaves nobody waiting, and one processor takes over for all", async () => {
  const { embedder, workers, devices } = opened([{ embed: null }]);
  const asked = [embedder.embed(["a"]), embedder.embed(["bb"])];
  await settle();
  workers[0].say({ type: "lost", message: "the GPU was lost" });
  assert.deepEqual(await Promise.all(asked), [[vectorOf("a")], [vectorOf("bb")]]);
  assert.deepEqual([embedder.device, devices()], ["cpu", ["gpu", "cpu"]]);
});

test("a GPU that was lost while nothing was asked is noticed by the next who asks", async () => {
  const { embedder, workers } = opened([]);
  await embedder.load();
  workers[0].say({ type: "lost", message: "the GPU was lost" });
  await settle();
  assert.deepEqual(await embedder.embed(["a"]), [vectorOf("a")]);
  assert.equal(embedder.device, "cpu");
});

test("a Worker that dies counts as a failure", async () => {
  const { embedder, workers } = opened([{ embed: null }]);
  const asked = embedder.embed(["a"]);
  await settle();
  workers[0].onerror({ message: "it died" });
  assert.deepEqual(await asked, [vectorOf("a")]);
  assert.equal(embedder.device, "cpu");
});

test("a processor that cannot load the model is told as such, and the next who asks tries again", async () => {
  const { embedder, workers } = opened([{ load: "not there" }], { hasGpu: false });
  await assert.rejects(embedder.embed(["a"]), (error) => {
    assert.ok(error instanceof LibraryError);
    assert.deepEqual([error.code, error.message], ["embedding-model", "not there"]);
    return true;
  });
  assert.deepEqual(await embedder.embed(["a"]), [vectorOf("a")]);
  assert.equal(workers.length, 2);
});

test("what the processor fails at fails, and the next who asks has another Worker", async () => {
  const { embedder, workers } = opened([{ embed: "no memory" }], { hasGpu: false });
  await assert.rejects(embedder.embed(["a"]), /no memory/);
  assert.deepEqual(await embedder.embed(["a"]), [vectorOf("a")]);
  assert.deepEqual([workers.length, workers[0].isTerminated, embedder.device], [2, true, "cpu"]);
});

test("WebGPU in software is no graphics card", () => {
  const real = {
    info: { vendor: "nvidia", architecture: "ampere", device: "", description: "", isFallbackAdapter: false },
  };
  assert.equal(isRealAdapter(real), true);
  assert.equal(isRealAdapter({ info: {} }), true); // a browser may tell nothing
  const software = [
    null,
    { ...real, isFallbackAdapter: true },
    { info: { ...real.info, isFallbackAdapter: true } },
    { info: { ...real.info, architecture: "swiftshader" } },
    { info: { ...real.info, description: "llvmpipe (LLVM 15.0.6, 256 bits)" } },
    { info: { ...real.info, description: "Microsoft Basic Render Driver" } },
  ];
  assert.deepEqual(
    software.map(isRealAdapter),
    software.map(() => false),
  );
});
