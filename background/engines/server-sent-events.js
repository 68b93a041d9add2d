// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) of a body that fetch() gives.

/**
 * The data of each event, as they come. The last one counts also if the empty line after it is missing.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<string>}
 */
export async function* eventsOf(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = "";
  /** @type {string[]} */
  let data = [];
  for (let piece = await reader.read(); ; piece = await reader.read()) {
    rest += piece.value ?? "\n\n";
    const lines = rest.split(/\r\n|\n|\r(?=.)/);
    rest = piece.done ? "" : /** @type {string} */ (lines.pop());
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line || !data.length) continue;
      yield data.join("\n");
      data = [];
    }
    if (piece.done) return;
  }
}
