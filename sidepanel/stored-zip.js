// The files of a zip whose entries are stored as they are, as those of our build (build_tools/archives.py).

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;

/**
 * Views into `bytes`, by name. Throws if it is no such zip.
 * @param {Uint8Array} bytes
 * @returns {Map<string, Uint8Array>}
 */
export function storedFiles(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - END_BYTES;
  if (end < 0 || view.getUint32(end, true) !== END) throw new Error("the archive is damaged");
  const files = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== ENTRY || view.getUint16(at + 10, true) !== 0)
      throw new Error("the archive is damaged");
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const size = view.getUint32(at + 24, true);
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    files.set(new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + name)), bytes.subarray(start, start + size));
    at += 46 + name + extra + comment;
  }
  return files;
}
