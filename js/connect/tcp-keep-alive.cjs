'use strict';

/** TCP keep-alive in options: the seconds without traffic before the first probe. */

const { TLSSocket } = require('node:tls');

/** @type {boolean | undefined} */
let isSupportedByTls;

/**
 * Whether `tls.connect` of this version of Node applies `keepAlive` to the connection. Node 20 does not. Deno does, but
 * its sockets do not show it.
 */
function tlsKeepsAlive() {
  if (process.versions.deno !== undefined) return true;
  if (isSupportedByTls === undefined) {
    const socket = /** @type {any} */ (
      new TLSSocket(/** @type {any} */ (undefined), /** @type {any} */ ({ keepAlive: true }))
    );
    const flag = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kSetKeepAlive');
    isSupportedByTls = flag !== undefined && socket[flag] === true;
    socket.destroy();
  }
  return isSupportedByTls;
}

/**
 * The keep-alive of `net.connect` or `tls.connect` with these options, in seconds; undefined if it is off.
 *
 * @param {{ keepAlive?: unknown, keepAliveInitialDelay?: unknown }} options
 * @param {boolean} secure true for `tls.connect`
 * @returns {number | undefined} 0: the default of the operating system
 */
function keepAliveOf({ keepAlive, keepAliveInitialDelay }, secure) {
  if (!keepAlive || (secure && !tlsKeepsAlive())) return undefined;
  return Math.max(0, ~~(Number(keepAliveInitialDelay) / 1000));
}

/**
 * The same for options of Node's own agents.
 *
 * @param {{ keepAlive?: unknown, keepAliveMsecs?: unknown }} options
 * @param {boolean} secure
 */
function agentKeepAlive({ keepAlive, keepAliveMsecs }, secure) {
  return keepAliveOf({ keepAlive, keepAliveInitialDelay: keepAliveMsecs }, secure);
}

/**
 * The keep-alive of a configuration or the environment, in seconds. It has priority over an agent's.
 *
 * @param {{ tcpKeepAliveMs?: unknown }} [config]
 * @returns {number | undefined} 0: keep-alive is off
 */
function configuredKeepAlive(config) {
  const milliseconds = Number(config?.tcpKeepAliveMs ?? (process.env.BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS || undefined));
  return milliseconds >= 0 ? Math.ceil(milliseconds / 1000) : undefined;
}

module.exports = { agentKeepAlive, configuredKeepAlive, keepAliveOf };
