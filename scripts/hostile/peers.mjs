// Functions that create hostile peers: servers, endless data, data byte by byte, HTTP upgrades, TLS records.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createTlsCertificate } from 'baileys-native/testing';

/**
 * The server or proxy of a row.
 *
 * @typedef {object} HostilePeer
 * @property {string} url The URL to which the client connects.
 * @property {string} [ca] PEM of the certificate authority that the client trusts.
 * @property {string} [proxy] URL of the proxy that the client uses.
 * @property {string} [rootKey] The public key of the Noise certificates that the client trusts, in hex.
 * @property {() => Promise<unknown>} [afterLogin] Called when the client has logged in.
 * @property {() => Promise<unknown>} close
 *
 * @typedef {(socket: net.Socket) => unknown} Script What a peer does with a new connection.
 */

const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** @param {net.Server} server */
async function listen(server) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // the client may leave at any time
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  };
  return { port, close };
}

/**
 * A TCP server.
 *
 * @param {Script} script
 * @returns {() => Promise<HostilePeer>}
 */
export const tcpPeer = script => async () => {
  const { port, close } = await listen(net.createServer(script));
  return { url: `ws://127.0.0.1:${port}/ws/chat`, close };
};

/**
 * A proxy. The target of the client does not exist.
 *
 * @param {'http' | 'socks4a' | 'socks5h'} scheme
 * @param {Script} script
 * @returns {() => Promise<HostilePeer>}
 */
export const proxyPeer = (scheme, script) => async () => {
  const { port, close } = await listen(net.createServer(script));
  return { url: 'ws://target.invalid/ws/chat', proxy: `${scheme}://127.0.0.1:${port}`, close };
};

/**
 * Calls the script when an HTTP request of the client, or its CONNECT request, has arrived.
 *
 * @param {(socket: net.Socket, head: string) => unknown} script
 * @returns {Script}
 */
export const afterRequest = script => socket => {
  let head = '';
  const onData = (/** @type {Buffer} */ data) => {
    head += data.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', onData);
    socket.resume();
    script(socket, head);
  };
  socket.on('data', onData);
};

/**
 * The head of a response 101 that opens the WebSocket.
 *
 * @param {string} request
 * @param {Record<string, string>} [headers] More headers.
 */
export function switchingProtocols(request, headers = {}) {
  const key = /sec-websocket-key: *(\S+)/i.exec(request)?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
  const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
}

/** Calls the script when the WebSocket is open. @param {Script} script */
export const afterUpgrade = script =>
  afterRequest((socket, head) => {
    socket.write(switchingProtocols(head));
    return script(socket);
  });

/**
 * Sends the same bytes again and again, as fast as the client reads.
 *
 * @param {net.Socket} socket
 * @param {Buffer | string} bytes
 */
export function flood(socket, bytes) {
  const write = () => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on('drain', write);
  write();
}

/**
 * Sends one byte at a time, each in its own packet.
 *
 * @param {net.Socket} socket
 * @param {Buffer | string} bytes
 * @param {() => void} [then] Called at the end.
 */
export function sendByteByByte(socket, bytes, then = () => {}) {
  const rest = [...Buffer.from(bytes)];
  const next = () => {
    const byte = rest.shift();
    if (byte === undefined || !socket.writable) return then();
    socket.write(Buffer.of(byte), () => setImmediate(next));
  };
  next();
}

/**
 * A WebSocket frame of a server.
 *
 * @param {number} first The first byte: FIN, reserved bits, opcode.
 * @param {Buffer | string} [payload]
 * @param {number | bigint} [length] The length that the header claims.
 */
export function webSocketFrame(first, payload = '', length = payload.length) {
  const body = Buffer.from(payload);
  if (length < 126) return Buffer.concat([Buffer.of(first, Number(length)), body]);
  if (length < 65_536) {
    const head = Buffer.of(first, 126, 0, 0);
    head.writeUInt16BE(Number(length), 2);
    return Buffer.concat([head, body]);
  }
  const head = Buffer.of(first, 127, 0, 0, 0, 0, 0, 0, 0, 0);
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}

const certificate = createTlsCertificate();

/** Sends a close frame and FIN. @param {net.Socket} socket */
const sendClose = socket => socket.end(webSocketFrame(0x88, Buffer.of(3, 0xe8)));

/**
 * A TLS server that accepts the WebSocket.
 *
 * @param {tls.TlsOptions} [options]
 * @param {(socket: tls.TLSSocket) => unknown} [script] What it does with the open WebSocket. By default it closes it.
 * @returns {() => Promise<HostilePeer>}
 */
export const tlsPeer =
  (options = {}, script = sendClose) =>
  async () => {
    const server = tls.createServer({ key: certificate.key, cert: certificate.cert, ...options });
    server.on('tlsClientError', () => {});
    server.on('secureConnection', socket => {
      socket.on('error', () => {});
      afterUpgrade(() => script(socket))(socket);
    });
    const { port, close } = await listen(server);
    return { url: `wss://127.0.0.1:${port}/ws/chat`, ca: certificate.ca, close };
  };

/**
 * A TLS record.
 *
 * @param {number} type
 * @param {Buffer | number[]} body
 * @param {number} [length] The length that the header claims.
 */
export function record(type, body, length = body.length) {
  return Buffer.concat([Buffer.of(type, 3, 3, length >> 8, length & 0xff), Buffer.from(body)]);
}

/**
 * A relay to a TLS server that changes one of the server's records.
 *
 * @param {number} at The index of the record.
 * @param {(client: net.Socket, bytes: Buffer, pass: () => void) => unknown} act Gets the record and sends to the client
 *   what it wants. `pass` relays all that follows.
 * @param {tls.TlsOptions} [options] Options of the server.
 * @returns {() => Promise<HostilePeer>}
 */
export const recordPeer = (at, act, options) => async () => {
  const inner = await tlsPeer(options)();
  const { port, close } = await listen(
    net.createServer(client => {
      const server = net.connect(Number(new URL(inner.url).port), '127.0.0.1');
      server.on('error', () => {});
      client.on('data', data => server.write(data));
      client.on('close', () => server.destroy());
      let buffered = Buffer.alloc(0);
      let count = 0;
      let isHeld = false;
      const relay = () => {
        while (!isHeld && buffered.length >= 5) {
          const end = 5 + buffered.readUInt16BE(3);
          if (buffered.length < end) return;
          const whole = buffered.subarray(0, end);
          buffered = buffered.subarray(end);
          if (count++ !== at) {
            client.write(whole);
            continue;
          }
          isHeld = true;
          act(client, whole, () => {
            isHeld = false;
            relay();
          });
        }
      };
      server.on('data', data => {
        buffered = Buffer.concat([buffered, data]);
        relay();
      });
      server.on('close', () => isHeld || client.end());
    })
  );
  const closeBoth = () => Promise.all([close(), inner.close()]);
  return { url: `wss://127.0.0.1:${port}/ws/chat`, ca: inner.ca, close: closeBoth };
};
