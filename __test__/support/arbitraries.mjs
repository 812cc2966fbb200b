// Generators of nodes, payloads and damage for property tests. All of them shrink.

import fc from 'fast-check';

/** Lengths at which an encoding changes, and their neighbours. */
const EDGES = [1, 2, 12, 13, 14, 126, 127, 128, 129, 253, 254, 255, 256, 257, 1023, 1024, 1025];

const AROUND_EDGES = fc.constantFrom(...EDGES);

/** Names that every object has. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'isPrototypeOf'];

const fromAlphabet = (alphabet, length) =>
  fc.tuple(length, fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 12 })).map(([size, units]) =>
    units
      .join('')
      .repeat(Math.ceil(size / units.length))
      .slice(0, size)
  );

const PACKED_LENGTH = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 120, max: 132 }), AROUND_EDGES);

/** A single UTF-16 unit. Surrogates are frequent. */
const UNIT = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xff }),
    fc.integer({ min: 0x100, max: 0xffff }),
    fc.integer({ min: 0xd800, max: 0xdfff })
  )
  .map(unit => String.fromCharCode(unit));

const UNICODE = fc.oneof(
  fc.array(UNIT, { maxLength: 6 }).map(units => units.join('')),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc
    .tuple(AROUND_EDGES, fc.constantFrom('é', 'ÿ', 'Ā', '𝄞', '\ud834', '\udd1e', 'ab\udd1e'))
    .map(([n, text]) => text.repeat(n)),
  fc.tuple(AROUND_EDGES, UNIT).map(([n, unit]) => 'x'.repeat(n) + unit)
);

const DEVICE = fc.oneof(
  fc.constantFrom('', '0', '1', '9', '10', '99', '100', '255', '256', '65536', '-1', '+7', ' 7 ', '1.9', '1e2', '0x1F'),
  fc.constantFrom('0b11', '0o17', 'abc', '7x', '٣', 'Infinity', 'NaN', '1e400', '4294967297', '\u00a07', '\ufeff7'),
  fc.integer({ min: 0, max: 70_000 }).map(String),
  fc.string({ maxLength: 4 })
);

const SERVERS = [
  's.whatsapp.net',
  'lid',
  'g.us',
  'hosted',
  'hosted.lid',
  'c.us',
  'broadcast',
  'newsletter',
  'call',
  'bot'
];

/** Strings that a codec treats specially, for a dictionary. */
function stringsOf(tokens) {
  const token = fc.constantFrom(...tokens);
  const digits = fromAlphabet([...'0123456789-.'], PACKED_LENGTH);
  const hex = fromAlphabet([...'0123456789ABCDEF'], PACKED_LENGTH);
  const plain = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.tuple(AROUND_EDGES, fc.constantFrom('a', 'G', ' ', '\0', '0\0')).map(([n, text]) => text.repeat(n).slice(0, n))
  );
  const user = fc.oneof(
    fc.stringMatching(/^[1-9][0-9]{5,14}$/),
    fc.constantFrom('', '0', 'status', 'A', '_', '.', ...INHERITED),
    digits,
    token,
    UNICODE.map(text => text.replaceAll('@', ''))
  );
  const agent = fc.oneof(
    fc.constantFrom('0', '1', '128', '129', '300', '-1', '0x11', ' 2', 'x', ''),
    fc.string({ maxLength: 3 })
  );
  const server = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...SERVERS) },
    { weight: 1, arbitrary: fc.constantFrom('', 'lid@lid', 'x', '@', ...INHERITED) },
    { weight: 1, arbitrary: token },
    { weight: 1, arbitrary: UNICODE }
  );
  const optional = arbitrary => fc.option(arbitrary, { nil: undefined, freq: 2 });
  const jid = fc
    .tuple(user, optional(agent), optional(DEVICE), optional(DEVICE), server)
    .map(([name, agent, device, second, server]) => {
      const text = name + (agent === undefined ? '' : `_${agent}`) + (device === undefined ? '' : `:${device}`);
      return `${text}${device === undefined || second === undefined ? '' : `:${second}`}@${server}`;
    });
  const jids = fc.array(jid, { minLength: 2, maxLength: 4 }).map(parts => parts.join('@'));
  return fc.oneof(
    { weight: 6, arbitrary: token },
    { weight: 3, arbitrary: digits },
    { weight: 3, arbitrary: hex },
    { weight: 6, arbitrary: jid },
    { weight: 1, arbitrary: jids },
    { weight: 4, arbitrary: plain },
    { weight: 4, arbitrary: UNICODE },
    { weight: 1, arbitrary: fc.constantFrom('', '@', '@@', ':@', '_@', ':1@lid', 'a:@lid', ...INHERITED) }
  );
}

const BYTES = fc.oneof(
  fc.uint8Array({ maxLength: 24 }),
  fc.tuple(AROUND_EDGES, fc.nat(255)).map(([length, byte]) => new Uint8Array(length).fill(byte))
);

/** Bytes as a Buffer, as a Uint8Array, as a part of a larger array, or in shared memory. */
const CONTENT_BYTES = fc.tuple(BYTES, fc.integer({ min: 0, max: 3 })).map(([bytes, kind]) => {
  if (kind === 0) return Buffer.from(bytes);
  if (kind === 1) return bytes;
  const memory = kind === 2 ? new ArrayBuffer(bytes.length + 9) : new SharedArrayBuffer(bytes.length + 9);
  const view = new Uint8Array(memory, 5, bytes.length);
  view.set(bytes);
  return view;
});

/** Values that are not valid as content or as a child. */
const INVALID_VALUES = fc.oneof(
  fc.constantFrom(null, 0, 1, NaN, true, false, 10n),
  fc.constant({}),
  fc.constant(new Uint16Array([1, 2])),
  fc.constant(new ArrayBuffer(2)),
  fc.constant(new Date(0))
);

function attributesOf(string, value) {
  const key = fc.oneof(
    { weight: 20, arbitrary: string },
    { weight: 1, arbitrary: fc.constantFrom('1', '2', '10', '01', '-1') }
  );
  // Creates own properties, also for the name `__proto__`.
  const object = entries => {
    const attrs = {};
    for (const [name, value] of entries) {
      Object.defineProperty(attrs, name, { value, writable: true, enumerable: true, configurable: true });
    }
    return attrs;
  };
  const few = fc.array(fc.tuple(key, value), { maxLength: 5 }).map(object);
  const many = fc
    .tuple(fc.integer({ min: 120, max: 140 }), fc.tuple(string, value))
    .map(([count, [name, value]]) => object(Array.from({ length: count }, (_, i) => [`${name}${i}`, value])));
  return fc.oneof({ weight: 60, arbitrary: few }, { weight: 1, arbitrary: many });
}

/**
 * Nodes over the tokens of a dictionary.
 *
 * @param {{ SINGLE_BYTE_TOKENS: string[], DOUBLE_BYTE_TOKENS: string[][] }} constants
 * @param {{ invalid: boolean }} options `invalid`: also invalid nodes, with attributes that are not strings, contents of wrong
 *   types, holes among the children, or missing attributes
 */
export function nodesOf(constants, { invalid }) {
  const string = stringsOf([...constants.SINGLE_BYTE_TOKENS, ...constants.DOUBLE_BYTE_TOKENS.flat()]);
  const value = invalid
    ? fc.oneof(
        { weight: 40, arbitrary: string },
        { weight: 3, arbitrary: fc.constantFrom(undefined, null) },
        { weight: 1, arbitrary: fc.constantFrom(0, 7, -1, 1.5, NaN, true, false, 12n) }
      )
    : string;
  const name = invalid ? string : string.filter(text => text !== '');
  const attrs = invalid
    ? fc.oneof(
        { weight: 30, arbitrary: attributesOf(string, value) },
        { weight: 1, arbitrary: fc.constantFrom(undefined, null) }
      )
    : attributesOf(string, value);
  return fc.letrec(tie => {
    const child = invalid
      ? fc.oneof(
          { weight: 30, arbitrary: tie('node') },
          { weight: 1, arbitrary: fc.oneof(INVALID_VALUES, string, CONTENT_BYTES) }
        )
      : tie('node');
    const leaf = fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 3, arbitrary: string },
      { weight: 3, arbitrary: CONTENT_BYTES },
      ...(invalid ? [{ weight: 1, arbitrary: fc.oneof({ weight: 1, arbitrary: INVALID_VALUES }) }] : [])
    );
    const wide = fc
      .tuple(fc.constantFrom(255, 256, 257, 300), fc.record({ tag: name, attrs: fc.constant({}), content: string }))
      .map(([count, child]) => Array.from({ length: count }, () => child));
    const content = fc.oneof(
      { maxDepth: 5 },
      { weight: 5, arbitrary: leaf },
      { weight: 3, arbitrary: fc.array(child, { maxLength: 4, depthIdentifier: 'node' }) },
      { weight: 1, arbitrary: fc.oneof({ weight: 20, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: wide }) }
    );
    return {
      node: fc.record({ tag: name, attrs, content }, invalid ? { requiredKeys: ['tag'] } : undefined)
    };
  }).node;
}

/** A node in a chain of nodes, `depth` deep. */
export const chain = depth => {
  let node = { tag: 'iq', attrs: {}, content: undefined };
  for (let i = 1; i < depth; i++) node = { tag: 'iq', attrs: {}, content: [node] };
  return node;
};

/** Changes of some bytes. A counterexample shows the original bytes and the changes. */
export const DAMAGE = fc.array(
  fc.record({
    kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'cut', 'double'),
    at: fc.nat(4096),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 236, 239, ...range(245, 255)))
  }),
  { minLength: 1, maxLength: 4 }
);

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** @returns {Buffer} */
export function damaged(bytes, changes) {
  let result = Buffer.from(bytes);
  for (const { kind, at, byte } of changes) {
    const i = result.length === 0 ? 0 : at % result.length;
    if (kind === 'set' && result.length > 0) result[i] = byte;
    if (kind === 'flip' && result.length > 0) result[i] ^= 1 << (byte & 7);
    if (kind === 'insert') result = Buffer.concat([result.subarray(0, i), Buffer.from([byte]), result.subarray(i)]);
    if (kind === 'remove') result = Buffer.concat([result.subarray(0, i), result.subarray(i + 1)]);
    if (kind === 'cut') result = result.subarray(0, i);
    if (kind === 'double') result = Buffer.concat([result, result.subarray(i)]);
  }
  return result;
}

/** Bytes that look like nodes: lists, strings of every kind and nested JIDs, mostly with correct lengths. */
export function wireBytes() {
  const byte = fc.nat(255);
  const join = parts => Buffer.concat(parts.map(part => (Buffer.isBuffer(part) ? part : Buffer.from(part))));
  const utf8 = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    UNICODE.map(text => Buffer.from(text))
  );
  const u16 = fc.oneof(fc.constantFrom([0, 0], [0, 1], [255, 255]), fc.tuple(byte, byte));
  return fc.letrec(tie => ({
    text: fc.oneof(
      { maxDepth: 4 },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 235 }).map(token => Buffer.from([token])) },
      { weight: 2, arbitrary: fc.tuple(fc.integer({ min: 236, max: 239 }), byte).map(pair => Buffer.from(pair)) },
      { weight: 2, arbitrary: utf8.filter(text => text.length < 256).map(text => join([[252, text.length], text])) },
      {
        weight: 1,
        arbitrary: utf8.map(text => join([[253, byteOf(text, 16), byteOf(text, 8), byteOf(text, 0)], text]))
      },
      {
        weight: 1,
        arbitrary: utf8.map(text => join([[254, 0, byteOf(text, 16), byteOf(text, 8), byteOf(text, 0)], text]))
      },
      {
        weight: 3,
        arbitrary: fc
          .tuple(fc.constantFrom(251, 255), fc.boolean(), fc.uint8Array({ maxLength: 5 }), fc.boolean())
          .map(([tag, isOddLength, packed, decimal]) => {
            const digits = decimal ? packed.map(byte => (((byte >> 4) % 10) << 4) | (((byte & 15) % 12) % 10)) : packed;
            return join([[tag, digits.length | (isOddLength ? 128 : 0)], digits]);
          })
      },
      { weight: 2, arbitrary: fc.tuple(tie('text'), tie('text')).map(parts => join([[250], ...parts])) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.constantFrom(0, 1, 2, 128, 129, 255), byte, tie('text'))
          .map(([domain, device, user]) => join([[247, domain, device], user]))
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie('text'), u16, tie('text'))
          .map(([user, device, server]) => join([[246], user, device, server]))
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie('text'), u16, u16, fc.option(tie('text'), { nil: Buffer.alloc(0) }))
          .map(([user, device, integrator, server]) => join([[245], user, device, integrator, server]))
      },
      { weight: 1, arbitrary: byte.map(tag => Buffer.from([tag])) }
    ),
    node: fc
      .tuple(
        tie('text'),
        fc.array(fc.tuple(tie('text'), tie('text')), { maxLength: 4 }),
        fc.oneof(
          { maxDepth: 4 },
          { weight: 2, arbitrary: fc.constant(undefined) },
          { weight: 2, arbitrary: tie('text').map(text => [text]) },
          {
            weight: 1,
            arbitrary: fc.array(tie('node'), { maxLength: 3 }).map(nodes => [listStart(nodes.length), ...nodes])
          }
        ),
        fc.boolean()
      )
      .map(([tag, attrs, content, long]) => {
        const size = 1 + 2 * attrs.length + (content === undefined ? 0 : 1);
        return join([listStart(size, long), tag, ...attrs.flat(), ...(content ?? [])]);
      })
  })).node;
}

function byteOf(text, shift) {
  return (text.length >> shift) & 255;
}

function listStart(size, long = false) {
  if (long) return Buffer.from([249, size >> 8, size & 255]);
  return size === 0 ? Buffer.from([0]) : Buffer.from([248, size]);
}

/** Sizes of the chunks of a stream. The last chunk has all remaining bytes. */
export const CHUNKS = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 200 })), {
  maxLength: 12
});

export function split(stream, sizes) {
  const chunks = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(at, at + size));
    at = Math.min(stream.length, at + size);
  }
  chunks.push(stream.subarray(at));
  return chunks;
}
