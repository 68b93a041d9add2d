// A Worker that ends says nothing, whether it was killed or closed itself; but its locks are let go, and whoever waits for
// them learns of it.

/** In a Worker, first of all: lets others see that it lives. */
export function showLife() {
  const lock = `alive ${crypto.randomUUID()}`;
  navigator.locks.request(lock, () => {
    self.postMessage({ alive: lock });
    return new Promise(() => {});
  });
}

/**
 * Calls back when a Worker that shows its life is gone, `terminate()` included. To be called before anyone listens to it: what
 * is said here is for no one else.
 * @param {Worker} worker
 * @param {() => void} onEnd
 */
export function watchLife(worker, onEnd) {
  worker.addEventListener("message", (event) => {
    if (!event.data?.alive) return;
    event.stopImmediatePropagation();
    navigator.locks.request(event.data.alive, onEnd);
  });
}
