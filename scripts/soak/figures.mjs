// The figures of a soak test: its table, and the bounds of memory, descriptors and threads.

import { alignColumns } from '../shared/text.mjs';

/** The growth of memory is only checked in runs of at least this many minutes. */
const GROWTH_MINUTES = 10;
/** The memory of the sessions may grow by at most this, in MB per minute. */
const GROWTH_MB = 1;
/**
 * Baileys itself keeps memory of each socket that it has closed. Under register it may be at most this number of times
 * as much as on JavaScript.
 */
const GROWTH_FACTOR = 1.25;

export const LAYERS = /** @type {const} */ (['js', 'native', 'session']);
export const NAMES = { js: 'bots, JavaScript', native: 'bots, register', session: 'sessions' };

/** @typedef {Record<string, any>} Samples By layer. */
/**
 * @typedef {object} SoakFigures
 * @property {Record<string, any[]>} samples All samples of each layer.
 * @property {Samples} first The first ones.
 * @property {Samples} last Those after the traffic has ended.
 */

/** The slope of `y` over `x` by least squares. @param {[number, number][]} points */
function slope(points) {
  const mean = (/** @type {number} */ axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/**
 * The growth of a figure in MB per minute, after the first third of the run.
 *
 * @param {any[]} samples
 * @param {string} figure
 */
function growthOf(samples, figure) {
  const settled = samples.slice(Math.floor(samples.length / 3));
  return slope(settled.map(sample => [sample.minute, sample[figure] / 2 ** 20]));
}

/**
 * The growth of memory in KB for each login.
 *
 * @param {any} first
 * @param {any} last
 */
const growthOfLogin = (first, last) => (last.rss - first.rss) / 1024 / Math.max(1, last.logins - first.logins);

const HEAD = [
  '',
  'stanzas',
  'repeated',
  'queries',
  'cuts',
  'logins',
  'RSS MB',
  'MB/min',
  'KB/login',
  'heap MB',
  'MB/min',
  'buffers MB',
  'descriptors',
  'threads',
  'listeners'
];

/**
 * @param {SoakFigures} figures
 * @param {Record<string, number>} clients The number of clients by layer.
 */
export function tableOf({ samples, first, last }, clients) {
  const megabytes = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(0);
  const rows = LAYERS.map(layer => {
    const { received, repeated, answered, cut, logins, rss, heapUsed, arrayBuffers } = last[layer];
    const fromTo = (/** @type {string} */ figure) => `${first[layer][figure]}-${last[layer][figure]}`;
    return [
      `${clients[layer]} ${NAMES[layer]}`,
      ...[received, repeated, answered, cut, logins].map(String),
      megabytes(rss),
      growthOf(samples[layer], 'rss').toFixed(2),
      growthOfLogin(first[layer], last[layer]).toFixed(0),
      megabytes(heapUsed),
      growthOf(samples[layer], 'heapUsed').toFixed(2),
      megabytes(arrayBuffers),
      ...['descriptors', 'threads', 'listeners'].map(fromTo)
    ];
  });
  return ['', ...alignColumns([HEAD, ...rows]), ''];
}

/**
 * Descriptors, threads and memory above their bounds.
 *
 * @param {SoakFigures} figures
 * @param {Record<string, number>} clients The number of clients by layer.
 * @param {number} minutes The duration of the run.
 * @returns {string[]}
 */
export function resourceFaults({ samples, first, last }, clients, minutes) {
  const faults = [];
  for (const layer of LAYERS) {
    // Each connection has a descriptor. The number changes while clients reconnect.
    if (last[layer].descriptors > first[layer].descriptors + clients[layer] / 10 + 10)
      faults.push(`${NAMES[layer]}: more descriptors than at the start`);
    if (last[layer].threads > first[layer].threads + 2) faults.push(`${NAMES[layer]}: more threads than at the start`);
  }
  if (minutes < GROWTH_MINUTES) return faults;
  if (growthOf(samples.session, 'rss') > GROWTH_MB) faults.push(`${NAMES.session}: memory grows`);
  const limit = GROWTH_FACTOR * growthOfLogin(first.js, last.js);
  if (growthOfLogin(first.native, last.native) > limit) faults.push(`${NAMES.native}: memory grows`);
  return faults;
}
