'use strict';

// `baileys-native encode`: writes the bytes of a stanza from JSON.

const { UsageError, readArguments, wholeNumber } = require('./arguments.cjs');
const { DICTIONARY, codecOf } = require('./codec.cjs');
const { readInput, readKey } = require('./input.cjs');
const { sealFrame } = require('./sealed.cjs');
const { fromJson } = require('./stanza.cjs');

const FORMATS = ['hex', 'base64', 'binary'];

const USAGE = `Usage: baileys-native encode [INPUT] [options]

INPUT is a file with JSON, or JSON itself; - or nothing reads standard input. It
is one stanza {"tag", "attrs", "content"}, a list of them, or one on each line.
Bytes are {"type":"Buffer","data":base64}, as decode --json writes them.

  --dictionary N   3 (default; Baileys 7, and 6.7 since 6.7.19) or 2 (6.17)
  --format F       hex (default), base64, or binary
  --sealed         seals each stanza into a frame. The key, 32 bytes in hex or
                   base64, is read from standard input and never from an
                   argument
  --counter N      number of the first sealed frame in its direction (0)
  --json           prints a JSON list of the texts

Example:
  baileys-native encode '{"tag":"iq","attrs":{"type":"get","id":"1"}}'
`;

/** @param {string} text */
function parseStanzas(text) {
  const values = parseJson(text);
  if (values.length === 0) throw new Error('the input is empty');
  return values.map(value => fromJson(value));
}

/**
 * Parses one JSON document, or one document on each line.
 *
 * @param {string} text
 */
function parseJson(text) {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    const lines = text.split('\n').filter(line => line.trim() !== '');
    if (lines.length < 2) throw new Error(`the input is not JSON: ${error.message}`);
    return lines.map((line, index) => {
      try {
        return JSON.parse(line);
      } catch (cause) {
        throw new Error(`line ${index + 1} is not JSON: ${cause.message}`);
      }
    });
  }
}

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(
    args,
    USAGE,
    {
      ...DICTIONARY,
      format: { type: 'string', default: 'hex' },
      sealed: { type: 'boolean' },
      counter: { type: 'string', default: '0' }
    },
    1
  );
  if (parsed === undefined) return;
  const { values, positionals } = parsed;
  const { format } = values;
  if (!FORMATS.includes(format)) throw new UsageError(`--format must be one of ${FORMATS.join(', ')}`, USAGE);
  if (format === 'binary' && values.json) throw new UsageError('--json prints text: use --format hex or base64', USAGE);
  const counter = wholeNumber(values.counter, '--counter', { most: 0xffff_ffff, usage: USAGE });
  if (values.sealed && (positionals[0] === undefined || positionals[0] === '-')) {
    throw new UsageError('--sealed reads the key from standard input, so INPUT must be a file or an argument', USAGE);
  }
  const codec = codecOf(values.dictionary, USAGE);
  const nodes = parseStanzas((await readInput(positionals[0], USAGE)).toString());
  const key = values.sealed ? await readKey(USAGE) : undefined;
  const encoded = nodes.map((node, index) => {
    const payload = codec.encodeBinaryNode(node, undefined);
    return key === undefined ? payload : sealFrame(payload, key, counter + index);
  });
  if (format === 'binary') {
    // Only frames have a length: without one, several stanzas could not be separated again.
    if (encoded.length > 1 && key === undefined) throw new Error('--format binary takes one stanza, or --sealed');
    process.stdout.write(Buffer.concat(encoded));
    return;
  }
  const texts = encoded.map(bytes => bytes.toString(/** @type {'hex' | 'base64'} */ (format)));
  console.log(values.json ? JSON.stringify(texts) : texts.join('\n'));
}

module.exports = { run };
