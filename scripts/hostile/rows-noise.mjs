// Hostile Noise responders, and servers that misbehave during the login and after it.

import http from 'node:http';
import { deflateSync } from 'node:zlib';
import * as baileys from 'baileys';
import { MockServer } from 'baileys-native/testing';
// @ts-expect-error ws has no declarations.
import { WebSocketServer } from 'ws';
import { NoiseAuthority } from '../../js/testing/certificate.mjs';
import { FrameReader, frame } from '../../js/testing/frame-reader.mjs';
import { Handshake } from '../../js/testing/handshake.mjs';

/** @typedef {import('./matrix.mjs').HostileRow} HostileRow */
/** @typedef {import('./matrix.mjs').HostileRows} HostileRows */

const MAX_FRAME = 2 ** 24 - 1;
/** The token `success` of dictionary 3. */
const SUCCESS = 76;

const CHAINS = [
  'wrong-issuer',
  'no-leaf',
  'wrong-root',
  'tampered-leaf',
  'tampered-intermediate',
  'wrong-leaf-key',
  'expired'
];

/** The key pair that signs the certificates of all peers. Baileys trusts only one at a time. */
export const root = baileys.Curve.generateKeyPair();
const rootKey = Buffer.from(root.public).toString('hex');

/**
 * A server. The script answers the ClientHello.
 *
 * @param {(ws: any, hello: () => Record<string, Uint8Array>) => unknown} script `hello` creates the fields of a valid
 *   ServerHello.
 * @returns {() => Promise<import('./peers.mjs').HostilePeer>}
 */
const responder = script => async () => {
  const { Curve: curve, proto } = baileys;
  const authority = new NoiseAuthority({ curve, proto }, root);
  const server = http.createServer();
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (/** @type {any} */ ws) => {
    const reader = new FrameReader();
    ws.on('error', () => {});
    let isAnswered = false;
    ws.on('message', (/** @type {Buffer} */ data) => {
      reader.push(data);
      const bytes = reader.next();
      if (bytes === undefined || isAnswered) return;
      isAnswered = true;
      const prologue = /** @type {Buffer} */ (/** @type {unknown} */ (reader.header));
      const handshake = new Handshake({ proto, authority, prologue, resumption: 'ignore' });
      script(ws, () => {
        const { answer } = handshake.receive(bytes);
        return /** @type {any} */ (proto.HandshakeMessage.decode(/** @type {Buffer} */ (answer)).serverHello);
      });
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = async () => {
    for (const ws of webSockets.clients) ws.terminate();
    webSockets.close();
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  };
  return { url: `ws://127.0.0.1:${port}/ws/chat`, rootKey, close };
};

/** @param {Record<string, unknown>} fields */
const serverHello = fields =>
  frame(Buffer.from(baileys.proto.HandshakeMessage.encode({ serverHello: fields }).finish()));

/** A ServerHello in which fields are replaced. @param {(hello: any) => Record<string, unknown>} change */
const changed = change =>
  responder((ws, hello) => {
    const good = hello();
    ws.send(serverHello({ ...good, ...change(good) }));
  });

/** A copy in which one bit is inverted. @param {Uint8Array} bytes */
const flipped = bytes => Buffer.from(bytes).map((byte, at) => (at === 3 ? byte ^ 1 : byte));

/**
 * Sends the same message again and again, as fast as the client reads, until the connection is closed.
 *
 * @param {any} ws
 * @param {Buffer} bytes
 */
const floodMessages = (ws, bytes) => {
  const next = () => {
    if (ws.readyState === ws.OPEN) ws.send(bytes, (/** @type {unknown} */ error) => error || setImmediate(next));
  };
  next();
};

/** @type {HostileRows} */
export const NOISE = [
  { name: 'a close frame', peer: responder(ws => ws.close()) },
  { name: 'FIN', peer: responder(ws => ws.terminate()) },
  { name: 'silence', peer: responder(() => {}) },
  { name: 'an empty frame', peer: responder(ws => ws.send(frame(Buffer.alloc(0)))) },
  { name: 'bytes that are not protobuf', peer: responder(ws => ws.send(frame(Buffer.alloc(64, 0xff)))) },
  {
    name: 'ClientFinish instead of ServerHello',
    peer: responder(ws =>
      ws.send(frame(Buffer.from(baileys.proto.HandshakeMessage.encode({ clientFinish: {} }).finish())))
    )
  },
  { name: 'a text message', peer: responder(ws => ws.send('hello')) },
  { name: 'a frame of 16 MiB of zeros', peer: responder(ws => ws.send(frame(Buffer.alloc(MAX_FRAME)))) },
  {
    name: 'a frame of 16 MiB with only 10 bytes',
    peer: responder(ws => ws.send(Buffer.concat([Buffer.of(255, 255, 255), Buffer.alloc(10)])))
  },
  { name: 'endless empty frames', peer: responder(ws => floodMessages(ws, Buffer.alloc(3 * 1000))) },
  {
    name: 'a ServerHello without fields',
    peer: changed(() => ({ ephemeral: undefined, static: undefined, payload: undefined }))
  },
  { name: 'an ephemeral key of 31 bytes', peer: changed(({ ephemeral }) => ({ ephemeral: ephemeral.subarray(1) })) },
  { name: 'an ephemeral key of zeros', peer: changed(() => ({ ephemeral: Buffer.alloc(32) })) },
  { name: 'a changed ephemeral key', peer: changed(({ ephemeral }) => ({ ephemeral: flipped(ephemeral) })) },
  { name: 'a changed static key', peer: changed(hello => ({ static: flipped(hello.static) })) },
  { name: 'a changed certificate chain', peer: changed(({ payload }) => ({ payload: flipped(payload) })) },
  { name: 'a static key of 1 MiB', peer: changed(() => ({ static: Buffer.alloc(2 ** 20) })) },
  {
    name: 'a ServerHello one byte at a time, then a close frame',
    peer: responder((ws, hello) => {
      for (const byte of serverHello(hello())) ws.send(Buffer.of(byte));
      ws.close();
    })
  },
  {
    name: 'ServerHello twice',
    peer: responder((ws, hello) => {
      const bytes = serverHello(hello());
      ws.send(Buffer.concat([bytes, bytes]));
    })
  },
  { name: 'no answer to ClientFinish', peer: responder((ws, hello) => ws.send(serverHello(hello()))) },
  ...CHAINS.map(certificate => ({
    name: `a certificate chain: ${certificate}`,
    // Baileys does not check the dates, so the client logs in.
    endsAtLogin: certificate === 'expired',
    peer: mock({ faults: { certificate: /** @type {any} */ (certificate) } })
  }))
];

/**
 * A mock server. The script runs when a client has logged in.
 *
 * @param {import('baileys-native/testing').MockServerOptions} options
 * @param {(connection: import('baileys-native/testing').Connection) => unknown} [script]
 * @returns {() => Promise<import('./peers.mjs').HostilePeer>}
 */
function mock(options, script = () => {}) {
  return async () => {
    const server = await MockServer.start({ tls: false, acceptUnknown: true, root, record: false, ...options });
    server.on('failure', () => {});
    server.handle({ xmlns: 'w:p' }, ({ attrs }) => ({ tag: 'iq', attrs: { id: attrs.id, type: 'result' } }));
    return {
      url: server.url,
      rootKey,
      afterLogin: async () => {
        await script(server.connections[server.connections.length - 1]);
      },
      close: () => server.stop()
    };
  };
}

/** A mock server. The script runs instead of the login. @param {(connection: any) => unknown} script */
const login = script => async () => {
  const server = await MockServer.start({
    tls: false,
    acceptUnknown: true,
    root,
    record: false,
    faults: { stallLogin: true }
  });
  server.on('failure', () => {});
  server.on('handshake', connection => script(connection));
  return { url: server.url, rootKey, close: () => server.stop() };
};

/** @param {Buffer} bytes */
const compressed = bytes => Buffer.concat([Buffer.of(2), deflateSync(bytes)]);
/** A node `message` with this number of empty children. @param {number} count */
const emptyChildren = count =>
  Buffer.concat([Buffer.of(0, 248, 2, 19, 249, count >> 8, count & 0xff), Buffer.alloc(count, 0)]);
/** Nodes `message` that each contain the next one. @param {number} depth */
const nested = depth =>
  Buffer.concat([Buffer.of(0), Buffer.concat(new Array(depth).fill(Buffer.of(248, 2, 19, 248, 1)))]);

/** @param {any} connection @param {Buffer} bytes @param {'plaintext' | 'frame' | 'message'} [layer] */
const raw = (connection, bytes, layer = 'plaintext') => connection.sendRaw(bytes, { layer }).catch(() => {});

/** @type {HostileRows} */
export const LOGIN = [
  { name: 'silence', peer: login(() => {}) },
  { name: 'a close frame', peer: login(connection => connection.close()) },
  { name: 'FIN', peer: login(connection => connection.drop()) },
  { name: 'a frame that cannot be decrypted', peer: login(connection => raw(connection, Buffer.alloc(40), 'frame')) },
  { name: 'an empty frame', peer: login(connection => raw(connection, Buffer.alloc(0), 'frame')) },
  { name: 'an empty payload', peer: login(connection => raw(connection, Buffer.alloc(0))) },
  { name: 'a payload that is not a node', peer: login(connection => raw(connection, Buffer.of(0, 255, 255))) },
  { name: 'failure without a reason', peer: login(connection => connection.send({ tag: 'failure', attrs: {} })) },
  { name: 'failure 403', peer: login(connection => connection.failure(403)) },
  {
    name: 'failure with a reason that is not a number',
    peer: login(connection => connection.failure('x'.repeat(100_000)))
  },
  { name: 'stream:error without a child', peer: login(connection => connection.streamError()) },
  { name: 'stream:error 515', peer: login(connection => connection.streamError(515)) },
  {
    name: 'stream:error with a code that is not a number',
    peer: login(connection => connection.streamError('y'.repeat(1000)))
  },
  {
    name: 'a compressed success of 15 MiB',
    endsAtLogin: true,
    peer: login(connection =>
      raw(
        connection,
        compressed(Buffer.concat([Buffer.of(248, 2, SUCCESS, 254, 0, 240, 0, 0), Buffer.alloc(0xf00000)]))
      )
    )
  }
];

/** @type {HostileRows} */
export const STANZA = [
  {
    name: 'a payload that is not a node',
    staysOpen: true,
    peer: mock({}, connection => raw(connection, Buffer.of(0, 255, 255)))
  },
  { name: 'an empty payload', staysOpen: true, peer: mock({}, connection => raw(connection, Buffer.alloc(0))) },
  {
    name: '10,000 nested nodes',
    staysOpen: true,
    peer: mock({}, connection => raw(connection, nested(10_000)))
  },
  {
    name: 'a zlib bomb of 64 MiB',
    staysOpen: true,
    peer: mock({}, connection => raw(connection, compressed(Buffer.alloc(2 ** 26))))
  },
  {
    name: 'a node with 65,535 empty children',
    staysOpen: true,
    peer: mock({}, connection => raw(connection, emptyChildren(0xffff)))
  },
  {
    name: 'a frame that cannot be decrypted',
    peer: mock({}, connection => raw(connection, Buffer.alloc(40), 'frame'))
  },
  { name: 'an empty frame', peer: mock({}, connection => raw(connection, Buffer.alloc(0), 'frame')) },
  {
    name: 'half of a frame, then a close frame',
    peer: mock({}, async connection => {
      await raw(connection, Buffer.of(0, 1, 0, 5), 'message');
      connection.close();
    })
  },
  {
    name: 'a frame of 16 MiB that cannot be decrypted',
    peer: mock({}, connection => raw(connection, Buffer.alloc(MAX_FRAME), 'frame'))
  },
  {
    name: 'repeated success',
    staysOpen: true,
    peer: mock({}, async connection => {
      for (let n = 0; n < 100; n++) await connection.send({ tag: 'success', attrs: { t: '1', lid: '1@lid' } });
    })
  },
  {
    name: '20,000 results without a query',
    staysOpen: true,
    peer: mock({}, async connection => {
      const flood = connection.prepareFlood(n => ({ tag: 'iq', attrs: { id: `x${n}`, type: 'result' } }), 20_000, {
        perMessage: 500
      });
      await flood.start();
    })
  },
  { name: 'the end of the XML stream', peer: mock({}, connection => connection.xmlStreamEnd()) },
  {
    name: 'stream:error with conflict',
    peer: mock({}, connection =>
      connection.streamError(undefined, { content: [{ tag: 'conflict', attrs: { type: 'replaced' } }] })
    )
  }
];
