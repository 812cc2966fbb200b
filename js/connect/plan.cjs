'use strict';

/** Converts Baileys' configuration into a plan for one connection, with the checks and errors of `ws` and Node. */

const dns = require('node:dns');
const { validateHeaderName, validateHeaderValue } = require('node:http');
const { isIP } = require('node:net');
const { routeOf } = require('./agent.cjs');
const { configuredKeepAlive } = require('./tcp-keep-alive.cjs');
const { refuseInterception } = require('./interception.cjs');
const { sharedLookup } = require('./shared-lookup.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/** @import { WebSocketClientConfig } from '../../index' */

/** Baileys' `DEFAULT_ORIGIN`. */
const DEFAULT_ORIGIN = 'https://web.whatsapp.com';

/** The protocol in URLs of Unix-domain sockets. */
const UNIX_PROTOCOL = 'ws+unix:';

/**
 * A plan, or the error that prevents the connection. `options` are for the addon; `resolvePlan` adds the addresses.
 *
 * @typedef {{ url: string, options: SocketOptions, route: Route, error?: undefined }
 *   | { url: string, options: SocketOptions, route?: undefined, error: Error }} Plan
 */

/** @typedef {import('./agent.cjs').Route} Route */
/** @typedef {import('../addon/native').SocketOptions} SocketOptions */

/**
 * @param {URL | string} address
 * @param {WebSocketClientConfig} config
 * @returns {Plan}
 * @throws {SyntaxError | TypeError} if `ws` or Node would throw
 */
function planConnection(address, config) {
  const url = parseUrl(address);
  const secure = url.protocol === 'wss:';
  const headers = headerLines(config?.options?.headers, url);
  if (url.protocol === UNIX_PROTOCOL) {
    const error = new UnsupportedConnectionError('the URL is that of a Unix-domain socket', false);
    return { url: url.href, options: /** @type {any} */ ({}), error };
  }
  const target = {
    secure,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port ? Number(url.port) : secure ? 443 : 80,
    path: url.pathname + url.search,
    hostHeader: hostHeader(headers),
    authority: url.host
  };
  /** @type {SocketOptions} */
  const options = {
    addresses: [],
    port: target.port,
    host: url.host,
    target: target.path,
    headers,
    origin: DEFAULT_ORIGIN,
    handshakeTimeout: typeof config?.connectTimeoutMs === 'number' ? config.connectTimeoutMs : undefined
  };
  let route;
  try {
    route = routeOf(config?.agent, target);
    if (!route.isForced) refuseInterception(secure);
  } catch (error) {
    if (error.code === 'ERR_INVALID_ARG_TYPE' || error.code === 'ERR_INVALID_PROTOCOL') throw error;
    return { url: url.href, options, error };
  }
  options.port = route.port;
  options.target = route.target ?? target.path;
  if (route.headers) options.headers = [...headers, ...route.headers];
  if (route.localAddress !== undefined) options.localAddress = route.localAddress;
  const configured = configuredKeepAlive(config);
  const tcpKeepAliveSeconds = configured === undefined ? route.tcpKeepAliveSeconds : configured || undefined;
  if (tcpKeepAliveSeconds !== undefined) options.tcpKeepAliveSeconds = tcpKeepAliveSeconds;
  if (route.tls) options.tls = route.tls;
  if (route.proxy) options.proxy = route.proxy;
  return { url: url.href, options, route };
}

/**
 * Checks the URL like `ws`, with the same messages.
 *
 * @param {URL | string} address
 */
function parseUrl(address) {
  let url = address instanceof URL ? address : parsed(address);
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    const secure = url.protocol === 'https:';
    url = new URL(url);
    url.protocol = secure ? 'wss:' : 'ws:';
  }
  if (url.protocol === UNIX_PROTOCOL && !url.pathname) throw new SyntaxError("The URL's pathname is empty");
  if (!['ws:', 'wss:', UNIX_PROTOCOL].includes(url.protocol)) {
    throw new SyntaxError('The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"');
  }
  if (url.hash) throw new SyntaxError('The URL contains a fragment identifier');
  return url;
}

/** @param {string} address */
function parsed(address) {
  try {
    return new URL(address);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
}

/**
 * Header lines as Node's http client writes them: name, value, name, value, …
 *
 * @param {object | undefined} given
 * @param {URL} url
 */
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

/** @param {string[]} lines */
function hostHeader(lines) {
  const at = lines.findIndex(
    (/** @type {string} */ name, /** @type {number} */ i) => i % 2 === 0 && name.toLowerCase() === 'host'
  );
  return at < 0 ? undefined : lines[at + 1];
}

/**
 * Adds the addresses to the options of a plan, within its time limit and with the errors of a socket of `ws`.
 *
 * @param {SocketOptions} options the options of the plan
 * @param {Route} route
 * @param {(error: Error | null) => void} done
 */
function resolvePlan(options, route, done) {
  /** @type {NodeJS.Timeout | null | undefined} */
  let timer = null;
  /** @param {Error | null} error */
  const finish = error => {
    if (timer === undefined) return;
    clearTimeout(timer ?? undefined);
    timer = undefined;
    done(error);
  };
  if (options.handshakeTimeout !== undefined && options.handshakeTimeout > 0) {
    timer = setTimeout(() => finish(new Error('Opening handshake has timed out')), options.handshakeTimeout);
    timer.unref();
  }
  resolveNames(options, route, (error, isOfProxy) => {
    // If the name of a proxy cannot be resolved, the npm package `socks` reports only the message of the error.
    finish(error && isOfProxy && route.proxy?.protocol.startsWith('socks') ? new Error(error.message) : error);
  });
}

/**
 * Adds the addresses to the options of a plan. It calls `dns.lookup` or the agent's function, like Node's
 * `net.connect`: errors and the order of addresses are the same, and a replaced `dns.lookup` is used.
 *
 * @param {SocketOptions} options the options of the plan
 * @param {Route} route
 * @param {(error: Error | null, isOfProxy?: boolean) => void} done `isOfProxy`: the error is of the name of the first host
 */
function resolveNames(options, route, done) {
  const { host, family, lookup, lookupTarget, proxy } = route;
  const resolveHost = () => {
    resolveAddresses(host, lookup, family, (error, addresses) => {
      options.addresses = addresses;
      done(error, true);
    });
  };
  if (lookupTarget === undefined || proxy === undefined || isIP(proxy.host)) {
    resolveHost();
    return;
  }
  lookupTarget(proxy.host, {}, (error, result) => {
    if (error) {
      done(error);
      return;
    }
    proxy.host = typeof result === 'string' ? result : result[0].address;
    resolveHost();
  });
}

/**
 * @param {string} host
 * @param {import('./agent.cjs').Lookup | undefined} lookup
 * @param {number | undefined} family
 * @param {(error: Error | null, addresses: string[]) => void} done
 */
function resolveAddresses(host, lookup, family, done) {
  if (isIP(host)) {
    done(null, [host]);
    return;
  }
  /**
   * @param {Error | null} error
   * @param {any} result
   * @param {number} [resultFamily]
   */
  const callback = (error, result, resultFamily) => {
    if (error) {
      done(error, []);
      return;
    }
    const results = Array.isArray(result) ? result : [{ address: result, family: resultFamily }];
    const valid = results.filter(({ address }) => isIP(address));
    if (valid.length > 0) done(null, interleaveFamilies(valid));
    else done(invalidAddress(results[0]?.address), []);
  };
  if (lookup === undefined && family === undefined) sharedLookup(host, callback);
  else (lookup ?? dns.lookup)(host, { all: true, family: family ?? 0, hints: 0 }, callback);
}

/**
 * The error of Node for a lookup that gives no IP address.
 *
 * @param {unknown} address
 */
function invalidAddress(address) {
  return Object.assign(new TypeError(`Invalid IP address: ${address}`), { code: 'ERR_INVALID_IP_ADDRESS' });
}

/**
 * Removes repeated addresses and alternates IPv4 and IPv6, starting with the family of the first address.
 *
 * @param {{ address: string, family?: number }[]} results
 */
function interleaveFamilies(results) {
  const first = results.filter(({ family }) => family === results[0].family).map(({ address }) => address);
  const other = results.filter(({ family }) => family !== results[0].family).map(({ address }) => address);
  const ordered = new Set();
  for (let i = 0; i < Math.max(first.length, other.length); i++) {
    if (i < first.length) ordered.add(first[i]);
    if (i < other.length) ordered.add(other[i]);
  }
  return [...ordered];
}

module.exports = { DEFAULT_ORIGIN, planConnection, resolveNames, resolvePlan };
