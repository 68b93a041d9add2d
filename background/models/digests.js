// Hashes of files.

import { createMD5 } from "hash-wasm";

const PIECE = 4 * 1024 * 1024;

/** Read piece by piece. @param {Blob} file @returns {Promise<string>} hex */
export async function md5(file) {
  const hasher = await createMD5();
  hasher.init();
  for (let start = 0; start < file.size; start += PIECE)
    hasher.update(new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer()));
  return hasher.digest();
}

/** For files that fit in memory: a library has a few megabytes. @param {Blob} file @returns {Promise<string>} hex */
export async function sha256(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
