'use strict';

const { planConnection } = require('../socket/options.cjs');
const { Unsupported } = require('../socket/unsupported.cjs');
const { trustedRoots } = require('../trust.cjs');
const { nativeCredentials } = require('./credentials.cjs');

/** Baileys' `waWebSocketUrl`. */
const DEFAULT_URL = 'wss://web.whatsapp.com/ws/chat';

/** Times, in milliseconds, and what the addon calls them. */
const TIMES = {
  connectTimeoutMs: 'connectTimeout',
  closeTimeoutMs: 'closeTimeout',
  keepAliveIntervalMs: 'keepAliveInterval',
  keepAliveGraceMs: 'keepAliveGrace',
  socketPingIntervalMs: 'socketPingInterval',
  queryTimeoutMs: 'queryTimeout',
  firstQrTimeoutMs: 'firstQrTimeout',
  qrTimeoutMs: 'qrTimeout'
};
/** Those where 0 has a meaning of its own. */
const MAY_BE_ZERO = new Set(['queryTimeoutMs', 'socketPingIntervalMs', 'keepAliveGraceMs']);
/** What the addon takes as it is. */
const AS_GIVEN = [
  'version',
  'browser',
  'countryCode',
  'pushName',
  'syncFullHistory',
  'resume',
  'maxQueries',
  'activate',
  'offlineBatch',
  'outgoing',
  'incoming'
];

/** @param {any} options of NativeSession */
function sessionOptions({ auth, url = DEFAULT_URL, agent, headers, trustedRoot, reconnect = {}, ...rest }) {
  const creds = auth?.creds ?? auth;
  if (creds === null || typeof creds !== 'object') throw new TypeError('auth: credentials are required');
  const { connectTimeoutMs = 20_000 } = rest;
  const plan = planConnection(url, { agent, options: { headers }, connectTimeoutMs });
  if (plan.route === undefined) throw plan.error;
  const { host, lookup, family, lookupTarget } = plan.route;
  // Names are resolved for each connection, while JavaScript may be busy.
  if (lookup !== undefined || family !== undefined || lookupTarget !== undefined) {
    throw new Unsupported('a session resolves names itself, without functions or families of an agent');
  }
  /** @type {any} */
  const native = {
    hostname: host,
    socket: plan.options,
    credentials: nativeCredentials(creds),
    roots: Buffer.from(trustedRoots(trustedRoot)),
    ...reconnectOptions(reconnect)
  };
  for (const [name, nativeName] of Object.entries(TIMES)) {
    const value = rest[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value < (MAY_BE_ZERO.has(name) ? 0 : 1)) {
      throw new RangeError(`${name} is a number of milliseconds`);
    }
    native[nativeName] = value;
  }
  if (rest.knownServer !== undefined) {
    const { key, notBefore, notAfter } = rest.knownServer;
    native.knownServer = { key: Buffer.from(String(key), 'base64'), notBefore, notAfter };
  }
  for (const name of AS_GIVEN) if (rest[name] !== undefined) native[name] = rest[name];
  return { creds, native };
}

function reconnectOptions(reconnect) {
  if (reconnect === false) return { reconnect: false, reconnectClasses: [] };
  const { baseMs, maxMs, attempts, classes = {} } = reconnect;
  return {
    reconnect: true,
    reconnectBase: baseMs,
    reconnectMax: maxMs,
    reconnectAttempts: attempts,
    reconnectClasses: Object.entries(classes).map(([code, kind]) => ({ code: Number(code), class: kind }))
  };
}

module.exports = { sessionOptions };
