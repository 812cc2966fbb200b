/**
 * Writes the seeds of the fuzz corpora from recorded traffic and test vectors: `node scripts/seed-corpora.mjs`. Inputs
 * that fuzzing has added are not changed.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CORPORA = join(ROOT, '__test__/fuzz/corpus');

/** The largest seed in bytes: larger stanzas make the fuzzer slow. */
const MAX_SEED = 4096;

/**
 * @param {string} target
 * @param {string} name
 * @param {Buffer} bytes
 */
function seed(target, name, bytes) {
  mkdirSync(join(CORPORA, target), { recursive: true });
  writeFileSync(join(CORPORA, target, `seed-${name}`), bytes);
}

/**
 * A list of chunk lengths in the format of `arbitrary`: for each a 1 and the length, then a 0.
 *
 * @param {number[]} lengths
 */
const chunks = lengths => Buffer.from([...lengths.flatMap((/** @type {number} */ length) => [1, length]), 0]);

/**
 * A frame of one payload.
 *
 * @param {Buffer} payload
 */
const framed = payload => Buffer.concat([Buffer.from([0, payload.length >> 8, payload.length & 0xff]), payload]);

const stanzas = readdirSync(join(ROOT, 'bench/core/corpus')).map(file => ({
  name: file.replace('.bin', ''),
  bytes: readFileSync(join(ROOT, 'bench/core/corpus', file))
}));
for (const { name, bytes } of stanzas) {
  if (bytes.length <= MAX_SEED) seed('decode', name, Buffer.concat([Buffer.from([0]), bytes]));
  const packed = deflateSync(bytes);
  if (packed.length <= MAX_SEED) seed('decode', `${name}-compressed`, Buffer.concat([Buffer.from([2]), packed]));
}
const small = stanzas.filter(({ bytes }) => bytes.length < 300);
for (const { name, bytes } of small) seed('frames', name, Buffer.concat([chunks([1, 2, 40]), framed(bytes)]));
seed('frames', 'several', Buffer.concat([chunks([5, 0, 255]), ...small.map(({ bytes }) => framed(bytes))]));
seed('frames', 'empty', Buffer.concat([chunks([]), Buffer.alloc(9)]));

const vectors = JSON.parse(readFileSync(join(ROOT, '__test__/vectors/noise-certificates.json'), 'utf8'));
const chains = vectors
  .map((/** @type {any} */ vector) => vector.chain)
  .filter((/** @type {unknown} */ text) => typeof text === 'string');
chains
  .slice(0, 20)
  .forEach((/** @type {string} */ chain, /** @type {number} */ place) =>
    seed('handshake', `chain-${place}`, Buffer.from(chain, 'hex'))
  );

/**
 * Pseudo-random bytes, the same in each run (xorshift32).
 *
 * @param {number} length
 * @param {number} state
 */
function randomBytes(length, state) {
  return Buffer.from(
    Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    })
  );
}
for (let i = 1; i <= 10; i++) seed('session', `steps-${i}`, randomBytes(100 * i, i));
