'use strict';

// Parses the arguments of the commands by Node's `parseArgs`.

const { parseArgs } = require('node:util');

/** The command was called with wrong arguments. Exit code 2. */
class UsageError extends Error {
  /**
   * @param {string} message
   * @param {string} [usage] Printed below the message.
   */
  constructor(message, usage) {
    super(message);
    this.usage = usage;
  }
}

const COMMON = /** @type {const} */ ({ help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' } });

/**
 * Parses the arguments of one command. Prints the usage and returns undefined for `--help`.
 *
 * @param {string[]} args
 * @param {string} usage
 * @param {Record<string, { type: 'string' | 'boolean', short?: string, default?: string | boolean }>} [options]
 * @param {number} [maxPositionals] Default 0.
 * @returns {{ values: Record<string, any>, positionals: string[] } | undefined}
 */
function readArguments(args, usage, options = {}, maxPositionals = 0) {
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: { ...COMMON, ...options } });
  } catch (error) {
    throw new UsageError(error.message, usage);
  }
  if (parsed.values.help) {
    process.stdout.write(usage);
    return undefined;
  }
  if (parsed.positionals.length > maxPositionals) {
    throw new UsageError(`unexpected argument "${parsed.positionals[maxPositionals]}"`, usage);
  }
  return { values: parsed.values, positionals: parsed.positionals };
}

/**
 * Parses a whole number and checks its limits.
 *
 * @param {string} text
 * @param {string} name Name of the option.
 * @param {{ least?: number, most?: number, usage?: string }} [bounds]
 */
function wholeNumber(text, name, { least = 0, most = Number.MAX_SAFE_INTEGER, usage } = {}) {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${name} takes a whole number from ${least}${most < 2 ** 53 - 1 ? ` to ${most}` : ''}`, usage);
}

module.exports = { UsageError, readArguments, wholeNumber };
