// The peers that misbehave, by phase, and the expected outcome of each layer.

import { EXPECTED } from './expected.mjs';
import { ACCEPT, CONNECT, SOCKS4, SOCKS5, UPGRADE } from './rows-http.mjs';
import { LOGIN, NOISE, STANZA } from './rows-noise.mjs';
import { TLS } from './rows-tls.mjs';
import { WEBSOCKET } from './rows-websocket.mjs';

/**
 * @typedef {object} HostileRow
 * @property {string} name The name within its phase.
 * @property {string} phase
 * @property {() => Promise<import('./peers.mjs').HostilePeer>} peer
 * @property {boolean} [staysOpen] Whether the connection must stay open. A query is sent to check it.
 * @property {boolean} [endsAtLogin] Whether the row ends when the client has logged in.
 * @property {boolean} [isLong] Whether it takes 120 s, the limit for opening a connection.
 */
/** @typedef {Omit<HostileRow, 'phase'>[]} HostileRows The rows of one phase. */

const PHASES = {
  accept: ACCEPT,
  'http proxy': CONNECT,
  'socks4 proxy': SOCKS4,
  'socks5 proxy': SOCKS5,
  tls: TLS,
  upgrade: UPGRADE,
  websocket: WEBSOCKET,
  noise: NOISE,
  login: LOGIN,
  stanza: STANZA
};

/** @type {(HostileRow & { expected?: import('./expected.mjs').Expected })[]} */
export const ROWS = Object.entries(PHASES).flatMap(([phase, rows]) =>
  rows.map(row => ({ ...row, phase, expected: EXPECTED[`${phase}: ${row.name}`] }))
);

/** `npm test` runs the rows of these phases. Other tests cover the other phases. */
export const TESTED_PHASES = ['tls', 'noise', 'login', 'stanza'];
