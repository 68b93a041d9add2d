// What can go wrong with a download, told apart by what is to be done about it.

/** @import { DownloadErrorCode } from "../protocol.js" */

export class DownloadError extends Error {
  /** @param {DownloadErrorCode|"paused"|"cancelled"|"unknown-model"|"bad-request"} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** What the panels are told of an error. @param {unknown} error @returns {{code: any, message: string}} */
export function describe(error) {
  if (error instanceof DownloadError) return { code: error.code, message: error.message };
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  return { code: isFull ? "disk-full" : "failed", message: String(error) };
}

/** @param {string} url @param {number} status @returns {DownloadError|null} */
export function statusError(url, status) {
  const message = `${status} ${url}`;
  if (status === 200 || status === 206) return null;
  if (status === 404 || status === 410) return new DownloadError("not-found", message);
  if (status >= 500 || [408, 425, 429].includes(status)) return new DownloadError("server", message);
  return new DownloadError("refused", message);
}
