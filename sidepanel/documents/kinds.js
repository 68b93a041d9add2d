// Which parser reads a file: its first bytes say more than its name, and its name more than its type.

import { ParseError, READABLE } from "./blocks.js";
import { sizesInZip } from "./zip.js";

/**
 * @typedef {{format: "pdf" | "docx" | "epub", sizes: Record<string, number>}
 *   | {format: "html" | "markdown" | "plain" | "csv" | "json"} | {format: "code", language: string}} Kind
 */

const TEXT_FORMATS = /** @type {const} */ ({
  html: "html htm xhtml xht",
  markdown: "md markdown mdown mkd mdx",
  plain: "txt text log rst adoc org srt vtt",
  csv: "csv tsv tab",
  json: "json jsonl ndjson geojson webmanifest",
});
const LANGUAGES = new Map(
  Object.entries({
    python: "py pyi pyw",
    javascript: "js mjs cjs jsx",
    typescript: "ts tsx mts cts",
    java: "java",
    kotlin: "kt kts",
    c: "c h",
    cpp: "cpp cc cxx hpp hh hxx",
    csharp: "cs",
    go: "go",
    rust: "rs",
    ruby: "rb",
    php: "php",
    swift: "swift",
    scala: "scala",
    bash: "sh bash zsh",
    powershell: "ps1",
    sql: "sql",
    r: "r",
    julia: "jl",
    lua: "lua",
    perl: "pl pm",
    haskell: "hs",
    elixir: "ex exs",
    erlang: "erl",
    clojure: "clj cljs",
    dart: "dart",
    vue: "vue",
    svelte: "svelte",
    css: "css scss sass less",
    xml: "xml xsd xsl svg",
    yaml: "yaml yml",
    toml: "toml",
    ini: "ini cfg conf properties env",
    tex: "tex bib",
    makefile: "mk makefile",
    dockerfile: "dockerfile",
    diff: "diff patch",
    graphql: "graphql gql",
    protobuf: "proto",
  }).flatMap(([language, endings]) => endings.split(" ").map((ending) => [ending, language])),
);
const OTHER_OFFICE = "doc dot odt ods odp rtf pages numbers key xls xlsx ppt pptx wpd".split(" ");

/**
 * @param {Uint8Array} bytes
 * @param {string} name
 * @param {string} mime
 * @returns {Kind}  throws ParseError where nothing here reads it
 */
export function kindOf(bytes, name, mime) {
  const ending =
    name
      .toLowerCase()
      .split(/[./\\]/)
      .at(-1) ?? "";
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024));
  if (start.includes("%PDF-")) return { format: "pdf", sizes: {} };
  if (start.startsWith("PK\x03\x04")) return archiveKind(bytes, ending);
  if (start.startsWith("\xd0\xcf\x11\xe0")) throw compoundFile(bytes, ending);
  if (["pdf", "docx", "epub"].includes(ending)) {
    throw new ParseError("damaged", `Its name says ${ending.toUpperCase()}, but it does not begin like one.`);
  }
  if (OTHER_OFFICE.includes(ending) || start.startsWith("{\\rtf")) throw unsupported("Save it as DOCX or PDF first. ");
  return textKind(ending, mime, start);
}

/**
 * @param {string} ending
 * @param {string} mime
 * @param {string} start
 * @returns {Kind}
 */
function textKind(ending, mime, start) {
  for (const [format, endings] of Object.entries(TEXT_FORMATS)) {
    if (endings.split(" ").includes(ending)) return { format: /** @type {keyof typeof TEXT_FORMATS} */ (format) };
  }
  const language = LANGUAGES.get(ending);
  if (language) return { format: "code", language };
  if (mime.startsWith("text/html") || /^\s*<(?:!doctype html|html)[\s>]/i.test(start)) return { format: "html" };
  if (mime === "text/markdown") return { format: "markdown" };
  if (mime === "text/csv") return { format: "csv" };
  if (mime === "application/json") return { format: "json" };
  return { format: "plain" };
}

/**
 * @param {Uint8Array} bytes
 * @param {string} ending
 * @returns {Kind}
 */
function archiveKind(bytes, ending) {
  const sizes = sizesInZip(bytes);
  if (sizes["word/document.xml"] !== undefined) return { format: "docx", sizes };
  if (sizes["META-INF/container.xml"] !== undefined || ending === "epub") return { format: "epub", sizes };
  if (ending === "docx") throw new ParseError("damaged", "It holds no document of Word's.");
  throw unsupported(OTHER_OFFICE.includes(ending) ? "Save it as DOCX or PDF first. " : "");
}

/**
 * Microsoft's older container: a Word file with a password, or one of the older formats.
 * @param {Uint8Array} bytes
 * @param {string} ending
 */
function compoundFile(bytes, ending) {
  const name = [..."EncryptedPackage"].map((letter) => `${letter}\0`).join("");
  const locked = new TextDecoder("latin1").decode(bytes).includes(name);
  if (locked || ending === "docx")
    return new ParseError("encrypted", "It is locked with a password. Save it without one first.");
  return unsupported("Save it as DOCX or PDF first. ");
}

/** @param {string} [advice] */
function unsupported(advice = "") {
  return new ParseError("unsupported", advice + READABLE);
}
