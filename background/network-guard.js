// Imported first by every Worker but one. The manifest's policy lets the extension connect to any host, since the user may name a
// server of their own; both pages take that back by a policy of their own, which a Worker cannot have. So here a Worker gives up
// all ways to the network but to the package's files. Those are never passed on to another address, so that what is asked for is
// all that there is to look at.

/** Ways out that nothing here uses. */
const CLOSED = ["WebSocket", "WebSocketStream", "EventSource", "WebTransport"];

/** @param {string} address @param {string} base */
export function isAllowed(address, base) {
  const [url, own] = [new URL(address, base), new URL(base)];
  return url.protocol === "data:" || (url.protocol === own.protocol && url.host === own.host);
}

/** @param {unknown} address */
function check(address) {
  const asked = address instanceof Request ? address.url : String(address);
  if (isAllowed(asked, self.location.href)) return;
  throw new TypeError(`this extension must not connect to ${new URL(asked, self.location.href).host}`);
}

/** Puts another function in the place of one, for good. @param {any} owner @param {string} name @param {(unguarded: Function) => Function} guard */
function replace(owner, name, guard) {
  if (!Object.hasOwn(owner, name)) return;
  Object.defineProperty(owner, name, { value: guard(owner[name]), writable: false, configurable: true });
}

function closeNetwork() {
  for (let scope = /** @type {any} */ (self); scope; scope = Object.getPrototypeOf(scope)) {
    replace(scope, "fetch", guardedFetch);
    for (const name of CLOSED) if (Object.hasOwn(scope, name)) delete scope[name];
  }
  if ("XMLHttpRequest" in self) replace(XMLHttpRequest.prototype, "open", guardedOpen); // a service worker has none
  for (const name of ["add", "addAll"]) delete (/** @type {any} */ (Cache.prototype)[name]); // they fetch by themselves
}

/** @param {Function} unguarded */
function guardedFetch(unguarded) {
  return async (/** @type {any} */ address, /** @type {any} */ options) => {
    check(address);
    return unguarded.call(self, address, options);
  };
}

/** @param {Function} unguarded */
function guardedOpen(unguarded) {
  /** @this {XMLHttpRequest} @param {string} method @param {string|URL} address @param {any[]} rest */
  return function (method, address, ...rest) {
    check(address);
    return unguarded.call(this, method, address, ...rest);
  };
}

if (typeof self !== "undefined" && "fetch" in self && self.location?.protocol === "chrome-extension:") closeNetwork();
