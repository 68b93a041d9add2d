// WebLLM reads weights through the Cache API only, which takes no chrome-extension: address. These caches answer the
// package's own files straight from the package, and downloaded ones from where the download put them, so that no weights are
// copied to the disk a second time.

/**
 * @param {string[]} bundled  addresses of the weight files that come with the package
 * @param {Map<string, Blob>} [stored]  downloaded files by their addresses
 * @returns {CacheStorage}
 */
export function cachesWithBundled(bundled, stored = new Map()) {
  const real = self.caches;
  const isBundled = (/** @type {string} */ url) => url.startsWith(`${self.location.origin}/`);
  const address = (/** @type {RequestInfo|URL} */ request) =>
    request instanceof Request ? request.url : String(request);

  /** @param {string} scope */
  async function open(scope) {
    const cache = await real.open(scope);
    return {
      match: async (/** @type {RequestInfo} */ request) => {
        const url = address(request);
        const file = stored.get(url);
        if (file) return new Response(file);
        return isBundled(url) ? fetch(url) : cache.match(request);
      },
      add: async (/** @type {RequestInfo} */ request) => {
        if (!isBundled(address(request))) await cache.add(request);
      },
      put: (/** @type {RequestInfo} */ request, /** @type {Response} */ response) => cache.put(request, response),
      delete: (/** @type {RequestInfo} */ request) => cache.delete(request),
      keys: async () => [...[...bundled, ...stored.keys()].map((url) => new Request(url)), ...(await cache.keys())],
    };
  }

  return /** @type {any} */ ({
    open,
    has: (/** @type {string} */ scope) => real.has(scope),
    keys: () => real.keys(),
    delete: (/** @type {string} */ scope) => real.delete(scope),
    match: (/** @type {RequestInfo} */ request) => real.match(request),
  });
}
