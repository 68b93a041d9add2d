/** Line icons on a 20 by 20 grid in the colour of the text; decoration only, the buttons carry the names. */

import { html } from "htm/preact";

/** @param {{children?: unknown, class?: string}} props */
function Icon({ children, class: name = "" }) {
  return html`<svg class=${`icon ${name}`} viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor"
    stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${children}</svg>`;
}

/** @param {string[]} paths */
const drawn =
  (...paths) =>
  () =>
    html`<${Icon}>${paths.map((d) => html`<path d=${d} />`)}<//>`;

export const AlertIcon = drawn("M10 3.2 17.6 16.4H2.4Z", "M10 8.2v3.6", "M10 14.1v.1");
export const BackIcon = drawn("M16 10H4.5", "M9.4 4.9 4.3 10l5.1 5.1");
export const BranchIcon = drawn("M6 4.2v11.6", "M6 13c0-3.4 8-1.6 8-5.4", "M14 3.2a2.2 2.2 0 1 0 .1 0Z");
export const CalculateIcon = drawn(
  "M4.6 3.4h10.8v13.2H4.6Z",
  "M7.4 6.6h5.2",
  "M7.5 10.4v.1",
  "M10 10.4v.1",
  "M12.5 10.4v.1",
  "M7.5 13.4v.1",
  "M10 13.4v.1",
  "M12.5 13.4v.1",
);
export const WindowIcon = drawn("M2.9 4h14.2v12H2.9Z", "M2.9 7.6h14.2", "M5.3 5.8v.1", "M7.7 5.8v.1");
export const CaretIcon = drawn("m6 8 4 4 4-4");
export const CheckIcon = drawn("m4.5 10.5 3.6 3.6 7.4-8");
export const ChevronIcon = drawn("m7.5 5 5 5-5 5");
export const ClockIcon = drawn("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14", "M10 6.2V10l2.6 1.6");
export const ClipIcon = drawn(
  "m15.6 9.2-5.7 5.7a3.4 3.4 0 0 1-4.8-4.8l5.9-5.9a2.3 2.3 0 0 1 3.2 3.2l-5.8 5.8a1.1 1.1 0 0 1-1.6-1.6l5-5",
);
export const CloseIcon = drawn("m5.5 5.5 9 9", "m14.5 5.5-9 9");
export const CodeIcon = drawn("m6.6 6-4 4 4 4", "m13.4 6 4 4-4 4", "m11.2 4.4-2.4 11.2");
export const CopyIcon = drawn("M7.5 7.5h8.4v8.4H7.5Z", "M12.5 4.1H4.1v8.4");
export const DenyIcon = drawn("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14", "m5.1 5.1 9.8 9.8");
export const DownIcon = drawn("M10 4v12", "m5 11 5 5 5-5");
export const DownloadIcon = drawn("M10 3.5v9", "m6.2 8.9 3.8 3.8 3.8-3.8", "M4 16.3h12");
export const EditIcon = drawn("m4 16 .9-3.6 8.6-8.6 2.7 2.7-8.6 8.6Z", "m11.8 5.5 2.7 2.7");
export const FollowIcon = drawn("M3.6 10h9.2", "m8.6 5.6 4.4 4.4-4.4 4.4", "M16.6 4.6v10.8");
export const FolderIcon = drawn("M3 5h5l1.6 2H17v9H3Z");
export const GlobeIcon = drawn(
  "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14",
  "M3 10h14",
  "M10 3c-4 3.8-4 10.2 0 14",
  "M10 3c4 3.8 4 10.2 0 14",
);
export const HistoryIcon = drawn("M3.4 8.4A7 7 0 1 1 3 10.6", "M3.1 4.6v4h4", "M10 6.4V10l2.5 1.6");
export const ImageIcon = drawn("M3 4h14v12H3Z", "m3 13.4 4-4 3.8 3.8 2.4-2.4 3.8 3.8", "M13.2 7.4v.1");
export const InfoIcon = drawn("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14", "M10 9.3v4", "M10 6.6v.1");
export const EyeIcon = drawn(
  "M2.4 10C4.2 6.7 6.8 5 10 5s5.8 1.7 7.6 5c-1.8 3.3-4.4 5-7.6 5s-5.8-1.7-7.6-5Z",
  "M10 7.8a2.2 2.2 0 1 0 .1 0Z",
);
export const ListIcon = drawn("m3.4 5.6 1.2 1.2 2-2.4", "M9.2 5.8h7.4", "m3.4 12.6 1.2 1.2 2-2.4", "M9.2 12.8h7.4");
export const NewIcon = drawn("M10 4v12", "M4 10h12");
export const NoteIcon = drawn("M5.6 3h8.8v14L10 13.6 5.6 17Z");
export const PageIcon = drawn("M5.2 2.9h6.2l3.4 3.4v10.8H5.2Z", "M11.2 3v3.5h3.5", "M7.8 10h4.4", "M7.8 13h4.4");
export const QuoteIcon = drawn(
  "M8.4 6.2C5.6 6.8 4 8.6 4 11.2v2.6h4.2v-3.9H4.3",
  "M16.4 6.2c-2.8.6-4.4 2.4-4.4 5v2.6h4.2v-3.9h-3.9",
);
export const PinIcon = drawn("M6.6 3.4h6.8", "M7.8 3.4v4.8L5.2 12h9.6l-2.6-3.8V3.4", "M10 12v4.8");
export const PlayIcon = drawn("M6.5 4.5v11l8.5-5.5Z");
export const RetryIcon = drawn("M15.8 8.3A6.2 6.2 0 1 0 16 11.4", "M16.2 4.4v4h-4");
export const SearchIcon = drawn("M8.8 3.6a5.2 5.2 0 1 0 .1 0Z", "m12.7 12.7 3.9 3.9");
export const SendIcon = drawn("M10 16V4.5", "M4.9 9.4 10 4.3l5.1 5.1");
export const SpeedIcon = drawn("M3.6 14.6a7.2 7.2 0 1 1 12.8 0", "m10 12 3-3.8", "M10 12v.1");
export const SlidersIcon = drawn(
  "M3 6.2h7.4",
  "M14.6 6.2H17",
  "M12.5 4.1a2.1 2.1 0 1 0 .1 0Z",
  "M3 13.8h2.4",
  "M9.6 13.8H17",
  "M7.5 11.7a2.1 2.1 0 1 0 .1 0Z",
);
export const TabsIcon = drawn("M3 6.8h14v9.4H3Z", "M3 6.8V4h5.2l1.4 2.8");
export const TemporaryIcon = drawn(
  "M11.0 3.1A7 7 0 0 1 14.2 4.4 M15.6 5.8A7 7 0 0 1 16.9 9.0 M16.9 11.0A7 7 0 0 1 15.6 14.2 M14.2 15.6A7 7 0 0 1 11.0 16.9 M9.0 16.9A7 7 0 0 1 5.8 15.6 M4.4 14.2A7 7 0 0 1 3.1 11.0 M3.1 9.0A7 7 0 0 1 4.4 5.8 M5.8 4.4A7 7 0 0 1 9.0 3.1",
  "M10 6.4V10l2.5 1.6",
);
export const ToolIcon = drawn(
  "M11.6 8.4a3.7 3.7 0 0 1 4.7-4.7l-2.3 2.3.3 1.7 1.7.3 2.3-2.3a3.7 3.7 0 0 1-4.7 4.7l-6.1 6.1a1.7 1.7 0 0 1-2.4-2.4Z",
);
export const TrashIcon = drawn("M4 5.6h12", "M7.6 5.6V3.4h4.8v2.2", "m5.4 5.6.7 11h7.8l.7-11");

export const StopIcon = () => html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"
  focusable="false"><rect x="5" y="5" width="10" height="10" rx="2.2" fill="currentColor" /></svg>`;

export const MoreIcon = () => html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="currentColor"
  aria-hidden="true" focusable="false">${[4.6, 10, 15.4].map((y) => html`<circle cx="10" cy=${y} r="1.5" />`)}</svg>`;

/** The product's mark, a sound that grows; the same as icons/icon.svg. */
export const Logo = () => html`<svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true"
  focusable="false">
  <rect class="logo-tile" width="32" height="32" rx="8" />
  <g class="logo-bars">
    <rect x="6" y="14" width="4" height="4" rx="2" />
    <rect x="14" y="10" width="4" height="12" rx="2" />
    <rect x="22" y="6" width="4" height="20" rx="2" />
  </g>
</svg>`;
