// An unmodified `makeSocket` of Baileys that is logged in to the server of the bench.

import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { importFiles, PACKAGES } from '../../scripts/shared/baileys.mjs';
import { checkBackend, checkSocket, memoryKeys, pingQuery, silentLogger } from '../../scripts/shared/bot.mjs';
import { askServer } from './client.mjs';

const [{ makeSocket }] = await importFiles(PACKAGES[7], ['socket']);

/** Longer than any bench, so that no keep-alive query is sent during a measurement. */
const KEEP_ALIVE_MS = 600_000;

/**
 * Checks the socket layer and trusts the server. Called once in a process, before its first bot.
 *
 * @param {{ backend: 'js' | 'native', rootKey: string, ca?: string }} settings
 */
export async function prepareBots({ backend, rootKey, ca }) {
  await checkBackend(backend);
  trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  return ca === undefined ? undefined : new Agent({ ca });
}

/** All bots of a process share these keys, because it takes longer to create keys than to log in. */
export const sharedCreds = baileys.initAuthCreds();

/**
 * @param {{ url: string, backend: 'js' | 'native' }} settings
 * @param {number} user Phone number; each may log in once.
 * @param {Agent | undefined} agent
 * @returns {Promise<any>} Resolves with the socket when the connection is `open`.
 */
export function logIn({ url, backend }, user, agent) {
  const creds = { ...sharedCreds, me: { id: `${user}:1@s.whatsapp.net`, name: 'bench' }, registered: true };
  const sock = makeSocket({
    ...baileys.DEFAULT_CONNECTION_CONFIG,
    waWebSocketUrl: url,
    agent,
    auth: { creds, keys: memoryKeys() },
    logger: silentLogger(),
    keepAliveIntervalMs: KEEP_ALIVE_MS
  });
  checkSocket(sock.ws, backend);
  return new Promise((resolve, reject) => {
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'open') resolve(sock);
      if (connection === 'close') reject(lastDisconnect?.error ?? new Error('the connection closed'));
    });
  });
}

/** @param {any} sock @returns {Promise<void>} Resolves when the stanza arrives that the server sends after a flood. */
export const floodEnd = sock => new Promise(resolve => sock.ws.once('CB:bench', () => resolve()));

/** A round trip to the server. */
export const ping = sock => sock.query(pingQuery());

export { askServer };
