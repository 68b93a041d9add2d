/** Files on their way to a message: has each read, tells the view how far that is, and hands what was read to Python. */

/** @import { AttachDocument, AttachmentEvent, Command, Parsed, Refusal } from "./types.js" */

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
    const id = crypto.randomUUID();
    const { name, type: mime, size: bytes } = file;
    const stop = new AbortController();
    reading.set(id, stop);
    const show = (/** @type {number | null} */ progress) =>
      dispatch({
        type: "attachment",
        attachment: { id, kind: "document", name, detail: "", state: "reading", progress },
      });
    show(null);
    // A message may be sent before its files are read: Python must know that they will come.
    send({ type: "attach-started", id, name });
    const parsed = await parseFile(file, {
      onProgress: (fraction) => reading.has(id) && show(fraction),
      signal: stop.signal,
    }).catch(refusal);
    reading.delete(id);
    if (stop.signal.aborted) return;
    send(document({ id, name, mime, bytes }, parsed));
  }

  return {
    add(files) {
      for (const file of files) read(file);
    },
    cancel(id) {
      reading.get(id)?.abort();
      reading.delete(id);
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
