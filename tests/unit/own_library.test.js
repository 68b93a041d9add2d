import assert from "node:assert/strict";
import { test } from "node:test";
import { libraryFor } from "../../background/engines/own-library.js";

const adapter = (/** @type {object} */ info) => /** @type {any} */ ({ info: { architecture: "", ...info } });
const CARD = adapter({ vendor: "nvidia" });
const SOFTWARE = [adapter({ isFallbackAdapter: true }), adapter({ architecture: "swiftshader" })];

test("the package's own library is that of the adapter", () => {
  assert.equal(libraryFor("models/starter/library.wasm", CARD), "models/starter/library-gpu.wasm");
  for (const software of SOFTWARE)
    assert.equal(libraryFor("models/starter/library.wasm", software), "models/starter/library.wasm");
});

test("other libraries come once", () => {
  for (const lib of ["models/vendored/Llama-ctx4k.wasm", "https://example.org/models/starter/library.wasm", ""])
    assert.equal(libraryFor(lib, CARD), lib);
});
