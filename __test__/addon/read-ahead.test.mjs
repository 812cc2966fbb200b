// A noise handler that is linked to a socket: the read-ahead opens the frames, with the same results as without it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { silentLogger } from '../support/baileys-client.mjs';
import { NoisePeer, framed, keyPairOf } from '../support/noise-peer.mjs';
import { closeAfter, suiteResources } from '../support/resources.mjs';
import { startWebSocketServer } from '../support/websocket-server.mjs';

const require = createRequire(import.meta.url);
const { WebSocketClient, makeNoiseHandler, decodeBinaryNode, encodeBinaryNode } = require('../../js/index.cjs');
const { core, wake } = require('../../js/addon/shared-memory.cjs');

const HEADER = Buffer.from([87, 65, 6, 3]);
const KEYS = keyPairOf(Buffer.alloc(32, 7));
const HELLO = framed(Buffer.from('server hello'));

const server = await startWebSocketServer(suiteResources());

/** A connection after the first frame of its handler, and its peer. The client is closed with the test. */
async function connect(t) {
  const url = `ws://127.0.0.1:${server.address().port}`;
  const client = closeAfter(t, new WebSocketClient(url, { connectTimeoutMs: 30_000 }));
  const accepted = once(server, 'connection');
  client.connect();
  const [[socket]] = await Promise.all([accepted, once(client, 'open')]);
  socket._socket.setNoDelay(true);
  const handler = makeNoiseHandler({ keyPair: KEYS, NOISE_HEADER: HEADER, logger: silentLogger() });
  const hello = once(socket, 'message');
  client.send(handler.encodeFrame(Buffer.from('client hello')));
  await hello;
  return { client, socket, handler, peer: new NoisePeer({ header: HEADER, publicKey: KEYS.public }) };
}

const nodeOf = (number, { wide, bytes }) => ({
  tag: 'message',
  attrs: {
    id: String(number),
    from: '4915112345678@s.whatsapp.net',
    notify: wide ? `\u{1F600}${number}` : `Zoë ${number}`
  },
  content: [
    { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(bytes, number) },
    { tag: 'text', attrs: {}, content: 'x'.repeat(bytes) }
  ]
});

function payloadOf(node, compressed) {
  const payload = encodeBinaryNode(node);
  return compressed ? Buffer.concat([Buffer.from([2]), deflateSync(payload.subarray(1))]) : payload;
}

const frames = fc.array(
  fc.record({ wide: fc.boolean(), compressed: fc.boolean(), bytes: fc.constantFrom(0, 1, 7, 200, 3000, 20_000) }),
  { minLength: 1, maxLength: 12 }
);
const scenario = fc.record({
  frames,
  /** Positions at which the stream is split into messages. `joined`: frames whose end is not such a position. */
  cuts: fc.array(fc.nat(), { maxLength: 4 }),
  joined: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  /** How each message is decoded: unchanged, copied, or with an `onFrame` that throws. */
  uses: fc.array(fc.constantFrom('as it came', 'as it came', 'copied', 'throwing', 'nested'), {
    minLength: 20,
    maxLength: 20
  }),
  /** The number of messages that arrive before a late `finishInit`. */
  held: fc.nat(5)
});

async function run(t, { frames, cuts, joined, uses, held }) {
  const { client, socket, handler, peer } = await connect(t);
  const payloads = frames.map((frame, number) => payloadOf(nodeOf(number, frame), frame.compressed));
  const nodes = await Promise.all(payloads.map(decodeBinaryNode));
  peer.finishInit();
  const sealed = payloads.map(payload => framed(peer.seal(payload)));
  const stream = Buffer.concat(sealed);
  const ends = new Set([stream.length, ...cuts.map(cut => cut % (stream.length + 1))]);
  let end = 0;
  sealed.forEach((frame, i) => {
    end += frame.length;
    if (!joined[i]) ends.add(end);
  });
  const places = [...ends].sort((a, b) => a - b);
  const messages = places
    .map((place, i) => stream.subarray(places[i - 1] ?? 0, place))
    .filter(({ length }) => length > 0);

  const seen = [];
  const waiting = [];
  let number = -1;
  let finished = false;
  const { promise, resolve, reject } = Promise.withResolvers?.() ?? withResolvers();
  const take = (data, use) => {
    let thrown = use !== 'throwing';
    let nested = use !== 'nested';
    const onFrame = frame => {
      seen.push(frame);
      if (seen.length === nodes.length) resolve();
      if (!nested) {
        nested = true;
        handler.decodeFrame(Buffer.alloc(0), onFrame);
      }
      if (!thrown) {
        thrown = true;
        throw new Error('mine');
      }
    };
    return handler.decodeFrame(use === 'copied' ? Buffer.from(data) : data, onFrame).catch(error => {
      if (error.message !== 'mine') reject(error);
      // The next call delivers the frames that are left after the exception, as in Baileys.
      return handler.decodeFrame(Buffer.alloc(0), onFrame);
    });
  };
  const finish = () => {
    finished = true;
    void handler.finishInit();
    for (const [data, use] of waiting.splice(0)) void take(data, use);
  };
  client.on('message', data => {
    number++;
    if (number === 0) {
      handler.decodeFrame(data, frame => assert.deepEqual(frame, Buffer.from('server hello')));
      if (held === 0) finish();
    } else if (finished) {
      void take(data, uses[number % uses.length]);
    } else {
      waiting.push([data, uses[number % uses.length]]);
      if (waiting.length === Math.min(held, messages.length)) finish();
    }
  });
  client.on('error', reject);
  socket.send(HELLO);
  for (const message of messages) socket.send(message);
  await promise;
  assert.deepEqual(seen, nodes);
  // The counters of both directions are still correct.
  const answer = once(socket, 'message');
  client.send(handler.encodeFrame(Buffer.from('ping')));
  assert.deepEqual(peer.open((await answer)[0].subarray(3)), Buffer.from('ping'));
  await client.close();
}

const BOUND = { timeout: 60_000 };

function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

test('frames arrive unchanged and in order for random messages and uses', { timeout: 200_000 }, t =>
  fc.assert(
    fc.asyncProperty(scenario, input => run(t, input)),
    { numRuns: 60 }
  )
);

/** Connects, and counts the frames that the handler opens after the handshake. Stanzas are passed to `onStanza`. */
async function connectCounted(t, onStanza) {
  const { client, socket, handler, peer } = await connect(t);
  const { open } = core;
  const counter = { opens: 0 };
  t.after(() => (core.open = open));
  peer.finishInit();
  const { promise: ready, resolve } = withResolvers();
  client.on('message', data => {
    handler.decodeFrame(data, frame => {
      if (!Buffer.isBuffer(frame)) return onStanza(frame);
      void handler.finishInit();
      core.open = (...args) => (counter.opens++, open(...args));
      resolve();
    });
  });
  socket.send(HELLO);
  // The addon gets the keys when the handler has them.
  await ready;
  counter.opens = 0;
  return { socket, peer, counter };
}

test('messages of whole frames are not opened on the JavaScript thread', BOUND, async t => {
  let seen = 0;
  const { promise, resolve } = withResolvers();
  const { socket, peer, counter } = await connectCounted(t, () => ++seen === 300 && resolve());
  for (let i = 0; i < 300; i++) socket.send(framed(peer.seal(payloadOf(nodeOf(i, { bytes: 50 }), i % 7 === 0))));
  await promise;
  assert.equal(counter.opens, 0);
});

test('the handler opens a message above 8 MiB; the next message is read ahead again', BOUND, async t => {
  const seen = [];
  let wanted = withResolvers();
  const { socket, peer, counter } = await connectCounted(t, ({ attrs }) => {
    if (seen.push(Number(attrs.id)) % 10 === 0) wanted.resolve(counter.opens);
  });
  // Ten frames of 2 MiB each. At most 8 MiB of them are stored as tapes.
  const message = (from, bytes) =>
    Buffer.concat(
      Array.from({ length: 10 }, (_, i) => framed(peer.seal(payloadOf(nodeOf(from + i, { bytes }), true))))
    );
  socket.send(message(0, 1 << 20));
  assert.equal(await wanted.promise, 10);
  wanted = withResolvers();
  counter.opens = 0;
  socket.send(message(10, 5));
  assert.equal(await wanted.promise, 0);
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, i) => i)
  );
});

test('a record that does not fit twice throws instead of looping', BOUND, async t => {
  const { client, socket } = await connect(t);
  const { drain } = core;
  const { callback } = wake;
  const thrown = [];
  t.after(() => {
    core.drain = drain;
    wake.callback = callback;
  });
  wake.callback = () => {
    try {
      callback();
    } catch (error) {
      thrown.push(error.message);
    }
  };
  let refused = 0;
  core.drain = () => {
    if (++refused === 2) core.drain = drain;
    return drain(Buffer.alloc(0), 0);
  };
  const received = once(client, 'message');
  socket.send(Buffer.from('a message'));
  // It is delivered with the next buffer, which has enough room.
  assert.deepEqual((await received)[0], Buffer.from('a message'));
  assert.deepEqual(thrown, ['internal error of baileys-native: a received record does not fit into its buffer']);
});

test('an invalid frame is refused with and without the link, and later frames are delivered', BOUND, async t => {
  const { client, socket, handler, peer } = await connect(t);
  peer.finishInit();
  const frames = [];
  const failures = [];
  const { promise, resolve } = withResolvers();
  client.on('message', data => {
    handler
      .decodeFrame(data, frame => {
        if (Buffer.isBuffer(frame)) void handler.finishInit();
        else frames.push(frame.attrs.id);
        if (frames.length === 3) resolve();
      })
      .catch(error => failures.push(error));
  });
  socket.send(HELLO);
  const sealed = [0, 1, 2, 3].map(i => framed(peer.seal(payloadOf(nodeOf(i, { bytes: 5 })))));
  sealed[1][10] ^= 1;
  for (const frame of sealed) socket.send(frame);
  await promise;
  assert.deepEqual(frames, ['0', '2', '3']);
  assert.deepEqual(
    failures.map(({ message }) => message),
    ['Unsupported state or unable to authenticate data']
  );
});

test("a frame that fails in an async listener ends its own connection by 'error', not the process", async t => {
  const { client, socket, handler, peer } = await connect(t);
  peer.finishInit();
  client.on('message', async data => {
    await handler.decodeFrame(data, frame => Buffer.isBuffer(frame) && handler.finishInit());
  });
  const failed = once(client, 'error');
  socket.send(HELLO);
  socket.send(framed(Buffer.alloc(40)));
  const [error] = await failed;
  assert.match(error.message, /unable to authenticate/);
});
