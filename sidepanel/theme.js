/** Light or dark: as the system has it, or as the user chose. */

/** @import { Theme } from "./types.js" */

/** @param {Theme} theme */
export function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme); // for first-paint.js
}
