'use strict';

/** Values that mean no, and that mean yes; the case does not matter. */
const NO = new Set(['0', 'off', 'false', 'no']);
const YES = new Set(['1', 'on', 'true', 'yes']);

/**
 * What a switch in the environment says: yes, no, or the text that is neither. Nothing where it is not set, or empty.
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
