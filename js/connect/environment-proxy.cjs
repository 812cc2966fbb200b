'use strict';

/** The proxy that the environment names, for connections without an agent: opt-in by `BAILEYS_NATIVE_PROXY=env`. */

const { isIPv4 } = require('node:net');
const { environmentSwitch } = require('../shared/environment.cjs');

/** Schemes of proxies that can be used. */
const SCHEMES = /^(?:https?|socks[45]?[ah]?):\/\//i;

/**
 * `HTTPS_PROXY` (for `ws:` `HTTP_PROXY`), then `ALL_PROXY`, unless `NO_PROXY` names the target. Names in lower case
 * come first. The rules are those of Node's `--use-env-proxy`. `ALL_PROXY` and SOCKS are additions.
 *
 * @param {import('./agent.cjs').ConnectionTarget} target
 * @returns {string | undefined} the proxy's URL
 * @throws {TypeError} if the value is not the URL of a proxy
 */
function environmentProxy({ secure, host, port }) {
  if (environmentSwitch('BAILEYS_NATIVE_PROXY') !== 'env') return undefined;
  const name = secure ? 'https_proxy' : 'http_proxy';
  const url = valueOf(name) ?? valueOf('all_proxy');
  if (url === undefined || isExcepted(host.toLowerCase(), port)) return undefined;
  if (SCHEMES.test(url) && URL.canParse(url)) return url;
  // The message does not contain the URL, because the URL may contain a password.
  const error = new TypeError(
    `The environment variable ${valueOf(name) === undefined ? 'ALL_PROXY' : name.toUpperCase()} ` +
      'is not an http:, https: or socks: URL. The connection was not opened.'
  );
  throw Object.assign(error, { code: 'ERR_PROXY_INVALID_CONFIG' });
}

/** @param {string} name */
function valueOf(name) {
  return process.env[name] || process.env[name.toUpperCase()] || undefined;
}

/**
 * Whether `NO_PROXY` names a target.
 *
 * @param {string} host
 * @param {number} port
 */
function isExcepted(host, port) {
  const entries = (valueOf('no_proxy') ?? '').split(',').map(entry => entry.trim().toLowerCase());
  return entries.some(entry => {
    if (entry === '') return false;
    if (entry === '*' || entry === host || entry === `${host}:${port}`) return true;
    if (entry.startsWith('*.')) return host.endsWith(entry.slice(1));
    if (entry.startsWith('.')) return host === entry.slice(1) || host.endsWith(entry);
    return isInRange(host, entry);
  });
}

/**
 * Whether an address is in a range such as `10.0.0.1-10.0.0.9`.
 *
 * @param {string} host
 * @param {string} entry
 */
function isInRange(host, entry) {
  const [first, last, ...rest] = entry.split('-').map((/** @type {string} */ end) => end.trim());
  if (rest.length > 0 || !isIPv4(host) || !isIPv4(first ?? '') || !isIPv4(last ?? '')) return false;
  /** @param {string} address */
  const number = address =>
    address.split('.').reduce((/** @type {number} */ sum, /** @type {string} */ part) => sum * 256 + Number(part), 0);
  return number(host) >= number(first) && number(host) <= number(last);
}

module.exports = { environmentProxy };
