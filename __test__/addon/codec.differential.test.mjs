// Passes thousands of random nodes and payloads to Baileys' codecs and ours, for each release line.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';

import { chain } from '../support/arbitraries.mjs';
import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { CODEC_PROPERTIES } from '../support/codec-properties.mjs';
import { compare, compareAll, explore, recordComparisons, knownDifferences, SEED } from '../support/differential.mjs';
import { fromJson } from '../support/values.mjs';

const CORPUS = JSON.parse(await readFile(new URL('../vectors/corpus-codec.json', import.meta.url)));
const lines = new Map(await Promise.all(LINE_NAMES.map(async name => [name, await loadLine(name)])));

after(() => {
  console.log('Known differences of the codec from Baileys:');
  for (const line of knownDifferences(CODEC_PROPERTIES.map(({ name }) => name))) console.log(`  ${line}`);
});

test('the codec equals Baileys for earlier failures (regression cases)', async t => {
  for (const { property: name, line, input, found } of CORPUS) {
    const property = CODEC_PROPERTIES.find(property => property.name === name);
    assert.ok(property, `the corpus names the unknown property ${name}`);
    await t.test(`${name} ${line}: ${found}`, () => compare(property, lines.get(line), fromJson(input)));
  }
});

const property = name => CODEC_PROPERTIES.find(property => property.name === name);
const node = (content, attrs = {}) => ({ tag: 'message', attrs, content });
const nested = depth =>
  Buffer.concat([Buffer.from([0]), ...Array.from({ length: depth }, () => NEST), Buffer.from([248, 1, 30])]);
const NEST = Buffer.from([248, 2, 30, 248, 1]);

test('the codec equals Baileys for edge cases that random inputs seldom contain', async t => {
  const encode = {
    'the lengths at which an encoding changes': [255, 256, 0xf_ffff, 0x10_0000].flatMap(length => [
      node('x'.repeat(length)),
      node('é'.repeat(length / 2)),
      node(new Uint8Array(length)),
      node([node(Buffer.alloc(length, 7))], { to: 'y'.repeat(length) })
    ]),
    'lists of 65,535 and 65,536 nodes': [65_535, 65_536].map(length => node(Array.from({ length }, () => node()))),
    'nested nodes': [1023, 1024, 1025, 1500].map(chain),
    'tags of other types': [5, true, {}, ['a'], 10n].map(tag => ({ tag, attrs: {} })),
    'attributes of other types': [{}, [], new Date(0), Symbol('x'), () => {}].map(value =>
      node(undefined, { a: 'b', c: value })
    ),
    'contents of other types': [
      null,
      0,
      '',
      true,
      {},
      new Map(),
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1))
    ].map(content => node(content)),
    'sparse children': [node([, node(), , node()])], // eslint-disable-line no-sparse-arrays
    'hosted domains': [
      '1@hosted',
      '1:2@hosted',
      '1_3:2@hosted',
      '1:99@hosted.lid',
      '@hosted',
      '1:99@s.whatsapp.net'
    ].map(to => node(undefined, { to })),
    'other domains': ['1@msgr', '1:2@msgr', '1-2@interop', '1:2@interop', '1@lid', '1_1:2@lid', '1@newsletter'].map(
      to => node(undefined, { to })
    ),
    'empty strings': [
      node('', { a: '' }),
      node('', {}),
      { tag: '', attrs: {} },
      node('@'),
      node(undefined, { '': 'x' })
    ],
    'attributes that are not a plain object': [
      'ab',
      ['x', 'y'],
      Object.create({ inherited: 'x' }),
      new Map([['a', 'b']])
    ].map(attrs => node(undefined, attrs))
  };
  const decode = {
    'nested nodes': [1000, 1023, 1024, 1100].map(nested),
    'nested JIDs': [63, 64, 65, 100].map(depth =>
      Buffer.concat([
        Buffer.from([0, 248, 2, 30]),
        Buffer.alloc(depth, 250),
        Buffer.from([3, ...Buffer.alloc(depth, 3)])
      ])
    ),
    'devices of every domain type': [0, 1, 2, 128, 129, 130, 255].flatMap(domain => [
      Buffer.from([0, 248, 2, 30, 247, domain, 0, 255, 1, 0x12]),
      Buffer.from([0, 248, 2, 30, 247, domain, 7, 255, 1, 0x12]),
      Buffer.from([0, 248, 2, 30, 247, domain, 99, 255, 1, 0x12])
    ]),
    'FB JIDs': [
      Buffer.from([0, 248, 2, 30, 246, 255, 1, 0x12, 0, 7, 3]),
      Buffer.from([0, 248, 2, 30, 246, 255, 1, 0x12, 0, 0, 252, 4, ...Buffer.from('msgr')]),
      Buffer.from([0, 248, 2, 30, 246, 255, 1, 0x12])
    ],
    'interop JIDs': [
      Buffer.from([0, 248, 2, 30, 245, 255, 1, 0x12, 0, 7, 0, 9, 3]),
      Buffer.from([0, 248, 2, 30, 245, 255, 1, 0x12, 0, 7, 0, 9, 252, 7, ...Buffer.from('interop')]),
      Buffer.from([0, 248, 2, 30, 245, 255, 1, 0x12, 0])
    ],
    'empty strings': [
      Buffer.from([0, 248, 2, 30, 252, 0]),
      Buffer.from([0, 248, 3, 30, 252, 0, 252, 0, 252, 0]),
      Buffer.from([0, 248, 2, 252, 0, 30]),
      Buffer.from([0, 248, 2, 30, 0]),
      Buffer.from([0, 248, 2, 30, 250, 0, 3]),
      Buffer.from([0, 248, 2, 30, 250, 3, 0])
    ],
    'a reason with NUL in it': [Buffer.from([0, 248, 2, 30, 250, 255, 1, 0x1f, 0])],
    'empty input': [Buffer.alloc(0), Buffer.from([2]), Buffer.from([0])],
    'values that are not a Buffer': [
      Uint8Array.of(0, 248, 1, 30),
      Uint8Array.of(0, 248),
      'text',
      undefined,
      null,
      {},
      [0, 248, 1, 30],
      new ArrayBuffer(4)
    ]
  };
  for (const name of LINE_NAMES) {
    for (const [title, nodes] of Object.entries(encode)) {
      await t.test(`encode, line ${name}: ${title}`, async () => {
        const comparisons = nodes.map(input => [property('encode'), input]);
        await compareAll(`encode: ${title}`, comparisons, lines.get(name));
      });
    }
    for (const [title, payloads] of Object.entries(decode)) {
      await t.test(`decode, line ${name}: ${title}`, async () => {
        const comparisons = payloads.flatMap(input => [
          [property('decode'), input],
          [property('decompress'), input]
        ]);
        await compareAll(`decode: ${title}`, comparisons, lines.get(name));
      });
    }
  }
});

test('content bytes are views of the input, as in Baileys', async () => {
  for (const { theirs, ours } of lines.values()) {
    const payload = ours.encodeBinaryNode(node(Buffer.from('content')));
    for (const codec of [theirs, ours]) {
      const { content } = await codec.decodeBinaryNode(payload);
      assert.equal(content.buffer, payload.buffer);
      assert.equal((await codec.decompressingIfRequired(payload)).buffer, payload.buffer);
    }
  }
});

test('constants of another dictionary are refused', () => {
  const [seven, old] = [lines.get('7'), lines.get('6.17')];
  assert.throws(() => seven.ours.encodeBinaryNode(node(), old.constants), /must have the tokens of dictionary 3/);
  assert.throws(
    () => old.ours.decodeDecompressedBinaryNode(Buffer.from([248, 1, 30]), seven.constants),
    /must have the tokens of dictionary 2/
  );
  assert.deepEqual(seven.ours.encodeBinaryNode(node(), { ...seven.constants }), seven.theirs.encodeBinaryNode(node()));
});

test('a getter in the attributes cannot make the codec write invalid bytes', async () => {
  for (const { ours, theirs, constants } of lines.values()) {
    const wire = Buffer.from([248, 1, 30]);
    for (const call of [
      () => ours.encodeBinaryNode(node('other')),
      () => ours.decodeDecompressedBinaryNode(wire, constants)
    ]) {
      const attrs = Object.defineProperty({ a: 'b' }, 'c', { enumerable: true, get: call });
      assert.throws(() => ours.encodeBinaryNode(node('text', attrs)), /a getter of the node calls/);
    }
    const throwing = Object.defineProperty({}, 'a', { enumerable: true, get: () => assert.fail('of the getter') });
    assert.throws(() => ours.encodeBinaryNode(node('text', throwing)), /of the getter/);
    assert.deepEqual(ours.encodeBinaryNode(node('text')), theirs.encodeBinaryNode(node('text')));
  }
});

for (const name of LINE_NAMES) {
  for (const property of CODEC_PROPERTIES) {
    test(`random inputs have the same result as in Baileys: ${property.name}, line ${name}, seed ${SEED}`, async () => {
      const { runs, known, failure } = await explore(property, lines.get(name), { seed: SEED });
      recordComparisons(property.title, lines.get(name), `${runs} inputs`, known);
      if (failure) assert.fail(failure.report);
    });
  }
}
