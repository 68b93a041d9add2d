const GB = 1e9;
const MB = 1e6;

/** Bytes for people, as Python words them: "412 MB", "1.3 GB". @param {number} n */
export function bytes(n) {
  if (n >= 0.9995 * GB) return `${(n / GB).toFixed(1)} GB`;
  return n >= 0.9995 * MB ? `${Math.round(n / MB)} MB` : `${Math.round(n / 1000)} kB`;
}
