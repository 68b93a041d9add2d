/** Files on their way to a message: has each read, tells the view how far that is, and hands what was read to Python. */

import { held, isImage, takePicture } from "./pictures.js";

/** @import { AttachDocument, Attachment, AttachmentEvent, Command, Parsed, Refusal } from "./types.js" */

/**
 * `Parsed.id` is what tells one content from another; a refusal has none. Rejects when the signal is aborted.
 *
 * @typedef {(file: File, options: {onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<Parsed | Refusal>} ParseFile
 */

/**
 * @param {object} options
 * @param {ParseFile} options.parseFile
 * @param {(event: AttachmentEvent) => void} options.dispatch takes what the view is to show
 * @param {(command: Command) => void} options.send takes what Python is to know
 * @returns {{add: (files: Iterable<File>) => void, cancel: (id: string) => void}}
 */
export function createAttach({ parseFile, dispatch, send }) {
  /** @type {Map<string, AbortController>} */
  const reading = new Map();

  /** @param {File} file */
  async function read(file) {
    const { name, type: mime, size: bytes } = file;
    const { id, show, signal } = start("document", name);
    const parsed = await parseFile(file, {
      onProgress: (fraction) => reading.has(id) && show(fraction),
      signal,
    }).catch(refusal);
    if (isWanted(id)) send(document({ id, name, mime, bytes }, parsed));
  }

  /** @param {File} file */
  async function take(file) {
    const { name } = file;
    const { id } = start("image", name);
    const picture = await takePicture(id, file);
    if (isWanted(id)) send({ type: "attach-image", id, name, ...picture });
    else held.delete(id);
  }

  /**
   * Shows that a file is being read. A message may be sent before it is: Python must know that it will come.
   * @param {Attachment["kind"]} kind
   * @param {string} name
   */
  function start(kind, name) {
    const id = crypto.randomUUID();
    const stop = new AbortController();
    reading.set(id, stop);
    const show = (/** @type {number | null} */ progress) =>
      dispatch({ type: "attachment", attachment: { id, kind, name, detail: "", state: "reading", progress } });
    show(null);
    send({ type: "attach-started", id, kind, name });
    return { id, show, signal: stop.signal };
  }

  /** Whether nobody took it away while it was read. @param {string} id */
  const isWanted = (id) => reading.delete(id);

  return {
    add(files) {
      for (const file of files) isImage(file) ? take(file) : read(file);
    },
    cancel(id) {
      reading.get(id)?.abort();
      reading.delete(id);
      held.delete(id);
    },
  };
}

/**
 * @param {Pick<AttachDocument, "id" | "name" | "mime" | "bytes">} file
 * @param {Parsed | Refusal} parsed
 * @returns {AttachDocument}
 */
function document(file, parsed) {
  return { type: "attach-document", ...file, hash: "error" in parsed ? "" : parsed.id, parsed };
}

/**
 * @param {unknown} error
 * @returns {Refusal}
 */
function refusal(error) {
  return { error: "damaged", detail: error instanceof Error ? error.message : String(error) };
}
