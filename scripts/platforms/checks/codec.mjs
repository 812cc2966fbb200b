// Decodes and encodes every recorded payload by the codec of the installed package and by Baileys' own, and compares
// both. argv: path of the recorded vectors.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as baileys from 'baileys';
import * as native from 'baileys-native';

const { decode } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
assert.notEqual(native.encodeBinaryNode, baileys.encodeBinaryNode);

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
