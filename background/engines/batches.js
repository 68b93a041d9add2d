// An answer's words on their way out. Each message costs the panel and Python the same however long it is, so that a fast model's
// words go together; the first go at once, and those of a slow model each by themselves.

const EVERY_MS = 50;

export class Batches {
  /** @param {(text: string) => void} send */
  constructor(send) {
    this.send = send;
    this.waiting = "";
    this.sent = Number.NEGATIVE_INFINITY;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /** @param {string} text */
  add(text) {
    this.waiting += text;
    const left = this.sent + EVERY_MS - performance.now();
    if (left <= 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), left);
  }

  /** Sends what waits, now: nothing may overtake it. */
  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.waiting;
    this.waiting = "";
    if (!text) return;
    this.sent = performance.now();
    this.send(text);
  }
}
