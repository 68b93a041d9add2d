// Makes the offscreen document when it is missing. For panels, and for the service worker where downloads are to go on.

const DOCUMENT = "background/offscreen.html";

export async function ensureDocument() {
  const existing = await chrome.runtime.getContexts({ contextTypes: ["OFFSCREEN_DOCUMENT"] });
  if (existing.length) return;
  try {
    await chrome.offscreen.createDocument({
      url: DOCUMENT,
      reasons: ["WORKERS"],
      justification: "Runs the language model in a Worker that all panels share, and downloads models.",
    });
  } catch (error) {
    // Another panel was faster.
    if (!String(error).includes("single offscreen")) throw error;
  }
}
