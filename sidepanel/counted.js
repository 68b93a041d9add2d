/** @param {number} n */
export const number = (n) => n.toLocaleString("en");

/** @param {number} n @param {string} thing its plural is made with an s */
export const counted = (n, thing) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;
