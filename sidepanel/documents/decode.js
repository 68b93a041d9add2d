// Bytes to text.

import { ParseError, READABLE } from "./blocks.js";

const SAMPLE = 1 << 16;

/**
 * The text, and whether its encoding had to be guessed. Throws "unsupported" where the bytes are no text.
 * @param {Uint8Array} bytes
 * @param {boolean} [isHtml]  then a <meta charset> or an XML declaration may name the encoding
 * @returns {{text: string, guessed: boolean}}
 */
export function decodeText(bytes, isHtml = false) {
  const utf16 = utf16Name(bytes);
  if (utf16) return { text: new TextDecoder(utf16).decode(bytes), guessed: false };
  if (looksBinary(bytes)) throw new ParseError("unsupported", `It holds no text but binary data. ${READABLE}`);
  const named = isHtml ? declaredName(bytes) : null;
  try {
    return { text: new TextDecoder(named ?? "utf-8", { fatal: true }).decode(bytes), guessed: false };
  } catch {
    return { text: decodeAs(named ?? "windows-1252", bytes), guessed: true };
  }
}

/**
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function decodeAs(name, bytes) {
  try {
    return new TextDecoder(name).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** @param {Uint8Array} bytes */
function utf16Name(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return null;
}

/** @param {Uint8Array} bytes */
function looksBinary(bytes) {
  const sample = bytes.subarray(0, SAMPLE);
  let strange = 0;
  for (const byte of sample) {
    if (byte === 0) return true;
    if (byte < 9 || (byte > 13 && byte < 27) || byte === 127) strange++;
  }
  return strange > sample.length / 20;
}

/** @param {Uint8Array} bytes */
function declaredName(bytes) {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 2048));
  return (
    /<meta[^>]+charset=["']?([\w-]+)|<\?xml[^>]+encoding=["']([\w-]+)/i.exec(start)?.slice(1).find(Boolean) ?? null
  );
}
