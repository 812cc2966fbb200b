// Hostile servers once the WebSocket is open: RFC 6455 broken, floods, lengths that are claimed and not kept.

import { afterUpgrade, drip, flood, tcpPeer, webSocketFrame } from './peers.mjs';

/** @typedef {import('./matrix.mjs').Row} Row */

const BINARY = 0x82;
const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;

/** @param {import('./peers.mjs').Script} script */
const open = script => tcpPeer(afterUpgrade(script));

/** The server sends these bytes and keeps the connection. @param {Buffer[]} frames */
const sends = (...frames) => open(socket => socket.write(Buffer.concat(frames)));

/** @type {Omit<Row, 'phase' | 'dropin' | 'session'>[]} */
export const WEBSOCKET = [
  { name: 'a reserved bit', peer: sends(webSocketFrame(BINARY | 0x20)) },
  { name: 'compression that was not agreed', peer: sends(webSocketFrame(BINARY | 0x40)) },
  { name: 'an unknown opcode', peer: sends(webSocketFrame(0x83)) },
  { name: 'a masked frame', peer: sends(Buffer.of(BINARY, 0x80, 1, 2, 3, 4)) },
  { name: 'a continuation of nothing', peer: sends(webSocketFrame(0x80, 'x')) },
  { name: 'a message inside a message', peer: sends(webSocketFrame(0x02, 'x'), webSocketFrame(BINARY, 'y')) },
  { name: 'a ping in fragments', peer: sends(webSocketFrame(0x09, 'x')) },
  { name: 'a ping of 126 bytes', peer: sends(webSocketFrame(PING, Buffer.alloc(126))) },
  { name: 'a close frame of one byte', peer: sends(webSocketFrame(CLOSE, 'x')) },
  { name: 'a close code that is reserved', peer: sends(webSocketFrame(CLOSE, Buffer.of(3, 0xed))) },
  { name: 'a close reason that is not UTF-8', peer: sends(webSocketFrame(CLOSE, Buffer.of(3, 0xe8, 0xff))) },
  { name: 'a text that is not UTF-8', peer: sends(webSocketFrame(TEXT, Buffer.of(0xff, 0xfe))) },
  { name: 'a length of 2^63', peer: sends(webSocketFrame(BINARY, '', 2n ** 63n)) },
  { name: 'a length of 1 GiB', peer: sends(webSocketFrame(BINARY, '', 2 ** 30)) },
  { name: 'a length of 99 MiB, then silence', peer: sends(webSocketFrame(BINARY, 'x', 99 * 2 ** 20)) },
  {
    name: '20,000 empty fragments',
    peer: sends(webSocketFrame(0x02, 'x'), Buffer.concat(new Array(20_000).fill(webSocketFrame(0x00))))
  },
  {
    name: 'close, then zeros without end',
    peer: open(socket => {
      socket.write(webSocketFrame(CLOSE, Buffer.of(3, 0xe8)));
      flood(socket, Buffer.alloc(64 * 1024));
    })
  },
  { name: 'pings without end', peer: open(socket => flood(socket, webSocketFrame(PING, 'x'.repeat(125)))) },
  {
    name: 'pings without end, nothing read',
    peer: open(socket => flood(socket.pause(), webSocketFrame(PING, 'x'.repeat(125))))
  },
  { name: 'empty messages without end', peer: open(socket => flood(socket, webSocketFrame(BINARY))) },
  {
    name: 'one byte at a time, then the end',
    peer: open(socket => drip(socket, webSocketFrame(CLOSE, Buffer.of(3, 0xe8)), () => socket.end()))
  },
  { name: 'half a frame, then the end', peer: open(socket => socket.end(webSocketFrame(BINARY, 'x', 100))) },
  {
    name: 'half a frame, then a reset',
    peer: open(socket => socket.write(webSocketFrame(BINARY, 'x', 100), () => socket.resetAndDestroy()))
  }
];
