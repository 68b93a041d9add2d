import { isSoftware } from "./software-gpu.js";

const OWN = /^(models\/[^/]+\/library)\.wasm$/;

/**
 * The library of a model for an adapter. The package's own libraries come twice, with kernels for a processor that stands in for a
 * graphics card, and with others for real ones. @param {string} lib  a path in the package, or an address @param {GPUAdapter} adapter
 */
export function libraryFor(lib, adapter) {
  return isSoftware(adapter) ? lib : lib.replace(OWN, "$1-gpu.wasm");
}
