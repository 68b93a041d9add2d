// WebLLM reads weights through the Cache API only, which takes no chrome-extension: address. These caches answer the
// package's own files straight from the package, so that bundled weights are never copied to the disk a second time.

/**
 * @param {string[]} bundled  addresses of the weight files that come with the package
 * @returns {CacheStorage}
 */
export function cachesWithBundled(bundled) {
  const real = self.caches;
  const isBundled = (/** @type {string} */ url) => url.startsWith(`${self.location.origin}/`);
  const address = (/** @type {RequestInfo|URL} */ request) =>
    request instanceof Request ? request.url : String(request);

  /** @param {string} scope */
  async function open(scope) {
    const cache = await real.open(scope);
    return {
      match: (/** @type {RequestInfo} */ request) =>
        isBundled(address(request)) ? fetch(address(request)) : cache.match(request),
      add: async (/** @type {RequestInfo} */ request) => {
        if (!isBundled(address(request))) await cache.add(request);
      },
      put: (/** @type {RequestInfo} */ request, /** @type {Response} */ response) => cache.put(request, response),
      delete: (/** @type {RequestInfo} */ request) => cache.delete(request),
      keys: async () => [...bundled.map((url) => new Request(url)), ...(await cache.keys())],
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
