// Checks before a measurement that a codec has the same results as Baileys' own, for several stanzas of every kind.

import assert from 'node:assert/strict';
import { Peer, openCodec } from './backends.mjs';
import { makeStanza } from './corpus.mjs';

const SEEDS = [0, 1, 2];

/**
 * @param {import('./backends.mjs').BenchCodec} codec
 * @param {string[]} entries
 * @returns {Promise<number>} The number of compared stanzas.
 */
export async function checkCodec(codec, entries) {
  const reference = await openCodec('js');
  const [session, expected] = [await codec.openSession(), await reference.openSession()];
  const peer = new Peer();
  let compared = 0;
  for (const name of entries) {
    for (const seed of SEEDS) {
      const payload = reference.encode(makeStanza(name, seed));
      const node = reference.decode(payload);
      assertBytes(codec.encode(makeStanza(name, seed)), payload, `${name}: encoding`);
      assert.deepStrictEqual(codec.decode(payload), node, `${name}: decoding`);
      const frame = expected.encodeFrame(makeStanza(name, seed));
      assertBytes(session.encodeFrame(makeStanza(name, seed)), frame, `${name}: sealing`);
      const opened = [];
      await session.decodeFrame(peer.frame(payload), decoded => opened.push(decoded));
      assert.deepStrictEqual(opened, [node], `${name}: opening`);
      compared++;
    }
  }
  return compared;
}

function assertBytes(actual, expected, what) {
  assert.ok(Buffer.compare(actual, expected) === 0, `${what} gives other bytes than Baileys does`);
}
