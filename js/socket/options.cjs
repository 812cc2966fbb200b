'use strict';

/** What a socket connects to and how, out of Baileys' configuration, judged as `ws` and Node judge it. */

const dns = require('node:dns');
const { validateHeaderName, validateHeaderValue } = require('node:http');
const { isIP } = require('node:net');
const { agentOptions } = require('./agent.cjs');

/** Baileys' `DEFAULT_ORIGIN`. */
const DEFAULT_ORIGIN = 'https://web.whatsapp.com';

/**
 * @param {URL | string} address
 * @param {object} config
 * @returns {{ options: object, host: string, family?: number, lookup?: Function, error?: Error }} options of the native
 *   part, all but the addresses; `error` where the agent cannot be honoured
 */
function connectOptions(address, config) {
  const url = parseUrl(address);
  const secure = url.protocol === 'wss:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const headers = headerLines(config?.options?.headers, url);
  const options = {
    addresses: [],
    port: url.port ? Number(url.port) : secure ? 443 : 80,
    host: url.host,
    target: url.pathname + url.search,
    headers,
    origin: DEFAULT_ORIGIN,
    handshakeTimeout: typeof config?.connectTimeoutMs === 'number' ? config.connectTimeoutMs : undefined
  };
  const { error, tls, localAddress, family, lookup } = agentOptions(config?.agent, secure, host, hostHeader(headers));
  if (localAddress !== undefined) options.localAddress = localAddress;
  if (tls) options.tls = tls;
  return { options, host, family, lookup, error };
}

/** The checks of `ws`, with its messages. */
function parseUrl(address) {
  let url = address;
  if (!(address instanceof URL)) {
    try {
      url = new URL(address);
    } catch {
      throw new SyntaxError(`Invalid URL: ${address}`);
    }
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    const secure = url.protocol === 'https:';
    url = new URL(url);
    url.protocol = secure ? 'wss:' : 'ws:';
  }
  if (url.protocol === 'ws+unix:') throw new SyntaxError('Unix domain sockets ("ws+unix:") are not supported');
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new SyntaxError('The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"');
  }
  if (url.hash) throw new SyntaxError('The URL contains a fragment identifier');
  return url;
}

/** Names and values in turn, as Node's http client would write them. */
function headerLines(given, url) {
  const headers = new Map();
  for (const [name, value] of Object.entries({ ...given })) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    headers.set(name.toLowerCase(), [name, value]);
  }
  if ((url.username || url.password) && !headers.has('authorization')) {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', ['Authorization', `Basic ${Buffer.from(credentials).toString('base64')}`]);
  }
  const lines = [];
  for (const [key, [name, value]] of headers) {
    const values = !Array.isArray(value) ? [value] : key === 'cookie' ? [value.join('; ')] : value;
    for (const each of values) lines.push(name, String(each));
  }
  return lines;
}

function hostHeader(lines) {
  const at = lines.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  return at < 0 ? undefined : lines[at + 1];
}

/**
 * Resolves a host as Node's `net.connect` does, with `dns.lookup` or the agent's function, so that errors, order and
 * whatever a program put in their place are the same.
 *
 * @param {(error: Error | null, addresses?: string[]) => void} done
 */
function resolveAddresses(host, lookup, family, limit, done) {
  if (isIP(host)) {
    done(null, [host]);
    return;
  }
  let timer = null;
  const finish = (error, addresses) => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    done(error, addresses);
  };
  if (limit > 0) {
    timer = setTimeout(() => finish(new Error('Opening handshake has timed out')), limit);
    timer.unref();
  }
  const query = { all: true, family: family ?? 0, hints: 0 };
  (lookup ?? dns.lookup)(host, query, (error, result, resultFamily) => {
    if (error) finish(error);
    else finish(null, inTurn(Array.isArray(result) ? result : [{ address: result, family: resultFamily }]));
  });
}

/** Addresses of the two families in turn, each once, beginning with the first one's family. */
function inTurn(results) {
  const first = results.filter(({ family }) => family === results[0].family).map(({ address }) => address);
  const other = results.filter(({ family }) => family !== results[0].family).map(({ address }) => address);
  const ordered = new Set();
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    if (i < first.length) ordered.add(first[i]);
    if (i < other.length) ordered.add(other[i]);
  }
  return [...ordered];
}

module.exports = { connectOptions, resolveAddresses };
