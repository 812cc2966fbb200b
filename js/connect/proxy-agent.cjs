'use strict';

/**
 * Routes for the proxy agents that Baileys' users configure. These published versions are recognised:
 *
 * | package | versions |
 * | --- | --- |
 * | `https-proxy-agent` | 5, 6, 7, 8, 9 |
 * | `http-proxy-agent` (for `ws:`) | 5, 6, 7, 8, 9 |
 * | `socks-proxy-agent` | 6, 7, 8, 9, 10 |
 * | `proxy-agent` | 6, 7, 8 |
 * | `@openclaw/proxyline` (`ProxylineNodeProxyAgent`) | 0.3 |
 *
 * The older versions are built on agent-base 6: its agents connect in the method `callback`. The later versions are
 * built on later versions of agent-base: these agents extend `http.Agent` and connect in the method `connect`.
 */

const { EventEmitter } = require('node:events');
const http = require('node:http');
const { isIPv6 } = require('node:net');
const dns = require('node:dns');
const { Agent: HttpAgent, validateHeaderName, validateHeaderValue } = http;
const { keepAliveOf } = require('./tcp-keep-alive.cjs');
const { TLS_OPTIONS, certificateName, tlsOptions } = require('./tls-options.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/** @typedef {import('./agent.cjs').ConnectionTarget} ConnectionTarget */
/** @typedef {import('./agent.cjs').Route} Route */
/** @typedef {import('./tls-options.cjs').ConnectOptions} ConnectOptions */
/** @typedef {Record<string, any>} Agent An agent of one of the packages. Its fields depend on the version. */
/** @typedef {(options: object, others?: string[]) => void} CheckOptions */
/** @typedef {{ routeOf: (agent: unknown, target: ConnectionTarget) => Route, checkOptions: CheckOptions }} Tools */
/** @typedef {(agent: Agent, target: ConnectionTarget, tools: Tools) => Route} MakeRoute */
/** @typedef {{ methods: string[], connects: string, word: string, route: MakeRoute }} Known */

/** Default timeout of the npm package `socks`, in milliseconds. */
const SOCKS_TIMEOUT = 30_000;
const SOCKS_PORT = 1080;

/** Fields of the result of `url.parse`. The older versions store this object as their options. */
const URL_FIELDS = ['protocol', 'slashes', 'host', 'hostname', 'port', 'hash', 'search', 'query', 'href'];

/**
 * The known agents by class name and generation of agent-base: the methods of the class, the method that connects, a
 * word in the source of that method, and the function that makes the route.
 */
const KNOWN = /** @type {Record<string, Record<number | string, Known>>} */ ({
  HttpsProxyAgent: {
    6: { methods: ['callback'], connects: 'callback', word: 'CONNECT ', route: oldHttpsRoute },
    7: {
      methods: ['connect', 'secureProxy', '_connectWithAuth'],
      connects: 'connect',
      word: 'CONNECT ',
      route: httpsRoute
    }
  },
  HttpProxyAgent: {
    6: { methods: ['callback'], connects: 'callback', word: '_implicitHeader', route: oldHttpRoute },
    7: {
      methods: ['addRequest', 'setRequestProps', 'connect', 'secureProxy'],
      connects: 'connect',
      word: '_implicitHeader',
      route: httpRoute
    }
  },
  SocksProxyAgent: {
    6: { methods: ['callback'], connects: 'callback', word: 'SocksClient', route: oldSocksRoute },
    7: { methods: ['connect'], connects: 'connect', word: 'SocksClient', route: socksRoute }
  },
  ProxylineNodeProxyAgent: {
    node: {
      methods: ['defaultPort', 'protocol', 'getProxyForUrl', 'addRequest', 'destroy'],
      connects: 'addRequest',
      word: 'ProxylineConnectAgent',
      route: proxylineRoute
    }
  },
  ProxyAgent: {
    7: { methods: ['connect', 'destroy'], connects: 'connect', word: 'getProxyForUrl', route: chosenRoute }
  }
});

/**
 * @param {Agent} agent not an agent of Node's own
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 * @returns {Route}
 * @throws {UnsupportedConnectionError} if the agent is not one of those above, or has an option that is not supported
 */
function proxyRoute(agent, target, tools) {
  return recognise(agent).route(agent, target, tools);
}

/**
 * Returns the entry of KNOWN for an agent that is an unchanged instance of a known class.
 *
 * @param {Agent} agent
 */
function recognise(agent) {
  const prototype = Object.getPrototypeOf(agent);
  const name = prototype?.constructor?.name || '(unnamed)';
  const base = Object.getPrototypeOf(prototype ?? {});
  const root = Object.getPrototypeOf(base ?? {});
  const isOfNode = base === HttpAgent.prototype;
  const generation = isOfNode ? 'node' : root === HttpAgent.prototype ? 7 : root === EventEmitter.prototype ? 6 : 0;
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name][generation] : undefined;
  if (known === undefined || base.constructor.name !== 'Agent') {
    throw new UnsupportedConnectionError(
      `the agent class ${name} is not supported; docs/proxies.md has the supported classes`
    );
  }
  const methods = Object.getOwnPropertyNames(prototype).filter(method => method !== 'constructor');
  const connects = Object.getOwnPropertyDescriptor(prototype, known.connects)?.value;
  const isUnchanged =
    methods.every(method => known.methods.includes(method)) &&
    typeof connects === 'function' &&
    String(connects).includes(known.word) &&
    Object.entries(agent).every(([key, value]) => isData(agent, key, value));
  if (!isUnchanged) throw new UnsupportedConnectionError(`${name} was modified, or has an unknown version`);
  // A native connection cannot emit this event: it carries the proxy's response.
  if (agent.listenerCount('proxyConnect') > 0)
    throw new UnsupportedConnectionError(
      `${name} has listeners of "proxyConnect", an event that baileys-native does not emit`
    );
  return known;
}

/**
 * Whether a property of an agent is data: a function there could replace a method of the class.
 *
 * @param {Agent} agent
 * @param {string} key
 * @param {unknown} value
 */
function isData(agent, key, value) {
  if (typeof value !== 'function') return true;
  if (key === 'promisifiedCallback') return value === agent.callback;
  return key === 'proxyHeaders' || key === 'getProxyForUrl';
}

// --- https-proxy-agent

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function httpsRoute(agent, target, { checkOptions }) {
  const { proxy, proxyHeaders, connectOpts, options } = agent;
  checkOptions(options ?? {}, ['path']);
  return httpsRouteTo({ proxy, proxyHeaders, connectOpts, keepAlive: agent.keepAlive }, options, target, checkOptions);
}

/**
 * @param {{ proxy: any, proxyHeaders: any, connectOpts: any, keepAlive: unknown }} hop
 * @param {ConnectOptions | undefined} targetOptions options for TLS with the target
 * @param {ConnectionTarget} target
 * @param {CheckOptions} checkOptions
 */
function httpsRouteTo({ proxy, proxyHeaders, connectOpts, keepAlive }, targetOptions, target, checkOptions) {
  if (!isHttpProxy(proxy)) throw new UnsupportedConnectionError('it has no proxy URL with http: or https:');
  checkOptions(connectOpts, ['host', 'port', 'ALPNProtocols', 'httpAgent', 'httpsAgent', 'getProxyForUrl']);
  const headers = { ...(typeof proxyHeaders === 'function' ? proxyHeaders() : proxyHeaders) };
  if (proxy.username || proxy.password) headers['Proxy-Authorization'] = basic(credentials(proxy));
  headers.Host = `${bracketed(target.host)}:${target.port}`;
  if (!headers['Proxy-Connection']) headers['Proxy-Connection'] = keepAlive ? 'Keep-Alive' : 'close';
  return tunnel(
    connectOpts,
    proxy.protocol === 'https:',
    headers,
    targetOptions ?? {},
    certificateName(target),
    target
  );
}

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function oldHttpsRoute(agent, target, { checkOptions }) {
  const { proxy, secureProxy } = agent;
  checkOptions(proxy, [...URL_FIELDS, 'auth', 'headers', 'secureProxy', 'ALPNProtocols']);
  const headers = { ...proxy.headers };
  if (proxy.auth) headers['Proxy-Authorization'] = basic(proxy.auth);
  const host = bracketed(target.host);
  headers.Host = target.port === (target.secure ? 443 : 80) ? host : `${host}:${target.port}`;
  headers.Connection = 'close';
  return { ...tunnel(proxy, Boolean(secureProxy), headers, {}, target.host, target), adaptError: countAsTimeout };
}

/**
 * If a proxy ends the connection without an answer, version 5 of the agent waits until the timeout, which Baileys
 * reports as 408. The native connection fails at once, with a code that Baileys also maps to 408.
 *
 * @param {NodeJS.ErrnoException} error
 */
function countAsTimeout(error) {
  if (error.message.startsWith('Proxy connection ended')) error.code = 'ECONNRESET';
  return error;
}

/**
 * A route through a proxy by `CONNECT`.
 *
 * @param {ConnectOptions} hop options for the connection to the proxy
 * @param {boolean} isSecure whether the connection to the proxy uses TLS
 * @param {Record<string, any>} headers
 * @param {ConnectOptions} targetOptions
 * @param {string} name
 * @param {ConnectionTarget} target
 */
function tunnel(hop, isSecure, headers, targetOptions, name, target) {
  const first = firstHop(hop);
  return {
    ...first,
    tcpKeepAliveSeconds: keepAliveOf(hop, isSecure),
    tls: target.secure ? tlsOptions(targetOptions, name) : undefined,
    proxy: {
      protocol: 'http',
      host: target.host,
      port: target.port,
      headers: headerLines(headers),
      tls: isSecure ? tlsOptions(hop, first.host) : undefined
    }
  };
}

// --- http-proxy-agent

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function httpRoute(agent, target, { checkOptions }) {
  const { proxy, proxyHeaders, connectOpts, options } = agent;
  if (!isHttpProxy(proxy)) throw new UnsupportedConnectionError('it has no proxy URL with http: or https:');
  checkOptions(options ?? {}, ['path', 'headers']);
  checkOptions(connectOpts, ['host', 'port']);
  const headers = { ...(typeof proxyHeaders === 'function' ? proxyHeaders() : proxyHeaders) };
  if (proxy.username || proxy.password) headers['Proxy-Authorization'] = basic(credentials(proxy));
  if (!headers['Proxy-Connection']) headers['Proxy-Connection'] = agent.keepAlive ? 'Keep-Alive' : 'close';
  for (const name of Object.keys(headers)) if (!headers[name]) delete headers[name];
  return forward(connectOpts, proxy.protocol === 'https:', headers, target);
}

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function oldHttpRoute(agent, target, { checkOptions }) {
  const { proxy, secureProxy } = agent;
  checkOptions(proxy, [...URL_FIELDS, 'auth', 'secureProxy', 'ALPNProtocols']);
  const headers = proxy.auth ? { 'Proxy-Authorization': basic(proxy.auth) } : {};
  return forward(proxy, Boolean(secureProxy), headers, target);
}

/**
 * A route without `CONNECT`: the request to the proxy has the URL of the target.
 *
 * @param {ConnectOptions} hop
 * @param {boolean} isSecure
 * @param {Record<string, any>} headers
 * @param {ConnectionTarget} target
 */
function forward(hop, isSecure, headers, target) {
  if (target.secure)
    throw new UnsupportedConnectionError('http-proxy-agent does not encrypt wss: connections; use https-proxy-agent');
  const url = new URL(target.path, `http://${target.hostHeader ?? target.authority}`);
  url.port = target.port === 80 ? '' : String(target.port);
  const first = firstHop(hop);
  return {
    ...first,
    tcpKeepAliveSeconds: keepAliveOf(hop, isSecure),
    tls: isSecure ? tlsOptions(hop, first.host) : undefined,
    target: url.href,
    headers: headerLines(headers)
  };
}

// --- socks-proxy-agent

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function socksRoute(agent, target, { checkOptions }) {
  const { proxy, shouldLookup, timeout, socketOptions, options } = agent;
  checkOptions(options ?? {}, ['path', 'socketOptions']);
  checkOptions(socketOptions ?? {}, ['host', 'port']);
  const lookupTarget = shouldLookup ? (options?.lookup ?? dns.lookup) : undefined;
  const settings = { proxy, lookupTarget, timeout, socketOptions, tls: options ?? {} };
  return socksRouteTo(settings, certificateName(target), target);
}

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function oldSocksRoute(agent, target, { checkOptions }) {
  const { proxy, shouldLookup, timeout, tlsConnectionOptions: tls } = agent;
  checkOptions(tls ?? {});
  for (const name of Object.keys(tls ?? {})) {
    if (!TLS_OPTIONS.includes(name)) throw new UnsupportedConnectionError(`its option "${name}" is not supported`);
  }
  const lookupTarget = shouldLookup ? dns.lookup : undefined;
  return socksRouteTo({ proxy, lookupTarget, timeout, socketOptions: {}, tls: tls ?? {} }, target.host, target);
}

/**
 * @param {object} settings
 * @param {any} settings.proxy
 * @param {Route['lookup']} [settings.lookupTarget]
 * @param {number} [settings.timeout]
 * @param {ConnectOptions} [settings.socketOptions]
 * @param {ConnectOptions} settings.tls
 * @param {string} name
 * @param {ConnectionTarget} target
 */
function socksRouteTo({ proxy, lookupTarget, timeout, socketOptions, tls }, name, target) {
  const { host, port, type, userId, password, ...others } = proxy ?? {};
  if ((type !== 4 && type !== 5) || Object.keys(others).length > 0)
    throw new UnsupportedConnectionError('its proxy is not SOCKS 4 or SOCKS 5, or has unknown options');
  const hasCredentials = Boolean(userId || password);
  return {
    ...firstHop({ ...socketOptions, host, port }),
    tls: target.secure ? tlsOptions(tls, name) : undefined,
    lookupTarget,
    proxy: {
      protocol: `socks${type}`,
      host: target.host,
      port: target.port,
      user: userId || '',
      password: type === 5 && hasCredentials ? password || '' : undefined,
      timeout: timeout || SOCKS_TIMEOUT
    }
  };
}

// --- proxy-agent

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function chosenRoute(agent, target, { routeOf, checkOptions }) {
  const { getProxyForUrl, connectOpts, options } = agent;
  const others = ['path', 'httpAgent', 'httpsAgent', 'getProxyForUrl', 'headers', 'socketOptions'];
  checkOptions(options ?? {}, others);
  // The second argument would be Node's request, which a native connection does not have.
  if (getProxyForUrl.length > 1)
    throw new UnsupportedConnectionError(
      'its getProxyForUrl has a second parameter (the request), which is not supported'
    );
  const scheme = target.secure ? 'wss:' : 'ws:';
  const url = getProxyForUrl(new URL(target.path, `${scheme}//${target.hostHeader ?? target.authority}`).href);
  if (typeof url?.then === 'function')
    throw new UnsupportedConnectionError('its getProxyForUrl returns a promise, which is not supported');
  if (!url) return routeOf(target.secure ? agent.httpsAgent : agent.httpAgent, target);
  return routeBy(url, connectOpts ?? {}, options, target, checkOptions);
}

/**
 * The route by the URL of a proxy.
 *
 * @param {string} url
 * @param {any} connectOpts options for the connection to the proxy
 * @param {any} options options for TLS with the target
 * @param {ConnectionTarget} target
 * @param {CheckOptions} checkOptions
 * @returns {Route}
 */
function routeBy(url, connectOpts, options, target, checkOptions) {
  const proxy = parse(url);
  const { headers: proxyHeaders, ...hop } = connectOpts;
  if (isHttpProxy(proxy)) {
    const connectTo = { ...hop, ...addressOf(proxy, proxy.protocol === 'https:' ? 443 : 80) };
    const { keepAlive } = hop;
    return httpsRouteTo({ proxy, proxyHeaders, connectOpts: connectTo, keepAlive }, options, target, checkOptions);
  }
  const version = /^socks(4|4a|5|5h)?:$/.exec(proxy.protocol);
  if (version === null)
    throw new UnsupportedConnectionError(`proxies with the protocol "${proxy.protocol}" are not supported`);
  checkOptions(hop.socketOptions ?? {}, ['host', 'port']);
  const isLocal = version[1] === '4' || version[1] === '5';
  const settings = {
    proxy: {
      ...addressOf(proxy, SOCKS_PORT),
      type: version[1]?.startsWith('4') ? 4 : 5,
      userId: decodeURIComponent(proxy.username),
      password: decodeURIComponent(proxy.password)
    },
    lookupTarget: isLocal ? (hop.lookup ?? dns.lookup) : undefined,
    timeout: hop.timeout,
    socketOptions: hop.socketOptions,
    tls: options ?? {}
  };
  return socksRouteTo(settings, certificateName(target), target);
}

// --- @openclaw/proxyline

/**
 * @param {Agent} agent
 * @param {ConnectionTarget} target
 * @param {Tools} tools
 */
function proxylineRoute(agent, target, { checkOptions }) {
  const options = agent.options ?? {};
  checkOptions(options, ['path']);
  const authority = `${bracketed(target.host)}:${target.port}`;
  const url = agent.getProxyForUrl(`${target.secure ? 'wss' : 'ws'}://${authority}${target.path}`);
  // The agent sees the whole request and may decide differently for it, so a direct connection is not assumed.
  if (!url) throw new UnsupportedConnectionError('its getProxyForUrl returned no proxy for this connection');
  const proxy = parse(url);
  // The certificates that the agent trusts for an https: proxy cannot be read.
  if (proxy.protocol !== 'http:')
    throw new UnsupportedConnectionError(
      `this agent is supported only with http: proxies, and its proxy has the protocol "${proxy.protocol}"`
    );
  /** @type {Record<string, string>} */
  const headers = { Host: authority, 'Proxy-Connection': options.keepAlive === true ? 'Keep-Alive' : 'close' };
  if (proxy.username || proxy.password) headers['Proxy-Authorization'] = basic(credentials(proxy));
  return tunnel(addressOf(proxy, 80), false, headers, options, certificateName(target), target);
}

// --- shared functions

/**
 * Parses the URL of a proxy. The error does not contain the URL, because it may contain a password.
 *
 * @param {string} url
 */
function parse(url) {
  if (URL.canParse(url)) return new URL(url);
  throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' });
}

/**
 * The first host to connect to, from options of `net.connect`.
 *
 * @param {ConnectOptions} options
 */
function firstHop({ host, port, localAddress, family, lookup }) {
  const isPort = Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65535;
  if (typeof host !== 'string' || host === '' || port === undefined || !isPort)
    throw new UnsupportedConnectionError('its proxy has no valid host and port');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port, localAddress, family, lookup };
}

/**
 * @param {URL} url
 * @param {number} defaultPort
 */
function addressOf(url, defaultPort) {
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || defaultPort };
}

/** @param {unknown} proxy */
function isHttpProxy(proxy) {
  return proxy instanceof URL && (proxy.protocol === 'http:' || proxy.protocol === 'https:');
}

/** @param {string} host */
function bracketed(host) {
  return isIPv6(host) ? `[${host}]` : host;
}

/** @param {URL} url */
function credentials({ username, password }) {
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/** @param {string} text */
function basic(text) {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

/**
 * Header lines: name, value, name, value, …
 *
 * @param {Record<string, any>} headers
 */
function headerLines(headers) {
  const lines = [];
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    lines.push(name, String(value));
  }
  return lines;
}

module.exports = { basic, forward, proxyRoute, routeBy, tunnel };
