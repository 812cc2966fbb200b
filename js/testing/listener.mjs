// The HTTP or HTTPS server of a mock server, which upgrades requests to WebSockets.

import http from 'node:http';
import https from 'node:https';

/** @import { Faults, TlsCertificate } from './index.cjs' */
/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Socket } from 'node:net' */

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * Closes a connection by RST. Between the end of the sending side and `finish`, Node.js cannot do this: it reports
 * EINVAL, and `close` never follows. In this state the RST waits for `finish`.
 *
 * @param {Socket} socket
 * @param {Socket} [tcp] The TCP socket below, if `socket` is a TLS socket.
 */
export function resetSocket(socket, tcp = socket) {
  const reset = () => {
    tcp.resetAndDestroy();
    socket.destroy();
  };
  const isShutting = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isShutting) socket.once('finish', reset);
  else reset();
}

export class Listener {
  #http;
  #webSockets;
  #sockets = new Set();
  #faults;
  #onWebSocket;

  /**
   * @param {object} options
   * @param {TlsCertificate | undefined} options.tls
   * @param {any} options.WebSocketServer The class of the package `ws`.
   * @param {() => Faults} options.faults Called for each request.
   * @param {(ws: any, socket: Socket, request: IncomingMessage, faults: Faults) => void} options.onWebSocket
   */
  constructor({ tls, WebSocketServer, faults, onWebSocket }) {
    this.#faults = faults;
    this.#onWebSocket = onWebSocket;
    /**
     * @param {unknown} _request
     * @param {ServerResponse} response
     */
    const refuse = (_request, response) => response.writeHead(404).end();
    this.#http = tls ? https.createServer({ cert: tls.cert, key: tls.key }, refuse) : http.createServer(refuse);
    this.#webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
    this.#http.on('connection', (/** @type {Socket} */ socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#http.on('tlsClientError', () => {});
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, /** @type {Socket} */ (socket), head));
  }

  /** The port; undefined if the server does not listen. */
  get port() {
    return /** @type {import('node:net').AddressInfo | null} */ (this.#http.address())?.port;
  }

  /**
   * @param {number} port 0: any free port
   * @param {string} host
   */
  listen(port, host) {
    return new Promise((/** @type {(value?: undefined) => void} */ resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(port, host, () => {
        this.#http.off('error', reject);
        resolve();
      });
    });
  }

  /**
   * The TCP socket below a TLS socket. Without TLS, the socket itself.
   *
   * @param {Socket} socket
   * @returns {Socket}
   */
  tcpSocket(socket) {
    return [...this.#sockets].find(({ remotePort }) => remotePort === socket.remotePort) ?? socket;
  }

  /** Closes all connections at once. Resolves when the server no longer listens. */
  async close() {
    const closed = new Promise(resolve => this.#http.close(resolve));
    for (const client of this.#webSockets.clients) client.terminate();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#webSockets.close();
  }

  /**
   * @param {IncomingMessage} request
   * @param {Socket} socket
   * @param {Buffer} head
   */
  #upgrade(request, socket, head) {
    const faults = { ...this.#faults() };
    socket.on('error', () => {});
    if (faults.stallUpgrade) return;
    if (faults.httpStatus) {
      const text = http.STATUS_CODES[faults.httpStatus] ?? 'Unknown';
      const headers = { Connection: 'close', 'Content-Length': '0', ...faults.httpHeaders };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(`HTTP/1.1 ${faults.httpStatus} ${text}\r\n${lines.join('\r\n')}\r\n\r\n`);
      if (headers.Connection === 'close') socket.end();
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (/** @type {any} */ ws) =>
      this.#onWebSocket(ws, socket, request, faults)
    );
  }
}
