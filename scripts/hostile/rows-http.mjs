// Hostile servers and proxies before the WebSocket is open.

import { afterRequest, afterUpgrade, agreement, drip, flood, proxyPeer, tcpPeer } from './peers.mjs';

/** @typedef {import('./matrix.mjs').Row} Row */
/** @typedef {Omit<Row, 'phase' | 'dropin' | 'session'>[]} Rows */

const LONG = 'a'.repeat(64 * 1024);

/** Ways to misbehave that every phase has in common. @param {(script: import('./peers.mjs').Script) => Row['peer']} peer */
const common = peer => [
  { name: 'the end', peer: peer(socket => socket.end()) },
  { name: 'a reset', peer: peer(socket => socket.resetAndDestroy()) },
  { name: 'silence', peer: peer(() => {}) },
  { name: 'zeros without end', peer: peer(socket => flood(socket, Buffer.alloc(64 * 1024))) }
];

/** @param {(socket: import('node:net').Socket, head: string) => unknown} script */
const answer = script => tcpPeer(afterRequest(script));

/** @type {Rows} */
export const ACCEPT = common(tcpPeer);

/** @type {Rows} */
export const UPGRADE = [
  ...common(script => answer(script)),
  { name: 'another protocol', peer: answer(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n')) },
  { name: 'half a head, then the end', peer: answer(socket => socket.end('HTTP/1.1 101 Switch')) },
  { name: 'a head without end', peer: answer(socket => flood(socket, LONG)) },
  {
    name: 'a header without end',
    peer: answer(socket => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
      flood(socket, LONG);
    })
  },
  {
    name: '10,000 headers',
    peer: answer((socket, head) =>
      socket.write(agreement(head).replace(/\r\n\r\n$/, `\r\n${'X: y\r\n'.repeat(10_000)}\r\n`))
    )
  },
  {
    name: 'interim answers without end',
    isLong: true,
    peer: answer(socket => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)))
  },
  { name: 'one byte at a time', peer: answer((socket, head) => drip(socket, agreement(head), () => socket.end())) },
  {
    name: 'a body without end behind 503',
    peer: answer(socket => {
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 99999999999\r\n\r\n');
      flood(socket, LONG);
    })
  },
  { name: '200', peer: answer(socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno')) },
  {
    name: 'a redirection',
    peer: answer(socket => socket.end('HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n'))
  },
  {
    name: 'a wrong proof',
    peer: answer((socket, head) => socket.end(agreement(`${head}x`).replace(/Accept: ./, 'Accept: +')))
  },
  {
    name: 'an extension',
    peer: answer((socket, head) => socket.write(agreement(head, { 'Sec-WebSocket-Extensions': 'x' })))
  },
  {
    name: 'a subprotocol',
    peer: answer((socket, head) => socket.write(agreement(head, { 'Sec-WebSocket-Protocol': 'x' })))
  },
  { name: 'a NUL in a header', peer: answer((socket, head) => socket.write(agreement(head, { X: 'a\0b' }))) },
  { name: 'agreement, then the end', peer: tcpPeer(afterUpgrade(socket => socket.end())) },
  { name: 'agreement, then a reset', peer: tcpPeer(afterUpgrade(socket => socket.resetAndDestroy())) }
];

/** @param {(socket: import('node:net').Socket, head: string) => unknown} script */
const connect = script => proxyPeer('http', afterRequest(script));

/** @type {Rows} */
export const CONNECT = [
  ...common(script => connect(script)),
  { name: 'another protocol', peer: connect(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n')) },
  { name: 'a head without end', peer: connect(socket => flood(socket, LONG)) },
  {
    name: 'interim answers without end',
    peer: connect(socket => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)))
  },
  {
    name: 'a refusal with a body without end',
    peer: connect(socket => {
      socket.write('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      flood(socket, LONG);
    })
  },
  { name: 'consent, then the end', peer: connect(socket => socket.end('HTTP/1.1 200 OK\r\n\r\n')) },
  { name: 'consent, then silence', peer: connect(socket => socket.write('HTTP/1.1 200 OK\r\n\r\n')) },
  {
    name: 'consent, then zeros without end',
    peer: connect(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      flood(socket, Buffer.alloc(64 * 1024));
    })
  },
  {
    name: 'consent one byte at a time',
    peer: connect(socket => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', () => socket.end()))
  }
];

/** @param {Buffer | number[]} bytes @param {(socket: import('node:net').Socket) => unknown} [then] */
const socks5 = (bytes, then = socket => socket.end()) =>
  proxyPeer('socks5h', socket =>
    socket.once('data', () => {
      socket.write(Buffer.from(bytes));
      then(socket);
    })
  );

/** Consent to the greeting, then an answer to the request. @param {Buffer | number[]} bytes @param {(socket: import('node:net').Socket) => unknown} [then] */
const socks5Reply = (bytes, then = socket => socket.end()) =>
  socks5([5, 0], socket =>
    socket.once('data', () => {
      socket.write(Buffer.from(bytes));
      then(socket);
    })
  );

/** @type {Rows} */
export const SOCKS5 = [
  ...common(script => proxyPeer('socks5h', socket => socket.once('data', () => script(socket)))),
  { name: 'no method', peer: socks5([5, 255]) },
  { name: 'an unknown method', peer: socks5([5, 77]) },
  { name: 'a password that the client does not have', peer: socks5([5, 2]) },
  { name: 'another version', peer: socks5([9, 0]) },
  { name: 'consent, then the end', peer: socks5([5, 0]) },
  { name: 'consent, then silence', peer: socks5([5, 0], () => {}) },
  { name: 'a refusal', peer: socks5Reply([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown refusal', peer: socks5Reply([5, 200, 0, 1, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown kind of address', peer: socks5Reply([5, 0, 0, 9, 0, 0, 0, 0, 0, 0]) },
  { name: 'half a reply', peer: socks5Reply([5, 0, 0, 1]) },
  { name: 'a bound name without its end', peer: socks5Reply([5, 0, 0, 3, 255, 65], () => {}) },
  { name: 'an established connection that ends', peer: socks5Reply([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) },
  {
    name: 'an established connection with zeros without end',
    peer: socks5Reply([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], socket => flood(socket, Buffer.alloc(64 * 1024)))
  }
];

/** @param {Buffer | number[]} bytes */
const socks4 = bytes => proxyPeer('socks4a', socket => socket.once('data', () => socket.end(Buffer.from(bytes))));

/** @type {Rows} */
export const SOCKS4 = [
  ...common(script => proxyPeer('socks4a', socket => socket.once('data', () => script(socket)))),
  { name: 'a refusal', peer: socks4([0, 91, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown refusal', peer: socks4([0, 7, 0, 0, 0, 0, 0, 0]) },
  { name: 'half a reply', peer: socks4([0, 90, 0]) },
  { name: 'an established connection that ends', peer: socks4([0, 90, 0, 0, 0, 0, 0, 0]) }
];
