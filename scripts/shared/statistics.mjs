// Order statistics.

/**
 * The quantile of some values, interpolated.
 *
 * @param {number[]} values
 * @param {number} share From 0 to 1.
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  return below + (sorted[Math.ceil(place)] - below) * (place - Math.floor(place));
}

/** @param {number[]} values */
export const median = values => quantile(values, 0.5);

/**
 * The smallest measured value that is not less than a share of the values.
 *
 * @param {number[]} values
 * @param {number} share From 0 to 1.
 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
