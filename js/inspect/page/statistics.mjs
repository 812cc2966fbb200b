// Rates and latencies, of what the page has seen.

/** Seconds that rates are kept for. */
const SECONDS = 60;
/** Latencies that the median is of. */
const LATENCIES = 1000;
/** Upper bounds of the histogram, in milliseconds; what is above the last one is in it as well. */
export const BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

export class Statistics {
  /** Stanzas by second and direction. */
  #rates = new Map();
  #latencies = [];
  buckets = BOUNDS.map(() => 0);
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

  /** The latency that so much of all are below, in milliseconds. @param {number} part */
  quantile(part) {
    if (this.#latencies.length === 0) return undefined;
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  }

  /** Rates of the last minute, the oldest first; the second at hand is not over and not among them. @param {number} now */
  series(now) {
    const last = Math.floor(now / 1000) - 1;
    return Array.from({ length: SECONDS }, (_, i) => this.#rates.get(last - SECONDS + 1 + i) ?? { in: 0, out: 0 });
  }
}
