/**
 * The site of an address, as people name it; the address itself if it has none.
 *
 * @param {string} url
 */
export function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host || url : url;
}
