// What elements are for people, where their names do not say it: apps make headings and tables of whatever, and name them by
// ARIA roles; and Readability takes small tables for layout.

/** @type {Record<string, string>} */
const TABLES = {
  table: "table",
  grid: "table",
  treegrid: "table",
  row: "tr",
  cell: "td",
  gridcell: "td",
  columnheader: "th",
  rowheader: "th",
};
const WITHIN = /** @type {const} */ ({ tr: "table", td: "tr", th: "tr" });

/**
 * The name of the element that a role stands for, null where there is none, or where it would not be in its table.
 * @param {Element} element
 * @param {Element} to where it comes in the copy
 */
export function nameOfRole(element, to) {
  const role = element.getAttribute("role") ?? "";
  if (role === "heading") return `h${Math.min(6, Math.max(1, Number(element.getAttribute("aria-level")) || 2))}`;
  const name = TABLES[role];
  if (!name || element.localName === name) return null;
  return name === "table" || to.closest(WITHIN[/** @type {keyof typeof WITHIN} */ (name)]) ? name : null;
}

/**
 * Where a part of a table belongs in the copy, past whatever else an app puts between a table and its rows.
 * @param {Element} part
 * @param {Element} to
 */
export function placeOf(part, to) {
  const around = WITHIN[/** @type {keyof typeof WITHIN} */ (part.localName)];
  return around && !/^(table|tbody|thead|tfoot|tr)$/.test(to.localName) ? (to.closest(around) ?? to) : to;
}

/**
 * Marks a table of two columns or more that says something as what Readability calls a data table, whatever its size.
 * @param {HTMLTableElement} table
 */
export function markDataTable(table) {
  if (/^(none|presentation)$/.test(table.getAttribute("role") ?? "") || table.querySelector("table")) return;
  const rows = [...table.rows].filter((row) => [...row.cells].filter(saysSomething).length > 1);
  const linked = [...table.querySelectorAll("a")].reduce((sum, link) => sum + (link.textContent?.length ?? 0), 0);
  if (rows.length > 1 && linked < (table.textContent?.length ?? 0) / 2) table.setAttribute("summary", "data");
}

/** @param {Element} cell */
function saysSomething(cell) {
  return cell.textContent?.trim() || cell.querySelector("img");
}
