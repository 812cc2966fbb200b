// Noise handlers: arguments of all kinds, limits of frames, garbage collection, and worker threads.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { silentLogger } from '../support/baileys-client.mjs';
import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { NOISE_HANDLER } from '../support/surface.mjs';
import { runModule } from '../support/child.mjs';
import { framed, keyPairOf, NoisePeer } from '../support/noise-peer.mjs';
import { driveHandshake } from '../support/noise-properties.mjs';
import { outcomeOf, same } from '../support/values.mjs';

const require = createRequire(import.meta.url);
const { createNoiseHandlerFactory } = require('../../js/baileys/noise-handler.cjs');
const { addTrustedRoot } = require('../../js/connect/trust.cjs');

const lines = await Promise.all(LINE_NAMES.map(loadLine));
const pair = keyPairOf(new Uint8Array(32).fill(1));
const keys = Array.from({ length: 7 }, (_, i) => new Uint8Array(32).fill(i + 1));
const options = line => ({ keyPair: pair, NOISE_HEADER: line.header, logger: silentLogger() });

const detached = new Uint8Array(8);
structuredClone(detached, { transfer: [detached.buffer] });

const GARBAGE = [
  undefined,
  null,
  0,
  -1,
  NaN,
  1e12,
  'text',
  Symbol('x'),
  true,
  10n,
  {},
  { length: 3 },
  { length: 1e12, byteLength: 1e12 },
  { length: -1 },
  [],
  [1, 2, 3],
  () => {},
  new Date(0),
  new ArrayBuffer(8),
  new SharedArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Uint16Array(4),
  new Float64Array(4),
  new BigInt64Array(4),
  new Int8Array(4),
  new Uint8ClampedArray(4),
  new Proxy(new Uint8Array(4), {})
];

test('an argument of a wrong type throws a TypeError and changes nothing', async () => {
  for (const line of lines) {
    for (const transport of [false, true]) {
      const handler = line.ours.makeNoiseHandler(options(line));
      const untouched = line.theirs.makeNoiseHandler(options(line));
      if (transport) await Promise.all([handler.finishInit(), untouched.finishInit()]);
      for (const value of GARBAGE) {
        const calls = {
          encrypt: () => handler.encrypt(value),
          decrypt: () => handler.decrypt(value),
          authenticate: () => handler.authenticate(value),
          mixIntoKey: async () => handler.mixIntoKey(value),
          encodeFrame: () => handler.encodeFrame(value),
          decodeFrame: () => handler.decodeFrame(value, () => assert.fail('a frame out of nothing')),
          processHandshake: async () => handler.processHandshake(value, value)
        };
        for (const [name, call] of Object.entries(calls)) {
          const { error } = await outcomeOf(call);
          assert.equal(error?.name, 'TypeError', `${name}(${typeof value}), line ${line.name}`);
        }
      }
      assert.deepEqual(handler.encodeFrame(Buffer.from('x')), untouched.encodeFrame(Buffer.from('x')));
      assert.deepEqual(handler.encrypt(Buffer.from('y')), untouched.encrypt(Buffer.from('y')));
    }
    for (const value of GARBAGE) {
      const { makeNoiseHandler } = line.ours;
      assert.throws(() => makeNoiseHandler({ ...options(line), NOISE_HEADER: value }), TypeError);
      assert.throws(() => makeNoiseHandler({ ...options(line), keyPair: { public: value } }), TypeError);
      if (value) assert.throws(() => makeNoiseHandler({ ...options(line), routingInfo: value }), TypeError);
      else makeNoiseHandler({ ...options(line), routingInfo: value });
      assert.throws(() => makeNoiseHandler(value), TypeError);
    }
  }
});

test('a handler accepts every kind of byte array', () => {
  const kinds = [
    new Uint8Array(new SharedArrayBuffer(5)),
    new Uint8Array(new ArrayBuffer(9), 3, 5),
    new (class extends Uint8Array {})(5),
    Buffer.alloc(0)
  ];
  for (const line of lines) {
    const [ours, theirs] = [line.ours, line.theirs].map(({ makeNoiseHandler }) => makeNoiseHandler(options(line)));
    for (const bytes of kinds) {
      assert.deepEqual(ours.encrypt(bytes), theirs.encrypt(bytes));
      assert.deepEqual(ours.encodeFrame(bytes), theirs.encodeFrame(bytes));
    }
    // Memory that was transferred to another thread is empty here.
    assert.deepEqual(ours.encrypt(detached), theirs.encrypt(Buffer.alloc(0)));
    assert.deepEqual(ours.encodeFrame(detached), Buffer.from([0, 0, 0]));
  }
});

test('a short key fails the handshake and has no other effect', async () => {
  for (const line of lines) {
    const handler = line.ours.makeNoiseHandler({
      ...options(line),
      keyPair: { public: pair.public, private: Buffer.alloc(5) }
    });
    const hello = { ephemeral: pair.public, static: Buffer.alloc(48), payload: Buffer.alloc(48) };
    const { error } = await outcomeOf(async () => handler.processHandshake({ serverHello: hello }, pair));
    assert.match(error.message, /a private key has 32 bytes, not 5/);
    assert.equal(handler.encodeFrame(Buffer.alloc(1)).length, 8);
  }
});

test('a frame that is too long for its length field is refused and does not change the counter', async () => {
  for (const line of lines) {
    const [handler, other] = [0, 1].map(() => line.ours.makeNoiseHandler(options(line)));
    await Promise.all([handler.finishInit(), other.finishInit()]);
    assert.throws(() => handler.encodeFrame(Buffer.alloc(2 ** 24 - 16)), /the frame is too long: 16777216 bytes/);
    assert.deepEqual(handler.encodeFrame(Buffer.alloc(1)), other.encodeFrame(Buffer.alloc(1)));
    assert.equal(handler.encodeFrame(Buffer.alloc(2 ** 24 - 17)).length, 3 + 2 ** 24 - 1);
    assert.throws(
      () => line.ours.makeNoiseHandler({ ...options(line), routingInfo: Buffer.alloc(2 ** 24) }),
      /the routing information is too long: 16777216 bytes/
    );
  }
});

test('onFrame() can call every method of this handler and of others', async () => {
  for (const line of lines) {
    const peers = [0, 1].map(() => new NoisePeer({ header: line.header, publicKey: pair.public }));
    const handlers = [0, 1].map(() => line.ours.makeNoiseHandler(options(line)));
    for (const i of [0, 1]) {
      peers[i].finishInit();
      await handlers[i].finishInit();
    }
    const node = id => line.theirs.encodeBinaryNode({ tag: 'iq', attrs: { id }, content: Buffer.from(id) });
    const chunk = peer => Buffer.concat(['a', 'b', 'c'].map(id => framed(peer.seal(node(id)))));
    const seen = [];
    const inner = chunk(peers[1]);
    await handlers[0].decodeFrame(chunk(peers[0]), ({ attrs, content }) => {
      seen.push(`outer ${attrs.id}`);
      handlers[0].encodeFrame(node('answer'));
      if (attrs.id === 'b') {
        void handlers[1].decodeFrame(inner, frame => seen.push(`inner ${frame.attrs.id}`));
        void handlers[0].decodeFrame(Buffer.alloc(0), frame => seen.push(`nested ${frame.attrs.id}`));
      }
      assert.equal(content.toString(), attrs.id);
    });
    assert.deepEqual(seen, ['outer a', 'outer b', 'inner a', 'inner b', 'inner c', 'nested c']);
  }
});

test('every added root is trusted; an explicit root replaces all others', async () => {
  const undo = [new Uint8Array(32).fill(9), new Uint8Array(32).fill(8)].map(addTrustedRoot);
  try {
    for (const line of lines.filter(line => line.certDetails().PUBLIC_KEY === undefined)) {
      const input = { keys, fault: undefined, payload: new Uint8Array(4) };
      const log = await driveHandshake(line.ours.makeNoiseHandler, line, input);
      assert.equal(log[1].error, undefined);
      assert.equal(log[1].value.length, 48);
      const root = keyPairOf(keys[4]).public;
      const explicit = key => options => line.ours.makeNoiseHandler({ ...options, trustedRoot: key });
      assert.equal((await driveHandshake(explicit(root), line, input))[1].error, undefined);
      const { error } = (await driveHandshake(explicit(Buffer.alloc(32, 7)), line, input))[1];
      assert.equal(error.message, 'noise intermediate certificate signature invalid');
      for (const key of [Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(0)]) {
        assert.equal(
          (await driveHandshake(explicit(key), line, input))[1].error.message,
          'a root key must have 32 bytes'
        );
      }
    }
  } finally {
    for (const remove of undo) remove();
  }
});

test('without Baileys, a handler uses the serial and the root key of WhatsApp', async () => {
  const [line] = lines;
  const makeNoiseHandler = createNoiseHandlerFactory({ dialect: '7', certDetails: () => undefined });
  const own = await driveHandshake(makeNoiseHandler, line, { keys, fault: undefined, payload: new Uint8Array(1) });
  assert.equal(own[1].error.message, 'noise intermediate certificate signature invalid');
  const remove = addTrustedRoot(keyPairOf(keys[4]).public);
  try {
    const trusted = await driveHandshake(makeNoiseHandler, line, {
      keys,
      fault: undefined,
      payload: new Uint8Array(1)
    });
    assert.equal(trusted[1].error, undefined);
  } finally {
    remove();
  }
});

test('a handler has the methods of its release line, with promises for the same methods', async () => {
  for (const line of lines) {
    const [theirs, ours] = [line.theirs, line.ours].map(({ makeNoiseHandler }) => makeNoiseHandler(options(line)));
    const more = Object.keys(ours).filter(name => NOISE_HANDLER[name].excuse !== undefined);
    assert.deepEqual(Object.keys(ours), [...Object.keys(theirs), ...more]);
    const bytes = Buffer.from('x');
    for (const [name, args] of Object.entries({
      encrypt: [bytes],
      authenticate: [bytes],
      mixIntoKey: [bytes],
      encodeFrame: [bytes],
      decodeFrame: [bytes, () => {}],
      finishInit: []
    })) {
      const results = [theirs, ours].map(handler => handler[name](...args));
      assert.equal(results[1] instanceof Promise, results[0] instanceof Promise, `${name}, line ${line.name}`);
      await Promise.all(results);
    }
    const failures = [theirs, ours].map(handler => {
      try {
        handler.processHandshake({ serverHello: {} }, pair).catch(() => {});
        return 'rejects';
      } catch {
        return 'throws';
      }
    });
    assert.equal(failures[1], failures[0]);
  }
});

test("certificate errors have the shape of Baileys' own", async () => {
  const { Boom, isBoom } = createRequire(require.resolve('baileys/package.json'))('@hapi/boom');
  const [line] = lines;
  for (const fault of ['wrong-issuer', 'no-leaf', 'no-intermediate']) {
    const errors = [];
    for (const { makeNoiseHandler } of [line.theirs, line.ours]) {
      const kept = options => {
        const handler = makeNoiseHandler(options);
        const processHandshake = (...args) => {
          try {
            return handler.processHandshake(...args);
          } catch (error) {
            errors.push(error);
            throw error;
          }
        };
        return { ...handler, processHandshake };
      };
      await driveHandshake(kept, line, { keys, fault, payload: new Uint8Array(1) });
    }
    const [theirs, ours] = errors;
    assert.ok(isBoom(ours) && isBoom(ours, 400) && ours instanceof Boom, fault);
    const { message, isServer, data, output } = theirs;
    assert.deepEqual(
      { message: ours.message, isServer: ours.isServer, data: ours.data, output: ours.output },
      { message, isServer, data, output }
    );
  }
});

const CHILD_SETUP = `
  import { loadLine } from './__test__/support/baileys-lines.mjs';
  import { keyPairOf } from './__test__/support/noise-peer.mjs';
  const line = await loadLine('7');
  const logger = { level: 'silent', child: () => logger, trace() {} };
  const options = { keyPair: keyPairOf(new Uint8Array(32).fill(3)), NOISE_HEADER: line.header, logger };
  const turn = () => new Promise(resolve => setImmediate(resolve));
`;

test('unreferenced handlers free their memory', async () => {
  const { megabytes } = await runModule(
    ['--expose-gc'],
    `${CHILD_SETUP}
    // An incomplete frame of 100 KB: its native memory is freed only with the handler.
    const part = Buffer.concat([Buffer.from([0x02, 0x00, 0x00]), Buffer.alloc(100_000)]);
    async function round() {
      for (let i = 0; i < 300; i++) {
        const handler = line.ours.makeNoiseHandler(options);
        await handler.decodeFrame(part, () => {});
      }
      for (let i = 0; i < 5; i++) {
        gc();
        await turn();
      }
    }
    for (let i = 0; i < 3; i++) await round();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 12; i++) await round();
    console.log(JSON.stringify({ megabytes: (process.memoryUsage().rss - before) / 2 ** 20 }));`
  );
  // If no handler were freed, they would need 360 MB.
  assert.ok(megabytes < 60, `grew by ${megabytes} MB`);
});

test('a handler is kept alive by a reference to one of its methods', async () => {
  const { equal } = await runModule(
    ['--expose-gc'],
    `${CHILD_SETUP}
    const methods = [];
    for (let i = 0; i < 200; i++) methods.push(line.ours.makeNoiseHandler(options).encrypt);
    for (let i = 0; i < 5; i++) {
      gc();
      await turn();
      // Handlers of other connections: they must not get the numbers of freed handlers.
      for (let j = 0; j < 50; j++) line.ours.makeNoiseHandler(options).authenticate(Buffer.from([j]));
    }
    const expected = line.theirs.makeNoiseHandler(options).encrypt(Buffer.from('x'));
    console.log(JSON.stringify({ equal: methods.every(encrypt => encrypt(Buffer.from('x')).equals(expected)) }));`
  );
  assert.equal(equal, true);
});

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const { loadLine } = await import(workerData.support + 'baileys-lines.mjs');
    const { driveHandshake } = await import(workerData.support + 'noise-properties.mjs');
    const line = await loadLine('7');
    const log = await driveHandshake(line.ours.makeNoiseHandler, line, workerData.input);
    parentPort.postMessage(log.map(entry => entry.value ?? entry));
    if (workerData.stay) {
      const logger = { level: 'silent', child: () => logger, trace() {} };
      const handler = line.ours.makeNoiseHandler({ keyPair: { public: Buffer.alloc(32) }, NOISE_HEADER: line.header, logger });
      for (;;) {
        handler.encodeFrame(Buffer.alloc(64));
        await line.ours.decodeBinaryNode(Buffer.from([0, 248, 1, 30]));
      }
    }
  })();
`;

test('each thread can create handlers', async () => {
  const input = { keys, fault: undefined, payload: new Uint8Array(9) };
  const support = new URL('../support/', import.meta.url).href;
  const [line] = lines;
  const expected = (await driveHandshake(line.theirs.makeNoiseHandler, line, input)).map(entry => entry.value ?? entry);
  const workers = Array.from(
    { length: 4 },
    (_, i) => new Worker(WORKER, { eval: true, workerData: { support, input, stay: i % 2 === 1 } })
  );
  try {
    await Promise.all(
      workers.map(async (worker, i) => {
        const [log] = await once(worker, 'message');
        assert.deepEqual(log, structuredClone(expected));
        if (i % 2 === 0) assert.deepEqual(await once(worker, 'exit'), [0]);
      })
    );
  } finally {
    // Two workers are using handlers at this moment.
    await Promise.all(workers.map(worker => worker.terminate()));
  }
  const log = await driveHandshake(line.ours.makeNoiseHandler, line, input);
  assert.ok(
    same(
      expected,
      log.map(entry => entry.value ?? entry)
    )
  );
});
