// Rates and latencies of the stanzas that the page has received.

/** The number of seconds in the plot of rates. */
const SECONDS = 60;
/** The number of latencies from which quantiles are computed. */
const LATENCIES = 1000;
/** Upper bounds of the histogram in milliseconds. The last bucket also has all greater values. */
export const BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

export class Statistics {
  /** Stanzas by second and direction. @type {Map<number, { in: number, out: number }>} */
  #rates = new Map();
  /** @type {number[]} */
  #latencies = [];
  buckets = BOUNDS.map(() => 0);
  /** The numbers of queries without an answer. @type {Set<number>} */
  asked = new Set();
  answered = 0;
  failed = 0;

  /** @param {'in' | 'out'} direction @param {number} at */
  stanza(direction, at) {
    const second = Math.floor(at / 1000);
    const rate = this.#rates.get(second) ?? { in: 0, out: 0 };
    rate[direction]++;
    this.#rates.set(second, rate);
    if (this.#rates.size > SECONDS + 10) this.#rates.delete(Math.min(...this.#rates.keys()));
  }

  /** @param {string} outcome @param {number} ms */
  answer(outcome, ms) {
    if (outcome !== 'answered') this.failed++;
    if (outcome !== 'answered' && outcome !== 'refused') return;
    this.answered++;
    this.#latencies.push(ms);
    if (this.#latencies.length > LATENCIES) this.#latencies.shift();
    const place = BOUNDS.findIndex(bound => ms < bound);
    this.buckets[place < 0 ? BOUNDS.length - 1 : place]++;
  }

  /** A quantile of the latencies in milliseconds. @param {number} part 0.5 for the median */
  quantile(part) {
    if (this.#latencies.length === 0) return undefined;
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  }

  /** Rates of the last minute, the oldest first, without the current second. @param {number} now */
  series(now) {
    const last = Math.floor(now / 1000) - 1;
    return Array.from({ length: SECONDS }, (_, i) => this.#rates.get(last - SECONDS + 1 + i) ?? { in: 0, out: 0 });
  }
}
