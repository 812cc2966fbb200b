'use strict';

// The codec for the option `--dictionary` of decode, encode and replay.

const { UsageError } = require('./arguments.cjs');

/** The dialect that is used for each version of the dictionary. */
const DIALECTS = /** @type {const} */ ({ 3: '7', 2: '6.17' });

/** The option for `readArguments`. */
const DICTIONARY = /** @type {const} */ ({ dictionary: { type: 'string', default: '3' } });

/**
 * @param {string} dictionary
 * @param {string} usage
 */
function codecOf(dictionary, usage) {
  if (!Object.hasOwn(DIALECTS, dictionary)) throw new UsageError('--dictionary must be 3 or 2', usage);
  const { createCodec } = require('../codec/binary-node.cjs');
  return createCodec(DIALECTS[/** @type {'2' | '3'} */ (dictionary)]);
}

module.exports = { DICTIONARY, codecOf };
