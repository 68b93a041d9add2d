/** What the user has let Chrome grant, to take back. */

import { html } from "htm/preact";
import { FOLLOWING_NEEDS } from "../browser-state.js";

/** @import { Granted, Needs, Permissions, Store } from "../types.js" */

/** @typedef {{name: string, title: string, detail: string, needs: Needs}} Item */

/** @type {Record<string, {title: string, detail: string}>} */
const PERMISSIONS = {
  tabs: {
    title: "See your open tabs",
    detail: "Their titles and addresses, to list and find those you mean",
  },
};
const ALL_SITES = new Set([...FOLLOWING_NEEDS.origins, "<all_urls>", "*://*/*"]);

/** @param {{permissions: Permissions, store: Store}} props */
export function BrowserPermissions({ permissions, store }) {
  const items = itemsOf(permissions.revocable);

  /** @param {Item} item */
  async function revoke({ title, needs }) {
    const removed = await store.removePermissions(needs).catch(() => false);
    if (removed) store.dispatch({ type: "announce", text: `Revoked: ${title}` });
    else store.dispatch({ type: "notice", level: "error", text: `${KEPT} ${title}.` });
  }
  return html`<h4 class="settings-heading" id="browser-permissions">What Chrome lets Amplifier do</h4>
    ${
      items.length === 0
        ? html`<p class="settings-empty">Nothing but to read the page on which you press its button. Mention other tabs with @ or
            follow the tab in front, and Chrome asks you first.</p>`
        : html`<p class="settings-intro">You allowed these in Chrome. Revoke one and Chrome asks again when it is needed.</p>
          <ul class="items" aria-labelledby="browser-permissions">
            ${items.map(
              (
                item,
              ) => html`<li key=${item.name} class="item item-row" data-testid="browser-permission" data-name=${item.name}>
              <div class="item-text"><p class="item-title" dir="auto">${item.title}</p><p class="item-about">${item.detail}</p></div>
              <button type="button" class="button" data-testid="browser-permission-revoke" aria-label=${`Revoke: ${item.title}`}
                onClick=${() => revoke(item)}>Revoke</button>
            </li>`,
            )}
          </ul>`
    }`;
}

const KEPT = "Chrome keeps this permission. Take it back in Chrome's own settings for extensions:";

/**
 * @param {Granted} granted
 * @returns {Item[]}
 */
function itemsOf({ permissions, origins }) {
  const wide = origins.filter((origin) => ALL_SITES.has(origin));
  const sites = origins.filter((origin) => !ALL_SITES.has(origin));
  return [
    ...permissions.map((name) => ({
      name,
      ...(PERMISSIONS[name] ?? { title: name, detail: "" }),
      needs: { permissions: [name] },
    })),
    ...(wide.length > 0 ? [allSites(wide)] : []),
    ...sites.map((origin) => ({
      name: origin,
      title: `Read ${siteOf(origin)}`,
      detail: "When you mention a tab of it, or allow a tool to read one",
      needs: { origins: [origin] },
    })),
  ];
}

/**
 * @param {string[]} origins
 * @returns {Item}
 */
const allSites = (origins) => ({
  name: "all-sites",
  title: "Read all websites",
  detail: "To follow the tab in front, and to read tabs you mention",
  needs: { origins },
});

/** @param {string} origin a match pattern */
const siteOf = (origin) => /^[^:]*:\/\/([^/]*)/.exec(origin)?.[1] ?? origin;
