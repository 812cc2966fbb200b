'use strict';

// `baileys-native replay`: encodes and decodes the stanzas of an export of `inspect` and measures the time.

const { readArguments, wholeNumber } = require('./arguments.cjs');
const { codecOf, DICTIONARY } = require('./codec.cjs');
const { readFileOrStdin } = require('./input.cjs');
const { progress, table } = require('./terminal.cjs');

const USAGE = `Usage: baileys-native replay FILE [options]

FILE is what the Export button of inspect has saved. Hidden contents are
replaced by other contents of the same length. Each stanza is encoded once and
decoded many times; the table has the time of one decoding by tag.

  --rounds N       how often each stanza is decoded (100)
  --dictionary N   3 (default; Baileys 7, and 6.7 since 6.7.19) or 2 (6.17)
  --json           prints JSON instead of the table
`;

/**
 * A text of the export. A hidden text is replaced by one of the same length.
 *
 * @param {string | { hidden?: number } | undefined} value
 */
const textOf = value => (typeof value === 'string' ? value : 'x'.repeat(value?.hidden ?? 0));

/**
 * Converts an exported stanza to a node. Hidden contents are replaced by others of the same length.
 *
 * @param {any} exported
 * @returns {{ tag: string, attrs: Record<string, string>, content?: any }}
 */
function restore({ tag, attrs, children, text, bytes, hidden }) {
  const node = {
    tag,
    attrs: Object.fromEntries(attrs.map((/** @type {[string, any]} */ [name, value]) => [name, textOf(value)]))
  };
  if (children !== undefined) return { ...node, content: children.map(restore) };
  if (bytes !== undefined) return { ...node, content: Buffer.alloc(bytes) };
  if (hidden !== undefined) return { ...node, content: 'x'.repeat(hidden) };
  return text === undefined ? node : { ...node, content: text };
}

/** @param {string} text */
function parseExport(text) {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  const rows = lines.map((line, index) => {
    try {
      return JSON.parse(line);
    } catch (error) {
      throw new Error(`line ${index + 1} is not JSON: ${error.message}`);
    }
  });
  if (rows[0]?.kind !== 'export')
    throw new Error('the file is not an export of `baileys-native inspect`: its first line is not a header');
  if (rows[0].version !== 1) throw new Error(`the export has version ${rows[0].version}; only version 1 is supported`);
  const nodes = rows.filter(({ kind }) => kind === 'node');
  if (nodes.length === 0) throw new Error('the export has no stanzas');
  return nodes;
}

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(args, USAGE, { ...DICTIONARY, rounds: { type: 'string', default: '100' } }, 1);
  if (parsed === undefined) return;
  const { values, positionals } = parsed;
  const rounds = wholeNumber(values.rounds, '--rounds', { least: 1, most: 1_000_000, usage: USAGE });
  const codec = codecOf(values.dictionary, USAGE);
  const rows = parseExport((await readFileOrStdin(positionals[0], USAGE)).toString());
  const payloads = rows.map(({ node }) => {
    const restored = restore(node);
    return { tag: restored.tag, payload: codec.encodeBinaryNode(restored, undefined) };
  });
  /** @type {Map<string, { stanzas: number, bytes: number, ms: number }>} */
  const byTag = new Map();
  const indicator = progress();
  const started = performance.now();
  for (const [index, { tag, payload }] of payloads.entries()) {
    const tenths = Math.floor((10 * index) / payloads.length);
    if (performance.now() - started > 1_000) indicator.step(`${10 * tenths} % of ${payloads.length} stanzas`);
    const start = performance.now();
    for (let round = 0; round < rounds; round++) codec.decodePayload(payload);
    const ms = (performance.now() - start) / rounds;
    const sum = byTag.get(tag) ?? { stanzas: 0, bytes: 0, ms: 0 };
    byTag.set(tag, { stanzas: sum.stanzas + 1, bytes: sum.bytes + payload.length, ms: sum.ms + ms });
  }
  indicator.end();
  const tags = [...byTag].sort(([, a], [, b]) => b.ms - a.ms);
  const all = tags.reduce(
    (sum, [, { stanzas, bytes, ms }]) => ({
      stanzas: sum.stanzas + stanzas,
      bytes: sum.bytes + bytes,
      ms: sum.ms + ms
    }),
    { stanzas: 0, bytes: 0, ms: 0 }
  );
  if (values.json) {
    console.log(JSON.stringify({ rounds, total: all, tags: Object.fromEntries(tags) }, null, 2));
    return;
  }
  /** @param {[string, { stanzas: number, bytes: number, ms: number }]} entry */
  const row = ([tag, { stanzas, bytes, ms }]) => [
    tag,
    String(stanzas),
    (bytes / stanzas).toFixed(0),
    ((ms * 1_000) / stanzas).toFixed(2)
  ];
  const lines = [['tag', 'stanzas', 'bytes each', 'µs each'], ...tags.map(row), row(['all', all])];
  console.log(table(lines).join('\n'));
}

module.exports = { parseExport, restore, run };
