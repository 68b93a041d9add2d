/**
 * @param {number} seconds as coarse as the estimate is
 * @returns {string}
 */
export function timeLeft(seconds) {
  return seconds < 120 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
}
