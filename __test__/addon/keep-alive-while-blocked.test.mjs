// The keep-alive queries that the addon sends while the JavaScript thread is blocked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { metrics } from 'baileys-native';
import fc from 'fast-check';
import { silentLogger } from '../support/baileys-client.mjs';
import { LINE_NAMES, loadLine } from '../support/baileys-lines.mjs';
import { NoisePeer, framed, keyPairOf } from '../support/noise-peer.mjs';
import { closeAfter, suiteResources } from '../support/resources.mjs';
import { startWebSocketServer } from '../support/websocket-server.mjs';

const require = createRequire(import.meta.url);
const { createDropIn } = require('../../js/baileys/drop-in.cjs');
const { intervalOf } = require('../../js/addon/keep-alive.cjs');

const HEADER = Buffer.from([87, 65, 6, 3]);
const KEYS = keyPairOf(Buffer.alloc(32, 7));
const INTERVAL = 200;
/** The time of a block, in milliseconds: enough for one query, and often for two. */
const BLOCK = 600;
/** The longest block that waits for a query, in milliseconds. */
const LONGEST_BLOCK = 30_000;

const cell = new Int32Array(new SharedArrayBuffer(4));
/** @param {number} ms */
const block = ms => void Atomics.wait(cell, 0, 0, ms);

/** Blocks the thread, and longer until the addon has sent a query: on a busy machine its thread may run late. */
function blockUntilQuery() {
  const sent = () => metrics().sockets.keptAlive.keepAlives;
  const before = sent();
  const end = performance.now() + LONGEST_BLOCK;
  do block(BLOCK);
  while (sent() === before && performance.now() < end);
}

const server = await startWebSocketServer(suiteResources());

/**
 * A client in transport phase and its peer. Unless `silent`, the client has sent a first frame. `received` are the
 * decoded frames that the peer has received. A frame with a wrong counter throws.
 */
async function connect(t, { name = '7', config = {}, silent = false, afterFinish = () => {} } = {}) {
  const { WebSocketClient, makeNoiseHandler } = createDropIn({ dialect: name });
  const { theirs } = await loadLine(name);
  const url = `ws://127.0.0.1:${server.address().port}`;
  const options = { connectTimeoutMs: 30_000, keepAliveIntervalMs: INTERVAL, ...config };
  const client = closeAfter(t, new WebSocketClient(url, options));
  const accepted = once(server, 'connection');
  await Promise.all([client.connect(), once(client, 'open')]);
  const [socket] = await accepted;
  const handler = makeNoiseHandler({ keyPair: KEYS, NOISE_HEADER: HEADER, logger: silentLogger() });
  const peer = new NoisePeer({ header: HEADER, publicKey: KEYS.public });
  const seal = node => handler.encodeFrame(theirs.encodeBinaryNode(node));

  const received = [];
  const payloads = new Map();
  let decoding = Promise.resolve();
  let hello = true;
  socket.on('message', data => {
    if (hello) {
      hello = false;
      peer.finishInit();
      socket.send(framed(Buffer.from('server hello')));
      return;
    }
    const payload = peer.open(data.subarray(3));
    decoding = decoding.then(async () => {
      const node = await theirs.decodeBinaryNode(payload);
      received.push(node);
      payloads.set(node, payload);
    });
  });
  const handled = new Promise(resolve =>
    client.once('message', data => {
      void handler.decodeFrame(data, () => {});
      void handler.finishInit();
      afterFinish(() => client.send(seal({ tag: 'query', attrs: {} })));
      resolve(undefined);
    })
  );
  client.send(handler.encodeFrame(Buffer.from('client hello')));
  await handled;
  if (!silent) client.send(seal({ tag: 'first', attrs: {} }));

  /** Waits until the peer has received everything that the client has sent. */
  const settle = async () => {
    const pinged = once(socket, 'pong');
    socket.ping();
    await pinged;
    await decoding;
  };
  const encode = node => theirs.encodeBinaryNode(node);
  return { client, socket, handler, peer, seal, encode, received, payloads, settle };
}

/** Whether the addon has sent a stanza. The tests send no `iq`. */
const isKeepAlive = ({ tag }) => tag === 'iq';
const numbers = received => received.filter(node => !isKeepAlive(node)).map(({ tag, attrs }) => attrs.n ?? tag);

for (const name of LINE_NAMES) {
  test(`${name}: the keep-alive query is that of Baileys, and its answer is not passed to onFrame()`, async t => {
    const { client, socket, handler, peer, seal, encode, received, payloads, settle } = await connect(t, { name });
    await settle();
    blockUntilQuery();
    await settle();
    const own = received.filter(isKeepAlive);
    assert.ok(own.length >= 1, 'no query');
    assert.equal(new Set(own.map(({ attrs }) => attrs.id)).size, own.length);
    for (const node of own) {
      const { attrs } = node;
      assert.match(attrs.id, /^\d+\.\d+-\d+$/);
      const query = { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' };
      const theirs = { tag: 'iq', attrs: { id: attrs.id, ...query }, content: [{ tag: 'ping', attrs: {} }] };
      assert.deepEqual(payloads.get(node), encode(theirs));
    }
    // The answers are in one message with other stanzas, alone, and cut in two.
    const frames = [];
    const done = new Promise(resolve =>
      client.on('message', data => {
        void handler.decodeFrame(data, frame => {
          frames.push(frame.attrs.id);
          if (frame.tag === 'last') resolve(undefined);
        });
      })
    );
    const answer = node => framed(peer.seal(encode(node)));
    const result = { tag: 'iq', attrs: { from: 's.whatsapp.net', type: 'result', id: own[0].attrs.id } };
    const stanza = id => ({ tag: 'message', attrs: { id } });
    socket.send(Buffer.concat([stanza('a'), result, stanza('b')].map(answer)));
    socket.send(answer(result));
    socket.send(answer(stanza('c')));
    const cut = answer(result);
    socket.send(cut.subarray(0, 7));
    socket.send(cut.subarray(7));
    socket.send(answer({ ...result, attrs: { ...result.attrs, id: '1.2-3' } }));
    socket.send(answer({ tag: 'last', attrs: { id: 'd' } }));
    await done;
    assert.deepEqual(frames, ['a', 'b', 'c', '1.2-3', 'd']);
    client.send(seal({ tag: 'after', attrs: {} }));
    await settle();
    assert.equal(received.at(-1).tag, 'after');
  });
}

/** The actions of JavaScript: seal a frame, send the oldest sealed frame, block. */
const steps = fc.array(fc.constantFrom('seal', 'seal', 'send', 'send', 'block'), { minLength: 3, maxLength: 9 });

test('frames arrive in counter order for random sequences of sealing, sending and blocking', { timeout: 120_000 }, t =>
  fc.assert(
    fc.asyncProperty(steps, async steps => {
      const { client, seal, received, settle } = await connect(t);
      const held = [];
      const order = ['first'];
      let sealed = 0;
      for (const step of steps) {
        if (step === 'seal') held.push([String(sealed), seal({ tag: 'stanza', attrs: { n: String(sealed++) } })]);
        if (step === 'send' && held.length > 0) {
          const [number, frame] = held.shift();
          order.push(number);
          client.send(frame);
        }
        if (step !== 'block') continue;
        await settle();
        const before = received.length;
        if (held.length > 0) block(BLOCK);
        else blockUntilQuery();
        await settle();
        const own = received.slice(before).filter(isKeepAlive).length;
        if (held.length > 0) assert.equal(own, 0, 'a frame overtook one that was sealed before it');
        else assert.ok(own >= 1, 'no query');
      }
      for (const [number, frame] of held) {
        order.push(number);
        client.send(frame);
      }
      await settle();
      // The peer opens each frame with the next counter. It would throw if a counter was used twice or out of order.
      assert.deepEqual(numbers(received), order);
      await client.close();
    }),
    { numRuns: 10 }
  )
);

describe('no keep-alive query is sent', () => {
  const assertNoQuery = async ({ received, settle }) => {
    await settle();
    block(BLOCK);
    await settle();
    assert.deepEqual(received.filter(isKeepAlive), []);
  };

  test('no keep-alive query is sent before the first frame', async t => {
    await assertNoQuery(await connect(t, { silent: true }));
  });

  test('no keep-alive query is sent after a frame was not sent, or was sent on another socket', async t => {
    const connection = await connect(t);
    connection.seal({ tag: 'elsewhere', attrs: {} });
    await assertNoQuery(connection);
  });

  test('no keep-alive query is sent after a call of encrypt()', async t => {
    const connection = await connect(t);
    connection.handler.encrypt(Buffer.from('not sent'));
    await assertNoQuery(connection);
  });

  test('no keep-alive query is sent if the option is false or the interval is unknown', async t => {
    for (const config of [{ keepAliveWhileBlocked: false }, { keepAliveIntervalMs: undefined }]) {
      await assertNoQuery(await connect(t, { config }));
    }
  });

  test('no keep-alive query is sent while the thread is not blocked', async t => {
    const interval = 2_000;
    const { received, settle } = await connect(t, { config: { keepAliveIntervalMs: interval } });
    const lateness = monitorEventLoopDelay({ resolution: 10 });
    lateness.enable();
    await delay(2.5 * interval);
    await settle();
    lateness.disable();
    // A quarter of the interval, minus the time between two heartbeats of a thread that is not blocked.
    const ran = lateness.max / 1e6 < interval / 4 - interval / 16;
    const own = received.filter(isKeepAlive).length;
    assert.ok(own === 0 || !ran, `${own} queries, although the thread was never late by more than ${lateness.max} ns`);
  });
});

test('keepAliveWhileBlocked is set by environment variable and by configuration', () => {
  assert.equal(intervalOf({ keepAliveIntervalMs: 30_000 }), 30_000);
  assert.equal(intervalOf({ keepAliveIntervalMs: 30_000, keepAliveWhileBlocked: false }), 0);
  for (const keepAliveIntervalMs of [undefined, NaN, 0, -5, 199, 2 ** 31, Infinity, 'x'])
    assert.equal(intervalOf({ keepAliveIntervalMs }), 0);
  assert.equal(intervalOf(undefined), 0);
  try {
    for (const [value, expected] of [
      ...['off', '0', 'false', 'no', 'OFF', ' no '].map(value => [value, 0]),
      ...['', 'on', '1', 'true', 'yes'].map(value => [value, 30_000])
    ]) {
      process.env.BAILEYS_NATIVE_KEEP_ALIVE = value;
      assert.equal(intervalOf({ keepAliveIntervalMs: 30_000 }), expected, value);
    }
  } finally {
    delete process.env.BAILEYS_NATIVE_KEEP_ALIVE;
  }
});

/**
 * Runs the event loop until a time. Returns whether no turn took more than some milliseconds, so that timers with a
 * small distance ran separately. On a busy machine this can be false.
 */
async function turnUntil(at) {
  await delay(Math.max(0, at - performance.now() - 20));
  let last = performance.now();
  let longest = 0;
  while (last < at) {
    await new Promise(setImmediate);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest < 4;
}

/**
 * A client with a timer like that of Baileys: it has the same interval, is started `skew` milliseconds after
 * `finishInit`, and sends a query. `wasInTime`: for each block that made this timer late, whether the empty Buffer
 * arrived before it.
 */
async function connectWithTimer(t, interval, skew) {
  const state = { fired: 0, blockedUntil: 0, aliveAt: 0, wasInTime: [], stop: () => clearInterval(timer) };
  t.after(state.stop);
  let timer;
  const afterFinish = query => {
    block(skew);
    state.fired = performance.now();
    timer = setInterval(() => {
      const now = performance.now();
      if (now - state.fired > 1.5 * interval) state.wasInTime.push(state.aliveAt >= state.blockedUntil);
      state.fired = now;
      query();
    }, interval);
  };
  const { client, handler, settle } = await connect(t, { config: { keepAliveIntervalMs: interval }, afterFinish });
  client.on('frame', () => assert.fail('the empty Buffer is emitted as a frame'));
  await handler.decodeFrame(Buffer.alloc(0), frame => {
    assert.deepEqual(frame, Buffer.alloc(0));
    assert.equal(client.emit('frame', frame), false);
    state.aliveAt = performance.now();
  });
  /** Blocks the thread at `offset` milliseconds after the timer is due. Returns whether timers were in time before. */
  state.blockAt = async offset => {
    // Without data from the server in this time the connection would not be reported as alive.
    await settle();
    const inTime = await turnUntil(state.fired + interval + offset);
    block(BLOCK);
    state.blockedUntil = performance.now();
    const seen = state.wasInTime.length;
    while (state.wasInTime.length === seen && performance.now() - state.blockedUntil < 2 * interval) await delay(5);
    return inTime;
  };
  return { client, state };
}

test('after a block, onFrame(empty) is called before a timer that was started after finishInit()', async t => {
  const { state } = await connectWithTimer(t, 240, 0);
  for (const offset of [-100, -30, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 30]) await state.blockAt(offset);
  state.stop();
  assert.ok(state.wasInTime.length >= 10, `${state.wasInTime.length} blocks were noticed`);
  assert.ok(state.wasInTime.every(Boolean), String(state.wasInTime));
});

test("onFrame(empty) is called if a block is between our timer and Baileys' timer, twice in a row", async t => {
  for (const offset of [-3, -5, -7]) {
    // On a busy machine the blocks are at other times. Then it is tried again.
    for (let left = 2, inTime = false; left > 0 && !inTime; left--) {
      const { client, state } = await connectWithTimer(t, 240, 10);
      inTime = [await state.blockAt(offset), await state.blockAt(30), await state.blockAt(-30)].every(Boolean);
      state.stop();
      await client.close();
      assert.ok(state.wasInTime.length > 0);
      if (inTime) assert.ok(state.wasInTime.every(Boolean), String(state.wasInTime));
    }
  }
});
