// Invalid values that a caller can pass to the addon, for the boundary matrix.

/** A view of memory that was transferred to another thread. */
function detachedView() {
  const view = new Uint8Array(8);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
}

/** A view of memory that is shared with other threads. */
const sharedView = () => new Uint8Array(new SharedArrayBuffer(16)).fill(7);

/** A length-tracking view of shared memory that can grow. */
const growingView = () => new Uint8Array(new SharedArrayBuffer(16, /** @type {any} */ ({ maxByteLength: 64 }))).fill(7);

/** A length-tracking view of memory that is then made smaller. */
function shrunkView() {
  const memory = new ArrayBuffer(64, /** @type {any} */ ({ maxByteLength: 128 }));
  const view = new Uint8Array(memory);
  /** @type {any} */ (memory).resize(3);
  return view;
}

/** A view with a fixed length. It is out of bounds because its memory was made smaller. */
function outOfBoundsView() {
  const memory = new ArrayBuffer(64, /** @type {any} */ ({ maxByteLength: 128 }));
  const view = new Uint8Array(memory, 32, 32);
  /** @type {any} */ (memory).resize(3);
  return view;
}

/** A proxy that throws for every operation except `typeof`. */
const throwingProxy = () => {
  const refuse = () => {
    throw new RangeError('hostile');
  };
  const traps = ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'apply', 'construct', 'set'];
  return new Proxy(function () {}, Object.fromEntries(traps.map(trap => [trap, refuse])));
};

function revokedProxy() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Functions by name. Each creates a new value of one kind. */
export const VALUES = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  zero: () => 0,
  negative: () => -1,
  'not a number': () => NaN,
  infinite: () => Infinity,
  'beyond 32 bits': () => 2 ** 40,
  bigint: () => 2n ** 70n,
  symbol: () => Symbol('hostile'),
  'empty text': () => '',
  text: () => 'text',
  'text with lone surrogates': () => '\ud800x\udfff',
  'text of 1 MiB': () => '\u20ac'.repeat(2 ** 19),
  'empty object': () => ({}),
  // `ws` and this package convert it to a Buffer. For a larger length that would take a minute.
  'object with a length': () => ({ length: 2 ** 16, byteLength: 2 ** 31 }),
  'object without a prototype': () => Object.create(null),
  'object with an own __proto__': () => JSON.parse('{"__proto__":{"tag":"iq"},"tag":"iq","attrs":{}}'),
  'getters that throw': () => ({
    get tag() {
      throw new RangeError('hostile');
    },
    get byteLength() {
      throw new RangeError('hostile');
    }
  }),
  'empty array': () => [],
  'sparse array': () => new Array(2 ** 16),
  function: () => () => {},
  'throwing function': () => () => {
    throw new RangeError('hostile');
  },
  date: () => new Date(NaN),
  map: () => new Map([[{}, {}]]),
  'throwing proxy': throwingProxy,
  'revoked proxy': revokedProxy,
  'array buffer': () => new ArrayBuffer(8),
  'shared array buffer': () => new SharedArrayBuffer(8),
  'data view': () => new DataView(new ArrayBuffer(8)),
  'wide view': () => new Float64Array(8),
  'empty bytes': () => new Uint8Array(0),
  bytes: () => new Uint8Array(32).fill(5),
  'bytes of 1 MiB': () => new Uint8Array(2 ** 20).fill(0xff),
  'detached bytes': detachedView,
  'shared bytes': sharedView,
  'shared bytes that can grow': growingView,
  'shrunk bytes': shrunkView,
  'bytes out of bounds': outOfBoundsView
};

/** Invalid nodes by name. `encode` is for a getter that calls the codec. */
export const NODES = {
  cyclic: () => {
    const node = /** @type {any} */ ({ tag: 'iq', attrs: {} });
    node.content = [node];
    return node;
  },
  '100,000 deep': () => {
    let node = /** @type {any} */ ({ tag: 'a', attrs: {} });
    for (let i = 0; i < 100_000; i++) node = { tag: 'a', attrs: {}, content: [node] };
    return node;
  },
  '1,000,000 attributes': () => ({
    tag: 'iq',
    attrs: Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`k${i}`, 'v']))
  }),
  '100,000 children': () => ({ tag: 'iq', attrs: {}, content: new Array(100_000).fill({ tag: 'a', attrs: {} }) }),
  'an own __proto__': () => ({ tag: 'iq', attrs: JSON.parse('{"__proto__":"x","constructor":"y"}') }),
  'an attribute whose getter throws': () => ({
    tag: 'iq',
    attrs: {
      get id() {
        throw new RangeError('hostile');
      }
    }
  }),
  /** @param {(node: any) => unknown} encode */
  'an attribute whose getter encodes another node': encode => ({
    tag: 'iq',
    attrs: {
      first: 'f'.repeat(300),
      get id() {
        encode({ tag: 'message', attrs: { id: 'x'.repeat(500) }, content: new Uint8Array(70_000) });
        return 'id';
      },
      last: 'l'.repeat(300)
    }
  }),
  'children that a getter removes': () => {
    const node = /** @type {any} */ ({ tag: 'iq', attrs: {}, content: [{ tag: 'a', attrs: {} }] });
    node.content.push(
      Object.defineProperty({ attrs: {} }, 'tag', {
        enumerable: true,
        get() {
          node.content.length = 0;
          return 'b';
        }
      })
    );
    node.content.push({ tag: 'c', attrs: {} });
    return node;
  },
  'bytes that a later getter detaches': () => {
    const bytes = new Uint8Array(4096).fill(1);
    return {
      tag: 'iq',
      attrs: {},
      content: [
        { tag: 'a', attrs: {}, content: bytes },
        {
          tag: 'b',
          attrs: {
            get id() {
              structuredClone(bytes, { transfer: [bytes.buffer] });
              return 'id';
            }
          }
        }
      ]
    };
  },
  'bytes that a later getter shrinks': () => {
    const memory = new ArrayBuffer(65_536, /** @type {any} */ ({ maxByteLength: 65_536 }));
    const bytes = new Uint8Array(memory, 1024, 32_768);
    return {
      tag: 'iq',
      attrs: {},
      content: [
        { tag: 'a', attrs: {}, content: bytes },
        {
          tag: 'b',
          attrs: {
            get id() {
              /** @type {any} */ (memory).resize(16);
              return 'id';
            }
          }
        }
      ]
    };
  },
  'shared bytes': () => ({ tag: 'iq', attrs: {}, content: sharedView() }),
  'detached bytes': () => ({ tag: 'iq', attrs: {}, content: detachedView() }),
  'bytes out of bounds': () => ({ tag: 'iq', attrs: {}, content: outOfBoundsView() }),
  'an array-like content': () => ({ tag: 'iq', attrs: {}, content: { length: 3, 0: { tag: 'a', attrs: {} } } }),
  'a proxy that throws as attributes': () => ({ tag: 'iq', attrs: throwingProxy() }),
  'a revoked proxy as content': () => ({ tag: 'iq', attrs: {}, content: revokedProxy() })
};
