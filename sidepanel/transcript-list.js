// Transcripts that a page shows beside its recording, as a list of lines with times. Readability takes them for clutter.

const NAMED = ["class", "id", "aria-label"].map((name) => `[${name}*="transcript" i]`).join(", ");
const STAMP = /^\s*[[(]?\d{1,2}(:\d{2}){1,2}[\])]?/;
const LEAST_LINES = 4;
/** The share of the lines that begin with a time. */
const STAMPED = 0.8;
/** Characters of a paragraph. */
const LONG = 350;

/**
 * Adds the transcript that a page shows to an article that lacks it, as a section of its own.
 * @param {HTMLElement} article changed
 * @param {HTMLElement} body of the whole page
 */
export function addTranscript(article, body) {
  const lines = transcriptLines(body);
  const text = squeeze(article.textContent ?? "");
  if (!lines.length || lines.every((line) => text.includes(squeeze(line)))) return article;
  const document = article.ownerDocument;
  const heading = document.createElement("h2");
  heading.append("Transcript");
  article.append(heading);
  for (const paragraph of paragraphs(lines)) {
    const element = document.createElement("p");
    element.append(paragraph);
    article.append(element);
  }
  return article;
}

/** @param {string} text */
function squeeze(text) {
  return text.replace(/\s+/g, "");
}

/**
 * The longest list of lines with times in what calls itself a transcript.
 * @param {HTMLElement} body
 */
function transcriptLines(body) {
  const inside = [...body.querySelectorAll(NAMED)].flatMap((named) => [named, ...named.querySelectorAll("*")]);
  const lists = [...new Set(inside)].filter(isList).sort((a, b) => b.children.length - a.children.length);
  return [...(lists[0]?.children ?? [])].map((line) =>
    (line.textContent ?? "").replace(STAMP, "$& ").replace(/\s+/g, " ").trim(),
  );
}

/** @param {Element} element */
function isList({ children }) {
  if (children.length < LEAST_LINES) return false;
  const stamped = [...children].filter((line) => STAMP.test(line.textContent ?? ""));
  return stamped.length >= children.length * STAMPED;
}

/** @param {string[]} lines */
function paragraphs(lines) {
  /** @type {string[]} */
  const made = [];
  for (const line of lines.filter(Boolean)) {
    const last = made.at(-1);
    if (last && last.length + line.length < LONG) made[made.length - 1] = `${last} ${line}`;
    else made.push(line);
  }
  return made;
}
