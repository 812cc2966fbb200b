'use strict';

// Reads the input of decode, encode and replay: an argument, a file or a pipe.

const { existsSync, readFileSync, statSync } = require('node:fs');
const { UsageError } = require('./arguments.cjs');

/** The longest input in bytes. */
const MAX_INPUT = 256 * 1024 * 1024;
const KEY_LENGTH = 32;

/** @returns {Promise<Buffer>} Everything on standard input. */
async function readStdin() {
  const parts = [];
  let length = 0;
  for await (const part of process.stdin) {
    length += part.length;
    if (length > MAX_INPUT) throw new Error(`the input is longer than ${MAX_INPUT} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * Reads the input that an argument names: a file, the text itself, or standard input for `-` or no argument.
 *
 * @param {string | undefined} argument
 * @param {string} usage
 */
async function readInput(argument, usage) {
  if (argument === undefined || argument === '-') {
    if (process.stdin.isTTY) throw new UsageError('there is no input: name a file, or pipe something in', usage);
    return readStdin();
  }
  if (!existsSync(argument)) return Buffer.from(argument);
  const stats = statSync(argument);
  if (!stats.isFile()) throw new UsageError(`${argument} is not a file`, usage);
  if (stats.size > MAX_INPUT) throw new Error(`${argument} is longer than ${MAX_INPUT} bytes`);
  return readFileSync(argument);
}

/**
 * Reads the file that an argument names, or standard input for `-`.
 *
 * @param {string | undefined} argument
 * @param {string} usage
 */
async function readFileOrStdin(argument, usage) {
  if (argument !== undefined && argument !== '-' && !existsSync(argument))
    throw new Error(`there is no file ${argument}`);
  return readInput(argument, usage);
}

/**
 * Whether bytes may be text in hex or base64: printable ASCII, tabs and line ends only.
 *
 * @param {Buffer} bytes
 */
const isText = bytes =>
  bytes.every(
    (/** @type {number} */ byte) => (byte >= 0x20 && byte < 0x7f) || byte === 10 || byte === 13 || byte === 9
  );

/** @param {string} text */
function fromText(text) {
  const compact = text.replace(/^0x/i, '').replace(/[\s:]/g, '');
  if (/^(?:[0-9a-f]{2})+$/i.test(compact)) return Buffer.from(compact, 'hex');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)) return Buffer.from(compact, 'base64');
  throw new Error(`the input is no file, and neither hex nor base64: ${text.slice(0, 60)}`);
}

/**
 * Converts the input to binary values. Text has one value in hex or base64 on each line; other input is one value.
 *
 * @param {Buffer} input
 * @returns {Buffer[]}
 */
function splitBinary(input) {
  if (input.length === 0) throw new Error('the input is empty');
  if (!isText(input)) return [input];
  const lines = input
    .toString('latin1')
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '');
  if (lines.length === 0) throw new Error('the input is empty');
  return lines.map(fromText);
}

/**
 * Reads an AES-256 key from standard input: hex, base64 or 32 bytes. It is never an argument, because other users of
 * the machine can see arguments, and the shell stores them in its history.
 *
 * @param {string} usage
 */
async function readKey(usage) {
  if (process.stdin.isTTY) throw new UsageError('the key is read from standard input: pipe it in', usage);
  const given = await readStdin();
  const key = given.length !== KEY_LENGTH && isText(given) ? fromText(given.toString('latin1').trim()) : given;
  if (key.length !== KEY_LENGTH) throw new Error(`the key has ${key.length} bytes, not ${KEY_LENGTH}`);
  return key;
}

module.exports = { readFileOrStdin, readInput, readKey, splitBinary };
