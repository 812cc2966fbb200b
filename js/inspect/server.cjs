'use strict';

// The web server of `baileys-native inspect`. It listens on loopback only; the URL has a secret token.

const { randomBytes, timingSafeEqual } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');
const { ID, lineSplitter, listProcesses, openProcess } = require('./processes.cjs');
const { STREAM } = require('./protocol.cjs');

const HOST = '127.0.0.1';
const TOKEN_BYTES = 24;
/** The most streams at a time. */
const MAX_STREAMS = 8;

/**
 * Files of the page, and their types.
 *
 * @type {Record<string, string[]>}
 */
const FILES = {
  '': ['index.html', 'text/html; charset=utf-8'],
  'style.css': ['style.css', 'text/css; charset=utf-8'],
  'stanzas.css': ['stanzas.css', 'text/css; charset=utf-8'],
  ...Object.fromEntries(
    ['app', 'filter', 'plots', 'statistics', 'tree'].map(name => [
      `${name}.mjs`,
      [`${name}.mjs`, 'text/javascript; charset=utf-8']
    ])
  )
};

/** The page loads only its own files, cannot be framed by another page, and sends no referrer. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY'
};

/** @param {string} given @param {string} token */
function isToken(given, token) {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

class Inspector {
  #directory;
  #token = randomBytes(TOKEN_BYTES).toString('base64url');
  #server;
  #streams = new Set();

  /** @param {string} directory directory of the sockets of the processes */
  constructor(directory) {
    this.#directory = directory;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** @param {number} port 0: any free port */
  listen(port) {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, HOST, () => resolve(this.url));
    });
  }

  get #port() {
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  get url() {
    return `http://${HOST}:${this.#port}/${this.#token}/`;
  }

  close() {
    for (const stream of this.#streams) stream.destroy();
    this.#server.closeAllConnections();
    return new Promise(resolve => this.#server.close(resolve));
  }

  /**
   * Checks the Host header. With DNS rebinding, a page of another site sends the name of that site.
   *
   * @param {string | undefined} host
   */
  #isHost(host) {
    return host === `${HOST}:${this.#port}` || host === `localhost:${this.#port}`;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(request, response) {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (!this.#isHost(request.headers.host)) return refuse(response, 403, 'This name is not served here.');
    const [, token, path, ...rest] = String(request.url).split('?')[0].split('/');
    if (!isToken(token, this.#token))
      return refuse(response, 403, 'This URL does not have the token of the printed URL.');
    if (request.method !== 'GET') return refuse(response, 405, 'Only GET.');
    if (path === 'processes' && rest.length === 0) return sendJson(response, await listProcesses(this.#directory));
    if (path === 'stream' && rest.length === 1 && ID.test(rest[0])) return this.#stream(rest[0], response);
    if (rest.length > 0 || !Object.hasOwn(FILES, path ?? '-')) return refuse(response, 404, 'There is no such page.');
    const [file, type] = FILES[path];
    response.setHeader('Content-Type', type);
    response.end(readFileSync(join(__dirname, 'page', file)));
  }

  /**
   * Sends the lines of a process as server-sent events. If the browser is slow, the process drops lines.
   *
   * @param {string} id
   * @param {import('node:http').ServerResponse} response
   */
  #stream(id, response) {
    if (this.#streams.size >= MAX_STREAMS) return refuse(response, 503, 'Too many views are open.');
    const source = openProcess(this.#directory, id);
    this.#streams.add(response);
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    source.on('connect', () => source.write(STREAM));
    /** @param {string} line */
    const onLine = line => {
      if (!response.write(`data: ${line}\n\n`)) source.pause();
    };
    source.on(
      'data',
      lineSplitter(onLine, () => source.destroy())
    );
    response.on('drain', () => source.resume());
    source.on('error', () => source.destroy());
    source.on('close', () => response.end('event: gone\ndata:\n\n'));
    response.on('close', () => {
      this.#streams.delete(response);
      source.destroy();
    });
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} message
 */
function refuse(response, status, message) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {unknown} value
 */
function sendJson(response, value) {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
}

module.exports = { Inspector };
