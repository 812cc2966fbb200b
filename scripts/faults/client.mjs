// The clients of the fault matrix. All clients of a process use one socket layer, which the command line chooses.

import { openSync } from 'node:fs';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, silentLogger } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { linkedCreds, outcomesOfSession, outcomesOfSocket, pingQuery, plainText } from '../shared/client-outcomes.mjs';

/**
 * Connect timeouts in milliseconds: for rows that end before the login, and for rows that reach it.
 *
 * @type {Record<string, number>}
 */
const CONNECT_MS = { ends: 3000, endsOpen: 20_000, lives: 20_000 };
const KEEP_ALIVE_MS = 500;
const QUERY_MS = 20_000;

const held = () => ({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'held' } });

/**
 * @typedef {object} Client
 * @property {Promise<unknown>} opened Never resolves if the connection does not open.
 * @property {Promise<string>} ended Resolves with the reason of the end.
 * @property {(node: any) => Promise<any>} query
 * @property {(node: any) => Promise<any>} send
 * @property {(listener: (node: any) => void) => void} onRelay
 */

/**
 * @param {{ url: string, user: string, rootKey: string, backend: 'js' | 'native', scenario: string }} settings
 * @returns {Client}
 */
function baileysClient({ url, user, backend, scenario }) {
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    auth: { creds: linkedCreds(user), keys: memoryKeys() },
    logger: silentLogger(),
    connectTimeoutMs: CONNECT_MS[scenario],
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    defaultQueryTimeoutMs: QUERY_MS
  });
  checkSocket(sock.ws, backend);
  return {
    ...outcomesOfSocket(sock, error => `${error?.output?.statusCode} ${plainText(error?.message)}`),
    query: node => sock.query(node),
    send: node => sock.sendNode(node),
    onRelay: listener => sock.ws.on('CB:relay', listener)
  };
}

/**
 * @param {{ url: string, user: string, rootKey: string, backend: 'js' | 'native', scenario: string }} settings
 * @returns {Client}
 */
function sessionClient({ url, user, rootKey, scenario }) {
  const session = new NativeSession({
    url,
    trustedRoot: Buffer.from(rootKey, 'hex'),
    auth: { creds: linkedCreds(user) },
    connectTimeoutMs: CONNECT_MS[scenario],
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    reconnect: false
  });
  return {
    ...outcomesOfSession(session),
    query: node => session.query(node, { timeoutMs: QUERY_MS }),
    send: node => session.sendNode(node),
    onRelay: listener => session.onStanza('CB:relay', listener)
  };
}

/**
 * The status and text of what a promise was rejected with. Baileys also rejects with numbers.
 *
 * @param {any} error
 */
const refusal = error =>
  error instanceof Error
    ? `${/** @type {any} */ (error).output?.statusCode ?? /** @type {any} */ (error).statusCode ?? /** @type {any} */ (error).code ?? ''} ${plainText(error.message)}`.trim()
    : `the value ${error}`;

/** Resolves when a client is open; rejects if it ends before. @param {Client} client */
const openOf = ({ opened, ended }) =>
  Promise.race([opened, ended.then(outcome => Promise.reject(new Error(`not open: ${outcome}`)))]);

/** @type {Record<string, (client: Client, ask: (what: string) => Promise<any>) => Promise<string>>} */
const SCENARIOS = {
  /** The connection ends by itself. */
  ends: async client => {
    const opened = client.opened.then(() => 'open, then ');
    const ended = await client.ended;
    return `${await Promise.race([opened, Promise.resolve('')])}${ended}`;
  },

  /** The fault happens when the client is logged in and a query is unanswered. */
  endsOpen: async (client, ask) => {
    await openOf(client);
    const query = client.query(held()).then(answer => (answer === undefined ? 'no answer' : 'answered'), refusal);
    await ask('held');
    await ask('strike');
    const ended = await client.ended;
    return `${ended}; query: ${await query}`;
  },

  /** The connection stays open and nothing is lost. */
  lives: async (client, ask) => {
    await openOf(client);
    const { stanzas, sends, bytes } = await ask('expected');
    let inOrder = 0;
    const received = new Promise(resolve => {
      if (stanzas === 0) resolve(undefined);
      client.onRelay(({ attrs }) => {
        if (Number(attrs.n) === inOrder && ++inOrder === stanzas) resolve(undefined);
      });
    });
    await ask('strike');
    const content = Buffer.alloc(bytes, 1);
    const sent = Array.from({ length: sends }, (_, n) =>
      client.send({ tag: 'message', attrs: { id: `OUT${n}`, to: '15550001111@s.whatsapp.net' }, content })
    );
    await ask('sent');
    const lost = client.ended.then(outcome => Promise.reject(new Error(`lost: ${outcome}; ${inOrder} in`)));
    await Promise.race([lost, Promise.all([received, ...sent])]);
    const arrived = await ask('arrived');
    const answer = await client.query(pingQuery());
    return `alive; ${inOrder} in, ${arrived} out, then ${answer.attrs.type}`;
  }
};

/** Opens files until the process has no free descriptors. */
function takeDescriptors() {
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
}

/** @type {import('../shared/channel.mjs').Channel} */
const channel = openChannel(process, {
  prepare: async ({ backend, rootKey }) => {
    if (backend !== 'session') await checkBackend(backend);
    trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  },
  takeDescriptors,
  run: async settings => {
    const { name, scenario } = settings;
    const start = performance.now();
    const outcomeOf = async () => {
      const client = settings.backend === 'session' ? sessionClient(settings) : baileysClient(settings);
      return SCENARIOS[scenario](client, what => channel.ask(what, { name }));
    };
    const outcome = await outcomeOf().catch(error => `threw ${refusal(error)}`);
    return { outcome, ms: performance.now() - start };
  }
});

process.on('unhandledRejection', () => {}); // Baileys causes some when a connection ends early
process.on('disconnect', () => process.exit(0));
