// Finds out that the extension's own CSP refused a request, which fetch() does not tell from a lost network.

import { DownloadError } from "./faults.js";

/** The news of a refusal comes a moment after fetch() has failed. */
const NEWS_MS = 200;

/**
 * @param {EventTarget} scope  the Worker
 * @returns {(url: string) => Promise<DownloadError|null>}
 */
export function watchRefusals(scope) {
  /** @type {Set<string>} */
  const refused = new Set();
  scope.addEventListener("securitypolicyviolation", (event) => {
    const { blockedURI } = /** @type {SecurityPolicyViolationEvent} */ (event);
    if (URL.canParse(blockedURI)) refused.add(new URL(blockedURI).host);
  });
  return async (url) => {
    await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
    const { host } = new URL(url);
    return refused.delete(host) ? new DownloadError("moved", await explain(url, host)) : null;
  };
}

/**
 * The event names the host that was asked. Where that one passed the request on, browsers keep to themselves to whom: it is only
 * in the console.
 * @param {string} url @param {string} host
 */
async function explain(url, host) {
  try {
    const { type } = await fetch(url, { redirect: "manual", cache: "no-store", credentials: "omit" });
    if (type === "opaqueredirect") return `${host} passes on to a host that this extension must not connect to`;
  } catch {
    // it was this host that was refused
  }
  return `this extension must not connect to ${host}`;
}
