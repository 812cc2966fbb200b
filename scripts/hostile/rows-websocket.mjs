// Servers that misbehave when the WebSocket is open: violations of RFC 6455, endless data, wrong lengths.

import { afterUpgrade, sendByteByByte, flood, tcpPeer, webSocketFrame } from './peers.mjs';

/** @typedef {import('./matrix.mjs').HostileRow} HostileRow */

const BINARY = 0x82;
const TEXT = 0x81;
const CLOSE = 0x88;
const PING = 0x89;

/** Runs the script when the WebSocket is open. @param {import('./peers.mjs').Script} script */
const open = script => tcpPeer(afterUpgrade(script));

/** The server sends these bytes and keeps the connection open. @param {Buffer[]} frames */
const sends = (...frames) => open(socket => socket.write(Buffer.concat(frames)));

/** @type {Omit<HostileRow, 'phase'>[]} */
export const WEBSOCKET = [
  { name: 'a reserved bit', peer: sends(webSocketFrame(BINARY | 0x20)) },
  { name: 'compression that was not negotiated', peer: sends(webSocketFrame(BINARY | 0x40)) },
  { name: 'an unknown opcode', peer: sends(webSocketFrame(0x83)) },
  { name: 'a masked frame', peer: sends(Buffer.of(BINARY, 0x80, 1, 2, 3, 4)) },
  { name: 'a continuation without a first frame', peer: sends(webSocketFrame(0x80, 'x')) },
  {
    name: 'a new message inside a fragmented one',
    peer: sends(webSocketFrame(0x02, 'x'), webSocketFrame(BINARY, 'y'))
  },
  { name: 'a fragmented ping', peer: sends(webSocketFrame(0x09, 'x')) },
  { name: 'a ping of 126 bytes', peer: sends(webSocketFrame(PING, Buffer.alloc(126))) },
  { name: 'a close frame of one byte', peer: sends(webSocketFrame(CLOSE, 'x')) },
  { name: 'a reserved close code', peer: sends(webSocketFrame(CLOSE, Buffer.of(3, 0xed))) },
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
    name: 'a close frame, then endless zeros',
    peer: open(socket => {
      socket.write(webSocketFrame(CLOSE, Buffer.of(3, 0xe8)));
      flood(socket, Buffer.alloc(64 * 1024));
    })
  },
  {
    name: 'endless pings, and the server reads the pongs',
    peer: open(socket => {
      const ping = () => {
        if (socket.writable) socket.write(webSocketFrame(PING, 'x'.repeat(125)), () => setImmediate(ping));
      };
      socket.resume();
      ping();
    })
  },
  {
    name: 'endless pings, and the server reads nothing',
    peer: open(socket =>
      flood(socket.pause(), Buffer.concat(new Array(500).fill(webSocketFrame(PING, 'x'.repeat(125)))))
    )
  },
  { name: 'endless empty messages', peer: open(socket => flood(socket, webSocketFrame(BINARY))) },
  {
    name: 'a close frame one byte at a time, then FIN',
    peer: open(socket => sendByteByByte(socket, webSocketFrame(CLOSE, Buffer.of(3, 0xe8)), () => socket.end()))
  },
  { name: 'half of a frame, then FIN', peer: open(socket => socket.end(webSocketFrame(BINARY, 'x', 100))) },
  {
    name: 'half of a frame, then RST',
    peer: open(socket => socket.write(webSocketFrame(BINARY, 'x', 100), () => socket.resetAndDestroy()))
  }
];
