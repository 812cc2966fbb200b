// Servers and proxies that misbehave before the WebSocket is open.

import { afterRequest, afterUpgrade, sendByteByByte, flood, proxyPeer, switchingProtocols, tcpPeer } from './peers.mjs';

/** @typedef {import('./matrix.mjs').HostileRow} HostileRow */
/** @typedef {import('./matrix.mjs').HostileRows} HostileRows */

const LONG = 'a'.repeat(64 * 1024);

/** The rows that every phase has. @param {(script: import('./peers.mjs').Script) => HostileRow['peer']} peer */
const common = peer => [
  { name: 'FIN', peer: peer(socket => socket.end()) },
  { name: 'RST', peer: peer(socket => socket.resetAndDestroy()) },
  { name: 'silence', peer: peer(() => {}) },
  { name: 'endless zeros', peer: peer(socket => flood(socket, Buffer.alloc(64 * 1024))) }
];

/** @param {(socket: import('node:net').Socket, head: string) => unknown} script */
const answer = script => tcpPeer(afterRequest(script));

/** @type {HostileRows} */
export const ACCEPT = common(tcpPeer);

/** @type {HostileRows} */
export const UPGRADE = [
  ...common(script => answer(script)),
  { name: 'an SSH banner', peer: answer(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n')) },
  { name: 'half of a response head, then FIN', peer: answer(socket => socket.end('HTTP/1.1 101 Switch')) },
  { name: 'an endless response head', peer: answer(socket => flood(socket, LONG)) },
  {
    name: 'an endless header',
    peer: answer(socket => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
      flood(socket, LONG);
    })
  },
  {
    name: '10,000 headers',
    peer: answer((socket, head) =>
      socket.write(switchingProtocols(head).replace(/\r\n\r\n$/, `\r\n${'X: y\r\n'.repeat(10_000)}\r\n`))
    )
  },
  {
    name: 'endless 102 responses',
    isLong: true,
    peer: answer(socket => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)))
  },
  {
    name: '101, one byte at a time',
    peer: answer((socket, head) => sendByteByByte(socket, switchingProtocols(head), () => socket.end()))
  },
  {
    name: '503 with an endless body',
    peer: answer(socket => {
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 99999999999\r\n\r\n');
      flood(socket, LONG);
    })
  },
  { name: '200', peer: answer(socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno')) },
  {
    name: '302',
    peer: answer(socket => socket.end('HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n'))
  },
  {
    name: 'a wrong Sec-WebSocket-Accept',
    peer: answer((socket, head) => socket.end(switchingProtocols(`${head}x`).replace(/Accept: ./, 'Accept: +')))
  },
  {
    name: 'an extension that was not requested',
    peer: answer((socket, head) => socket.write(switchingProtocols(head, { 'Sec-WebSocket-Extensions': 'x' })))
  },
  {
    name: 'a subprotocol that was not requested',
    peer: answer((socket, head) => socket.write(switchingProtocols(head, { 'Sec-WebSocket-Protocol': 'x' })))
  },
  {
    name: 'a second Sec-WebSocket-Accept',
    peer: answer((socket, head) =>
      socket.write(switchingProtocols(head).replace(/(Sec-WebSocket-Accept: .*\r\n)/i, '$1$1'))
    )
  },
  {
    name: 'a header line that ends with a line feed alone',
    peer: answer((socket, head) => socket.write(switchingProtocols(head).replace(/Upgrade\r\n/, 'Upgrade\n')))
  },
  { name: 'a NUL in a header', peer: answer((socket, head) => socket.write(switchingProtocols(head, { X: 'a\0b' }))) },
  { name: '101, then FIN', peer: tcpPeer(afterUpgrade(socket => socket.end())) },
  { name: '101, then RST', peer: tcpPeer(afterUpgrade(socket => socket.resetAndDestroy())) }
];

/** @param {(socket: import('node:net').Socket, head: string) => unknown} script */
const connect = script => proxyPeer('http', afterRequest(script));

/** @type {HostileRows} */
export const CONNECT = [
  ...common(script => connect(script)),
  { name: 'an SSH banner', peer: connect(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n')) },
  { name: 'an endless response head', peer: connect(socket => flood(socket, LONG)) },
  {
    name: 'endless 102 responses',
    peer: connect(socket => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)))
  },
  {
    name: '407 with an endless body',
    peer: connect(socket => {
      socket.write('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      flood(socket, LONG);
    })
  },
  { name: '200, then FIN', peer: connect(socket => socket.end('HTTP/1.1 200 OK\r\n\r\n')) },
  { name: '200, then silence', peer: connect(socket => socket.write('HTTP/1.1 200 OK\r\n\r\n')) },
  {
    name: '200, then endless zeros',
    peer: connect(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      flood(socket, Buffer.alloc(64 * 1024));
    })
  },
  {
    name: '200, one byte at a time',
    peer: connect(socket => sendByteByByte(socket, 'HTTP/1.1 200 OK\r\n\r\n', () => socket.end()))
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

/**
 * Accepts the method "no authentication", then sends a reply to the request.
 *
 * @param {Buffer | number[]} bytes
 * @param {(socket: import('node:net').Socket) => unknown} [then]
 */
const socks5Reply = (bytes, then = socket => socket.end()) =>
  socks5([5, 0], socket =>
    socket.once('data', () => {
      socket.write(Buffer.from(bytes));
      then(socket);
    })
  );

/** @type {HostileRows} */
export const SOCKS5 = [
  ...common(script => proxyPeer('socks5h', socket => socket.once('data', () => script(socket)))),
  { name: 'no acceptable method', peer: socks5([5, 255]) },
  { name: 'an unknown method', peer: socks5([5, 77]) },
  { name: 'a password is required', peer: socks5([5, 2]) },
  { name: 'a wrong version', peer: socks5([9, 0]) },
  { name: 'method accepted, then FIN', peer: socks5([5, 0]) },
  { name: 'method accepted, then silence', peer: socks5([5, 0], () => {}) },
  { name: 'connection refused', peer: socks5Reply([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown reply code', peer: socks5Reply([5, 200, 0, 1, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown address type', peer: socks5Reply([5, 0, 0, 9, 0, 0, 0, 0, 0, 0]) },
  { name: 'half of a reply, then FIN', peer: socks5Reply([5, 0, 0, 1]) },
  { name: 'an incomplete bound address', peer: socks5Reply([5, 0, 0, 3, 255, 65], () => {}) },
  { name: 'request granted, then FIN', peer: socks5Reply([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) },
  {
    name: 'request granted, then endless zeros',
    peer: socks5Reply([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], socket => flood(socket, Buffer.alloc(64 * 1024)))
  }
];

/** @param {Buffer | number[]} bytes */
const socks4 = bytes => proxyPeer('socks4a', socket => socket.once('data', () => socket.end(Buffer.from(bytes))));

/** @type {HostileRows} */
export const SOCKS4 = [
  ...common(script => proxyPeer('socks4a', socket => socket.once('data', () => script(socket)))),
  { name: 'request rejected', peer: socks4([0, 91, 0, 0, 0, 0, 0, 0]) },
  { name: 'an unknown reply code', peer: socks4([0, 7, 0, 0, 0, 0, 0, 0]) },
  { name: 'half of a reply, then FIN', peer: socks4([0, 90, 0]) },
  { name: 'request granted, then FIN', peer: socks4([0, 90, 0, 0, 0, 0, 0, 0]) }
];
