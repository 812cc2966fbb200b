// Writes a table of the measurements of some runs.

import { median, percentile } from '../shared/statistics.mjs';
import { alignColumns, rounded } from '../shared/text.mjs';

/** @typedef {import('./types.js').Figures} Figures */

export const LABELS = { js: 'JavaScript', native: 'native' };

/**
 * The figures of one run.
 *
 * @param {import('./types.js').Measured} measured
 * @param {import('./types.js').TrafficCounts} counts
 * @returns {Figures}
 */
export function figures({ logins, times, inbound, outbound, peakRssKb }, { stanzas, sends }) {
  /** @param {import('./types.js').Cost[]} costs */
  const ms = costs => median(costs.map(cost => cost.ms));
  /** @param {import('./types.js').Cost[]} costs */
  const cpuUs = costs => median(costs.map(cost => cost.cpuUs));
  return {
    connectMs: median(logins),
    stanzasIn: stanzas,
    stanzasOut: sends,
    inPerSecond: (stanzas / ms(inbound)) * 1000,
    outPerSecond: (sends / ms(outbound)) * 1000,
    cpuUsIn: cpuUs(inbound) / stanzas,
    cpuUsOut: cpuUs(outbound) / sends,
    rttP50Us: percentile(times, 0.5) * 1000,
    rttP99Us: percentile(times, 0.99) * 1000,
    peakRssMb: peakRssKb / 1024
  };
}

/**
 * The median of each figure over several runs.
 *
 * @param {Figures[]} runs
 * @returns {Figures}
 */
export function summary(runs) {
  const names = /** @type {(keyof Figures)[]} */ (Object.keys(runs[0]));
  const medians = names.map(name => [name, median(runs.map(run => run[name]))]);
  return Object.fromEntries(medians);
}

/** @param {number} value */
const tenths = value => value.toFixed(1);

/**
 * For each row: label, figure, format, and whether a greater or a smaller value is better. Counts are neither.
 *
 * @type {[string, keyof Figures, (value: number) => string, ('more' | 'less')?][]}
 */
const ROWS = [
  ['connected in', 'connectMs', value => `${rounded(value)} ms`, 'less'],
  ['stanzas in', 'stanzasIn', rounded],
  ['stanzas out', 'stanzasOut', rounded],
  ['messages/s in', 'inPerSecond', rounded, 'more'],
  ['messages/s out', 'outPerSecond', rounded, 'more'],
  ['CPU per message in', 'cpuUsIn', value => `${tenths(value)} µs`, 'less'],
  ['CPU per message out', 'cpuUsOut', value => `${tenths(value)} µs`, 'less'],
  ['RTT p50', 'rttP50Us', value => `${rounded(value)} µs`, 'less'],
  ['RTT p99', 'rttP99Us', value => `${rounded(value)} µs`, 'less'],
  ['peak RSS', 'peakRssMb', value => `${rounded(value)} MB`, 'less']
];

/**
 * The factor by which native is better, for each figure. Below 1 JavaScript is better.
 *
 * @param {Figures} js
 * @param {Figures} native
 * @returns {Partial<Figures>}
 */
export function ratios(js, native) {
  const better = ROWS.filter(([, , , direction]) => direction);
  return Object.fromEntries(
    better.map(([, name, , direction]) => [
      name,
      direction === 'more' ? native[name] / js[name] : js[name] / native[name]
    ])
  );
}

/**
 * The table of a comparison, as lines.
 *
 * @param {Figures} js
 * @param {Figures} native
 */
export function table(js, native) {
  const ratio = ratios(js, native);
  const rows = [
    ['', LABELS.js, LABELS.native, 'ratio'],
    ...ROWS.map(([label, name, show]) => [
      label,
      show(js[name]),
      show(native[name]),
      ratio[name] === undefined ? '' : `${ratio[name].toFixed(2)}x`
    ])
  ];
  const [head, ...lines] = alignColumns(rows, '   ');
  return [head, '-'.repeat(Math.max(head.length, ...lines.map(line => line.length))), ...lines];
}

/** Reasons for figures in which JavaScript may be better. */
const REASONS = {
  connectMs:
    "Most of the time of a login is Baileys' own code, which is the same on both sides: keys, queries after the login, pauses. The handshake takes a few ms.",
  rttP50Us: 'A round trip on loopback is mostly the time that the kernel takes to wake the other process.',
  rttP99Us:
    'The slowest of some hundred round trips depend on other programs on the machine; see `npm run bench`, suite latency.',
  peakRssMb:
    "The addon's code, its I/O threads and the arenas that the allocator of the C library keeps for each thread. A connection itself takes less than half of JavaScript's memory; see docs/performance.md."
};

/** Ratios below this are explained. A smaller difference also occurs between two runs of the same backend. */
const EXPLAINED_BELOW = 0.98;

/**
 * Explanations of the rows in which JavaScript is better, as lines.
 *
 * @param {Figures} js
 * @param {Figures} native
 */
export function explanations(js, native) {
  const ratio = ratios(js, native);
  return ROWS.filter(([, name]) => (ratio[name] ?? 1) < EXPLAINED_BELOW).map(([label, name]) => {
    const reason = REASONS[/** @type {keyof typeof REASONS} */ (name)];
    return `${label}: ${reason ?? 'not expected. Perhaps the machine was busy, or the addon was built without optimisation.'}`;
  });
}
