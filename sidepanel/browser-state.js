/** The browser's part of the state: its open tabs, and what it lets Amplifier do beyond what it must. */

/** @import { PanelEvent, Permissions, State, ViewEvent } from "./types.js" */

const ALL_SITES = ["http://*/*", "https://*/*"];

/** What Chrome must grant to see titles and addresses of tabs. */
export const TABS_NEED = { permissions: ["tabs"] };

/** What Chrome must grant to read whichever tab is in front. */
export const FOLLOWING_NEEDS = { permissions: ["tabs"], origins: ALL_SITES };

/** @type {Pick<State, "tabs" | "permissions" | "explaining">} */
export const INITIAL_BROWSER = {
  tabs: null,
  permissions: { permissions: [], origins: [], revocable: { permissions: [], origins: [] } },
  explaining: null,
};

/**
 * @param {State} state
 * @param {PanelEvent | ViewEvent} event
 * @returns {State}
 */
export function reduceBrowser(state, event) {
  switch (event.type) {
    case "tabs":
      return { ...state, tabs: event.tabs };
    case "permissions-changed":
      return { ...state, permissions: event.permissions };
    case "explain":
      return { ...state, explaining: event.what };
    default:
      return state;
  }
}

/** @param {Permissions} granted */
export const maySeeTabs = ({ permissions }) => permissions.includes("tabs");

/** @param {Permissions} granted */
export function mayFollow(granted) {
  const { origins } = granted;
  return maySeeTabs(granted) && (origins.includes("<all_urls>") || ALL_SITES.every((site) => origins.includes(site)));
}
