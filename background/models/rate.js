// How fast bytes come, smoothed so that the time left does not jump about.

/** Bytes older than this count for little. */
const MEMORY_SECONDS = 4;
/** Before that, nothing is foretold. */
const FIRST_SECONDS = 0.5;
/** Less than this between two looks says more about the network's packets than about its speed. */
const STEP_SECONDS = 0.1;

export class Rate {
  /** @param {() => number} now  milliseconds */
  constructor(now) {
    this.now = now;
    this.began = 0;
    this.last = 0;
    this.bytes = 0;
    this.smoothed = 0;
    this.heard = 0;
    this.reset();
  }

  /** What comes after a break says nothing about the time before it. */
  reset() {
    this.began = this.last = this.now();
    this.bytes = 0;
    this.smoothed = 0;
    this.listen();
  }

  /** From now on something should come. */
  listen() {
    this.heard = this.now();
  }

  /** Without a byte. */
  get quietSeconds() {
    return (this.now() - this.heard) / 1000;
  }

  /** @param {number} bytes */
  add(bytes) {
    this.listen();
    this.bytes += bytes;
    const seconds = (this.now() - this.last) / 1000;
    if (seconds < STEP_SECONDS) return;
    const age = (this.last - this.began) / 1000;
    // A plain mean in the beginning, so that the first moment does not weigh on all that follow.
    const weight = Math.max(1 - Math.exp(-seconds / MEMORY_SECONDS), seconds / (age + seconds));
    this.smoothed += weight * (this.bytes / seconds - this.smoothed);
    this.last = this.now();
    this.bytes = 0;
  }

  get bytesPerSecond() {
    return Math.round(this.smoothed);
  }

  /** @param {number} left  bytes @returns {number|null} */
  secondsLeft(left) {
    if (this.smoothed <= 0 || this.now() - this.began < FIRST_SECONDS * 1000) return null;
    return Math.ceil(left / this.smoothed);
  }
}
