/** What the user asked and the disk does not have yet: Python may end before it has written it. */

const ASKS = ["prompt", "summarize", "wish"];
const LEAVES = ["new-session", "open-session", "fork-session"];

export class Unkept {
  constructor() {
    /** @type {Map<string, object>} by the id of the message */
    this.asked = new Map();
    this.isTemporary = false;
  }

  /** Takes note of what is sent to Python. @param {{type: string, id?: string, temporary?: boolean}} message */
  sent(message) {
    if (LEAVES.includes(message.type)) this.asked.clear();
    else if (ASKS.includes(message.type) && message.id && !this.isTemporary) this.asked.set(message.id, message);
  }

  /** Takes note of what Python tells of the conversation that is open. @param {{state: string}} session */
  opened({ state }) {
    this.isTemporary = state === "temporary";
    if (this.isTemporary) this.asked.clear();
  }

  /** These are on the disk. @param {{id: string}[]} messages */
  kept(messages) {
    for (const { id } of messages) this.asked.delete(id);
  }

  /** In the order in which it was asked. */
  all() {
    return [...this.asked.values()];
  }
}
