// Rebuilds the GGUF of a model's folder: node restore_gguf.mjs FOLDER OUT

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { restoreGguf } from "../../background/engines/gguf.js";

const [folder, out] = process.argv.slice(2);

async function read(name) {
  const bytes = await readFile(join(folder, name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

const recipe = JSON.parse(await readFile(join(folder, "gguf.json"), "utf8"));
const gguf = new Uint8Array(recipe.bytes);
await restoreGguf(recipe, read, gguf);
await writeFile(out, gguf);
