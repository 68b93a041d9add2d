/** The list of conversations by age, as people speak of it, and when each was. Local time, weeks begin on Monday. */

/** @import { SessionItem } from "./types.js" */

const MONTH = new Intl.DateTimeFormat("en", { month: "long", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en", { timeStyle: "short" });
const WEEKDAY = new Intl.DateTimeFormat("en", { weekday: "long", hour: "numeric", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const YEAR = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

/**
 * @param {SessionItem[]} items
 * @param {Date} now
 * @returns {{label: string, items: SessionItem[]}[]} in the order of the items; those pinned are together
 */
export function groupSessions(items, now) {
  /** @type {Map<string, SessionItem[]>} */
  const groups = new Map();
  for (const item of items) {
    const label = item.pinned ? "Pinned" : ageOf(new Date(item.updated), now);
    const members = groups.get(label);
    if (members) members.push(item);
    else groups.set(label, [item]);
  }
  return [...groups].map(([label, members]) => ({ label, items: members }));
}

/**
 * @param {number} updated epoch milliseconds
 * @param {Date} now
 * @returns {string} no more of the date than is needed
 */
export function whenOf(updated, now) {
  const date = new Date(updated);
  const day = startOfDay(now);
  if (date >= day) return TIME.format(date);
  if (date >= daysBefore(day, 1)) return `Yesterday, ${TIME.format(date)}`;
  if (date >= daysBefore(day, 6)) return WEEKDAY.format(date);
  return (date.getFullYear() === now.getFullYear() ? DATE : YEAR).format(date);
}

/**
 * @param {Date} date
 * @param {Date} now
 */
function ageOf(date, now) {
  const day = startOfDay(now);
  if (date >= day) return "Today"; // what a wrong clock put into the future too
  if (date >= daysBefore(day, 1)) return "Yesterday";
  if (date >= daysBefore(day, (day.getDay() + 6) % 7)) return "Earlier this week";
  return MONTH.format(date);
}

/** @param {Date} date */
function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

/** Not by hours: a day may have 23 or 25 of them. @param {Date} day @param {number} days */
function daysBefore(day, days) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - days);
}
