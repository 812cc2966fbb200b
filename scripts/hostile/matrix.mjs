// Peers that misbehave in every phase, and how each layer has to end.

import { EXPECTED } from './expected.mjs';
import { ACCEPT, CONNECT, SOCKS4, SOCKS5, UPGRADE } from './rows-http.mjs';
import { LOGIN, NOISE, STANZA } from './rows-noise.mjs';
import { TLS } from './rows-tls.mjs';
import { WEBSOCKET } from './rows-websocket.mjs';

/**
 * @typedef {object} Row
 * @property {string} name Within its phase.
 * @property {string} phase
 * @property {() => Promise<import('./peers.mjs').Peer>} peer
 * @property {boolean} [lives] The connection has to survive: a query is answered afterwards.
 * @property {boolean} [endsAtOpen] The row is over where the client logs in.
 * @property {boolean} [isLong] It takes the total bound of the opening, 120 s.
 */

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

/** @type {(Row & { expected?: import('./expected.mjs').Expected })[]} */
export const ROWS = Object.entries(PHASES).flatMap(([phase, rows]) =>
  rows.map(row => ({ ...row, phase, expected: EXPECTED[`${phase}: ${row.name}`] }))
);

/** Rows whose peer is of one of these phases are a part of `npm test`; the others are also covered by other tests. */
export const TESTED_PHASES = ['tls', 'noise', 'login', 'stanza'];
