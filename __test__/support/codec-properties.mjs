// The properties in which our codec must agree with Baileys' codec.

import { constants as zlib, deflateSync } from 'node:zlib';

import fc from 'fast-check';

import { DAMAGE, damaged, nodesOf, wireBytes } from './arbitraries.mjs';
import { outcomeOf } from './values.mjs';

const both = async (line, call) => ({
  theirs: await outcomeOf(() => call(line.theirs)),
  ours: await outcomeOf(() => call(line.ours))
});

/** Payloads that Baileys has encoded from a node, and whose bytes are then changed. */
const payloads = line =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: nodesOf(line.constants, { invalid: false }).map(node => line.theirs.encodeBinaryNode(node))
    },
    { weight: 2, arbitrary: wireBytes().map(node => Buffer.concat([Buffer.from([0]), node])) }
  );

/** Bytes after a flags byte, from valid to random. */
const anyPayload = line =>
  fc.oneof(
    { weight: 2, arbitrary: payloads(line) },
    { weight: 4, arbitrary: fc.tuple(payloads(line), DAMAGE).map(([payload, changes]) => damaged(payload, changes)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.concat([Buffer.from([0, 248, 2]), bytes]))
    }
  );

const LEVELS = fc.record({
  level: fc.constantFrom(0, 1, 6, 9),
  strategy: fc.constantFrom(zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED),
  windowBits: fc.constantFrom(9, 12, 15)
});

const compressed = line =>
  fc
    .tuple(payloads(line), LEVELS, fc.option(DAMAGE, { nil: [] }), fc.constantFrom(2, 3, 255, 6))
    .map(([payload, options, changes, flag]) => {
      const body = damaged(deflateSync(payload.subarray(1), options), changes);
      return Buffer.concat([Buffer.from([flag]), body]);
    });

/** Payloads between other bytes, decoded from the start of the node. */
const placed = line =>
  fc.record({
    payload: anyPayload(line),
    before: fc.uint8Array({ maxLength: 9 }),
    after: fc.uint8Array({ maxLength: 9 }),
    /** The offset between the start of decoding and the start of the node. */
    shift: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -2, max: 90 }) }
    )
  });

const ENCODE = {
  name: 'encode',
  title: 'codec: random nodes, encoded',
  runs: 2000,
  inputs: line => nodesOf(line.constants, { invalid: true }),
  run: (line, node) => both(line, codec => codec.encodeBinaryNode(node))
};

const ENCODE_APPEND = {
  name: 'encode-append',
  title: 'codec: random nodes, appended to existing bytes',
  runs: 300,
  inputs: line =>
    fc.record({
      node: nodesOf(line.constants, { invalid: false }),
      buffer: fc.array(fc.oneof(fc.nat(255), fc.integer({ min: -300, max: 600 })), { maxLength: 5 })
    }),
  run: (line, { node, buffer }) =>
    both(line, codec => {
      const target = [...buffer];
      const result = codec.encodeBinaryNode(node, line.constants, target);
      return { result, target };
    })
};

const DECODE = {
  name: 'decode',
  title: 'codec: random and damaged bytes, decoded',
  runs: 3000,
  inputs: anyPayload,
  run: (line, payload) => both(line, codec => codec.decodeBinaryNode(payload))
};

const DECODE_COMPRESSED = {
  name: 'decode-compressed',
  title: 'codec: compressed and damaged bytes, decoded',
  runs: 1000,
  inputs: compressed,
  run: (line, payload) => both(line, codec => codec.decodeBinaryNode(payload))
};

const DECODE_AT = {
  name: 'decode-at',
  title: 'codec: nodes within other bytes, decoded at an index',
  runs: 1000,
  inputs: placed,
  run: (line, { payload, before, after, shift }) => {
    const bytes = Buffer.concat([before, payload.subarray(1), after]);
    const call = async codec => {
      const indexRef = { index: Math.max(0, before.length + shift) };
      const outcome = await outcomeOf(() => codec.decodeDecompressedBinaryNode(bytes, line.constants, indexRef));
      return { ...outcome, index: indexRef.index };
    };
    return Promise.all([call(line.theirs), call(line.ours)]).then(([theirs, ours]) => ({ theirs, ours }));
  }
};

const ROUND_TRIP = {
  name: 'round-trip',
  title: 'codec: random nodes, encoded and decoded',
  runs: 500,
  inputs: line => nodesOf(line.constants, { invalid: false }),
  run: (line, node) => both(line, codec => codec.decodeBinaryNode(codec.encodeBinaryNode(node)))
};

const DECOMPRESS = {
  name: 'decompress',
  title: 'codec: random bytes, decompressed if required',
  runs: 500,
  inputs: line => fc.oneof(anyPayload(line), compressed(line)),
  run: (line, payload) => both(line, codec => codec.decompressingIfRequired(payload))
};

export const CODEC_PROPERTIES = [ENCODE, ENCODE_APPEND, DECODE, DECODE_COMPRESSED, DECODE_AT, ROUND_TRIP, DECOMPRESS];
