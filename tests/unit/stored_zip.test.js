// Reading zips whose entries are stored as they are.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { storedFiles } from "../../sidepanel/stored-zip.js";

/** A zip as Python writes it. @param {"ZIP_STORED" | "ZIP_DEFLATED"} method */
function zip(method) {
  const script = `
import io, sys, zipfile
file = io.BytesIO()
with zipfile.ZipFile(file, "w", zipfile.${method}) as out:
    out.writestr("core/__init__.pyc", b"first")
    out.writestr("core/größe.so", bytes(range(256)) * 3)
sys.stdout.buffer.write(file.getvalue())`;
  return new Uint8Array(execFileSync("python3", ["-c", script]));
}

test("the files of a stored zip are what was put in", () => {
  const files = storedFiles(zip("ZIP_STORED"));
  assert.deepEqual([...files.keys()], ["core/__init__.pyc", "core/größe.so"]);
  assert.equal(new TextDecoder().decode(files.get("core/__init__.pyc")), "first");
  assert.deepEqual([...(files.get("core/größe.so") ?? [])].slice(250, 260), [250, 251, 252, 253, 254, 255, 0, 1, 2, 3]);
  assert.equal(files.get("core/größe.so")?.length, 768);
});

test("a compressed or cut-off zip is refused", () => {
  assert.throws(() => storedFiles(zip("ZIP_DEFLATED")), /damaged/);
  assert.throws(() => storedFiles(zip("ZIP_STORED").subarray(0, 200)), /damaged/);
  assert.throws(() => storedFiles(new Uint8Array(3)), /damaged/);
});
