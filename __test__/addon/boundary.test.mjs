// The boundary matrix: calls every function of index.d.ts with every hostile value for each argument and for each field
// of an argument, reads every property and sets it to every hostile value. A call may return, or throw or reject with an
// Error. The process must continue, and the addon must work as before.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import * as baileys from 'baileys';
import * as ours from 'baileys-native';
import { silentLogger } from '../support/baileys-client.mjs';
import { declaredCallables, declaredMembers, declaredProperties } from '../support/declared-members.mjs';
import { NODES, VALUES } from '../support/hostile-values.mjs';
import { linkedCredentials } from '../support/native-session.mjs';
import { suiteResources } from '../support/resources.mjs';
import { startWebSocketServer } from '../support/websocket-server.mjs';

const { encodeBinaryNode, decodeBinaryNode, makeNoiseHandler, ConnectLimiter, Lease, NativeSession, WebSocketClient } =
  ours;

/** Time limit of one call, in milliseconds. */
const CALL_TIMEOUT_MS = 30_000;

const NODE = { tag: 'iq', attrs: { id: '1', to: 's.whatsapp.net' }, content: [{ tag: 'ping', attrs: {} }] };
const STANZA = baileys.encodeBinaryNode(NODE);
const FRAME = Buffer.concat([Buffer.from([0, 0, STANZA.length]), STANZA]);

/** A server that accepts every connection and never answers. */
const server = await startWebSocketServer(suiteResources());
const url = `ws://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`;

const noiseOptions = () => ({
  keyPair: baileys.Curve.generateKeyPair(),
  NOISE_HEADER: baileys.NOISE_WA_HEADER,
  logger: silentLogger(),
  routingInfo: Buffer.from('route'),
  trustedRoot: Buffer.alloc(32, 1)
});
const credentials = linkedCredentials();
const sessionOptions = () => ({ auth: { ...credentials }, url, reconnect: false });

/** A handler in the handshake phase, and one in the transport phase. */
const handlers = {
  make: () => [makeNoiseHandler(noiseOptions()), onTransport()],
  drop() {}
};

function onTransport() {
  const handler = makeNoiseHandler(noiseOptions());
  void handler.finishInit();
  return handler;
}

/** A client without a connection, an open one, and a closed one. */
const clients = {
  async make() {
    const fresh = new WebSocketClient(new URL(url), {});
    const [open, closed] = await Promise.all([openClient(), openClient()]);
    await closed.close();
    return [fresh, open, closed].map(client => client.on('error', () => {}));
  },
  drop: client => client.close()
};

async function openClient() {
  const client = new WebSocketClient(new URL(url), {});
  client.connect();
  await once(client, 'open', { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  return client;
}

/** The socket of an open client, and a terminated one. */
const sockets = {
  async make() {
    const [open, ended] = (await Promise.all([openClient(), openClient()])).map(
      client => client.on('error', () => {}).socket
    );
    ended.terminate();
    return [open, ended];
  },
  drop: socket => socket.terminate()
};

/** The TCP connection of an open client, and a destroyed one. */
const tcpSockets = {
  async make() {
    const clients = await Promise.all([openClient(), openClient()]);
    const [open, ended] = clients.map(client => client.on('error', () => {}).socket._socket.on('error', () => {}));
    ended.destroy();
    return [open, ended];
  },
  drop: socket => socket.destroy()
};

/** A session that was never connected, one that connects, and one that is closed. */
const sessions = {
  async make() {
    const [fresh, connecting, closed] = [1, 2, 3].map(() => new NativeSession(sessionOptions()));
    connecting.connect().catch(() => {});
    closed.connect().catch(() => {});
    await closed.close();
    return [fresh, connecting, closed].map(session => session.on('error', () => {}));
  },
  drop: session => session.close()
};

const stateless = { make: () => [ours], drop() {} };

/**
 * For each declared name: its receivers, and valid arguments. `fields` is the interface of the last argument; `nested`
 * has the interfaces of some of its fields.
 */
const MATRIX = {
  encodeBinaryNode: { on: stateless, valid: () => [NODE, {}, [0]] },
  decodeBinaryNode: { on: stateless, valid: () => [STANZA] },
  decodeDecompressedBinaryNode: { on: stateless, valid: () => [STANZA.subarray(1), {}, { index: 0 }] },
  decompressingIfRequired: { on: stateless, valid: () => [STANZA] },
  makeNoiseHandler: { on: stateless, valid: () => [noiseOptions()], fields: 'NoiseHandlerOptions' },
  'NoiseHandler.encrypt': { on: handlers, valid: () => [Buffer.from('plain')] },
  'NoiseHandler.decrypt': { on: handlers, valid: () => [Buffer.alloc(32)] },
  'NoiseHandler.authenticate': { on: handlers, valid: () => [Buffer.from('data')] },
  'NoiseHandler.mixIntoKey': { on: handlers, valid: () => [Buffer.alloc(32, 1)] },
  'NoiseHandler.finishInit': { on: handlers, valid: () => [] },
  'NoiseHandler.processHandshake': {
    on: handlers,
    valid: () => [
      { serverHello: { ephemeral: Buffer.alloc(32, 9), static: Buffer.alloc(48, 9), payload: Buffer.alloc(64, 9) } },
      baileys.Curve.generateKeyPair()
    ]
  },
  'NoiseHandler.encodeFrame': { on: handlers, valid: () => [STANZA] },
  'NoiseHandler.decodeFrame': { on: handlers, valid: () => [FRAME, () => {}] },
  WebSocketClient: {
    on: {
      make: () => [{ create: (...args) => new WebSocketClient(...args).on('error', () => {}).connect() }],
      drop() {}
    },
    method: 'create',
    valid: () => [new URL('ws://127.0.0.1:1/'), {}],
    fields: 'WebSocketClientConfig'
  },
  'WebSocketClient.connect': { on: clients, valid: () => [] },
  'WebSocketClient.close': { on: clients, valid: () => [] },
  'WebSocketClient.send': { on: clients, valid: () => ['text', () => {}] },
  'WebSocketClientSocket.terminate': { on: sockets, valid: () => [] },
  'WebSocketClientSocket.close': { on: sockets, valid: () => [] },
  'WebSocketClientSocket.send': { on: sockets, valid: () => [STANZA, { binary: true }, () => {}] },
  'WebSocketClientSocket.pause': { on: sockets, valid: () => [] },
  'WebSocketClientSocket.resume': { on: sockets, valid: () => [] },
  'WebSocketClientSocket.ping': { on: sockets, valid: () => ['text', true, () => {}] },
  'WebSocketClientSocket.pong': { on: sockets, valid: () => ['text', true, () => {}] },
  'WebSocketClientSocket.addEventListener': { on: sockets, valid: () => ['open', () => {}, { once: true }] },
  'WebSocketClientSocket.removeEventListener': { on: sockets, valid: () => ['open', () => {}] },
  'NativeTcpSocket.address': { on: tcpSockets, valid: () => [] },
  'NativeTcpSocket.setTimeout': { on: tcpSockets, valid: () => [60_000, () => {}] },
  'NativeTcpSocket.setKeepAlive': { on: tcpSockets, valid: () => [true, 1000] },
  'NativeTcpSocket.setNoDelay': { on: tcpSockets, valid: () => [true] },
  'NativeTcpSocket.destroy': { on: tcpSockets, valid: () => [new Error('deliberate')] },
  NativeSession: {
    on: { make: () => [{ create: options => new NativeSession(options) }], drop() {} },
    method: 'create',
    valid: () => [sessionOptions()],
    fields: 'NativeSessionOptions',
    nested: { auth: 'SessionCredentials', knownServer: 'KnownServer', incoming: 'QueueBounds' }
  },
  'NativeSession.connect': { on: sessions, valid: () => [{ signal: undefined }] },
  'NativeSession.close': { on: sessions, valid: () => [{ signal: undefined }] },
  'NativeSession.logout': { on: sessions, valid: () => [{ signal: undefined }] },
  'NativeSession.sendNode': { on: sessions, valid: () => [NODE, { signal: undefined }] },
  'NativeSession.query': { on: sessions, valid: () => [NODE, { timeoutMs: 50, idempotent: true, signal: undefined }] },
  'NativeSession.handOver': { on: sessions, valid: () => [] },
  'NativeSession.setLease': { on: sessions, valid: () => [Date.now() + 60_000] },
  'NativeSession.pause': { on: sessions, valid: () => [] },
  'NativeSession.resume': { on: sessions, valid: () => [] },
  'NativeSession.requestPairingCode': { on: sessions, valid: () => ['15550000001', { code: 'ABCDEFGH' }] },
  'NativeSession.onStanza': { on: sessions, valid: () => ['CB:iq', () => {}, {}] },
  'NativeSession.stanzas': { on: sessions, valid: () => ['CB:iq', {}] },
  'NativeSession.metrics': { on: sessions, valid: () => [] },
  ConnectLimiter: {
    on: { make: () => [{ create: options => new ConnectLimiter(options) }], drop() {} },
    method: 'create',
    valid: () => [{ perSecond: 5, burst: 1 }]
  },
  Lease: {
    on: { make: () => [{ create: until => new Lease(until) }], drop() {} },
    method: 'create',
    valid: () => [Date.now() + 60_000]
  },
  'Lease.withId': { on: { make: () => [Lease], drop() {} }, valid: () => [new Lease(Date.now() + 60_000).id] },
  'Lease.renew': {
    on: { make: () => [new Lease(Date.now() + 60_000)], drop() {} },
    valid: () => [Date.now() + 60_000]
  },
  metrics: { on: stateless, valid: () => [] },
  isActive: { on: stateless, valid: () => [] },
  replaced: { on: stateless, valid: () => [] }
};

/** Declared names that are not in the matrix, with the reason. */
const EXCUSED = {
  'WebSocketClient.on': "Node's own `EventEmitter`; listeners are tested by websocket-listeners.test.mjs.",
  'WebSocketClient.once': "Node's own `EventEmitter`.",
  'WebSocketClient.addListener': "Node's own `EventEmitter`.",
  'NativeSession.[Symbol.asyncIterator]': 'It is `stanzas` without arguments.',
  'NativeSession.fromStore': 'It loads a store and calls the constructor. session-shared.test.mjs tests it.',
  inspect: 'It opens a socket in a directory; its options never reach the addon. inspect.test.mjs tests them.',
  'Inspection.close': 'As `inspect`.'
};

/** For each class and object with properties: its receivers, and what is done after a property was set. */
const OWNERS = {
  WebSocketClient: {
    on: {
      make: async () => (await clients.make()).filter((_, index) => index === 0 || index === 2),
      drop: client => client.socket?.terminate()
    },
    use: client => client.connect()
  },
  WebSocketClientSocket: { on: sockets, use: socket => socket.send(STANZA) },
  NativeTcpSocket: { on: tcpSockets },
  NativeSession: { on: sessions },
  ConnectLimiter: {
    on: { make: () => [new ConnectLimiter({ perSecond: 5 })], drop() {} },
    use: async limiter => {
      const session = new NativeSession({ ...sessionOptions(), connectLimiter: limiter }).on('error', () => {});
      const connecting = session.connect().catch(() => {});
      await session.close();
      await connecting;
    }
  },
  Lease: { on: { make: () => [new Lease(Date.now() + 60_000), new Lease(0)], drop() {} } }
};

/** Owners and properties that are not tested, with the reason. */
const EXCUSED_PROPERTIES = {
  Inspection: 'Its only property is a path in JavaScript.',
  'WebSocketClient.socket': 'The client calls only methods of the object that the caller has put there.'
};

/** A callback that throws causes an uncaught exception, as in `ws`. */
const throwsLater = (name, label) => /\.(send|ping|pong)$/.test(name) && /^throwing (function|proxy)$/.test(label);

test('every declared callable has a row in the matrix or a listed exception', () => {
  const known = [...Object.keys(MATRIX), ...Object.keys(EXCUSED)];
  assert.deepEqual([...declaredCallables().keys()].sort(), known.sort());
});

test('every declared property has an owner with receivers or a listed exception', () => {
  const known = [...Object.keys(OWNERS), ...Object.keys(EXCUSED_PROPERTIES).filter(name => !name.includes('.'))];
  assert.deepEqual([...declaredProperties().keys()].sort(), known.sort());
});

/** Returns the Error that a call has thrown or rejected with; undefined if none. Other thrown values fail the test. */
async function settle(call, label) {
  try {
    const result = call();
    if (typeof result?.then !== 'function') return;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(
        () => reject(new assert.AssertionError({ message: `${label} never settled` })),
        CALL_TIMEOUT_MS
      );
    });
    await Promise.race([result, late]).finally(() => clearTimeout(timer));
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof Error || error?.name === 'AbortError', `${label} threw ${typeof error}`);
    assert.doesNotMatch(String(error.message), /panic|unreachable|Node-API refused/i, label);
  }
}

/** Checks that the addon still works. */
async function assertSound() {
  assert.deepEqual(encodeBinaryNode(NODE), STANZA);
  assert.deepEqual(await decodeBinaryNode(STANZA), await baileys.decodeBinaryNode(STANZA));
  const [sender, reference] = [1, 2].map(() => {
    const handler = makeNoiseHandler({ ...noiseOptions(), keyPair: FIXED_PAIR });
    void handler.finishInit();
    return handler;
  });
  assert.deepEqual(sender.encodeFrame(STANZA), reference.encodeFrame(STANZA));
}
const FIXED_PAIR = baileys.Curve.generateKeyPair();

/**
 * Functions that return the arguments with one field of the last argument replaced, by the name of the field.
 *
 * @returns {[field: string, args: (value: unknown) => unknown[]][]}
 */
function fieldsReplaced({ valid, fields, nested = {} }) {
  const replaced = change => {
    const all = valid();
    return [...all.slice(0, -1), { ...all.at(-1), ...change(all.at(-1)) }];
  };
  const own = declaredMembers(fields).map(field => [field, value => replaced(() => ({ [field]: value }))]);
  const inner = Object.entries(nested).flatMap(([outer, name]) =>
    declaredMembers(name).map(field => [
      `${outer}.${field}`,
      value => replaced(options => ({ [outer]: { ...options[outer], [field]: value } }))
    ])
  );
  return [...own, ...inner];
}

/**
 * The places of the fields in the arguments, also of fields of fields: the number of the argument, then names.
 *
 * @returns {(string | number)[][]}
 */
function fieldPlaces(value, path) {
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return [];
  return Object.entries(value).flatMap(([name, field]) => [[...path, name], ...fieldPlaces(field, [...path, name])]);
}

/** A copy in which the value at a place is another one. */
function replacedAt(value, [name, ...rest], other) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[name] = rest.length > 0 ? replacedAt(value[name], rest, other) : other;
  return copy;
}

/** Calls a function with one argument replaced, for all receivers, and cancels what they wait for. */
async function tryArguments({ on, method, label }, name, args) {
  const receivers = await on.make();
  const calls = receivers.map(receiver => {
    const call = settle(() => receiver[method](...args()), `${name}: ${label}`);
    return call.then(
      () => undefined,
      error => error
    );
  });
  await new Promise(resolve => setImmediate(resolve));
  await Promise.all(receivers.map(on.drop));
  for (const error of await Promise.all(calls)) if (error) throw error;
}

for (const [name, row] of Object.entries(MATRIX)) {
  const { on, valid, method = name.split('.').at(-1) } = row;
  test(`${name} with hostile arguments`, async () => {
    const count = declaredCallables().get(name) ?? 0;
    if (count === 0) await tryArguments({ on, method, label: 'no argument' }, name, valid);
    for (const [label, make] of Object.entries(VALUES)) {
      if (throwsLater(name, label)) continue;
      for (let place = 0; place < count; place++) {
        const args = () => Object.assign(valid(), { [place]: make() });
        await tryArguments({ on, method, label: `${label} as argument ${place}` }, name, args);
      }
      for (const [field, replace] of row.fields ? fieldsReplaced(row) : []) {
        await tryArguments({ on, method, label: `${label} as ${field}` }, name, () => replace(make()));
      }
      const places = valid().flatMap((argument, place) => fieldPlaces(argument, [place]));
      // The fields of the last argument are already replaced if they are declared.
      for (const place of places.filter(([argument]) => !row.fields || argument < count - 1)) {
        const what = { on, method, label: `${label} as argument ${place.join('.')}` };
        await tryArguments(what, name, () => replacedAt(valid(), place, make()));
      }
    }
    await assertSound();
  });
}

for (const [owner, { on, use = () => {} }] of Object.entries(OWNERS)) {
  const properties = declaredProperties().get(owner) ?? [];
  const testFor = async (label, act) => {
    const receivers = await on.make();
    for (const receiver of receivers) await settle(() => act(receiver), `${owner}, ${label}`);
    for (const receiver of receivers) await settle(() => use(receiver), `${owner}, used after ${label}`);
    await Promise.all(receivers.map(on.drop));
  };

  test(`the properties of ${owner}, read in each state, and set to hostile values`, async () => {
    for (const { name } of properties) await testFor(`${name} read`, receiver => void receiver[name]);
    const writable = properties.filter(({ name, isWritable }) => isWritable && !EXCUSED_PROPERTIES[`${owner}.${name}`]);
    for (const { name } of writable) {
      for (const [label, make] of Object.entries(VALUES)) {
        // A listener that throws causes an uncaught exception, as in `ws`.
        if (name.startsWith('on') && /^throwing (function|proxy)$/.test(label)) continue;
        await testFor(`${name} set to ${label}`, receiver => void (receiver[name] = make()));
      }
    }
    await assertSound();
  });
}

for (const [label, make] of Object.entries(NODES)) {
  test(`a node with ${label}, passed to each function that takes a node`, async () => {
    await settle(() => void encodeBinaryNode(make(encodeBinaryNode)), 'encodeBinaryNode');
    const session = new NativeSession(sessionOptions()).on('error', () => {});
    const connecting = session.connect().catch(() => {});
    const calls = ['sendNode', 'query'].map(method => settle(() => session[method](make(encodeBinaryNode)), method));
    await new Promise(resolve => setImmediate(resolve));
    await session.close();
    await Promise.all([connecting, ...calls]);
    await assertSound();
  });
}

test('worker threads are terminated during calls', async t => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const ours = require(workerData.entry);
    const { encodeBinaryNode, decodeBinaryNode, makeNoiseHandler, metrics, NativeSession, WebSocketClient } = ours;
    const { url, auth } = workerData;
    const ignored = promise => promise.catch(() => {});
    const logger = { child: () => logger, trace() {} };
    const newSession = () => new NativeSession({ auth, url }).on('error', () => {});
    const client = new WebSocketClient(new URL(url), {});
    client.on('error', () => {});
    client.connect();
    const session = newSession();
    ignored(session.connect());
    const node = { tag: 'iq', attrs: { id: '1' }, content: Buffer.alloc(5000) };
    client.on('open', () => {
      parentPort.postMessage('running');
      setInterval(() => {
        for (let i = 0; i < 100; i++) {
          const bytes = encodeBinaryNode(node);
          ignored(decodeBinaryNode(bytes));
          client.send(bytes);
          client.socket.ping();
          ignored(session.sendNode({ tag: 'iq', attrs: {} }));
          ignored(session.query({ tag: 'iq', attrs: {} }));
        }
        const handler = makeNoiseHandler({ keyPair: auth.noiseKey, NOISE_HEADER: Buffer.from('WA\\x06\\x03'), logger });
        void handler.finishInit();
        ignored(handler.decodeFrame(handler.encodeFrame(Buffer.alloc(3, 7)), () => {}));
        ignored(newSession().connect());
        metrics();
        session.metrics();
      });
    });`;
  const entry = new URL('../../js/index.cjs', import.meta.url).pathname;
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(source, { eval: true, workerData: { entry, url, auth: linkedCredentials() } });
    t.after(() => worker.terminate());
    await once(worker, 'message', { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    await worker.terminate();
  }
  await assertSound();
});
