// The panel's part of the documents by itself: a test picks files and has them parsed.

import { parseFile } from "../../../sidepanel/documents/files.js";

const picked = () => [...document.querySelector("input").files];

window.ended = 0;
const terminate = Worker.prototype.terminate;
Worker.prototype.terminate = function () {
  window.ended++;
  terminate.call(this);
};

const outcome = async (file, options) => {
  const fractions = [];
  const onProgress = (fraction) => {
    fractions.push(fraction);
    options?.onProgress?.(fraction);
  };
  try {
    return { ...(await parseFile(file, { ...options, onProgress })), fractions };
  } catch (error) {
    return { rejected: error.name, fractions };
  }
};

/** All picked files at once. */
window.parsePicked = () => Promise.all(picked().map((file) => outcome(file)));

/** The first picked file, stopped at the first sign of progress; what came after that is counted. */
window.parseAndStop = async () => {
  const stop = new AbortController();
  return outcome(picked()[0], { signal: stop.signal, onProgress: () => stop.abort() });
};

/** Three files of which only two are read at a time; the one that waits is stopped. */
window.stopWaiting = async () => {
  const stop = new AbortController();
  const [file] = picked();
  const all = [outcome(file), outcome(file), outcome(file, { signal: stop.signal }), outcome(file)];
  stop.abort();
  return Promise.all(all);
};

window.parseMade = (kind) => {
  const text = kind === "bytes" ? "a".repeat((50 << 20) + 1) : "word ".repeat(2_000_001);
  return outcome(new File([text], "long.txt", { type: "text/plain" }));
};
