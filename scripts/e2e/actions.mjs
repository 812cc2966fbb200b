// The actions of a client other than sending texts. In every correct run their results are the same.

import { once } from 'node:events';
import { pingQuery } from '../shared/bot.mjs';

const TIMEOUT_MS = 60_000;

/**
 * @typedef {object} ActingClient
 * @property {import('../shared/bot.mjs').Sock} [sock]
 * @property {string[]} presences
 * @property {string[]} received
 * @property {import('node:events').EventEmitter} arrivals
 * @property {import('./saved-state.mjs').SavedState} state
 */

/** @param {ActingClient} client */
function socketOf({ sock }) {
  if (!sock) throw new Error('not logged in');
  return sock;
}

/**
 * Waits until `isDone` returns true; rejects after a time limit.
 *
 * @param {ActingClient} client
 * @param {'message' | 'presence'} event The event of `arrivals` after which the condition is checked again.
 * @param {() => boolean} isDone
 */
async function until({ arrivals }, event, isDone) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  while (!isDone()) await once(arrivals, event, { signal });
}

/**
 * The error of a refused query, as text for the comparison.
 *
 * @param {any} error
 */
const describeRefusal = error => `refused: ${error.message} ${error.data ?? ''}`.trim();

/** @type {Record<string, (client: ActingClient, ...args: any[]) => Promise<import('./types.js').ActionResult>>} */
export const ACTIONS = {
  createGroup: async (client, /** @type {string} */ subject, /** @type {string[]} */ participants) =>
    (await socketOf(client).groupCreate(subject, participants)).id,

  /** Subject and members of a group, without the ids that the server generates. */
  groupMetadata: async (client, /** @type {string} */ group) => {
    const { subject, size, participants } = await socketOf(client).groupMetadata(group);
    return `${subject}, ${size} members: ${participants.map(({ admin }) => admin ?? 'member').join(', ')}`;
  },

  renameGroup: (client, /** @type {string} */ group, /** @type {string} */ subject) =>
    socketOf(client).groupUpdateSubject(group, subject),

  /** Requests the metadata of a group that does not exist. */
  unknownGroup: client => socketOf(client).groupMetadata('120363999999999999@g.us').catch(describeRefusal),

  /** Queries whether a number uses WhatsApp, and its devices. */
  lookUpNumber: async (client, /** @type {string} */ jid) => {
    const sock = socketOf(client);
    const found = (await sock.onWhatsApp(jid)) ?? [];
    const devices = await sock.getUSyncDevices([jid], false, false);
    const exists = found.map(item => `${item.jid} ${item.exists}`).join(', ');
    return `${exists}; devices ${devices.map(({ device }) => device ?? 0).sort()}`;
  },

  mediaConnection: client =>
    socketOf(client)
      .refreshMediaConn(true)
      .then(() => 'granted', describeRefusal),

  ping: async client => {
    await socketOf(client).query(pingQuery());
  },

  subscribeToPresence: (client, /** @type {string} */ jid) => socketOf(client).presenceSubscribe(jid),

  sendPresence: (client, /** @type {import('baileys').WAPresence} */ type, /** @type {string | undefined} */ jid) =>
    socketOf(client).sendPresenceUpdate(type, jid),

  /** Resolves when a presence has arrived. */
  awaitPresence: (client, /** @type {string} */ presence) =>
    until(client, 'presence', () => client.presences.includes(presence)),

  forgetSessions: async ({ state }) => state.forgetSessions(),

  /** Waits for a text; resolves with the number of times that it has arrived. */
  awaitText: async (client, /** @type {string} */ text) => {
    await until(client, 'message', () => client.received.includes(text));
    return client.received.filter(item => item === text).length;
  }
};
