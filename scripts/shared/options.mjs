// Numbers in the options of a command line, as `parseArgs` returns them.

/** @typedef {Record<string, string | boolean | (string | boolean)[] | undefined>} Values */

/**
 * @param {Values} values
 * @param {string} name
 */
export function positiveNumber(values, name) {
  const value = Number(values[name]);
  if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0`);
  return value;
}

/**
 * @param {Values} values
 * @param {string} name
 * @param {number} min
 */
export function wholeNumber(values, name, min) {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < min) throw new TypeError(`--${name} takes a whole number from ${min}`);
  return value;
}
