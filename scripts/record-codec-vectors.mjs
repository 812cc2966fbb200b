#!/usr/bin/env node
/**
 * Records the results of the codecs of three release lines of Baileys for the same inputs, for the tests of the Rust
 * core.
 *
 *     node scripts/record-codec-vectors.mjs          writes __test__/vectors/codec-*.json
 *     node scripts/record-codec-vectors.mjs --check  fails if a file would change
 *
 * The inputs are in codec-vectors/inputs.mjs. A node is written as { tag, attrs: [[key, value]...] } with at most one
 * of text, hex and list. Long repetitions of one character or byte are written as { "fill": "x", "count": n }, long
 * results as their length and first bytes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DECODE, NODES, STRINGS, UNPACK, expand } from './codec-vectors/inputs.mjs';
import { importFiles, RELEASES, rootOf } from './shared/baileys.mjs';
import { ROOT } from './shared/root.mjs';

/** @import { Described } from './codec-vectors/inputs.mjs' */

/** The number of bytes that are recorded of a long result. */
const HEAD = 32;

/** @param {string} name */
async function codec(name) {
  const { version } = JSON.parse(await readFile(path.join(rootOf(name), 'package.json'), 'utf8'));
  const [constants, encode, decode] = await importFiles(name, ['constants', 'encode', 'decode']);
  return { version, constants, ...encode, ...decode };
}

/**
 * Converts a node of the vectors into a node of Baileys.
 *
 * @param {Described} node
 */
function toBaileys({ tag, attrs = [], text, hex, bytes, list, repeat, count }) {
  /** @type {{ tag: string, attrs: Record<string, string>, content?: any }} */
  const node = {
    tag,
    attrs: Object.fromEntries(attrs.map((/** @type {[string, any]} */ [key, value]) => [key, expand(value)]))
  };
  if (text !== undefined) node.content = expand(text);
  if (hex !== undefined) node.content = Buffer.from(hex, 'hex');
  if (bytes !== undefined) node.content = Buffer.from(expand(bytes), 'latin1');
  if (list !== undefined) node.content = list.map(toBaileys);
  if (repeat !== undefined) node.content = Array.from({ length: count ?? 0 }, () => toBaileys(repeat));
  return node;
}

/**
 * Converts a node of Baileys into a node of the vectors.
 *
 * @param {{ tag: string, attrs: Record<string, string>, content?: unknown }} node
 */
function fromBaileys({ tag, attrs, content }) {
  /** @type {Described} */
  const node = { tag, attrs: Object.entries(attrs) };
  if (typeof content === 'string') node.text = content;
  else if (Buffer.isBuffer(content)) node.hex = content.toString('hex');
  else if (Array.isArray(content)) node.list = content.map(fromBaileys);
  return node;
}

/** @param {Buffer} bytes */
const shorten = bytes => {
  const text = bytes.toString('hex');
  return bytes.length <= 2048 ? { bytes: text } : { head: text.slice(0, 2 * HEAD), length: bytes.length };
};

/** @param {any} baileys @param {any[]} row */
function encodeCase(baileys, [name, node]) {
  try {
    return { name, node, ...shorten(baileys.encodeBinaryNode(toBaileys(node)).subarray(1)) };
  } catch (error) {
    return { name, node, error: error.message };
  }
}

/** @param {any} baileys @param {any[]} row */
function decodeCase(baileys, [name, bytes]) {
  const at = { index: 0 };
  try {
    const node = baileys.decodeDecompressedBinaryNode(Buffer.from(bytes, 'hex'), baileys.constants, at);
    return { name, bytes, node: fromBaileys(node), consumed: at.index };
  } catch (error) {
    return { name, bytes, error: error.message };
  }
}

/** @param {any} baileys @param {any[]} row */
async function unpackCase(baileys, [name, bytes]) {
  const input = bytes.toString('hex');
  try {
    return { name, payload: input, bytes: (await baileys.decompressingIfRequired(bytes)).toString('hex') };
  } catch (error) {
    return { name, payload: input, error: error.message };
  }
}

/** @param {{ dialect: string, packageName: string }} release */
async function record({ dialect, packageName: name }) {
  const baileys = await codec(name);
  const strings = STRINGS.map(([label, text]) => [label, { tag: 'iq', attrs: [['id', text]] }]);
  const vectors = {
    recipe: `node scripts/record-codec-vectors.mjs, from baileys@${baileys.version}`,
    encode: [...strings, ...NODES].map(one => encodeCase(baileys, one)),
    decode: DECODE.map(one => decodeCase(baileys, one)),
    unpack: await Promise.all(UNPACK.map(one => unpackCase(baileys, one)))
  };
  /** @param {[string, unknown]} entry */
  const section = ([key, value]) => {
    if (!Array.isArray(value)) return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return `${JSON.stringify(key)}: [\n${value.map(one => JSON.stringify(one)).join(',\n')}\n]`;
  };
  return [
    path.join(ROOT, '__test__', 'vectors', `codec-${dialect}.json`),
    `{\n${Object.entries(vectors).map(section).join(',\n')}\n}\n`
  ];
}

for (const [file, text] of await Promise.all(RELEASES.map(record))) {
  if (!process.argv.includes('--check')) {
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`${path.relative(ROOT, file)} is not what scripts/record-codec-vectors.mjs writes`);
    process.exitCode = 1;
  }
}
