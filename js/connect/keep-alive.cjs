'use strict';

/** TCP keep-alive as options ask for it: how many seconds without traffic come before the first probe. */

const { TLSSocket } = require('node:tls');

/** @type {boolean | undefined} */
let isHonouredByTls;

/** Whether `tls.connect` of this version of Node hands `keepAlive` on to the connection; that of Node 20 does not. */
function tlsKeepsAlive() {
  if (isHonouredByTls === undefined) {
    const socket = /** @type {any} */ (
      new TLSSocket(/** @type {any} */ (undefined), /** @type {any} */ ({ keepAlive: true }))
    );
    const flag = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kSetKeepAlive');
    isHonouredByTls = flag !== undefined && socket[flag] === true;
    socket.destroy();
  }
  return isHonouredByTls;
}

/**
 * What `net.connect` and `tls.connect` make of their options.
 *
 * @param {{ keepAlive?: unknown, keepAliveInitialDelay?: unknown }} options
 * @param {boolean} secure whether it is `tls.connect`
 * @returns {number | undefined} 0 for the operating system's default
 */
function keepAliveOf({ keepAlive, keepAliveInitialDelay }, secure) {
  if (!keepAlive || (secure && !tlsKeepsAlive())) return undefined;
  return Math.max(0, ~~(Number(keepAliveInitialDelay) / 1000));
}

/** What Node's own agents make of theirs. */
function agentKeepAlive({ keepAlive, keepAliveMsecs }, secure) {
  return keepAliveOf({ keepAlive, keepAliveInitialDelay: keepAliveMsecs }, secure);
}

/**
 * What a configuration or the environment asks for, whatever an agent says.
 *
 * @param {{ tcpKeepAliveMs?: unknown }} [config]
 * @returns {number | undefined} 0 where it is to be off
 */
function configuredKeepAlive(config) {
  const milliseconds = Number(config?.tcpKeepAliveMs ?? (process.env.BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS || undefined));
  return milliseconds >= 0 ? Math.ceil(milliseconds / 1000) : undefined;
}

module.exports = { agentKeepAlive, configuredKeepAlive, keepAliveOf };
