// Video and audio in a page: the captions that come with them, and a moment in them. `recordings` is injected into the tab, so
// it must stand on its own.

/**
 * @typedef {{start: number, end: number, speaker: string, lines: string[]}} Cue start and end in seconds
 * @typedef {{media: number, title: string, language: string, cues: Cue[]}} Recording `media`: which of the page's, from 0
 */

/**
 * The recordings of the page that have captions or subtitles, in the page's language where there are several. With a moment,
 * goes there instead.
 * @param {number} seconds how long tracks may take to load
 * @param {{media: number, time: number}} [moment]
 * @returns {Promise<Recording[] | boolean>} for a moment, whether it is there
 */
export async function recordings(seconds, moment) {
  /** @type {HTMLMediaElement[]} */
  const found = [];
  /** @param {Document | ShadowRoot} root */
  const collect = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.localName === "video" || element.localName === "audio") {
        found.push(/** @type {HTMLMediaElement} */ (element));
      }
      const frame = /** @type {HTMLIFrameElement} */ (element);
      const inside = element.shadowRoot ?? (/^i?frame$/.test(element.localName) ? frame.contentDocument : null);
      if (inside) collect(inside);
    }
  };
  collect(document);

  if (moment) {
    const media = found[moment.media];
    if (!media) return false;
    media.currentTime = moment.time;
    media.scrollIntoView({ block: "center", behavior: "auto" });
    return true;
  }

  const over = new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const base = (/** @type {string} */ language) => language.toLowerCase().split("-")[0];
  const preferred = [document.documentElement.lang, navigator.language].map(base).filter(Boolean);

  /** Lower is better: the page's language, then what is shown, then the user's language. @param {TextTrack} track */
  const rank = (track) => {
    const place = preferred.indexOf(base(track.language));
    if (place === 0) return 0;
    return track.mode === "showing" ? 1 : place > 0 ? 2 : 3;
  };

  /** @param {TextTrackCue} cue @returns {Cue} */
  const read = (cue) => {
    const voiced = /** @type {VTTCue} */ (cue);
    const shown = voiced.getCueAsHTML?.() ?? document.createDocumentFragment();
    const speaker = shown.querySelector("span[title]")?.getAttribute("title") ?? "";
    const lines = (shown.textContent ?? "").split("\n").map((line) => line.replace(/\s+/g, " ").trim());
    return { start: cue.startTime, end: cue.endTime, speaker: speaker.trim(), lines: lines.filter(Boolean) };
  };

  /**
   * A track loads as soon as it is hidden instead of disabled; a script's own may fetch what nobody asked for, and is left.
   * @param {TextTrack} track
   * @param {HTMLTrackElement | undefined} element
   */
  const cuesOf = async (track, element) => {
    if (!element) return [...(track.cues ?? [])].map(read);
    const mode = track.mode;
    if (mode === "disabled") track.mode = "hidden";
    try {
      const ended = new Promise((resolve) => {
        element.addEventListener("load", resolve, { once: true });
        element.addEventListener("error", resolve, { once: true });
      });
      if (element.readyState < HTMLTrackElement.LOADED) await Promise.race([ended, over]);
      return [...(track.cues ?? [])].map(read);
    } finally {
      if (mode === "disabled") track.mode = mode;
    }
  };

  const all = await Promise.all(
    found.map(async (media, index) => {
      const elements = [...media.querySelectorAll("track")];
      const tracks = [...media.textTracks].filter((track) => /^(captions|subtitles)$/.test(track.kind));
      for (const track of tracks.sort((a, b) => rank(a) - rank(b))) {
        const cues = await cuesOf(
          track,
          elements.find((element) => element.track === track),
        );
        const title = media.title || media.getAttribute("aria-label") || "";
        if (cues.length) return { media: index, title, language: track.language, cues };
      }
      return null;
    }),
  );
  return all.filter((recording) => recording !== null);
}
