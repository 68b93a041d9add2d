// Frames in a page: which of them are read with it, and which of other sites cannot be though they take much of it.

/** The share of the window that a frame takes at least to be more than a widget or an advertisement. */
const LARGE = 1 / 4;
/** Width and height of the smallest frame in which a person can read. */
const READABLE = { width: 120, height: 40 };

/**
 * The body of a frame of the same origin, if the frame is large, or small but holds most of the page's text.
 * @param {Element} element
 * @returns {HTMLElement | null}
 */
export function frameBody(element) {
  const frame = asFrame(element);
  const body = frame?.contentDocument?.body;
  if (!frame || !body) return null;
  return isLarge(frame) || holdsMost(frame, body) ? body : null;
}

/**
 * The sites of the large frames that can be seen and may not be read; "" where the address tells none.
 * @param {Document} root
 * @returns {string[]}
 */
export function unreadFrames(root) {
  return [...root.querySelectorAll("iframe, frame")].flatMap((element) => {
    const frame = asFrame(element);
    if (!frame?.checkVisibility()) return [];
    const inside = frame.contentDocument;
    if (inside) return frameBody(frame) ? unreadFrames(inside) : [];
    return isLarge(frame) ? [siteOf(frame)] : [];
  });
}

/**
 * @param {Element} element
 * @returns {HTMLIFrameElement | null} a frame of a frameset is used alike
 */
function asFrame(element) {
  return /^i?frame$/.test(element.localName) ? /** @type {HTMLIFrameElement} */ (element) : null;
}

/** @param {HTMLIFrameElement} frame */
function isLarge(frame) {
  return frame.clientWidth * frame.clientHeight >= innerWidth * innerHeight * LARGE;
}

/**
 * @param {HTMLIFrameElement} frame
 * @param {HTMLElement} body
 */
function holdsMost(frame, body) {
  if (frame.clientWidth < READABLE.width || frame.clientHeight < READABLE.height) return false;
  return textLength(body) > textLength(document.body) / 2;
}

/**
 * Of what can be seen in a body and in its frames.
 * @param {HTMLElement} body
 * @returns {number}
 */
function textLength(body) {
  const frames = [...body.querySelectorAll("iframe, frame")].map((frame) => asFrame(frame)?.contentDocument?.body);
  return body.innerText.trim().length + frames.reduce((sum, inside) => sum + (inside ? textLength(inside) : 0), 0);
}

/** @param {HTMLIFrameElement} frame */
function siteOf(frame) {
  if (frame.hasAttribute("srcdoc")) return "";
  try {
    return new URL(frame.src).hostname;
  } catch {
    return "";
  }
}
