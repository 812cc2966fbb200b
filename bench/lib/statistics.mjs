// Statistics of repeated measurements.

import { median, percentile, quantile } from '../../scripts/shared/statistics.mjs';

export { median, percentile, quantile };

/**
 * @typedef {object} Summary
 * @property {number} median
 * @property {number} mad Median absolute deviation from the median.
 * @property {number} q1
 * @property {number} q3
 * @property {number} count
 */

/**
 * @param {number[]} values
 * @returns {Summary}
 */
export function summarize(values) {
  const middle = median(values);
  return {
    median: middle,
    mad: median(values.map(value => Math.abs(value - middle))),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
    count: values.length
  };
}

/** @param {number[]} values */
export const geometricMean = values =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/**
 * Compares one value of both backends. Rounds with the same number are compared with each other.
 *
 * @param {number[]} js
 * @param {number[]} native
 * @param {'more' | 'less'} better Whether a greater or a smaller value is better.
 */
export function compare(js, native, better) {
  const ratios = js.map((value, round) => (better === 'more' ? native[round] / value : value / native[round]));
  return { js: summarize(js), native: summarize(native), ratio: summarize(ratios) };
}
