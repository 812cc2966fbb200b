'use strict';

const { refuseInterception } = require('../connect/interception.cjs');
const { planConnection } = require('../connect/plan.cjs');
const { trustedRoots } = require('../connect/trust.cjs');
const { nativeCredentials } = require('./credentials.cjs');
const { ConnectLimiter } = require('./connect-limiter.cjs');
const { refuseUnknown } = require('./option-names.cjs');

/** Baileys' `waWebSocketUrl`. */
const DEFAULT_URL = 'wss://web.whatsapp.com/ws/chat';

/** Options that are times in milliseconds, with their names in the addon. */
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
/** Times that may be 0. */
const MAY_BE_ZERO = new Set(['queryTimeoutMs', 'socketPingIntervalMs', 'keepAliveGraceMs']);

/** @param {unknown} value */
const isText = value => typeof value === 'string';
/** @param {unknown} value */
const isFlag = value => typeof value === 'boolean';
/** @param {unknown} value */
const isCount = value => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
/**
 * @param {unknown} value
 * @param {(value: unknown) => boolean} each
 */
const isTriple = (value, each) => Array.isArray(value) && value.length === 3 && value.every(each);
/** @param {any} value */
const isBounds = value =>
  value !== null &&
  typeof value === 'object' &&
  [value.stanzas, value.bytes, value.limit].every(bound => bound === undefined || (bound >= 1 && bound <= 2 ** 31));

/**
 * Options that are passed to the addon unchanged: a test of the value, and its text for the error message.
 *
 * @type {Record<string, [(value: any) => boolean, string]>}
 */
const PASSED_THROUGH = {
  version: [value => isTriple(value, isCount), 'three whole numbers'],
  browser: [value => isTriple(value, isText), 'three strings'],
  countryCode: [isText, 'a string'],
  pushName: [isText, 'a string'],
  syncFullHistory: [isFlag, 'true or false'],
  resume: [isFlag, 'true or false'],
  maxQueries: [isCount, 'a whole number'],
  activate: [isFlag, 'true or false'],
  offlineBatch: [isCount, 'a whole number'],
  outgoing: [isBounds, 'an object with numbers of at least 1'],
  incoming: [isBounds, 'an object with numbers of at least 1']
};
const CLASSES = ['immediate', 'backoff', 'final'];

/** The names of all options. */
const NAMES = new Set([
  'auth',
  'url',
  'agent',
  'headers',
  'trustedRoot',
  'logger',
  'knownServer',
  'reconnect',
  'tcpKeepAliveMs',
  'connectLimiter',
  ...Object.keys(TIMES),
  ...Object.keys(PASSED_THROUGH)
]);
const NAMES_OF_BOUNDS = new Set(['stanzas', 'bytes', 'limit']);
const NAMES_OF_RECONNECT = new Set(['baseMs', 'maxMs', 'attempts', 'classes']);

/** @param {any} options of NativeSession */
function sessionOptions(options) {
  refuseUnknown(options, NAMES);
  const {
    auth,
    url = DEFAULT_URL,
    agent,
    headers,
    trustedRoot,
    reconnect = {},
    tcpKeepAliveMs,
    connectLimiter,
    ...rest
  } = options;
  const creds = auth?.creds ?? auth;
  if (creds === null || typeof creds !== 'object') throw new TypeError('auth: credentials are required');
  const { connectTimeoutMs = 20_000 } = rest;
  if (tcpKeepAliveMs !== undefined && !(Number.isFinite(tcpKeepAliveMs) && tcpKeepAliveMs >= 0)) {
    throw new RangeError('tcpKeepAliveMs must be a number of milliseconds');
  }
  const config = { agent, options: { headers }, connectTimeoutMs, tcpKeepAliveMs };
  // A new plan for each connection: the agent, the environment and the functions of Node may have changed.
  const plan = () => {
    const planned = planConnection(url, config);
    if (planned.route === undefined) throw planned.error;
    return planned;
  };
  const { url: address, route } = plan();
  /** @type {any} */
  const native = {
    credentials: nativeCredentials(creds),
    roots: Buffer.from(trustedRoots(trustedRoot)),
    ...reconnectOptions(reconnect)
  };
  for (const [name, nativeName] of Object.entries(TIMES)) {
    const value = rest[name];
    if (value === undefined) continue;
    const least = MAY_BE_ZERO.has(name) ? 0 : 1;
    if (!Number.isFinite(value) || value < least) {
      throw new RangeError(`${name} must be a number of milliseconds, at least ${least}`);
    }
    native[nativeName] = value;
  }
  if (rest.knownServer !== undefined) {
    const { key, notBefore, notAfter } = rest.knownServer;
    native.knownServer = { key: Buffer.from(String(key), 'base64'), notBefore, notAfter };
  }
  for (const [name, [isRight, what]] of Object.entries(PASSED_THROUGH)) {
    if (rest[name] === undefined) continue;
    if (!isRight(rest[name])) throw new TypeError(`${name} must be ${what}`);
    if (isRight === isBounds) refuseUnknown(rest[name], NAMES_OF_BOUNDS, `${name}.`);
    native[name] = rest[name];
  }
  return {
    creds,
    native,
    limiter: connectLimiter === undefined ? undefined : ConnectLimiter.native(connectLimiter),
    plan,
    checkInterception: () => route.isForced || refuseInterception(address.startsWith('wss:'))
  };
}

/** @param {any} reconnect */
function reconnectOptions(reconnect) {
  if (reconnect === false) return { reconnect: false, reconnectClasses: [] };
  if (reconnect === null || typeof reconnect !== 'object') throw new TypeError('reconnect must be an object or false');
  refuseUnknown(reconnect, NAMES_OF_RECONNECT, 'reconnect.');
  const { baseMs, maxMs, attempts, classes = {} } = reconnect;
  for (const [name, value] of Object.entries({ baseMs, maxMs, attempts })) {
    if (value !== undefined && !(value >= 0 && value < 2 ** 32))
      throw new RangeError(`reconnect.${name} must be a number of at least 0`);
  }
  for (const [code, kind] of Object.entries(classes)) {
    if (!(isCount(Number(code)) && Number(code) < 2 ** 16))
      throw new TypeError(`reconnect.classes: ${code} is not a status code`);
    if (!CLASSES.includes(kind)) throw new TypeError(`reconnect.classes: ${kind} is not one of ${CLASSES.join(', ')}`);
  }
  return {
    reconnect: true,
    reconnectBase: baseMs,
    reconnectMax: maxMs,
    reconnectAttempts: attempts,
    reconnectClasses: Object.entries(classes).map(([code, kind]) => ({ code: Number(code), class: kind }))
  };
}

module.exports = { sessionOptions };
