// TLS servers that misbehave.

import { sendByteByByte, flood, record, recordPeer, tcpPeer, tlsPeer } from './peers.mjs';

/** @typedef {import('./matrix.mjs').HostileRow} HostileRow */

const HANDSHAKE = 22;
const ALERT = 21;
const CHANGE_CIPHER_SPEC = 20;
const APPLICATION_DATA = 23;

/** A TCP server to which the client connects over TLS. @param {import('./peers.mjs').Script} script */
const secured = script => async () => {
  const peer = await tcpPeer(script)();
  return { ...peer, url: peer.url.replace('ws:', 'wss:') };
};

/** Runs the script when the ClientHello has arrived. @param {import('./peers.mjs').Script} script */
const afterHello = script => secured(socket => socket.once('data', () => script(socket)));

/**
 * A handshake message.
 *
 * @param {number} type
 * @param {number} length The length that its header claims.
 * @param {Buffer} [body]
 */
const message = (type, length, body = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.of(type, length >> 16, (length >> 8) & 0xff, length & 0xff), body]);

const HELLO_REQUEST = record(HANDSHAKE, message(0, 0));

/** What the records of an OpenSSL server contain, and their indexes: with TLS 1.3, then with TLS 1.2. */
const PLACES_13 = /** @type {const} */ ([
  ['ServerHello', 0],
  ['the encrypted flight', 2],
  ['the first ticket', 6],
  ['data', 8]
]);
const PLACES_12 = /** @type {const} */ ([
  ['ServerHello', 0],
  ['the certificate', 1],
  ['data', 7]
]);

/**
 * What is sent instead of a record; see `recordPeer`.
 *
 * @type {Record<string, (client: import('node:net').Socket, bytes: Buffer, pass: () => void) => unknown>}
 */
const CHANGES = {
  'fatal alert': client => client.end(record(ALERT, [2, 40])),
  'closing alert': client => client.end(record(ALERT, [1, 0])),
  'a changed byte': (client, bytes, pass) => {
    bytes[bytes.length - 1] ^= 1;
    client.write(bytes);
    pass();
  },
  'half of it, then FIN': (client, bytes) => client.end(bytes.subarray(0, bytes.length / 2)),
  twice: (client, bytes, pass) => {
    client.write(bytes);
    client.write(bytes);
    pass();
  },
  'one byte at a time': (client, bytes, pass) => sendByteByByte(client, bytes, pass)
};

/** @param {readonly (readonly [string, number])[]} places @param {'TLSv1.2' | 'TLSv1.3'} version */
const recordRows = (places, version) =>
  places.flatMap(([place, at]) =>
    Object.entries(CHANGES).map(([what, act]) => ({
      name: `${version}, ${place}: ${what}`,
      peer: recordPeer(at, act, { maxVersion: version })
    }))
  );

/** A server with a long certificate chain: it has the CA certificate `count` times. */
const longChain = async (/** @type {number} */ count) => {
  const { createTlsCertificate } = await import('baileys-native/testing');
  const { ca, cert, key } = createTlsCertificate();
  const peer = await tlsPeer({ key, cert: cert + ca.repeat(count), ca })();
  return { ...peer, ca };
};

/** @type {Omit<HostileRow, 'phase'>[]} */
export const TLS = [
  { name: 'an HTTP response', peer: afterHello(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')) },
  { name: 'FIN', peer: afterHello(socket => socket.end()) },
  { name: 'RST', peer: afterHello(socket => socket.resetAndDestroy()) },
  { name: 'silence', peer: afterHello(() => {}) },
  ...[0, 10, 40, 70, 80, 90, 100, 255].map(alert => ({
    name: `alert ${alert}`,
    peer: afterHello(socket => socket.end(record(ALERT, [alert === 0 || alert === 100 ? 1 : 2, alert])))
  })),
  { name: 'endless warning alerts', peer: afterHello(socket => flood(socket, record(ALERT, [1, 100]))) },
  { name: 'a record of an unknown type', peer: afterHello(socket => socket.write(record(99, [1, 2, 3]))) },
  { name: 'a record that is too long', peer: afterHello(socket => socket.write(record(HANDSHAKE, [], 0xffff))) },
  { name: 'half of a record header', peer: afterHello(socket => socket.write(record(HANDSHAKE, [1]).subarray(0, 3))) },
  { name: 'endless empty handshake records', peer: afterHello(socket => flood(socket, record(HANDSHAKE, []))) },
  {
    name: 'application data before the handshake',
    peer: afterHello(socket => flood(socket, record(APPLICATION_DATA, [0])))
  },
  {
    name: 'endless ChangeCipherSpec',
    peer: afterHello(socket => flood(socket, record(CHANGE_CIPHER_SPEC, [1])))
  },
  { name: 'endless HelloRequest', peer: afterHello(socket => flood(socket, HELLO_REQUEST)) },
  {
    name: 'a ServerHello of 16 MiB',
    peer: afterHello(socket => {
      socket.write(record(HANDSHAKE, message(2, 0xffffff, Buffer.alloc(16_000))));
      flood(socket, record(HANDSHAKE, Buffer.alloc(16_000)));
    })
  },
  {
    name: 'an incomplete ServerHello, one byte at a time',
    peer: afterHello(socket => sendByteByByte(socket, record(HANDSHAKE, message(2, 0xff00, Buffer.alloc(10_000)))))
  },
  ...recordRows(PLACES_13, 'TLSv1.3'),
  ...recordRows(PLACES_12, 'TLSv1.2'),
  {
    name: 'renegotiation (TLS 1.2)',
    peer: tlsPeer({ maxVersion: 'TLSv1.2' }, socket => {
      socket.renegotiate({}, () => {});
      setTimeout(() => socket.destroy(), 200);
    })
  },
  { name: 'a chain of 100 certificates', peer: () => longChain(100) },
  { name: 'a chain of 2,000 certificates', peer: () => longChain(2000) },
  {
    name: '101, then FIN without close_notify',
    peer: tlsPeer({}, socket => /** @type {any} */ (socket)._parent?.destroy() ?? socket.destroy())
  },
  {
    name: 'only TLS 1.1',
    peer: tlsPeer({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' })
  },
  {
    name: '101, then endless data',
    peer: tlsPeer({}, socket => flood(socket, Buffer.alloc(64 * 1024, 0xff)))
  },
  { name: '101, then text without frames', peer: tlsPeer({}, socket => socket.end('no WebSocket frames at all')) }
];
