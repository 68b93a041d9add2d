// Requests of the downloads' Worker, made by the page that started it. A page has a policy of its own, to which the browser holds it
// wherever a server passes a request on to; a Worker has only the manifest's, which lets it go anywhere. The page hands on each piece
// that it is asked for without a look at it or a copy (a stream that is transferred copies each, and takes twice the time): all that
// is to be done with the bytes is the Worker's work.
// Worker to page: {type: "fetch", url, headers, port}, and over that port "more" and, in any case, "end".
// Page to Worker, over the port: {status, headers, isEmpty}, then for each "more" {piece: Uint8Array|null}, null at the end; or
// {failed: string, refused?: "asked"|"passed-on"} instead.

import { DownloadError } from "./faults.js";

/** @typedef {{url: string, headers: Record<string, string>, port: MessagePort}} Asked */
/** @typedef {(url: string, options: {headers: Record<string, string>, signal: AbortSignal}) => Promise<Response>} RelayedFetch */

/** The news of what the policy refused comes a moment after fetch() has failed. */
const NEWS_MS = 200;

/** The page's side. */
export class Relay {
  /** @param {{fetch: typeof globalThis.fetch, scope: EventTarget}} page  `scope`: hears what its policy refuses */
  constructor({ fetch, scope }) {
    this.fetch = fetch;
    /** @type {Set<() => void>} they end requests that the Worker has not ended */
    this.running = new Set();
    /** @type {Set<string>} */
    this.refused = new Set();
    scope.addEventListener("securitypolicyviolation", (event) => {
      this.refused.add(/** @type {SecurityPolicyViolationEvent} */ (event).blockedURI);
    });
  }

  /** @param {Asked} asked */
  async serve({ url, headers, port }) {
    const controller = new AbortController();
    const end = () => {
      this.running.delete(end);
      controller.abort(new Error("nobody waits for it"));
      port.close();
    };
    this.running.add(end);
    /** @type {ReadableStreamDefaultReader<Uint8Array>|undefined} */
    let reader;
    port.onmessage = ({ data }) => (data === "more" && reader ? hand(reader, port) : end());
    try {
      // Without "no-store" the browser's own cache would hold all of it a second time.
      const options = /** @type {const} */ ({ headers, cache: "no-store", credentials: "omit" });
      const response = await this.fetch(url, { ...options, signal: controller.signal });
      reader = response.body?.getReader();
      port.postMessage({ status: response.status, headers: [...response.headers], isEmpty: !reader });
    } catch (error) {
      port.postMessage({ refused: await this.refusalOf(url), failed: String(error) });
    }
  }

  /** The Worker is gone. */
  end() {
    for (const end of this.running) end();
  }

  /** fetch() does not tell a refusal from a lost network. @param {string} url @returns {Promise<"asked"|"passed-on"|null>} */
  async refusalOf(url) {
    if (!(await this.wasRefused(url))) return null;
    // The event names what was asked for, also where that was passed on to what the policy refuses.
    await this.fetch(url, { method: "HEAD", redirect: "manual", credentials: "omit" }).catch(() => {});
    return (await this.wasRefused(url)) ? "asked" : "passed-on";
  }

  /** @param {string} url */
  async wasRefused(url) {
    await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
    return this.refused.delete(url);
  }
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {MessagePort} port */
async function hand(reader, port) {
  try {
    const { value: piece = null } = await reader.read();
    port.postMessage({ piece }, piece ? [piece.buffer] : []);
  } catch (error) {
    port.postMessage({ failed: String(error) });
  }
}

/**
 * The Worker's side: fetch() as far as downloads need it.
 * @param {(message: object, transfer: Transferable[]) => void} post  to the page
 * @returns {RelayedFetch}
 */
export function relayedFetch(post) {
  return async (url, { headers, signal }) => {
    signal.throwIfAborted();
    const { port1: port, port2 } = new MessageChannel();
    const answer = answerFrom(port, new URL(url).host, signal);
    post({ type: "fetch", url, headers, port: port2 }, [port2]);
    return answer;
  };
}

/** @param {MessagePort} port @param {string} host @param {AbortSignal} signal @returns {Promise<Response>} */
function answerFrom(port, host, signal) {
  /** @type {ReadableStreamDefaultController<Uint8Array>} */
  let taker;
  const end = () => {
    port.onmessage = null;
    port.postMessage("end");
  };
  const source = {
    start: (/** @type {ReadableStreamDefaultController<Uint8Array>} */ controller) => {
      taker = controller;
    },
    pull: () => port.postMessage("more"),
    cancel: end,
  };
  // Nothing ahead of its time: where a request fails, what nobody has taken is thrown away.
  const body = new ReadableStream(source, { highWaterMark: 0 });
  return new Promise((resolve, reject) => {
    const fail = (/** @type {unknown} */ error) => {
      reject(error);
      taker.error(error);
    };
    signal.addEventListener("abort", () => {
      end();
      fail(signal.reason);
    });
    port.onmessage = ({ data }) => {
      if (data.piece) taker.enqueue(data.piece);
      else if (data.piece === null) taker.close();
      else if (data.failed) fail(data.refused ? refusal(host, data.refused) : new TypeError(data.failed));
      else resolve(new Response(data.isEmpty ? null : body, { status: data.status, headers: data.headers }));
    };
  });
}

/** @param {string} host @param {"asked"|"passed-on"} how */
function refusal(host, how) {
  const message =
    how === "asked"
      ? `this extension must not connect to ${host}`
      : `${host} passes on to a host that this extension must not connect to`;
  return new DownloadError("moved", message);
}
