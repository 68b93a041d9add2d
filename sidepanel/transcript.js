// Captions as text: a section "Transcript" of paragraphs that each begin with their time.

import { clock } from "./clock.js";
import { countWords } from "./documents/blocks.js";

/** @import { Cue, Recording } from "./recordings.js" */
/** @typedef {{text: string, time: number, media: number}} Moment a paragraph, and the second and the recording it begins at */

/** Characters after which a paragraph ends with the next sentence, and with the next cue. */
const LONG = 350;
const TOO_LONG = 700;
/** Seconds of silence that end a paragraph. */
const SILENCE = 4;
/** Share of the captions that stand on the page already, beside the recording, from which they need not be told again. */
const SHOWN = 0.5;

/**
 * The text of a page with its transcripts; the page as it was if there are none, or if it shows them itself.
 * @param {any} read what extract.js returned
 * @param {Recording[]} recordings
 */
export function withTranscripts(read, recordings) {
  if (read.error && read.error !== "no-text") return read;
  const { error, detail, ...page } = read;
  const { markdown = "", words = 0, visible_chars = 0, kept_chars = 0 } = page;
  const untold = recordings.filter((recording) => !isShown(recording, markdown));
  if (!untold.length) return read;
  const texts = untold.map(momentsOf);
  const parts = texts.map((moments, index) => sectionOf(headingOf(untold[index], texts.length), moments));
  const told = parts.join("\n\n");
  return {
    method: "transcript",
    lang: untold[0]?.language ?? "",
    byline: "",
    ...page,
    markdown: markdown ? `${markdown}\n\n${told}` : told,
    words: words + countWords(told),
    visible_chars: visible_chars + told.length,
    kept_chars: kept_chars + told.length,
    moments: texts.flat(),
  };
}

/**
 * @param {string} heading
 * @param {Moment[]} moments
 */
function sectionOf(heading, moments) {
  return [heading, ...moments.map(({ text }) => text)].join("\n\n");
}

/**
 * @param {Recording} recording
 * @param {string} markdown
 */
function isShown({ cues }, markdown) {
  const squeezed = (/** @type {string} */ text) => text.replace(/\s+/g, "");
  const page = squeezed(markdown);
  const shown = cues.filter(({ lines }) => page.includes(squeezed(lines.join(""))));
  return shown.length >= cues.length * SHOWN;
}

/**
 * @param {Recording} recording
 * @param {number} count of recordings that are told
 */
function headingOf({ title, media }, count) {
  if (count === 1) return "## Transcript";
  return `## Transcript: ${title.replace(/\s+/g, " ").trim() || `recording ${media + 1}`}`;
}

/**
 * @param {Recording} recording
 * @returns {Moment[]}
 */
export function momentsOf({ media, cues }) {
  /** @type {Moment[]} */
  const moments = [];
  let end = 0;
  let speaker = "";
  let lastLine = "";
  for (const cue of cues) {
    // Captions that roll show a line again while the next one comes up.
    const lines = cue.lines[0] === lastLine ? cue.lines.slice(1) : cue.lines;
    if (!lines.length) continue;
    lastLine = lines.at(-1) ?? "";
    const isOther = cue.speaker !== "" && cue.speaker !== speaker;
    speaker = cue.speaker || speaker;
    const said = (isOther ? `${speaker}: ` : "") + lines.join(" ");
    const last = moments.at(-1);
    if (last && !isOther && cue.start - end < SILENCE && !isFull(last.text)) last.text += ` ${said}`;
    else moments.push({ text: `[${clock(cue.start)}] ${said}`, time: Math.floor(cue.start), media });
    end = cue.end;
  }
  return moments;
}

/** @param {string} text */
function isFull(text) {
  return text.length > TOO_LONG || (text.length > LONG && /[.!?…。！？]["”’»)]*$/.test(text));
}
