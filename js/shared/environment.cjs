'use strict';

/** Values that mean no and values that mean yes, in lower case. */
const NO = new Set(['0', 'off', 'false', 'no']);
const YES = new Set(['1', 'on', 'true', 'yes']);

/**
 * Reads a switch from the environment: true, false, or the text if it is neither; undefined if it is not set or empty.
 *
 * @param {string} name
 */
function environmentSwitch(name) {
  const value = process.env[name]?.trim() ?? '';
  if (value === '') return undefined;
  const lower = value.toLowerCase();
  if (NO.has(lower)) return false;
  return YES.has(lower) ? true : value;
}

module.exports = { environmentSwitch };
