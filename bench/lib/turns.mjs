// Measures several processes in turn. A machine that is shared with others changes its speed from second to second; the
// ratio of two short measurements, one directly after the other, does not.

/**
 * Rounds of turns. A member prepares its next turn and waits. When all members wait, they take their turns one after
 * another, in an order that is reversed in each round. Then all of them prepare again.
 */
export class Turns {
  #members;
  /** The functions that start the turns of the waiting members. @type {Map<string, (value: unknown) => void>} */
  #waiting = new Map();
  /** The member whose turn it is, and the function that ends its turn. */
  #current = { name: '', end: () => {} };
  /** Resolves when every member has had its turn. @type {Promise<unknown>} */
  #round = Promise.resolve();
  #isReversed = false;

  /** @param {string[]} names */
  constructor(names) {
    this.#members = new Set(names);
  }

  /**
   * The functions that a process calls; see `inTurn` in `client.mjs`.
   *
   * @param {string} name
   */
  servicesOf(name) {
    return {
      turn: () =>
        new Promise(resolve => {
          this.#waiting.set(name, resolve);
          this.#startRound();
        }),
      turnEnd: () => {
        const round = this.#round;
        this.#current.end();
        return round;
      }
    };
  }

  /** Removes a process that has ended. The others do not wait for it. @param {string} name */
  leave(name) {
    this.#members.delete(name);
    this.#waiting.delete(name);
    if (this.#current.name === name) this.#current.end();
    this.#startRound();
  }

  #startRound() {
    if (this.#waiting.size === 0 || this.#waiting.size < this.#members.size) return;
    const order = [...this.#members];
    if (this.#isReversed) order.reverse();
    this.#isReversed = !this.#isReversed;
    const starts = new Map(this.#waiting);
    this.#waiting.clear();
    this.#round = this.#takeTurns(order, starts);
  }

  async #takeTurns(order, starts) {
    for (const name of order) {
      if (!this.#members.has(name)) continue;
      await new Promise(resolve => {
        this.#current = { name, end: () => resolve(undefined) };
        starts.get(name)();
      });
    }
  }
}
