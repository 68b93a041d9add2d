// Word documents: mammoth makes HTML of them, which becomes blocks.

import mammoth from "mammoth";
import { ParseError, squeeze } from "./blocks.js";
import { htmlBlocks, parse } from "./html.js";
import { bareName, parseXml, unzip } from "./zip.js";

const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"];

/**
 * @param {Uint8Array} bytes
 * @param {Record<string, number>} sizes  unpacked bytes of each entry
 * @returns {Promise<import("./blocks.js").Content>}
 */
export async function parseDocx(bytes, sizes) {
  const images = Object.keys(sizes).some((name) => name.startsWith("word/media/"));
  const options = {
    styleMap: STYLES,
    // An image is only its description: its bytes would go into the HTML.
    convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
  };
  const { value } = await mammoth.convertToHtml(
    { arrayBuffer: /** @type {ArrayBuffer} */ (bytes.slice().buffer) },
    options,
  );
  const blocks = htmlBlocks(parse(value).documentElement, { firstRowIsHead: true });
  if (!blocks.length && images) throw new ParseError("scanned", "It holds images only, no text.");
  return { title: storedTitle(bytes), blocks };
}

/** @param {Uint8Array} bytes */
function storedTitle(bytes) {
  const core = unzip(bytes, (name) => name === "docProps/core.xml")["docProps/core.xml"];
  if (!core) return "";
  const title = parseXml(core).find((element) => bareName(element) === "title");
  return squeeze(title?.textContent ?? "");
}
