// What a server's refusal means. Servers say it in a status and, mostly, in {error: {message, type, code}} or {error: message}.

/** @import { ErrorCode, Server } from "../protocol.js" */

/** The server could be asked, and does not do what it was asked. */
export class ServerError extends Error {
  /** @param {ErrorCode} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const TOO_LONG =
  /exceed_context_size|context_length_exceeded|maximum (model |context )?length|context (length|size|window)|too many tokens/i;

/**
 * @param {number} status
 * @param {string} body
 * @param {Server["kind"]} [kind]
 * @returns {ServerError}
 */
export function errorOf(status, body, kind) {
  const { message, words } = read(body);
  const technical = `${status} ${message}`.trim();
  const error = (/** @type {ErrorCode} */ code) => new ServerError(code, technical);
  if (status === 401) return error("key-refused");
  // Ollama has no keys: it refuses whoever is not in OLLAMA_ORIGINS, without a word.
  if (status === 403) return error(kind === "ollama" || !message ? "origin-refused" : "key-refused");
  if (TOO_LONG.test(words)) return new ServerError("context-length", message);
  if (status === 404) return error(/model/i.test(words) ? "no-such-model" : "not-a-server");
  if (status === 429 || status === 503) return error("server-busy");
  return error(status >= 400 && status < 500 ? "bad-request" : "failed");
}

/** @param {string} body */
function read(body) {
  /** @type {any} */
  let error = body;
  try {
    const answer = JSON.parse(body);
    error = answer.error ?? answer;
  } catch {
    // it is no JSON
  }
  const message = typeof error === "string" ? error : String(error?.message ?? error?.detail ?? JSON.stringify(error));
  return { message: message.slice(0, 300), words: `${message} ${error?.type ?? ""} ${error?.code ?? ""}` };
}
