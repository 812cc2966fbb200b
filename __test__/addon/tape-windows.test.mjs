// The strings of the tapes of a batch: consecutive tapes read their text in shared windows.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const {
  contentKind,
  op: { HEAD_SHIFT, NO_SHAPE },
  tapeHead,
  text: { WINDOW }
} = require('../../js/addon/abi.cjs');
const { takeTape } = require('../../js/codec/tape/batch.cjs');
const { createHydrator } = require('../../js/codec/tape/hydrate.cjs');

const NO_BYTES = Buffer.alloc(0);

/** A node with these strings as tag, attributes and text content; at least two. */
function nodeOf([tag, ...strings]) {
  const content = strings.pop();
  return { tag, attrs: Object.fromEntries(strings.map((value, i) => [`${i}k`, value])), content };
}

/** Appends the tape of a node to a batch, as `TapeWriter` does. */
function append(batch, { tag, attrs, content }) {
  const strings = [tag, ...Object.entries(attrs).flat(), content];
  const text = strings.join('');
  const isWide = /[^\0-\xff]/.test(text);
  const [tagOp, ...ops] = strings.map(string => ~string.length);
  const count = Object.keys(attrs).length;
  const head = [(count << HEAD_SHIFT) | contentKind.TEXT, tagOp];
  const tape = count > 0 ? [...head, NO_SHAPE, ...ops] : [...head, ...ops];
  const words = new Array(tapeHead.WORDS).fill(0);
  words[tapeHead.OPS] = tape.length;
  words[tapeHead.UNITS] = text.length;
  words[tapeHead.WIDE] = isWide ? 1 : 0;
  batch.starts.push([batch.words.length, batch.text.length]);
  batch.words.push(...words, ...tape);
  batch.text.push(...Buffer.from(text, isWide ? 'utf16le' : 'latin1'));
  if (batch.text.length % 2 === 1) batch.text.push(0);
}

/** A batch of these nodes. All batches use the same memory, as in the event pump. */
function fill(cursor, memory, nodes) {
  const batch = { words: [], text: [], starts: [] };
  for (const node of nodes) append(batch, node);
  memory.words.fill(-1).set(batch.words);
  memory.text.fill(0x7e).set(batch.text);
  Object.assign(cursor, { wordAt: 0, textAt: 0, textEnd: batch.text.length, batch: cursor.batch + 1 });
  return batch;
}

function cursorOf(memory) {
  return { ...memory, wordAt: 0, textAt: 0, textEnd: 0, batch: 0, memory: NO_BYTES, bytesAt: 0 };
}

const string = fc.oneof(
  { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\xe9\xff', 'a long text '.repeat(60), 'x'.repeat(WINDOW), 'y'.repeat(3000))
  },
  { weight: 1, arbitrary: fc.constantFrom('\u4f60\u597d', '\u{1f511} key') }
);
const node = fc
  .array(
    string.map(text => text.replace(/[^\0-\xff\u4f60\u597d\u{1f511}]/gu, '?')),
    { minLength: 2, maxLength: 6 }
  )
  .map(nodeOf);
/** Nodes, and the numbers of tapes that are left out. */
const batches = fc.array(fc.record({ nodes: fc.array(node, { maxLength: 20 }), left: fc.array(fc.nat(19)) }), {
  minLength: 1,
  maxLength: 4
});

test('strings of all tapes of a batch are correct, also if tapes are left out', () => {
  fc.assert(
    fc.property(batches, all => {
      const memory = { words: new Int32Array(4096), text: Buffer.alloc(1 << 20) };
      const cursor = cursorOf(memory);
      const hydrate = createHydrator([]);
      for (const { nodes, left } of all) {
        const { starts } = fill(cursor, memory, nodes);
        for (const [index, expected] of nodes.entries()) {
          if (left.includes(index)) continue;
          [cursor.wordAt, cursor.textAt] = starts[index];
          assert.deepEqual(takeTape(cursor, hydrate), expected);
        }
      }
    }),
    { numRuns: 300 }
  );
});

test('the text of a batch is read in windows of several tapes, and not beyond its end', t => {
  const memory = { words: new Int32Array(4096), text: Buffer.alloc(1 << 16) };
  const reads = [];
  const { latin1Slice } = /** @type {any} */ (Buffer.prototype);
  t.mock.method(memory.text, 'latin1Slice', (start, end) => {
    reads.push([start, end]);
    return latin1Slice.call(memory.text, start, end);
  });
  const cursor = cursorOf(memory);
  const hydrate = createHydrator([]);
  const nodes = Array.from({ length: 30 }, (_, i) => nodeOf([`tag${i}`, `value ${i} `.repeat(5), `content ${i}`]));
  const { text } = fill(cursor, memory, nodes);
  for (const expected of nodes) assert.deepEqual(takeTape(cursor, hydrate), expected);
  assert.ok(reads.length <= Math.ceil(text.length / WINDOW) + 1, `${reads.length} reads`);
  for (const [start, end] of reads) assert.ok(end - start <= WINDOW && end <= text.length, `${start}..${end}`);
  // The next batch has other text in the same place.
  fill(cursor, memory, [nodeOf(['another', 'text'])]);
  assert.deepEqual(takeTape(cursor, hydrate), nodeOf(['another', 'text']));
});
