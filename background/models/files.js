// Models' files in the origin's private file system: written there byte by byte as they come, and given to WebLLM from there, so
// that nothing lies on the disk twice. Only for Workers.

/** @import { Model } from "../protocol.js" */
/** @import { Sink } from "./transfer.js" */

/**
 * FileSystemSyncAccessHandle, which TypeScript knows in Workers only.
 * @typedef {object} Handle
 * @property {() => number} getSize
 * @property {(bytes: Uint8Array, options: {at: number}) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 * @property {() => void} close
 */

const FOLDER = "models";
/** A Worker that was ended a moment ago may still hold its files. */
const LOCK_ATTEMPTS = 10;
const LOCK_RETRY_MS = 200;
/** What a crash of the whole machine may cost. */
const FLUSH_BYTES = 8 * 1024 * 1024;

const encode = encodeURIComponent; // a name may have slashes

/** @param {string} model @param {boolean} create */
async function folderOf(model, create) {
  const root = await navigator.storage.getDirectory();
  const models = await root.getDirectoryHandle(FOLDER, { create });
  return models.getDirectoryHandle(encode(model), { create });
}

/** Gives null where there is nothing. @template T @param {() => Promise<T>} look @returns {Promise<T|null>} */
async function orNull(look) {
  try {
    return await look();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

export class ModelFiles {
  /** @param {string} model @param {string} name @returns {Promise<File|null>} */
  read(model, name) {
    return orNull(async () => (await (await folderOf(model, false)).getFileHandle(encode(name))).getFile());
  }

  /** @param {string} model @param {string} name @returns {Promise<Sink & {close: () => void}>} */
  async open(model, name) {
    const file = await (await folderOf(model, true)).getFileHandle(encode(name), { create: true });
    return new OpenFile(await locked(file));
  }

  /** @param {string} model @param {string} name */
  async delete(model, name) {
    await orNull(async () => (await folderOf(model, false)).removeEntry(encode(name)));
  }

  /** @param {string} model */
  async deleteAll(model) {
    await orNull(async () => {
      const models = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
      await models.removeEntry(encode(model), { recursive: true });
    });
  }

  /** Models of which there are files. @returns {Promise<string[]>} */
  async models() {
    const root = await navigator.storage.getDirectory();
    const models = await orNull(() => root.getDirectoryHandle(FOLDER));
    const names = [];
    for await (const name of models?.keys() ?? []) names.push(decodeURIComponent(name));
    return names;
  }
}

/** @param {FileSystemFileHandle} file @returns {Promise<Handle>} */
async function locked(file) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await /** @type {any} */ (file).createSyncAccessHandle();
    } catch (error) {
      const isHeld = error instanceof DOMException && error.name === "NoModificationAllowedError";
      if (!isHeld || attempt === LOCK_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
  }
}

/** A file that grows. @implements {Sink} */
class OpenFile {
  /** @param {Handle} handle */
  constructor(handle) {
    this.handle = handle;
    this.size = handle.getSize();
    this.unflushed = 0;
  }

  /** @param {Uint8Array} bytes */
  append(bytes) {
    const written = this.handle.write(bytes, { at: this.size });
    this.size += written;
    this.unflushed += written;
    if (written < bytes.length) throw new DOMException("the disk took only a part", "QuotaExceededError");
    if (this.unflushed >= FLUSH_BYTES) this.flush();
  }

  flush() {
    this.handle.flush();
    this.unflushed = 0;
  }

  truncate() {
    this.handle.truncate(0);
    this.size = 0;
  }

  close() {
    this.flush();
    this.handle.close();
  }
}

/**
 * What a downloaded model's addresses stand for, for WebLLM. Throws if a file is not there whole.
 * @param {Model} model @returns {Promise<Map<string, File>>}
 */
export async function storedFiles(model) {
  const files = new ModelFiles();
  /** @type {Map<string, File>} */
  const found = new Map();
  for (const { name, url, bytes } of model.stored ?? []) {
    const file = await files.read(model.id, name);
    if (file?.size !== bytes) throw Object.assign(new Error(`${name} is missing`), { name: "IncompleteModel" });
    found.set(url, file);
  }
  return found;
}
