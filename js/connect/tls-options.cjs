'use strict';

/** Converts options of `tls.connect` and environment variables into TLS settings of the addon. */

const { unshared } = require('../shared/bytes.cjs');
const { UnsupportedConnectionError } = require('./unsupported-connection-error.cjs');

/** The supported options for trust and identity. */
const TLS_OPTIONS = ['ca', 'cert', 'key', 'rejectUnauthorized', 'servername'];

/**
 * The options of `net.connect` and `tls.connect` that a connection uses. `ca`, `cert` and `key` are checked by `pem`.
 *
 * @typedef {object} ConnectOptions
 * @property {string} [host]
 * @property {number} [port]
 * @property {string} [localAddress]
 * @property {number} [family]
 * @property {import('./agent.cjs').Lookup} [lookup]
 * @property {string} [servername]
 * @property {boolean} [rejectUnauthorized]
 * @property {unknown} [ca]
 * @property {unknown} [cert]
 * @property {unknown} [key]
 * @property {unknown} [keepAlive]
 * @property {unknown} [keepAliveInitialDelay]
 */

let warnedOfUnchecked = false;

/**
 * Settings for trust and identity. Like in Node, they are read when a connection starts.
 *
 * @param {ConnectOptions} options
 * @param {string} host the name in the certificate, if there is no `options.servername`
 * @throws {UnsupportedConnectionError} if the form of a certificate or key is not supported
 */
function tlsOptions(options, host) {
  const { env } = process;
  /** @type {import('../addon/native').SocketTlsOptions} */
  const tls = {
    serverName: options.servername || host,
    rejectUnauthorized:
      'rejectUnauthorized' in options ? options.rejectUnauthorized !== false : !isUncheckedByEnvironment(env),
    systemCa: env.NODE_USE_SYSTEM_CA === '1' || hasFlag('--use-system-ca')
  };
  if (env.NODE_EXTRA_CA_CERTS) tls.extraCaFile = env.NODE_EXTRA_CA_CERTS;
  if (options.ca) tls.ca = [options.ca].flat().map(ca => pem(ca, 'ca'));
  if (options.cert || options.key) {
    tls.cert = pem(options.cert, 'cert');
    tls.key = pem(options.key, 'key');
  }
  return tls;
}

/**
 * The name that the target's certificate must have. Node's https agent takes it from the Host header.
 *
 * @param {import('./agent.cjs').ConnectionTarget} target
 */
function certificateName({ host, hostHeader }) {
  return hostHeader === undefined ? host : hostHeader.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function pem(value, name) {
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = unshared(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  throw new UnsupportedConnectionError(`its option "${name}" must be a string or a Buffer`);
}

/** @param {string} flag */
function hasFlag(flag) {
  return process.execArgv.includes(flag) || (process.env.NODE_OPTIONS ?? '').split(/\s+/).includes(flag);
}

/** @param {NodeJS.ProcessEnv} env */
function isUncheckedByEnvironment(env) {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return false;
  if (!warnedOfUnchecked) {
    warnedOfUnchecked = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS requests " +
        'insecure by disabling certificate verification.'
    );
  }
  return true;
}

module.exports = { TLS_OPTIONS, certificateName, tlsOptions };
