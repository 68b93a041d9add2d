// Downloads of models with a scripted server, disk and store: node --test tests/unit/downloads.test.js

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mock, test } from "node:test";
import * as digests from "../../background/models/digests.js";
import { Downloads } from "../../background/models/downloads.js";
import { DownloadError, statusError } from "../../background/models/faults.js";
import { checkSpec, planOf } from "../../background/models/plan.js";
import { Rate } from "../../background/models/rate.js";
import { Relay, relayedFetch } from "../../background/models/relay.js";
import { DownloadsSupervisor } from "../../background/models/supervisor.js";
import { transfer } from "../../background/models/transfer.js";

const BASE = "https://weights.test/mlc-ai/M/resolve/main/";
const LIB = "https://code.test/m.wasm";
const hash = (algorithm, bytes) => createHash(algorithm).update(bytes).digest("hex");
const text = (value) => new TextEncoder().encode(JSON.stringify(value));

/** The files of a model with shards of so many bytes. */
function modelFiles(sizes = [300, 200]) {
  const shards = sizes.map((size, i) => new Uint8Array(size).map((_, at) => (at * 7 + i) % 251));
  const records = shards.map((bytes, i) => ({
    dataPath: `shard_${i}.bin`,
    nbytes: bytes.length,
    md5sum: hash("md5", bytes),
  }));
  return {
    "mlc-chat-config.json": text({ tokenizer_files: ["vocab.json", "tokenizer.json"] }),
    "tensor-cache.json": text({ records }),
    "tokenizer.json": text({ model: {} }),
    ...Object.fromEntries(shards.map((bytes, i) => [`shard_${i}.bin`, bytes])),
  };
}

const LIBRARY = new Uint8Array([0, 97, 115, 109, 1, 2, 3]);
const SPEC = {
  id: "m",
  name: "M",
  base: BASE,
  lib: LIB,
  lib_sha256: hash("sha256", LIBRARY),
  licence: "MIT",
  parameters: 1,
  context_window: 10,
  vram_bytes: 1,
  needs: [],
  is_vision: false,
};

/** What Python would say. */
const POLICY = { passing: ["offline", "server", "stalled"], waits: [0.001, 0.002], quiet: 5, silence: 30, fetches: 2 };

/** Serves files by ranges; `faults` maps a name to what happens instead, once each. */
class ScriptedServer {
  constructor(files = modelFiles()) {
    this.files = { ...files, "m.wasm": LIBRARY };
    this.faults = new Map();
    this.asked = [];
    this.served = 0;
    this.hasRanges = true;
    this.tag = '"1"';
    this.isOffline = false;
    this.fetch = this.fetch.bind(this);
  }
  fault(name, ...faults) {
    this.faults.set(name, faults);
  }
  async fetch(url, { headers, signal }) {
    const name = url.slice(url.lastIndexOf("/") + 1);
    const start = this.hasRanges ? Number(/bytes=(\d+)-/.exec(headers.Range)[1]) : 0;
    this.asked.push([name, Number(/bytes=(\d+)-/.exec(headers.Range)[1])]);
    const fault = this.faults.get(name)?.shift();
    if (this.isOffline || fault === "offline") throw new TypeError("Failed to fetch");
    if (typeof fault === "number") return new Response("", { status: fault });
    let bytes = this.files[name];
    if (!bytes) return new Response("", { status: 404 });
    if (start >= bytes.length) return new Response("", { status: 416 });
    if (fault === "wrong") bytes = bytes.map((byte) => byte ^ 1);
    const rest = bytes.slice(start);
    const facts = { "Content-Length": String(rest.length), ETag: this.tag };
    if (this.hasRanges) facts["Content-Range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    const body = this.body(rest, fault, signal);
    return new Response(body, { status: this.hasRanges ? 206 : 200, headers: facts });
  }
  /** In small pieces; {cut: n} breaks off, {hang: n} goes silent after n bytes. */
  body(bytes, fault, signal) {
    let at = 0;
    return new ReadableStream({
      pull: async (controller) => {
        const limit = fault?.cut ?? fault?.hang ?? bytes.length;
        const piece = bytes.slice(at, Math.min(at + 50, limit));
        if (piece.length) {
          at += piece.length;
          this.served += piece.length;
          return controller.enqueue(piece);
        }
        if (fault?.cut !== undefined) return controller.error(new TypeError("network error"));
        if (fault?.hang === undefined) return controller.close();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
  }
}

/** What files.js does, in memory. */
class MemoryFiles {
  constructor() {
    this.disk = new Map();
    this.room = Number.POSITIVE_INFINITY;
  }
  get bytes() {
    return [...this.disk.values()].reduce((sum, { length }) => sum + length, 0);
  }
  async read(model, name) {
    const bytes = this.disk.get(`${model}/${name}`);
    return bytes ? new Blob([bytes]) : null;
  }
  async open(model, name) {
    const key = `${model}/${name}`;
    const get = () => this.disk.get(key) ?? new Uint8Array();
    this.disk.set(key, get());
    return {
      get size() {
        return get().length;
      },
      append: (bytes) => {
        if (this.bytes + bytes.length > this.room) throw new DOMException("no room", "QuotaExceededError");
        this.disk.set(key, new Uint8Array([...get(), ...bytes]));
      },
      truncate: () => this.disk.set(key, new Uint8Array()),
      close: () => {},
    };
  }
  async delete(model, name) {
    this.disk.delete(`${model}/${name}`);
  }
  async deleteAll(model) {
    for (const key of this.disk.keys()) if (key.startsWith(`${model}/`)) this.disk.delete(key);
  }
  async models() {
    return [...new Set([...this.disk.keys()].map((key) => key.split("/")[0]))];
  }
}

class MemoryStore {
  kept = new Map();
  async records() {
    return [...this.kept.values()].map((record) => structuredClone(record));
  }
  async put(record) {
    this.kept.set(record.id, structuredClone(record));
  }
  async delete(id) {
    this.kept.delete(id);
  }
}

/** A Worker's downloads with a server; another one with the same disk is what comes after it was ended. */
function opened({
  server = new ScriptedServer(),
  files = new MemoryFiles(),
  store = new MemoryStore(),
  quota = 1e9,
} = {}) {
  const states = [];
  const models = [];
  const estimate = async () => ({ usage: files.bytes, quota });
  const downloads = new Downloads({
    open: async () => store,
    files,
    means: { fetch: server.fetch, digests, estimate },
    onDownloads: (list) => {
      for (const { model, state, error } of list) {
        const line = [model, state, error?.code].filter(Boolean).join(" ");
        if (states.at(-1) !== line) states.push(line);
      }
    },
    onModels: (list) => models.push(list),
    pace: 0,
  });
  const ask = (type, model, policy = POLICY) => downloads.answer({ type: `models.${type}`, id: "r", model, policy });
  const now = (id = "m") => downloads.entries.get(id)?.download;
  return { downloads, server, files, store, states, models, ask, now };
}

async function until(condition) {
  for (let turn = 0; turn < 2000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.fail(`never: ${condition}`);
}

const WHOLE = Object.entries(new ScriptedServer().files).reduce((sum, [, { length }]) => sum + length, 0);

test("a model is fetched whole, verified, and joins what can be loaded", async () => {
  const { ask, now, server, models, files } = opened();
  assert.deepEqual(await ask("download", SPEC), { type: "models.done" });
  assert.deepEqual([now().state, now().done, now().total, now().error], ["complete", WHOLE, WHOLE, null]);
  assert.equal(server.served, WHOLE);
  assert.equal(files.bytes, WHOLE); // nothing twice
  const [model] = models.at(-1);
  assert.deepEqual([model.id, model.origin, model.path, model.lib], ["m", "downloaded", BASE, LIB]);
  assert.deepEqual(model.files.toSorted(), ["shard_0.bin", "shard_1.bin", "tensor-cache.json"]);
  assert.deepEqual(
    model.stored.find(({ name }) => name === "library.wasm"),
    { name: "library.wasm", url: LIB, bytes: LIBRARY.length },
  );
  await ask("download", SPEC); // again: nothing to do
  assert.equal(server.served, WHOLE);
});

test("a library from the package is not fetched", async () => {
  const { ask, server } = opened();
  await ask("download", { ...SPEC, lib: "models/x/library.wasm", lib_sha256: null });
  assert.ok(!server.asked.some(([name]) => name === "m.wasm"));
});

test("what was paused goes on where it was, and no byte comes twice", async () => {
  const { ask, now, server, states, store } = opened();
  server.fault("shard_0.bin", { hang: 150 });
  const asked = ask("download", SPEC).catch((error) => error.code);
  await until(() => now()?.state === "downloading" && now().done > WHOLE - 200);
  await ask("pause", "m");
  assert.equal(await asked, "paused");
  assert.equal(now().state, "paused");
  await until(() => states.includes("m paused"));
  assert.equal(store.kept.get("m").wish, "paused");
  await ask("download", SPEC);
  assert.equal(now().state, "complete");
  assert.deepEqual(
    server.asked.filter(([name]) => name === "shard_0.bin"),
    [
      ["shard_0.bin", 0],
      ["shard_0.bin", 150],
    ],
  );
  assert.equal(server.served, WHOLE);
});

test("another Worker goes on by itself, unless it was paused", async () => {
  const first = opened();
  first.server.fault("shard_1.bin", { hang: 100 });
  first.ask("download", SPEC).catch(() => {});
  await until(() => first.now()?.done === WHOLE - 100);
  const server = new ScriptedServer();
  const second = opened({ server, files: first.files, store: first.store });
  await second.downloads.start();
  await until(() => second.now().state === "complete");
  assert.deepEqual(server.asked, [["shard_1.bin", 100]]);
  await second.ask("delete", "m");
  second.server.fault("shard_1.bin", { hang: 100 });
  second.ask("download", SPEC).catch(() => {});
  await until(() => second.now()?.done === WHOLE - 100);
  await second.ask("pause", "m");
  const third = opened({ files: first.files, store: first.store });
  await third.downloads.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([third.server.asked, third.now().state, third.now().done], [[], "paused", WHOLE - 100]);
  await first.ask("pause", "m"); // it still listens
});

test("a lost network is waited for, as long as it is told, until the browser tells of its return", async () => {
  const server = new ScriptedServer(modelFiles([300]));
  const { ask, now, downloads, states } = opened({ server });
  server.fault("shard_0.bin", { cut: 100 }, "offline", "offline", "offline");
  const waits = [];
  const rest = downloads.rest.bind(downloads);
  downloads.rest = (seconds, signal) => {
    waits.push(seconds);
    return rest(seconds, signal);
  };
  const asked = ask("download", SPEC, { ...POLICY, waits: [0.001, 0.002, 1000] });
  await until(() => waits.length === 3);
  assert.deepEqual(waits, [0.001, 0.002, 1000]);
  assert.deepEqual([now().state, now().error.code, now().bytes_per_second], ["waiting", "offline", 0]);
  assert.match(now().error.message, /weights\.test/);
  downloads.hurry();
  await until(() => waits.length === 4);
  assert.equal(waits[3], 0.001); // it may be there again soon
  await asked;
  assert.equal(server.served, now().total);
  assert.ok(states.includes("m waiting offline"));
});

test("the last wait holds for all attempts that come later", async () => {
  const { ask, server, downloads } = opened();
  server.fault("shard_0.bin", ...Array(9).fill(503));
  await ask("download", SPEC);
  assert.equal(downloads.fruitless, 0); // since bytes came
  assert.equal(server.asked.filter(([name]) => name === "shard_0.bin").length, 10);
});

test("what is tried again is told with the download, and kept with it for when there is no panel", async () => {
  const strict = { ...POLICY, passing: ["offline"] };
  const { ask, server, files, store } = opened();
  server.fault("shard_0.bin", 503);
  await assert.rejects(ask("download", SPEC, strict), { code: "server" });
  server.fault("shard_0.bin", { hang: 100 });
  ask("download", SPEC, strict).catch(() => {});
  await until(() => files.bytes === WHOLE - 200);
  const another = new ScriptedServer();
  another.fault("shard_0.bin", "offline", 503);
  const next = opened({ server: another, files, store });
  await next.downloads.start();
  await until(() => next.now().state === "error");
  assert.ok(next.states.includes("m waiting offline"));
  assert.equal(next.now().error.code, "server");
  await ask("pause", "m"); // it still listens
});

test("a download that was begun before there was a policy is asked for once, and told to the user", async () => {
  const { ask, server, downloads, now } = opened();
  server.fault("shard_0.bin", 503);
  await assert.rejects(ask("download", SPEC, null), { code: "server" });
  downloads.announce();
  assert.equal(now().state, "error");
  await ask("download", SPEC, null);
  assert.equal(now().state, "complete");
});

test("each answer of the server has its own name", async () => {
  for (const [status, code] of [
    [404, "not-found"],
    [410, "not-found"],
    [403, "refused"],
    [401, "refused"],
  ]) {
    const { ask, now, server } = opened();
    server.fault("shard_0.bin", status);
    await assert.rejects(ask("download", SPEC), { code });
    assert.deepEqual([now().state, now().error.code], ["error", code]);
    await ask("download", SPEC); // asked for again, it goes on
    assert.equal(now().state, "complete");
  }
  assert.equal(statusError("u", 503).code, "server");
  assert.equal(statusError("u", 429).code, "server");
  assert.equal(statusError("u", 206), null);
});

test("a failing server is waited for, and the error stays shown until it answers", async () => {
  const { ask, states, server, downloads } = opened();
  server.fault("tokenizer.json", 503);
  const asked = ask("download", SPEC);
  await until(() => states.includes("m waiting server"));
  downloads.hurry();
  await asked;
  await until(() => states.at(-1) === "m complete");
});

test("a file that is wrong is fetched once more; wrong again, it is an error that leaves none of it", async () => {
  const good = opened();
  good.server.fault("shard_0.bin", "wrong");
  await good.ask("download", SPEC);
  assert.deepEqual(
    good.server.asked.filter(([name]) => name === "shard_0.bin"),
    [
      ["shard_0.bin", 0],
      ["shard_0.bin", 0],
    ],
  );
  for (const name of ["shard_1.bin", "m.wasm", "tokenizer.json", "tensor-cache.json", "mlc-chat-config.json"]) {
    const { ask, now, server, files } = opened();
    server.fault(name, "wrong", "wrong");
    await assert.rejects(ask("download", SPEC), { code: "corrupt" });
    assert.equal(now().state, "error");
    assert.match(now().error.message, new RegExp(name));
    assert.ok(
      !files.disk.has(`m/${name}`) && !files.disk.has("m/library.wasm") === (name === "m.wasm" || !now().total),
    );
    await ask("download", SPEC);
    assert.equal(now().state, "complete");
  }
});

test("a length other than the listed one is found out before the bytes come", async () => {
  const { ask, server } = opened();
  server.files["shard_0.bin"] = new Uint8Array(299);
  await assert.rejects(ask("download", SPEC), { code: "corrupt", message: /299 bytes instead of 300/ });
});

test("a server without ranges, or with another file by now, starts a file over", async () => {
  const plain = opened();
  plain.server.fault("shard_0.bin", { cut: 150 });
  plain.server.hasRanges = false;
  const asked = plain.ask("download", SPEC);
  await until(() => plain.now()?.state === "waiting");
  plain.downloads.hurry();
  await asked;
  assert.equal(plain.now().state, "complete");
  assert.equal(plain.server.served, WHOLE + 150);

  const changed = opened();
  changed.server.fault("tokenizer.json", { cut: 5 });
  const again = changed.ask("download", SPEC);
  await until(() => changed.now()?.state === "waiting");
  changed.server.tag = '"2"';
  changed.downloads.hurry();
  await again;
  assert.deepEqual(
    changed.server.asked.filter(([name]) => name === "tokenizer.json").map(([, at]) => at),
    [0, 5, 0],
  );
});

test("a connection that goes silent is given up", async () => {
  const server = new ScriptedServer();
  server.fault("shard_0.bin", { hang: 100 });
  const files = new MemoryFiles();
  const file = await files.open("m", "shard_0.bin");
  const part = { name: "shard_0.bin", url: `${BASE}shard_0.bin`, bytes: 300, md5: null, sha256: null };
  const means = { file, validator: null, fetch: server.fetch, signal: new AbortController().signal, silence: 0.02 };
  const more = { onAnswer: async () => {}, onBytes: () => {} };
  const silent = { code: "stalled", message: "weights.test sent nothing for 0.02 seconds" };
  await assert.rejects(transfer(part, { ...means, ...more }), silent);
  assert.equal(file.size, 100);
});

test("a download that stands still says so, and no longer a rate", async () => {
  let clock = 0;
  const server = new ScriptedServer(modelFiles([300]));
  server.fault("shard_0.bin", { hang: 100 });
  const { ask, now, downloads } = opened({ server });
  downloads.now = () => clock;
  const asked = ask("download", SPEC);
  await until(() => now()?.done === now()?.total - 200);
  assert.equal(now().error, null);
  clock += 6000;
  downloads.announce();
  await until(() => now().error);
  assert.deepEqual(now().error, { code: "stalled", message: "nothing has come for 6 seconds" });
  assert.deepEqual([now().state, now().bytes_per_second, now().seconds_left], ["downloading", 0, null]);
  await ask("pause", "m");
  await assert.rejects(asked, { code: "paused" });
  assert.equal(now().error, null);
});

// ---- the relay

/** Both sides of a relay; the page's fetch() is `fetch`, which may have the page's policy refuse what it is asked for. */
function relayed(fetch) {
  const page = new EventTarget();
  const refuse = (blockedURI) => {
    page.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI }));
    throw new TypeError("Failed to fetch");
  };
  const relay = new Relay({ fetch: async (url, options) => fetch(url, options, refuse), scope: page });
  return { relay, fetch: relayedFetch((asked) => relay.serve(asked)) };
}

test("an answer comes through the page as it is, in its own time", async () => {
  const server = new ScriptedServer();
  const seen = [];
  const { fetch } = relayed((url, options) => {
    seen.push(options);
    return server.fetch(url, options);
  });
  const controller = new AbortController();
  const { signal } = controller;
  const response = await fetch(`${BASE}shard_0.bin`, { headers: { Range: "bytes=100-" }, signal });
  assert.deepEqual([response.status, response.headers.get("ETag")], [206, '"1"']);
  assert.ok(server.served <= 50, "nobody has read yet"); // what a stream takes ahead
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), server.files["shard_0.bin"].slice(100));
  assert.deepEqual([seen[0].cache, seen[0].credentials], ["no-store", "omit"]);
  controller.abort(); // as whoever fetches does in any case
});

test("a whole model comes through the page", async () => {
  const server = new ScriptedServer();
  const { fetch, relay } = relayed(server.fetch);
  const { ask, now, downloads } = opened({ server });
  downloads.means.fetch = fetch;
  server.fault("shard_0.bin", { cut: 100 });
  server.fault("shard_1.bin", 503);
  await ask("download", SPEC);
  assert.equal(now().state, "complete");
  await until(() => relay.running.size === 0);
});

test("what the Worker ends, or leaves behind when it ends, is ended in the page", async () => {
  const endings = [
    [(controller) => controller.abort(new Error("mine")), /mine/],
    [(_, relay) => relay.end(), null], // nobody is there to hear of it
  ];
  for (const [end, told] of endings) {
    const server = new ScriptedServer();
    server.fault("shard_0.bin", { hang: 100 });
    let signal;
    const { fetch, relay } = relayed((url, options) => {
      signal = options.signal;
      return server.fetch(url, options);
    });
    const controller = new AbortController();
    const response = await fetch(`${BASE}shard_0.bin`, { headers: { Range: "bytes=0-" }, signal: controller.signal });
    const reader = response.body.getReader();
    await reader.read();
    await reader.read();
    const last = reader.read();
    end(controller, relay);
    if (told) await assert.rejects(last, told);
    await until(() => signal.aborted);
    assert.equal(relay.running.size, 0);
    last.catch(() => {});
    controller.abort();
  }
  const { fetch } = relayed(() => new Promise(() => {}));
  const controller = new AbortController();
  const asked = fetch(BASE, { headers: {}, signal: controller.signal });
  controller.abort(new Error("mine"));
  await assert.rejects(asked, /mine/); // at once
  await assert.rejects(fetch(BASE, { headers: {}, signal: controller.signal }), /mine/);
});

test("a host that the browser refuses is told from a lost network, and from one that passes on", async () => {
  const passingOn = (url, { redirect }, refuse) => (redirect === "manual" ? new Response() : refuse(url));
  for (const [page, message] of [
    [(url, _, refuse) => refuse(url), "this extension must not connect to weights.test"],
    [passingOn, "weights.test passes on to a host that this extension must not connect to"],
  ]) {
    const { ask, downloads, now } = opened();
    downloads.means.fetch = relayed(page).fetch;
    await assert.rejects(ask("download", SPEC), DownloadError);
    assert.deepEqual(now().error, { code: "moved", message });
  }
  const { fetch } = relayed((_url, _options, refuse) => refuse("https://other.test"));
  const controller = new AbortController();
  await assert.rejects(fetch(BASE, { headers: {}, signal: controller.signal }), TypeError);
  controller.abort();
});

// ---- the disk

test("the disk is looked at before the weights come, and a full one loses nothing", async () => {
  const small = opened({ quota: 400 });
  await assert.rejects(small.ask("download", SPEC), { code: "no-space" });
  assert.ok(!small.server.asked.some(([name]) => name.startsWith("shard")));
  assert.match(small.now().error.message, /^\d+ bytes are needed and \d+ are free$/);

  const full = opened();
  full.files.room = WHOLE - 120;
  await assert.rejects(full.ask("download", SPEC), { name: "QuotaExceededError" });
  assert.deepEqual([full.now().state, full.now().error.code], ["error", "disk-full"]);
  full.files.room = Number.POSITIVE_INFINITY;
  await full.ask("download", SPEC);
  assert.ok(full.server.served <= WHOLE + 100); // the pieces that had no room
});

test("a complete model of which a file has gone is partial, and is completed", async () => {
  for (const name of ["shard_1.bin", "mlc-chat-config.json", "library.wasm"]) {
    const first = opened();
    await first.ask("download", SPEC);
    first.files.disk.delete(`m/${name}`);
    const { downloads, states, server, models, now } = opened({ files: first.files, store: first.store });
    await downloads.start();
    assert.deepEqual(models[0], []);
    await until(() => now().state === "complete");
    assert.equal(states[0], "m partial");
    assert.deepEqual(server.asked, [[name === "library.wasm" ? "m.wasm" : name, 0]]);
    assert.equal(models.at(-1).length, 1);
  }
});

test("a model that turns out to be partial when it is loaded is completed", async () => {
  const { ask, downloads, files, states, now, models } = opened();
  await ask("download", SPEC);
  await until(() => states.at(-1) === "m complete" && downloads.pacing === undefined);
  files.disk.set("m/shard_0.bin", new Uint8Array(7)); // shortened
  await downloads.check();
  await until(() => now().state === "complete" && models.at(-1).length === 1);
  assert.ok(states.includes("m partial"));
  assert.equal(files.bytes, WHOLE);
});

test("verifying names what is missing and what is wrong, and mends it", async () => {
  const { ask, files, now } = opened();
  await ask("download", SPEC);
  assert.deepEqual(await ask("verify", "m"), { type: "models.verified", missing: [], wrong: [] });
  files.disk.get("m/shard_0.bin")[9] ^= 1;
  files.disk.delete("m/tokenizer.json");
  const found = await ask("verify", "m");
  assert.deepEqual(found, { type: "models.verified", missing: ["tokenizer.json"], wrong: ["shard_0.bin"] });
  await until(() => now().state === "complete");
  assert.deepEqual(await ask("verify", "m"), { type: "models.verified", missing: [], wrong: [] });
});

test("deleting and cancelling leave nothing", async () => {
  for (const type of ["delete", "cancel"]) {
    const { ask, server, files, store, now, models } = opened();
    server.fault("shard_0.bin", { hang: 100 });
    const asked = ask("download", SPEC).catch((error) => error.code);
    await until(() => now()?.done > WHOLE - 250);
    await ask(type, "m");
    assert.equal(await asked, "cancelled");
    assert.deepEqual([files.bytes, store.kept.size, now(), models.at(-1)], [0, 0, undefined, []]);
    await assert.rejects(ask(type, "m"), { code: "unknown-model" });
  }
});

test("what lies on the disk and is in no list is thrown away", async () => {
  const files = new MemoryFiles();
  files.disk.set("old/shard_0.bin", new Uint8Array(5));
  await opened({ files }).downloads.start();
  assert.equal(files.bytes, 0);
});

test("models are fetched one after another; one that is stopped or fails does not hold up the next", async () => {
  const { ask, server, now, states } = opened();
  server.fault("shard_0.bin", { hang: 100 }, 404);
  ask("download", SPEC).catch(() => {});
  const [second, third] = [ask("download", { ...SPEC, id: "n" }), ask("download", { ...SPEC, id: "o" })];
  await until(() => states.includes("o queued") && now("m").done > WHOLE - 250);
  await ask("pause", "m");
  await assert.rejects(second, { code: "not-found" });
  await third;
  assert.deepEqual([now("m").state, now("n").state, now("o").state], ["paused", "error", "complete"]);
});

test("a Spec with another library or address fetches what differs", async () => {
  const { ask, server, models } = opened();
  await ask("download", SPEC);
  server.asked = [];
  server.files["m2.wasm"] = new Uint8Array([9]);
  const lib = "https://code.test/m2.wasm";
  await ask("download", { ...SPEC, lib, lib_sha256: hash("sha256", server.files["m2.wasm"]) });
  assert.deepEqual(server.asked, [["m2.wasm", 0]]);
  await ask("download", { ...SPEC, base: BASE.replace("main", "v2") });
  assert.match(models.at(-1)[0].stored[0].url, /resolve\/v2\//);
});

test("what is no model, or brings code that nobody has pinned, is refused", async () => {
  const refused = [
    { ...SPEC, lib_sha256: null },
    { ...SPEC, lib_sha256: "abc" },
    { ...SPEC, lib: "data:application/wasm,x" },
    { ...SPEC, base: "https://weights.test/M/" },
    { ...SPEC, base: `${BASE}x` },
    { ...SPEC, id: "a/b" },
  ];
  for (const spec of refused) assert.throws(() => checkSpec(spec), { code: "bad-model" });
  const { ask, server } = opened();
  await assert.rejects(ask("download", refused[0]), { code: "bad-model" });
  assert.deepEqual(server.asked, []);
  const config = JSON.stringify({ tokenizer_files: ["tokenizer.json"] });
  const elsewhere = { dataPath: "https://elsewhere.test/x.bin", nbytes: 1, md5sum: "0".repeat(32) };
  assert.throws(() => planOf(SPEC, config, JSON.stringify({ records: [elsewhere] })), { code: "bad-model" });
  assert.throws(() => planOf(SPEC, JSON.stringify({ tokenizer_files: ["vocab.json"] }), "{}"), { code: "bad-model" });
});

test("a store that does not open is tried again by the next request", async () => {
  const { downloads, ask, now } = opened();
  const { open } = downloads;
  downloads.open = async () => {
    downloads.open = open;
    throw new Error("blocked");
  };
  await assert.rejects(downloads.start(), /blocked/);
  await ask("download", SPEC);
  assert.equal(now().state, "complete");
});

test("panels are told at most once in a while, and always the last", async () => {
  let told = 0;
  const { downloads } = opened();
  downloads.pace = 30;
  downloads.tell = () => {
    told++;
  };
  for (let i = 0; i < 50; i++) downloads.announce();
  assert.equal(told, 1);
  await until(() => told === 2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(told, 2);
});

test("the rate is smooth, and foretells the end", () => {
  let clock = 0;
  const rate = new Rate(() => clock);
  assert.deepEqual([rate.bytesPerSecond, rate.secondsLeft(100)], [0, null]);
  const second = (bytes) => {
    for (let i = 0; i < 5; i++) {
      clock += 200;
      rate.add(bytes / 5);
    }
  };
  for (let i = 0; i < 5; i++) second(1000);
  assert.ok(Math.abs(rate.bytesPerSecond - 1000) < 1, String(rate.bytesPerSecond));
  assert.equal(rate.secondsLeft(5000), 5);
  second(0); // a break of a second does not make it fall to nothing
  assert.ok(rate.bytesPerSecond > 700 && rate.bytesPerSecond < 850, String(rate.bytesPerSecond));
  for (let i = 0; i < 20; i++) second(4000);
  assert.ok(Math.abs(rate.bytesPerSecond - 4000) < 100, String(rate.bytesPerSecond));
  assert.equal(rate.quietSeconds, 0);
  clock += 7000;
  assert.equal(rate.quietSeconds, 7);
  rate.reset();
  assert.deepEqual([rate.bytesPerSecond, rate.quietSeconds], [0, 0]);
});

// ---- the supervisor

class ScriptedWorker {
  told = [];
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
  const seen = { models: [], persisted: 0, served: [], ended: 0 };
  const onModels = (models) => seen.models.push(models);
  const persist = () => seen.persisted++;
  const relay = { serve: (asked) => seen.served.push(asked.url), end: () => seen.ended++ };
  const supervisor = new DownloadsSupervisor({ startWorker, relay, persist, onModels });
  const open = () => {
    const got = [];
    const panel = supervisor.addPanel((answer) => got.push(answer));
    const ask = (type, id) => supervisor.handle(panel, { type: `models.${type}`, id, model: "m" });
    return { got, panel, ask };
  };
  return { supervisor, workers, open, seen };
}

test("each panel gets its own answers, all get the news, and new ones the last news", () => {
  const { supervisor, workers, open, seen } = supervised();
  const [one, two] = [open(), open()];
  one.ask("download", "r");
  two.ask("pause", "r");
  assert.equal(seen.persisted, 1);
  const say = (data) => workers[0].onmessage({ data });
  say({ type: "answer", key: workers[0].told[1].key, answer: { type: "models.done" } });
  assert.deepEqual(two.got.at(-1), { type: "models.done", id: "r" });
  assert.equal(one.got.length, 1);
  supervisor.removePanel(two.panel);
  say({ type: "downloads", downloads: [1], storage: {} });
  assert.deepEqual([one.got.length, two.got.length], [2, 2]);
  assert.deepEqual(open().got, [{ type: "downloads", downloads: [1], storage: {} }]);
  say({ type: "models", models: ["m"] });
  assert.deepEqual(seen.models, [["m"]]);
  say({ type: "fetch", url: BASE });
  assert.deepEqual([seen.served, two.got.length], [[BASE], 2]); // that is no news
});

test("a Worker that fails is started again; what it owed is told so, and what came meanwhile is asked anew", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { supervisor, workers, open, seen } = supervised();
  const panel = open();
  panel.ask("download", "old");
  workers[0].onerror({ message: "crashed" });
  assert.deepEqual(panel.got.at(-1), { type: "error", id: "old", code: "downloads-lost", message: "crashed" });
  assert.equal(seen.ended, 1);
  panel.ask("pause", "new");
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
  await supervisor.known; // nobody waits for a Worker that does not come
  assert.deepEqual(seen.models, [[]]);
  panel.ask("pause", "later");
  assert.deepEqual(
    workers[4].told.map(({ request }) => request.id),
    ["later"],
  );
  mock.timers.reset();
});
