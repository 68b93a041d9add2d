// Zip archives and the XML in them.

import { unzipSync } from "fflate";
import { DOMParser } from "linkedom/worker";
import { MOST_UNPACKED } from "../limits.js";
import { ParseError } from "./blocks.js";

/**
 * Unpacked size of each entry, without unpacking any.
 * @param {Uint8Array} bytes
 */
export function sizesInZip(bytes) {
  /** @type {Record<string, number>} */
  const sizes = {};
  let total = 0;
  unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      sizes[name] = originalSize;
      total += originalSize;
      return false;
    },
  });
  if (total > MOST_UNPACKED) throw new ParseError("too-big", `It unpacks to more than ${MOST_UNPACKED >> 20} MB.`);
  return sizes;
}

/**
 * @param {Uint8Array} bytes
 * @param {(name: string) => boolean} wanted
 */
export function unzip(bytes, wanted) {
  return unzipSync(bytes, { filter: ({ name }) => wanted(name) });
}

/**
 * All elements of an XML file, in the order of the file; names are without prefixes.
 * @param {Uint8Array} bytes
 * @returns {Element[]}
 */
export function parseXml(bytes) {
  const document = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "text/xml");
  /** @type {Element[]} */
  const elements = [];
  for (const element of document.querySelectorAll("*"))
    elements.push(/** @type {Element} */ (/** @type {unknown} */ (element)));
  return elements;
}

/**
 * An element's name without its prefix.
 * @param {Element} element
 */
export function bareName(element) {
  return element.localName.replace(/^.*:/, "");
}
