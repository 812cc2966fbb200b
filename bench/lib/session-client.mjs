// A common interface for a `NativeSession` and an unmodified `makeSocket`, so that one child can measure both.

import { Agent } from 'node:https';
import { logIn, ping, prepareBots, sharedCreds } from './bot.mjs';

/** Longer than any bench, so that no keep-alive query is sent during a measurement. */
const KEEP_ALIVE_MS = 600_000;

/**
 * @typedef {object} SessionClient
 * @property {(tag: string, listener: (node: any) => void) => () => void} listen Adds a listener for stanzas with a tag;
 *   the result removes it.
 * @property {() => Promise<any>} ping A round trip to the server.
 * @property {(node: object) => Promise<any>} send The client's own `sendNode`.
 */

/** @returns {Promise<SessionClient>} */
async function baileysClient(settings, user, agent) {
  const sock = await logIn(settings, user, agent);
  return {
    listen(tag, listener) {
      sock.ws.on(`CB:${tag}`, listener);
      return () => sock.ws.off(`CB:${tag}`, listener);
    },
    ping: () => ping(sock),
    send: node => sock.sendNode(node)
  };
}

/** @returns {Promise<SessionClient>} */
async function sessionClient({ url, rootKey }, user, agent) {
  const { NativeSession } = await import('baileys-native');
  const session = new NativeSession({
    url,
    agent,
    trustedRoot: Buffer.from(rootKey, 'hex'),
    auth: { creds: { ...sharedCreds, me: { id: `${user}:1@s.whatsapp.net`, name: 'bench' }, registered: true } },
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    reconnect: false
  });
  await session.connect();
  return {
    listen: (tag, listener) => session.onStanza(`CB:${tag}`, listener),
    ping: () => ping(session),
    send: node => session.sendNode(node)
  };
}

/**
 * Returns a function that creates clients of a backend.
 *
 * @param {{ backend: 'js' | 'native', layer: 'session' | 'socket', url: string, rootKey: string, ca?: string }}
 *   settings
 * @returns {Promise<(user: number) => Promise<SessionClient>>} Each user can log in once.
 */
export async function clientsOf(settings) {
  if (settings.layer === 'session') {
    const agent = settings.ca === undefined ? undefined : new Agent({ ca: settings.ca });
    return user => sessionClient(settings, user, agent);
  }
  const agent = await prepareBots(settings);
  return user => baileysClient(settings, user, agent);
}
