// The device that pass-merging.js changes: what the GPU is asked of it, beside what its user asked.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { mergePasses } from "../../background/engines/pass-merging.js";

const UNIFORM = 0x48; // UNIFORM | COPY_DST
const STORAGE = 0x80;

/** @type {string[]} what reached the device, in order */
let log;
/** @type {any} */
let device;

function fakePass() {
  return {
    setPipeline: (/** @type {any} */ pipeline) => log.push(`pipeline ${pipeline}`),
    setBindGroup: (/** @type {number} */ _, /** @type {any} */ group) => log.push(`group ${group.id}`),
    dispatchWorkgroups: (/** @type {number[]} */ ...size) => log.push(`dispatch ${size}`),
    end: () => log.push("end"),
  };
}

function fakeDevice() {
  let made = 0;
  return {
    queue: {
      submit: (/** @type {any} */ buffers) => log.push(`submit ${buffers}`),
      writeBuffer: (/** @type {any} */ buffer, /** @type {number} */ _, /** @type {any} */ data) =>
        log.push(`write ${buffer.id}: ${new Int32Array(data.buffer ?? data)}`),
    },
    createBuffer: (/** @type {any} */ descriptor) => ({ id: `b${++made}`, ...descriptor }),
    createBindGroup: (/** @type {any} */ { entries }) => ({
      id: `g${++made}`,
      bound: entries.map((/** @type {any} */ { resource }) => resource.buffer?.id),
    }),
    createCommandEncoder: () => ({
      label: "encoder",
      beginComputePass: (/** @type {any} */ descriptor) => {
        log.push(descriptor ? "begin timed" : "begin");
        return fakePass();
      },
      copyBufferToBuffer: () => log.push("copy"),
      finish: () => "commands",
    }),
  };
}

beforeEach(() => {
  log = [];
  device = fakeDevice();
  mergePasses(device);
});

/** As TVM's runtime starts a kernel. @param {any} encoder @param {any} storage @param {any} uniform @param {number} value */
function start(encoder, storage, uniform, value, pipeline = "p") {
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  device.queue.writeBuffer(uniform, 0, new Int32Array([value]).buffer);
  const entries = [
    { binding: 0, resource: { buffer: storage } },
    { binding: 1, resource: { buffer: uniform, size: 4 } },
  ];
  const group = device.createBindGroup({ layout: "layout" in device ? device.layout : LAYOUT, entries });
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(value, 1, 1);
  pass.end();
  return group;
}

const LAYOUT = {};
const storageBuffer = () => device.createBuffer({ size: 1024, usage: STORAGE });
const uniformBuffer = () => device.createBuffer({ size: 4, usage: UNIFORM });

test("neighbouring passes are one, and a pipeline that is set already is not set again", () => {
  const encoder = device.createCommandEncoder();
  const [x, u] = [storageBuffer(), uniformBuffer()];
  start(encoder, x, u, 1);
  start(encoder, x, u, 2);
  start(encoder, x, u, 1, "q");
  assert.equal(encoder.finish(), "commands");
  const asked = log.filter((line) => !line.startsWith("group") && !line.startsWith("write"));
  assert.deepEqual(asked, [
    "begin",
    "pipeline p",
    "dispatch 1,1,1",
    "dispatch 2,1,1",
    "pipeline q",
    "dispatch 1,1,1",
    "end",
  ]);
});

test("a copy between two kernels stays between them", () => {
  const encoder = device.createCommandEncoder();
  const [x, u] = [storageBuffer(), uniformBuffer()];
  start(encoder, x, u, 1);
  encoder.copyBufferToBuffer(x, 0, x, 8, 4);
  start(encoder, x, u, 1);
  encoder.finish();
  const asked = log.filter((line) => /^(begin|dispatch|end|copy|pipeline)/.test(line));
  const kernel = ["begin", "pipeline p", "dispatch 1,1,1", "end"];
  assert.deepEqual(asked, [...kernel, "copy", ...kernel]);
});

test("a pass with a descriptor of its own is left alone", () => {
  const encoder = device.createCommandEncoder();
  start(encoder, storageBuffer(), uniformBuffer(), 1);
  encoder.beginComputePass({ timestampWrites: {} }).end();
  assert.deepEqual(log.slice(-3), ["end", "begin timed", "end"]);
  assert.equal(encoder.label, "encoder");
});

test("each content of a uniform buffer is written once, to a buffer of its own", () => {
  const encoder = device.createCommandEncoder();
  const [x, u] = [storageBuffer(), uniformBuffer()];
  const groups = [1, 2, 1, 2].map((value) => start(encoder, x, u, value));
  assert.equal(groups[0], groups[2]);
  assert.equal(groups[1], groups[3]);
  assert.notEqual(groups[0].bound[1], groups[1].bound[1]);
  assert.ok(groups.every(({ bound }) => bound[0] === x.id && bound[1] !== u.id));
  const writes = log.filter((line) => line.startsWith("write"));
  assert.deepEqual(writes, [`write ${groups[0].bound[1]}: 1`, `write ${groups[1].bound[1]}: 2`]);
});

test("other buffers, other layouts and other ranges make other groups", () => {
  const encoder = device.createCommandEncoder();
  const [x, y, u] = [storageBuffer(), storageBuffer(), uniformBuffer()];
  const first = start(encoder, x, u, 1);
  assert.notEqual(start(encoder, y, u, 1), first);
  device.layout = {};
  assert.notEqual(start(encoder, x, u, 1), first);
  const ranged = [{ binding: 0, resource: { buffer: x, offset: 256, size: 4 } }];
  const whole = [{ binding: 0, resource: { buffer: x } }];
  assert.notEqual(
    device.createBindGroup({ layout: LAYOUT, entries: ranged }),
    device.createBindGroup({ layout: LAYOUT, entries: whole }),
  );
});

test("what is no small uniform buffer is written as it is asked", () => {
  const storage = storageBuffer();
  device.queue.writeBuffer(storage, 0, new Int32Array([7]), 0, 1);
  assert.deepEqual(log, [`write ${storage.id}: 7`]);
});

test("a write of a part of an array lands where it was asked to", () => {
  const uniform = device.createBuffer({ size: 16, usage: UNIFORM });
  device.queue.writeBuffer(uniform, 4, new Int32Array([9, 5, 6, 9]), 1, 2);
  device.createBindGroup({ layout: LAYOUT, entries: [{ binding: 0, resource: { buffer: uniform } }] });
  assert.match(log[0], /: 0,5,6,0$/);
});

test("groups with textures are made as ever", () => {
  const entries = [{ binding: 0, resource: {} }];
  const descriptor = { layout: LAYOUT, entries };
  assert.notEqual(device.createBindGroup(descriptor), device.createBindGroup(descriptor));
});

test("groups that are never asked for again are forgotten", () => {
  const encoder = device.createCommandEncoder();
  const u = uniformBuffer();
  const x = storageBuffer();
  const first = start(encoder, x, u, 0);
  for (let value = 1; value <= 5000; value++) start(encoder, x, u, value);
  assert.notEqual(start(encoder, x, u, 0), first);
});

test("the first kernels are submitted while more are asked for, in order", () => {
  const encoder = device.createCommandEncoder();
  const [x, u] = [storageBuffer(), uniformBuffer()];
  for (let i = 0; i < 100; i++) start(encoder, x, u, 1);
  assert.equal(encoder.finish(), "commands");
  const asked = log.filter((line) => /^(begin|dispatch|end|submit)/.test(line));
  const batch = (/** @type {number} */ kernels) => ["begin", ...Array(kernels).fill("dispatch 1,1,1"), "end"];
  assert.deepEqual(asked, [...batch(40), "submit commands", ...batch(40), "submit commands", ...batch(20)]);
});
