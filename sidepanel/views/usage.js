import { html } from "htm/preact";

/** @import { Usage } from "../types.js" */

/** @param {number} value */
const rate = (value) => `${value.toLocaleString("en", { maximumFractionDigits: 1 })} tok/s`;

/** @param {number} seconds */
const duration = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);

/** @param {Usage} usage */
export function usageSpeed(usage) {
  return usage.tokens_per_second ? rate(usage.tokens_per_second) : "";
}

/** @param {{usage: Usage}} props */
export function UsageList({ usage }) {
  const cached = usage.cache_read_tokens ? ` (${usage.cache_read_tokens.toLocaleString("en")} remembered)` : "";
  const rows = [
    ["Speed", usageSpeed(usage)],
    ["Written", `${usage.output_tokens.toLocaleString("en")} tokens`],
    ["Read", `${usage.input_tokens.toLocaleString("en")} tokens${cached}`],
    ["Reading speed", usage.prefill_tokens_per_second ? rate(usage.prefill_tokens_per_second) : ""],
    ["First word after", usage.first_token_seconds ? duration(usage.first_token_seconds) : ""],
  ];
  return html`<dl class="usage" data-testid="usage">
    ${rows.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
