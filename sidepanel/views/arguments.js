import { html } from "htm/preact";
import { CodeView, withoutTricks } from "./code-view.js";

/** @import { Argument } from "../types.js" */

/** @type {Record<string, string>} */
const LANGUAGES = { python: "Python", json: "JSON" };

/** @param {string} value */
const isLong = (value) => value.length > 200 || value.split("\n").length > 4;

/** @param {string} name */
export const languageName = (name) => LANGUAGES[name] ?? name;

/**
 * What a tool is called with, each value whole.
 *
 * @param {{values: Argument[], announce: (text: string) => void}} props
 */
export function Arguments({ values, announce }) {
  return values.map(({ name, value, code }) => {
    if (code)
      return html`<${CodeView} key=${name} text=${value} label=${LANGUAGES[code] ?? name} announce=${announce} />`;
    return html`<div key=${name} class="argument">
      <span class="argument-name">${name}</span>
      <div class=${isLong(value) ? "argument-value long" : "argument-value"} dir="auto"
        ...${isLong(value) && { tabindex: 0, role: "group", "aria-label": name }}>${withoutTricks(value)}</div>
    </div>`;
  });
}
