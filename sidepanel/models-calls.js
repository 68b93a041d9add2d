// What Python may ask the page about models: the package's catalogue, the graphics card, a repository, and the disk.

import { isSoftware } from "../background/engines/software-gpu.js";
import { storageSizes } from "./storage-sizes.js";

/** @type {Record<string, (args: any) => Promise<any>>} */
export const MODEL_CALLS = {
  "models.catalogue": readCatalogue,
  "models.config": readConfig,
  "gpu.adapter": describeAdapter,
  "memory.look": lookAtMemory,
  "storage.sizes": storageSizes,
};

async function readCatalogue() {
  const response = await fetch(chrome.runtime.getURL("models/catalogue.json"));
  return response.json();
}

/**
 * A model's mlc-chat-config.json.
 * @param {{url: string}} what
 * @returns {Promise<{config: object} | {error: "offline" | "not-found" | "refused" | "server" | "not-json", detail: string}>}
 */
async function readConfig({ url }) {
  let response;
  try {
    response = await fetch(url, { credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    return { error: "offline", detail: String(error) };
  }
  const detail = `${response.status} ${response.statusText}`;
  if (response.status === 401 || response.status === 403) return { error: "refused", detail };
  if (response.status === 404) return { error: "not-found", detail };
  if (!response.ok) return { error: "server", detail };
  return response.json().then(
    (config) => ({ config }),
    (error) => ({ error: "not-json", detail: String(error) }),
  );
}

/** The machine's memory in bytes, and how much of it is free or could be at once. */
async function lookAtMemory() {
  const { availableCapacity, capacity } = await chrome.system.memory.getInfo();
  return { available: availableCapacity, capacity };
}

/** The graphics card and its limits in bytes, and the machine's memory in gigabytes; null if there is none to use. */
async function describeAdapter() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  if (!adapter) return null;
  const { vendor, architecture, device, description } = adapter.info;
  const is_software = isSoftware(adapter);
  const memory = /** @type {{deviceMemory?: number}} */ (navigator).deviceMemory ?? null;
  return {
    description: description || [vendor, architecture, device].filter(Boolean).join(" ") || "Graphics card",
    f16: adapter.features.has("shader-f16"),
    max_buffer: adapter.limits.maxBufferSize,
    max_storage_binding: adapter.limits.maxStorageBufferBindingSize,
    memory,
    is_software,
  };
}
