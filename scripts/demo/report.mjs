// Writes a table of the measurements of some runs.

import { median, percentile } from '../shared/statistics.mjs';

/** @typedef {import('./types.js').Figures} Figures */

export const LABELS = { js: 'JavaScript', native: 'native' };

/**
 * The figures of one run.
 *
 * @param {import('./types.js').Measured} measured
 * @param {import('./types.js').Counts} counts
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
 * Medians of several runs, figure by figure.
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
const whole = value => Math.round(value).toLocaleString('en-US');
/** @param {number} value */
const tenths = value => value.toFixed(1);

/**
 * Name, figure, how it is shown, and whether more or less of it is better; a count has no direction.
 *
 * @type {[string, keyof Figures, (value: number) => string, ('more' | 'less')?][]}
 */
const ROWS = [
  ['connected in', 'connectMs', value => `${whole(value)} ms`, 'less'],
  ['stanzas in', 'stanzasIn', whole],
  ['stanzas out', 'stanzasOut', whole],
  ['messages/s in', 'inPerSecond', whole, 'more'],
  ['messages/s out', 'outPerSecond', whole, 'more'],
  ['CPU per message in', 'cpuUsIn', value => `${tenths(value)} µs`, 'less'],
  ['CPU per message out', 'cpuUsOut', value => `${tenths(value)} µs`, 'less'],
  ['RTT p50', 'rttP50Us', value => `${whole(value)} µs`, 'less'],
  ['RTT p99', 'rttP99Us', value => `${whole(value)} µs`, 'less'],
  ['peak RSS', 'peakRssMb', value => `${whole(value)} MB`, 'less']
];

/**
 * By how much native is better, figure by figure: above 1 it is.
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
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  /** @param {string[]} row */
  const line = row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('   ')
      .trimEnd();
  return [line(rows[0]), '-'.repeat(widths.reduce((sum, width) => sum + width + 3, -3)), ...rows.slice(1).map(line)];
}

/** Reasons for figures in which JavaScript may be better. */
const REASONS = {
  connectMs:
    "Most of a login is Baileys' own work, which both share: keys, queries after the login, pauses. The handshake is a few ms of it.",
  rttP50Us: 'A round trip on loopback is mostly the time that the kernel takes to wake the other process.',
  rttP99Us:
    'The slowest of some hundred round trips depend on what else the machine does; see `npm run bench`, suite latency.',
  peakRssMb:
    "The addon's code, its I/O threads and the arenas that the allocator of the C library keeps for each thread. A connection itself takes less than half of JavaScript's memory; see docs/performance.md."
};

/** Ratios below this are explained. The medians of two equal runs differ by this much. */
const IN_FAVOUR = 0.98;

/**
 * Explanations of the rows in which JavaScript is better, as lines.
 *
 * @param {Figures} js
 * @param {Figures} native
 */
export function explanations(js, native) {
  const ratio = ratios(js, native);
  return ROWS.filter(([, name]) => (ratio[name] ?? 1) < IN_FAVOUR).map(([label, name]) => {
    const reason = REASONS[/** @type {keyof typeof REASONS} */ (name)];
    return `${label}: ${reason ?? 'not expected: the machine was busy, or the addon was built without optimisation.'}`;
  });
}
