// Decoded objects: the memory of their strings, the number of object shapes, and all kinds of attribute keys.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { runModule } from '../support/child.mjs';
import { same, show } from '../support/values.mjs';

const require = createRequire(import.meta.url);
const {
  KEYS,
  register: { TEXT: REG_TEXT },
  text: { LOOKUP_UNITS }
} = require('../../js/addon/abi.cjs');
const { core, scratch } = require('../../js/addon/shared-memory.cjs');
const { encodeBinaryNode, decodeBinaryNode } = require('../../js/index.cjs');
const lines = await Promise.all(LINE_NAMES.map(loadLine));

const RETENTION = `
  import { deflateSync } from 'node:zlib';
  import { loadLine } from './__test__/support/baileys-lines.mjs';
  const { ours, theirs } = await loadLine('7');
  const participant = i => ({ tag: 'participant', attrs: { jid: \`\${10_000_000_000_000 + i * 7919}:\${i % 99}@lid\`, name: NAME(i) } });
  const group = { tag: 'iq', attrs: { id: 'x' }, content: Array.from({ length: 1024 }, (_, i) => participant(i)) };
  const plain = theirs.encodeBinaryNode(group);
  const payload = PACKED ? Buffer.concat([Buffer.from([2]), deflateSync(plain.subarray(1))]) : plain;
  const ROUNDS = 2000;
  const kept = new Array(ROUNDS).fill('');
  async function round(i) {
    const { content } = await ours.decodeBinaryNode(payload);
    const { attrs } = content[(i * 37) % 1024];
    kept[i] = i % 2 === 0 ? attrs.jid : attrs.name;
  }
  for (let i = 0; i < 20; i++) await round(i);
  gc();
  const before = process.memoryUsage();
  for (let i = 0; i < ROUNDS; i++) await round(i);
  gc();
  const after = process.memoryUsage();
  const grown = (after.heapUsed - before.heapUsed + after.external - before.external) / 2 ** 20;
  console.log(JSON.stringify({ grown, kept: new Set(kept.map(String)).size, first: kept[0] }));
`;

for (const [title, name, packed, bound] of [
  ['latin1', 'i => `Jos\\u00e9 number ${i} of the group`', false, 6],
  ['latin1, compressed', 'i => `Jos\\u00e9 number ${i} of the group`', true, 6],
  ['UTF-16', 'i => `\\u4f60\\u597d number ${i} of the group`', false, 10]
]) {
  test(`a kept string does not keep the memory of its stanza: ${title}`, async t => {
    const source = RETENTION.replace('NAME(', `(${name})(`).replace('PACKED', String(packed));
    const { grown, kept, first } = await runModule(['--expose-gc'], source);
    assert.equal(first, '10000000000000@lid');
    assert.ok(kept > 1000);
    // The text of 2,000 stanzas of 60 KB would be more than 100 MB. Each kept string may keep a window of 1,024 units.
    t.diagnostic(`${grown} MB`);
    assert.ok(grown < bound, `grew by ${grown} MB`);
  });
}

test('a process without code generation from strings decodes the same', async () => {
  const { mismatches, refused } = await runModule(
    ['--disallow-code-generation-from-strings'],
    `
    import { loadLine } from './__test__/support/baileys-lines.mjs';
    import { same } from './__test__/support/values.mjs';
    let mismatches = 0;
    let refused = false;
    try {
      new Function('return 1');
    } catch {
      refused = true;
    }
    for (const name of ['7', '6.17']) {
      const { ours, theirs, constants } = await loadLine(name);
      const keys = constants.SINGLE_BYTE_TOKENS.slice(1, 60);
      for (let i = 0; i < 600; i++) {
        const attrs = Object.fromEntries([0, 1, 2].map(j => [keys[(i % 20) + 19 * j], \`value \${i} \${j}\`]));
        const payload = theirs.encodeBinaryNode({ tag: 'iq', attrs, content: [{ tag: 'to', attrs }] });
        if (!same(await theirs.decodeBinaryNode(payload), await ours.decodeBinaryNode(payload))) mismatches++;
      }
    }
    console.log(JSON.stringify({ mismatches, refused }));`
  );
  assert.deepEqual({ mismatches, refused }, { mismatches: 0, refused: true });
});

/** The constructors that are generated while `run` runs. */
async function generated(run) {
  const { Function: original } = globalThis;
  let count = 0;
  globalThis.Function = new Proxy(original, {
    construct(target, args) {
      count++;
      return Reflect.construct(target, args);
    }
  });
  try {
    await run();
  } finally {
    globalThis.Function = original;
  }
  return count;
}

test('object shapes are generated for usual stanzas, and their number is limited', async () => {
  for (const line of [lines[0], lines[2]]) {
    const tokens = line.constants.SINGLE_BYTE_TOKENS.slice(1);
    // 5,000 sequences of two or three keys. Many of them share a slot.
    const sequences = Array.from({ length: 5000 }, (_, i) => [
      tokens[i % 200],
      tokens[200 + (Math.floor(i / 200) % 30)],
      ...(i % 3 === 0 ? ['participant'] : [])
    ]);
    const count = await generated(async () => {
      for (let round = 0; round < 5; round++) {
        for (const [i, keys] of sequences.entries()) {
          const attrs = Object.fromEntries(keys.map((key, j) => [key, `${round} ${i} ${j}`]));
          const payload = line.theirs.encodeBinaryNode({ tag: 'iq', attrs });
          const [theirs, ours] = await Promise.all(
            [line.theirs, line.ours].map(codec => codec.decodeBinaryNode(payload))
          );
          if (!same(theirs, ours)) assert.fail(`${show(theirs)}\nours ${show(ours)}`);
        }
      }
    });
    assert.ok(count > 0, 'none is generated');
    assert.ok(count <= 512, `${count} are generated`);
  }
});

/** The bytes of a string that is not a token. */
const binary = text => Buffer.concat([Buffer.from([252, Buffer.byteLength(text)]), Buffer.from(text)]);

test('attribute keys of every kind equal those of Baileys, at the first stanza and later', async () => {
  for (const line of lines) {
    const { TOKEN_MAP } = line.constants;
    const token = text => {
      const { dict, index } = TOKEN_MAP[text];
      return Buffer.from(dict === undefined ? [index] : [236 + dict, index]);
    };
    const key = text => (Object.hasOwn(TOKEN_MAP, text) ? token(text) : binary(text));
    const sequences = [
      ['__proto__'],
      ['id', '__proto__', 'to'],
      ['__proto__', '__proto__', 'id'],
      ['constructor', 'toString', 'hasOwnProperty'],
      // Numeric keys come first in an object; their order on the wire does not matter.
      ['to', '2', 'id', '1', '0'],
      ['1', '0'],
      ['4294967294', '4294967295', '-1', '01', '1.5'],
      // The last value of a repeated key is used, at the position of the first.
      ['id', 'to', 'id'],
      ['id', 'id', 'id'],
      ['1', 'id', '1'],
      [''],
      ['id', '', 'to', ''],
      ['a key that is no token', 'id', 'a key that is no token'],
      // Not tokens, but with their own operations on a tape.
      ['id', 'sender_pn', 'phone_number', 'sender_pn'],
      KEYS.slice(0, 20),
      KEYS.slice(20),
      ['schlüssel', '\u{1f511}', 'id'],
      ['"', '\\', '\n', '`${1}`', '\u2028'],
      Array.from({ length: 40 }, (_, i) => line.constants.SINGLE_BYTE_TOKENS[i + 1])
    ];
    for (const keys of sequences) {
      for (let round = 0; round < 8; round++) {
        const value = i => (i % 3 === 0 ? token('type') : binary(`value ${i} of round ${round}`));
        const fields = keys.flatMap((text, i) => [text === '' ? Buffer.from([0]) : key(text), value(i)]);
        const payload = Buffer.concat([Buffer.from([0, 248, 1 + 2 * keys.length]), token('iq'), ...fields]);
        const [theirs, ours] = await Promise.all(
          [line.theirs, line.ours].map(codec => codec.decodeBinaryNode(payload))
        );
        if (!same(theirs, ours)) assert.fail(`round ${round}: ${show(theirs)}\nours: ${show(ours)}`);
        assert.equal(Object.getPrototypeOf(ours.attrs), Object.prototype);
      }
    }
  }
});

test('long tokens and usual keys are encoded as in Baileys', () => {
  for (const { theirs, ours, constants } of lines) {
    const long = Object.keys(constants.TOKEN_MAP).filter(token => token.length >= LOOKUP_UNITS);
    assert.ok(long.length > 100);
    for (const value of [...long, ...KEYS]) {
      const attrs = { id: value, [value]: 'x'.repeat(LOOKUP_UNITS - 1), to: value };
      const node = { tag: value, attrs, content: [{ tag: 'to', attrs: {}, content: value }] };
      assert.deepEqual(ours.encodeBinaryNode(node), theirs.encodeBinaryNode(node), value);
    }
  }
});

test('decoded objects are independent of each other', async () => {
  const { theirs, ours } = lines[0];
  const payload = theirs.encodeBinaryNode({ tag: 'iq', attrs: { id: 'x', to: 'y' }, content: Buffer.from('bytes') });
  const first = await ours.decodeBinaryNode(payload);
  first.attrs.id = 'changed';
  delete first.attrs.to;
  first.attrs.more = '1';
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await ours.decodeBinaryNode(payload), await theirs.decodeBinaryNode(payload));
  }
});

test('bytes with another `length` are encoded alone, without the memory behind them', async () => {
  encodeBinaryNode({ tag: 'message', attrs: {}, content: Buffer.alloc(64, 'secret') });
  for (const length of [0, 3, 64, 1e9, NaN]) {
    const bytes = Object.defineProperty(Buffer.of(1, 2, 3, 4), 'length', { value: length });
    const payload = encodeBinaryNode({ tag: 'message', attrs: {}, content: bytes });
    assert.deepEqual((await decodeBinaryNode(payload)).content, Buffer.of(1, 2, 3, 4), String(length));
  }
});

test('a text is refused if it is longer than its length in the registers', () => {
  for (const text of ['x'.repeat(100), '\u263a'.repeat(100)]) {
    scratch.ops[REG_TEXT] = 1;
    assert.throws(() => core.encode(0, text, Buffer.alloc(10)), {
      name: 'TypeError',
      message: 'the text is longer than its given length'
    });
  }
});
