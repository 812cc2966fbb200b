// What a client can be asked to do beside sending texts. Answers are plain and the same in every run that is as good.

import { once } from 'node:events';

const PATIENCE_MS = 15_000;

/**
 * @typedef {object} Client
 * @property {import('./outbox.mjs').Sock} [sock]
 * @property {string[]} presences
 * @property {string[]} received
 * @property {import('node:events').EventEmitter} arrivals
 * @property {import('./saved-state.mjs').SavedState} state
 */

/** @param {Client} client */
function socketOf({ sock }) {
  if (!sock) throw new Error('not logged in');
  return sock;
}

/**
 * Resolves when a list of the client's has what is looked for; rejects when it takes too long.
 *
 * @param {Client} client
 * @param {'text' | 'presence'} event of `arrivals`
 * @param {() => boolean} isThere
 */
async function until({ arrivals }, event, isThere) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  while (!isThere()) await once(arrivals, event, { signal });
}

/**
 * An error as it is compared.
 *
 * @param {any} error
 */
const refusalOf = error => `refused: ${error.message} ${error.data ?? ''}`.trim();

/** @type {Record<string, (client: Client, ...args: any[]) => Promise<import('./types.js').Answer>>} */
export const SERVICES = {
  createGroup: async (client, /** @type {string} */ subject, /** @type {string[]} */ participants) =>
    (await socketOf(client).groupCreate(subject, participants)).id,

  /** Subject, addressing and members of a group, without ids that the server makes up. */
  groupMetadata: async (client, /** @type {string} */ group) => {
    const { subject, size, participants } = await socketOf(client).groupMetadata(group);
    return `${subject}, ${size} members: ${participants.map(({ admin }) => admin ?? 'member').join(', ')}`;
  },

  renameGroup: (client, /** @type {string} */ group, /** @type {string} */ subject) =>
    socketOf(client).groupUpdateSubject(group, subject),

  /** A group that does not exist. */
  strangeGroup: client => socketOf(client).groupMetadata('120363999999999999@g.us').catch(refusalOf),

  /** Whether a number is on WhatsApp, and its devices. */
  lookUp: async (client, /** @type {string} */ jid) => {
    const sock = socketOf(client);
    const found = (await sock.onWhatsApp(jid)) ?? [];
    const devices = await sock.getUSyncDevices([jid], false, false);
    const exists = found.map(item => `${item.jid} ${item.exists}`).join(', ');
    return `${exists}; devices ${devices.map(({ device }) => device ?? 0).sort()}`;
  },

  media: client =>
    socketOf(client)
      .refreshMediaConn(true)
      .then(() => 'granted', refusalOf),

  ping: async client => {
    const attrs = { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' };
    await socketOf(client).query({ tag: 'iq', attrs, content: [{ tag: 'ping', attrs: {} }] });
  },

  subscribe: (client, /** @type {string} */ jid) => socketOf(client).presenceSubscribe(jid),

  presence: (client, /** @type {import('baileys').WAPresence} */ type, /** @type {string | undefined} */ jid) =>
    socketOf(client).sendPresenceUpdate(type, jid),

  /** Resolves when a presence has come. */
  sees: (client, /** @type {string} */ presence) =>
    until(client, 'presence', () => client.presences.includes(presence)),

  forgetSessions: async ({ state }) => state.forgetSessions(),

  /** Resolves when a text has come, and says how often. */
  has: async (client, /** @type {string} */ text) => {
    await until(client, 'text', () => client.received.includes(text));
    return client.received.filter(item => item === text).length;
  }
};
