'use strict';

/**
 * Detects programs that replace the functions by which Node makes connections. A replaced function may send all
 * connections through a proxy. A native connection would bypass that proxy.
 */

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');
const { readFileSync } = require('node:fs');
const { environmentSwitch } = require('../shared/environment.cjs');
const { isGlobalAgents } = require('./global-agent.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/** The modules of Node that contain the functions below. The names differ between versions of Node. */
const MODULES = ['net', 'http', 'https', 'tls', '_http_agent', '_tls_wrap', 'internal/tls/wrap'];

/**
 * Functions that `ws` and Node call to make a connection, with and without an agent.
 *
 * @type {{ name: string, owner: any, key: string, secure?: boolean }[]}
 */
const CONNECT_FUNCTIONS = [
  { name: 'http.request', owner: http, key: 'request', secure: false },
  { name: 'https.request', owner: https, key: 'request', secure: true },
  { name: 'http.Agent.prototype.addRequest', owner: http.Agent.prototype, key: 'addRequest' },
  { name: 'http.Agent.prototype.createSocket', owner: http.Agent.prototype, key: 'createSocket' },
  { name: 'http.Agent.prototype.createConnection', owner: http.Agent.prototype, key: 'createConnection' },
  { name: 'https.Agent.prototype.addRequest', owner: https.Agent.prototype, key: 'addRequest' },
  { name: 'https.Agent.prototype.createSocket', owner: https.Agent.prototype, key: 'createSocket' },
  { name: 'https.Agent.prototype.createConnection', owner: https.Agent.prototype, key: 'createConnection' },
  { name: 'net.connect', owner: net, key: 'connect' },
  { name: 'net.createConnection', owner: net, key: 'createConnection' },
  { name: 'net.Socket.prototype.connect', owner: net.Socket.prototype, key: 'connect' },
  { name: 'tls.connect', owner: tls, key: 'connect' },
  { name: 'tls.TLSSocket.prototype.connect', owner: tls.TLSSocket.prototype, key: 'connect' }
];

/** The functions when this file was loaded. They are the reference if the source text of Node cannot be read. */
const loaded = new Set(CONNECT_FUNCTIONS.map(({ owner, key }) => owner[key]));

/** Keys of the function by which `agent-base` 4 and 5 replace `https.request`. It does not redirect connections. */
const HARMLESS_MARKS = ['__agent_base_https_request_patched__'];

/** Folders of tracing libraries. Their wrappers do not have the wrapped function in a property. */
const TRACERS = /[\\/]node_modules[\\/](?:dd-trace|elastic-apm-node)[\\/]/;

/** @type {WeakMap<object, boolean>} Whether a function connects like Node's own. */
const harmlessCache = new WeakMap();

/** @type {string[] | undefined} */
let nodeSources;

/**
 * @param {boolean} secure whether the URL is `wss:`
 * @throws {UnsupportedConnectionError} if one of the functions is neither Node's own nor a wrapper of a tracing library
 */
function refuseInterception(secure) {
  const ignored = environmentSwitch('BAILEYS_NATIVE_IGNORE_WRAPPERS');
  if (ignored === true) return;
  const names = typeof ignored === 'string' ? ignored.split(',').map(name => name.trim()) : [];
  for (const { name, owner, key, secure: only } of CONNECT_FUNCTIONS) {
    if (only !== undefined && only !== secure) continue;
    if (isInheritedFromAnother(owner, key)) continue;
    if (isHarmless(owner[key]) || names.includes(name)) continue;
    throw new UnsupportedConnectionError(
      `another package has replaced ${name}, perhaps to use a proxy. ` +
        `If it does not redirect connections, add ${name} to BAILEYS_NATIVE_IGNORE_WRAPPERS`,
      false
    );
  }
}

/**
 * Whether an object inherits a function from an object that has its own entry in CONNECT_FUNCTIONS, where it is checked.
 *
 * @param {any} owner
 * @param {string} key
 */
function isInheritedFromAnother(owner, key) {
  if (Object.hasOwn(owner, key)) return false;
  return CONNECT_FUNCTIONS.some(other => other.key === key && other.owner !== owner && other.owner[key] === owner[key]);
}

/** @param {any} value the value in one of CONNECT_FUNCTIONS */
function isHarmless(value) {
  if (typeof value !== 'function') return false;
  let harmless = harmlessCache.get(value);
  if (harmless === undefined) {
    // The agents of the package global-agent are followed.
    harmless = isNodesOwn(value) || isTracingWrapper(value) || isGlobalAgents(value);
    harmlessCache.set(value, harmless);
  }
  return harmless;
}

/**
 * Compares source texts, to detect functions that were replaced before this file was loaded.
 *
 * @param {Function} value
 */
function isNodesOwn(value) {
  nodeSources ??= readNodeSources();
  if (nodeSources.length === 0) return loaded.has(value);
  const text = Function.prototype.toString.call(value);
  return nodeSources.some(source => source.includes(text));
}

/** The source texts of Node's modules; empty if the permission model or another runtime does not provide them. */
function readNodeSources() {
  if (process.versions.bun !== undefined || process.versions.deno !== undefined) return [];
  const { noDeprecation } = process;
  try {
    // Only the deprecated `process.binding` has these texts.
    process.noDeprecation = true;
    const natives = /** @type {any} */ (process).binding('natives');
    return MODULES.map(name => natives[name]).filter(source => typeof source === 'string');
  } catch {
    return [];
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/**
 * Whether a function is the wrapper of a tracing library around a harmless function.
 *
 * @param {any} value
 * @returns {boolean}
 */
function isTracingWrapper(value) {
  if (HARMLESS_MARKS.some(mark => Object.hasOwn(value, mark))) return true;
  const beneath = originalOf(value);
  if (beneath !== undefined) return isHarmless(beneath);
  const text = Function.prototype.toString.call(value);
  return Object.keys(require.cache).some(path => TRACERS.test(path) && readText(path).includes(text));
}

/**
 * The wrapped function. `shimmer` and OpenTelemetry store it in `__original`, New Relic under a symbol.
 *
 * @param {any} value
 */
function originalOf(value) {
  if (value.__wrapped === true && typeof value.__original === 'function') return value.__original;
  const symbols = Object.getOwnPropertySymbols(value);
  /** @param {string} description */
  const named = description => symbols.find(symbol => symbol.description === description);
  const original = named('original');
  return original !== undefined && named('unwrap') !== undefined ? value[original] : undefined;
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

module.exports = { refuseInterception };
