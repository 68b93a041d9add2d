// Images on their way to a message: recognized, made small enough for a model, and held in memory while the panel is open. With a
// conversation they are kept by sessions-store.js.

import { MOST_BYTES, MOST_PIXELS } from "./limits.js";

/**
 * @typedef {{blob: Blob, width: number, height: number}} Picture
 * @typedef {{error: "not-an-image" | "drawing" | "heic" | "too-large" | "damaged", detail: string}} Refusal
 */

/** What a file picker may offer. */
export const ACCEPTED_IMAGES = "image/png,image/jpeg,image/webp,image/gif,image/avif";

/** Pixels: no model that we know sees more. */
const LONGEST_SIDE = 1344;
/** Each model's reader takes JPEG; and made anew, a photo does not say any more where it was taken. */
const FORMAT = { type: "image/jpeg", quality: 0.9 };

/** What was taken, by id. @type {Map<string, Blob>} */
export const held = new Map();

/** Whether a file says that it is an image. @param {File} file */
export function isImage({ name, type }) {
  return type.startsWith("image/") || /\.(png|jpe?g|jfif|webp|gif|avif|hei[cf]|svg|bmp|tiff?)$/i.test(name);
}

/**
 * Reads an image, and holds it under an id.
 * @param {string} id
 * @param {Blob} file
 * @returns {Promise<{width: number, height: number} | Refusal>}
 */
export async function takePicture(id, file) {
  const picture = await pictureOf(file).catch((error) => refuse("damaged", String(error)));
  if ("error" in picture) return picture;
  const { blob, width, height } = picture;
  held.set(id, blob);
  return { width, height };
}

/**
 * @param {Blob} file
 * @returns {Promise<Picture | Refusal>}
 */
async function pictureOf(file) {
  if (file.size > MOST_BYTES) return refuse("too-large", `It has ${file.size} bytes.`);
  const kind = kindOf(new Uint8Array(await file.slice(0, 64).arrayBuffer()));
  if (kind !== "image") return refuse(kind, `It is called ${file.type || "nothing"}.`);
  const { width, height } = await sizeOf(file);
  if (width * height > MOST_PIXELS) return refuse("too-large", `It has ${width} × ${height} pixels.`);
  return drawn(await createImageBitmap(file));
}

/**
 * What the first bytes of a file say that it is.
 * @param {Uint8Array} bytes
 * @returns {"image" | "not-an-image" | "drawing" | "heic"}
 */
export function kindOf(bytes) {
  const head = String.fromCharCode(...bytes);
  if (/^(\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP)/s.test(head)) return "image";
  const brands = /^.{4}ftyp(.*)/s.exec(head)?.[1] ?? "";
  if (/avi[fs]/.test(brands)) return "image";
  if (/^(hei[cxms]|hev[cxms]|mif1|msf1)/.test(brands)) return "heic";
  return /^(\xef\xbb\xbf)?\s*<(\?xml|!--|!DOCTYPE svg|svg)/i.test(head) ? "drawing" : "not-an-image";
}

/**
 * Known before all of it is decoded, which a small file of very many pixels should not be.
 * @param {Blob} file
 * @returns {Promise<{width: number, height: number}>}
 */
async function sizeOf(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error("the browser cannot decode it"));
      image.src = url;
    });
    return { width: image.naturalWidth, height: image.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @returns {Promise<Picture>}
 */
async function drawn(bitmap) {
  const { width, height } = fitted(bitmap);
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { blob: await canvas.convertToBlob(FORMAT), width, height };
}

/** @param {{width: number, height: number}} size */
export function fitted({ width, height }) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  const scaled = (/** @type {number} */ side) => Math.max(1, Math.round(side * scale));
  return { width: scaled(width), height: scaled(height) };
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
export function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** What a data URL holds. @param {string} url @param {string} [type] */
export function blobOf(url, type = "") {
  const bytes = atob(url.slice(url.indexOf(",") + 1));
  return new Blob([Uint8Array.from(bytes, (character) => character.charCodeAt(0))], { type });
}

/**
 * @param {Refusal["error"]} error
 * @param {string} detail
 * @returns {Refusal}
 */
function refuse(error, detail) {
  return { error, detail };
}
