// Decodes and encodes every recorded payload by the codec of the installed package and by Baileys' own, and compares
// both. argv: path of the recorded vectors; under `baileys-native/register` also the package of Baileys whose replaced
// codec is compared.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [vectors, replacedPackage] = process.argv.slice(2);
const { decode } = JSON.parse(readFileSync(vectors, 'utf8'));
const [native, baileys] =
  replacedPackage === undefined
    ? [await import('baileys-native'), await import('baileys')]
    : [await load(replacedPackage), await ownCodec(replacedPackage)];
assert.notEqual(native.encodeBinaryNode, baileys.encodeBinaryNode);

/**
 * The exports of a module. Node.js may have the names of a CommonJS module only on `default`.
 *
 * @param {string} specifier
 * @returns {Promise<any>}
 */
async function load(specifier) {
  const namespace = await import(specifier);
  return { ...namespace.default, ...namespace };
}

/**
 * The codec that `register` does not replace.
 *
 * @param {string} name
 */
async function ownCodec(name) {
  const [encode, decode] = await Promise.all(
    ['encode', 'decode'].map(file => load(`${name}/lib/WABinary/${file}.js?baileys-native=off`))
  );
  return { ...encode, ...decode };
}

/**
 * The result, or the text of the error.
 *
 * @param {() => any} use
 */
async function outcome(use) {
  try {
    return { value: await use() };
  } catch (error) {
    return { error: error.message };
  }
}

let encoded = 0;
for (const { name, bytes } of decode) {
  const payload = Buffer.from(`00${bytes}`, 'hex'); // not compressed
  const ours = await outcome(() => native.decodeBinaryNode(payload));
  assert.deepEqual(ours, await outcome(() => baileys.decodeBinaryNode(payload)), name);
  if (ours.value === undefined) continue;
  const [again, theirs] = await Promise.all(
    [native, baileys].map(({ encodeBinaryNode }) => outcome(() => encodeBinaryNode(ours.value).toString('hex')))
  );
  assert.deepEqual(again, theirs, name);
  encoded += 1;
  if (encoded % 20 === 0) console.log(`${encoded} encoded`);
}
assert.ok(encoded > 50);
console.log(`passed: ${decode.length} decoded, ${encoded} encoded`);
