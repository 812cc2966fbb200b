'use strict';

/** Converts `config.agent` into the route of a native connection. An agent that is not supported is an error. */

const http = require('node:http');
const https = require('node:https');
const { environmentProxy } = require('./environment-proxy.cjs');
const { globalAgentRoute } = require('./global-agent.cjs');
const { agentKeepAlive } = require('./tcp-keep-alive.cjs');
const { proxyRoute, routeBy } = require('./proxy-agent.cjs');
const { TLS_OPTIONS, certificateName, tlsOptions } = require('./tls-options.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/** Node's classes. A program can later put other classes into their places, perhaps to use a proxy. */
const { Agent: HttpAgent } = http;
const { Agent: HttpsAgent } = https;

/** Agent options for pooling or HTTP. They have no effect on one WebSocket. */
const IRRELEVANT = new Set([
  'agentKeepAliveTimeoutBuffer',
  // Node 22.23 and later set these two on every https agent. `ws` passes the port itself, and `agent.protocol` is
  // checked below.
  'defaultPort',
  'protocol',
  'keepAlive',
  'keepAliveInitialDelay',
  'keepAliveMsecs',
  'maxCachedSessions',
  'maxFreeSockets',
  'maxSockets',
  'maxTotalSockets',
  'noDelay',
  'scheduling',
  'timeout'
]);
/** Options that the native connection supports. */
const SUPPORTED_OPTIONS = new Set([...TLS_OPTIONS, 'family', 'localAddress', 'lookup']);

/** The methods that make a connection. An agent that overrides one of them is not an agent of Node's own. */
const METHODS = ['addRequest', 'createConnection', 'createSocket'];

/**
 * @typedef {object} ConnectionTarget
 * @property {boolean} secure whether the URL is `wss:`
 * @property {string} host the host of the URL; an IPv6 address has no brackets
 * @property {number} port
 * @property {string} path path and query
 * @property {string} [hostHeader] the `Host` header that the caller has set
 * @property {string} authority host and port as written in the URL
 */

/**
 * `dns.lookup`, or the function of an agent.
 *
 * @callback Lookup
 * @param {string} host
 * @param {object} options
 * @param {(error: Error | null, result: any, family?: number) => void} callback
 * @returns {void}
 */

/**
 * @typedef {object} Route
 * @property {string} host the first host to connect to: the target or a proxy
 * @property {number} port
 * @property {string} [localAddress] the address to connect from
 * @property {number} [family] 4 or 6, for the lookup of `host`
 * @property {Lookup} [lookup] resolves `host`
 * @property {number} [tcpKeepAliveSeconds] seconds without traffic before the first TCP keep-alive probe
 * @property {import('../addon/native').SocketTlsOptions} [tls] settings for TLS with the target
 * @property {import('../addon/native').SocketProxyOptions} [proxy] the request to the proxy
 * @property {Lookup} [lookupTarget] resolves the target's name, if the proxy must get an address
 * @property {string} [target] the request target, if it is not the path
 * @property {string[]} [headers] additional request headers: name, value, name, value, …
 * @property {(error: Error) => Error} [adaptError] changes an error of the connection like the agent does
 * @property {boolean} [isForced] whether the connection must not fall back to another route
 */

/**
 * @param {any} agent
 * @param {ConnectionTarget} target
 * @returns {Route}
 * @throws {TypeError} if Node's http client would throw
 * @throws {UnsupportedConnectionError} if the agent is not supported
 */
function routeOf(agent, target) {
  if (agent === undefined || agent === null) {
    const proxy = environmentProxy(target);
    if (proxy !== undefined) return { ...routeBy(proxy, {}, undefined, target, checkOptions), isForced: true };
  }
  return globalAgentRoute(agent, target, { routeOf: agentRoute }) ?? agentRoute(agent, target);
}

/**
 * The route by the agent alone.
 *
 * @param {any} agent
 * @param {ConnectionTarget} target
 */
function agentRoute(agent, target) {
  if (agent === undefined || agent === null) return directRoute({}, target);
  if (agent === false) {
    // Node makes an agent of the class of the global agent.
    const { globalAgent } = target.secure ? https : http;
    if (globalAgent?.constructor !== (target.secure ? HttpsAgent : HttpAgent)) {
      throw new UnsupportedConnectionError('the agent is false, and another package has replaced the global agent');
    }
    return directRoute({}, target);
  }
  if (typeof agent.addRequest !== 'function') {
    const message = 'The "options.agent" property must be one of Agent-like Object, undefined, or false.';
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  if (!isPlain(agent)) return proxyRoute(agent, target, { routeOf: agentRoute, checkOptions });
  const expected = agent.protocol;
  const protocol = target.secure ? 'https:' : 'http:';
  if (expected && expected !== protocol) {
    const message = `Protocol "${protocol}" not supported. Expected "${expected}"`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_PROTOCOL' });
  }
  if (agent instanceof HttpsAgent !== target.secure) {
    throw new UnsupportedConnectionError(
      target.secure ? 'a wss: connection needs an https.Agent' : 'a ws: connection needs an http.Agent'
    );
  }
  const options = agent.options ?? {};
  checkOptions(options);
  return { ...directRoute(options, target), tcpKeepAliveSeconds: agentKeepAlive(agent, target.secure) };
}

/**
 * @param {import('./tls-options.cjs').ConnectOptions} options
 * @param {ConnectionTarget} target
 */
function directRoute(options, target) {
  const { localAddress, family, lookup } = options;
  const tls = target.secure ? tlsOptions(options, certificateName(target)) : undefined;
  return { host: target.host, port: target.port, localAddress, family, lookup, tls };
}

/**
 * @param {object} options options of an agent or of a connection
 * @param {string[]} [others] options that the caller handles itself
 * @throws {UnsupportedConnectionError} for an option that is not supported
 */
function checkOptions(options, others = []) {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (IRRELEVANT.has(name) || SUPPORTED_OPTIONS.has(name) || others.includes(name)) continue;
    throw new UnsupportedConnectionError(`its option "${name}" is not supported`);
  }
}

/**
 * Whether an agent connects exactly like an agent of Node's own.
 *
 * @param {any} agent
 */
function isPlain(agent) {
  const base = agent instanceof HttpsAgent ? HttpsAgent : HttpAgent;
  const prototype = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (base.prototype));
  return agent instanceof base && METHODS.every(method => /** @type {any} */ (agent)[method] === prototype[method]);
}

module.exports = { routeOf };
