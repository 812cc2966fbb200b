'use strict';

// `baileys-native decode`: prints a stanza as a tree or JSON.

const { UsageError, readArguments, wholeNumber } = require('./arguments.cjs');
const { DICTIONARY, codecOf } = require('./codec.cjs');
const { readInput, readKey, splitBinary } = require('./input.cjs');
const { openFrame, splitFrames } = require('./sealed.cjs');
const { toJson, toTree } = require('./stanza.cjs');
const { painter } = require('./terminal.cjs');

const USAGE = `Usage: baileys-native decode [INPUT] [options]

INPUT is a file, or a stanza in hex or base64; - or nothing reads standard
input. Text has one stanza on each line. A stanza starts with its flags byte,
as it is before sealing and after opening.

  --dictionary N   3 (default; Baileys 7, and 6.7 since 6.7.19) or 2 (6.17)
  --sealed         INPUT has frames as they are on the wire. Their key, 32 bytes
                   in hex or base64, is read from standard input and never
                   from an argument
  --counter N      number of the first sealed frame in its direction (0)
  --json           one line of JSON for each stanza; bytes are
                   {"type":"Buffer","data":base64}

Examples:
  baileys-native decode 00f8061904290855f801f80156
  baileys-native decode --json stanza.bin | baileys-native encode
  baileys-native decode --sealed frames.bin < key.hex
`;

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(
    args,
    USAGE,
    { ...DICTIONARY, sealed: { type: 'boolean' }, counter: { type: 'string', default: '0' } },
    1
  );
  if (parsed === undefined) return;
  const { values, positionals } = parsed;
  const counter = wholeNumber(values.counter, '--counter', { most: 0xffff_ffff, usage: USAGE });
  const codec = codecOf(values.dictionary, USAGE);
  const payloads = values.sealed
    ? await openAll(positionals[0], counter)
    : splitBinary(await readInput(positionals[0], USAGE)).map(payload => () => payload);
  const paint = painter();
  let failed = 0;
  for (const [index, payload] of payloads.entries()) {
    try {
      const node = await codec.decodeBinaryNode(payload());
      console.log(values.json ? toJson(node) : toTree(node, paint));
    } catch (error) {
      failed++;
      const which = payloads.length > 1 ? `stanza ${index + 1}: ` : '';
      process.stderr.write(`baileys-native: ${which}${error.message}\n`);
    }
  }
  return failed > 0 ? 1 : 0;
}

/**
 * @param {string | undefined} argument
 * @param {number} counter
 */
async function openAll(argument, counter) {
  if (argument === undefined || argument === '-') {
    throw new UsageError('--sealed reads the key from standard input, so INPUT must be a file or an argument', USAGE);
  }
  const frames = splitFrames(Buffer.concat(splitBinary(await readInput(argument, USAGE))));
  const key = await readKey(USAGE);
  return frames.map((frame, index) => () => openFrame(frame, key, counter + index));
}

module.exports = { run };
