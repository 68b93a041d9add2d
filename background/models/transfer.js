// Brings one file to its end, from where an earlier attempt left it.
//
// A request for the rest of a file has a Range header and no If-Range: of the two only Range goes to another origin without a
// question beforehand, and the hosts that weights are handed out from answer no such questions. What If-Range would assure is looked
// at here: the answer's ETag, and in the end the file's hash.

import { DownloadError, statusError } from "./faults.js";

/** @import { Part } from "./plan.js" */
/** @import { RelayedFetch } from "./relay.js" */

/** @typedef {{size: number, append: (bytes: Uint8Array) => void, truncate: () => void}} Sink */
/**
 * @typedef {object} Means
 * @property {Sink} file
 * @property {string|null} validator       of the answer that the bytes in the file are from
 * @property {RelayedFetch} fetch
 * @property {AbortSignal} signal
 * @property {(facts: {validator: string|null, bytes: number|null}) => Promise<void>} onAnswer   keeps what was said of the bytes
 * @property {(bytes: number) => void} onBytes
 * @property {number} silence              seconds without a byte, after which the connection is given up
 */

/** @param {Part} part @param {Means} means */
export async function transfer(part, means) {
  const { file } = means;
  if (part.bytes !== null && file.size > part.bytes) file.truncate();
  if (part.bytes !== null && file.size === part.bytes) return;
  const stall = new AbortController();
  const patience = new Patience(() => stall.abort(), means.silence);
  const signal = AbortSignal.any([means.signal, stall.signal]);
  try {
    const response = await open(part, means, signal);
    patience.renew();
    await take(part, response, means, patience);
  } catch (error) {
    means.signal.throwIfAborted();
    throw stall.signal.aborted ? stalled(part, means) : translate(part, error);
  } finally {
    patience.end();
    stall.abort(); // a body that nobody reads to its end keeps its connection
  }
  if (part.bytes !== null && file.size < part.bytes) throw new DownloadError("offline", `${part.url} ended too soon`);
}

/** @param {Part} part @param {Means} means @param {AbortSignal} signal */
async function open(part, means, signal) {
  const { file } = means;
  const ask = () => {
    // Always a range, from the first byte on: such an answer is never compressed, so its length is the file's.
    const headers = { Range: `bytes=${file.size}-` };
    return means.fetch(part.url, { headers, signal });
  };
  let response = await ask();
  if (file.size > 0 && !goesOn(part, means, response)) {
    file.truncate();
    if (response.status !== 200) {
      await response.body?.cancel();
      response = await ask();
    }
  }
  const error = statusError(part.url, response.status);
  if (error) throw error;
  return response;
}

/** Whether an answer is the rest of what is there. Others are errors, or the whole file. @param {Part} part @param {Means} means @param {Response} response */
function goesOn(part, { file, validator }, response) {
  if (response.status === 200 || response.status === 416) return false;
  if (response.status !== 206) return true;
  const range = response.headers.get("Content-Range");
  if (range && !range.startsWith(`bytes ${file.size}-`)) return false;
  const now = validatorOf(response);
  if (validator && now) return validator === now;
  return Boolean(part.md5 ?? part.sha256); // two halves of different files would be found out
}

/** @param {Response} response */
function validatorOf({ headers }) {
  return headers.get("ETag") ?? headers.get("Last-Modified");
}

/** @param {Part} part @param {Response} response @param {Means} means @param {Patience} patience */
async function take(part, response, means, patience) {
  const length = response.headers.get("Content-Length");
  const bytes = length === null ? null : means.file.size + Number(length);
  if (part.bytes !== null && bytes !== null && bytes !== part.bytes)
    throw new DownloadError("corrupt", `${part.url} has ${bytes} bytes instead of ${part.bytes}`);
  // Not awaited yet: where a connection breaks, the browser throws away what was not read until then.
  const isKept = means.onAnswer({ validator: validatorOf(response), bytes });
  isKept.catch(() => {}); // it is awaited in the end, if that comes
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    means.signal.throwIfAborted();
    patience.renew();
    means.file.append(piece.value);
    means.onBytes(piece.value.length);
    if (part.bytes !== null && means.file.size > part.bytes)
      throw new DownloadError("corrupt", `${part.url} is longer than ${part.bytes} bytes`);
  }
  await isKept;
}

/** @param {Part} part @param {Means} means */
function stalled(part, { silence }) {
  return new DownloadError("stalled", `${new URL(part.url).host} sent nothing for ${silence} seconds`);
}

/** fetch() tells no reason. @param {Part} part @param {unknown} error */
function translate(part, error) {
  if (error instanceof DownloadError) return error;
  const isNetwork = error instanceof TypeError || (error instanceof DOMException && error.name === "AbortError");
  if (!isNetwork) return error;
  return new DownloadError("offline", `${new URL(part.url).host} cannot be reached`);
}

/** Ends what brings nothing any more. */
class Patience {
  /** @param {() => void} onEnd @param {number} seconds  Infinity: it never ends */
  constructor(onEnd, seconds) {
    this.onEnd = onEnd;
    this.seconds = seconds;
    this.renew();
  }

  renew() {
    this.end();
    if (this.seconds < Number.POSITIVE_INFINITY) this.timer = setTimeout(this.onEnd, this.seconds * 1000);
  }

  end() {
    clearTimeout(this.timer);
  }
}
