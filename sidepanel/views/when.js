/** @import { Moment } from "../types.js" */

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const SECOND = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

/**
 * @param {Moment} moment
 * @returns {string} a date for people; nothing if it is none
 */
export const dayOf = (moment) => format(DAY, moment);

/** @param {Moment} moment */
export const secondOf = (moment) => format(SECOND, moment);

/**
 * @param {Intl.DateTimeFormat} shape
 * @param {Moment} moment
 */
function format(shape, moment) {
  const date = new Date(moment);
  return Number.isNaN(date.valueOf()) ? "" : shape.format(date);
}
