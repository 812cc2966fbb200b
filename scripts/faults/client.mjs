// The clients of the fault matrix. All clients of a process use one socket layer, which the command line chooses.

import { openSync, readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { NativeSession } from 'baileys-native';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, pingQuery, silentLogger, statusCode } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { linkedCreds, outcomesOfSession, outcomesOfSocket, plainText } from '../shared/client-outcomes.mjs';

/**
 * Connect timeouts in milliseconds: for rows that end before the login, and for rows that reach it.
 *
 * @type {Record<string, number>}
 */
const CONNECT_MS = {
  ends: 3000,
  endsAfterLogin: 20_000,
  endsWithoutMemory: 20_000,
  staysOpen: 20_000,
  clockJumps: 20_000
};
const KEEP_ALIVE_MS = 500;
const QUERY_MS = 20_000;
/** The bytes that {@link takeMemory} leaves: enough for JavaScript, but not for a long message. */
const MEMORY_LEFT = 48 << 20;
/** The most bytes that it allocates at once. */
const PORTION = 16 << 20;

/** The server does not answer this query. */
const unansweredQuery = () => ({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'unanswered' } });

/**
 * @typedef {object} FaultClient
 * @property {Promise<unknown>} opened Never resolves if the connection does not open.
 * @property {Promise<string>} ended Resolves with a description of the end.
 * @property {(node: any) => Promise<any>} query
 * @property {(node: any) => Promise<any>} send
 * @property {(listener: (node: any) => void) => void} onRelay
 */

/**
 * @typedef {object} FaultSettings
 * @property {string} url
 * @property {string} user
 * @property {string} rootKey
 * @property {import('../shared/child.mjs').Layer} layer
 * @property {string} scenario
 * @property {string} [ca]
 */

/**
 * @param {FaultSettings} settings
 * @returns {FaultClient}
 */
function baileysClient({ url, user, layer, scenario, ca }) {
  const sock = baileys.makeWASocket({
    waWebSocketUrl: url,
    agent: ca ? new Agent({ ca }) : undefined,
    auth: { creds: linkedCreds(user), keys: memoryKeys() },
    logger: silentLogger(),
    connectTimeoutMs: CONNECT_MS[scenario],
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    defaultQueryTimeoutMs: QUERY_MS
  });
  checkSocket(sock.ws, /** @type {import('../shared/bot.mjs').Backend} */ (layer));
  return {
    ...outcomesOfSocket(sock, error => `${statusCode(error)} ${plainText(error?.message)}`),
    query: node => sock.query(node),
    send: node => sock.sendNode(node),
    onRelay: listener => sock.ws.on('CB:relay', listener)
  };
}

/**
 * @param {FaultSettings} settings
 * @returns {FaultClient}
 */
function sessionClient({ url, user, rootKey, scenario, ca }) {
  const session = new NativeSession({
    url,
    agent: ca ? new Agent({ ca }) : undefined,
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
 * Describes the reason of a rejected promise. Baileys also rejects with numbers.
 *
 * @param {any} error
 */
const describeRejection = error =>
  error instanceof Error
    ? `${statusCode(error) ?? /** @type {any} */ (error).statusCode ?? /** @type {any} */ (error).code ?? ''} ${plainText(error.message)}`.trim()
    : `the value ${error}`;

/** Resolves when a client is open. Rejects if it ends before that. @param {FaultClient} client */
const untilOpen = ({ opened, ended }) =>
  Promise.race([opened, ended.then(outcome => Promise.reject(new Error(`not open: ${outcome}`)))]);

/** Moves the time of day of this process, as Baileys reads it. @param {number} ms */
function moveClock(ms) {
  const RealDate = Date;
  /** @type {any} */
  const Moved = class extends RealDate {
    /** @param {[any?]} args */
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + ms);
      else super(.../** @type {[any]} */ (args));
    }
    static now() {
      return RealDate.now() + ms;
    }
  };
  globalThis.Date = Moved;
}

/** @type {Record<string, (client: FaultClient, ask: (what: string) => Promise<any>) => Promise<string>>} */
const SCENARIOS = {
  /** The connection ends by itself. */
  ends: async client => {
    const opened = client.opened.then(() => 'open, then ');
    const ended = await client.ended;
    return `${await Promise.race([opened, Promise.resolve('')])}${ended}`;
  },

  /** The fault happens after the login, while a query has no answer yet. */
  endsAfterLogin: async (client, ask) => {
    await untilOpen(client);
    const query = client
      .query(unansweredQuery())
      .then(answer => (answer === undefined ? 'no answer' : 'answered'), describeRejection);
    await ask('queryReceived');
    await ask('injectFault');
    const ended = await client.ended;
    return `${ended}; query: ${await query}`;
  },

  /** The process has no memory for a message of the server. */
  endsWithoutMemory: ({ ended }) => {
    takeMemory();
    return ended;
  },

  /** The time of day changes after the login. The connection stays open for some keep-alive intervals, or ends. */
  clockJumps: async (client, ask) => {
    await untilOpen(client);
    const { jumpMs } = await ask('counts');
    // The queries of the login are over, and a keep-alive query was just answered: nothing arrives before the next one.
    await ask('keptAlive');
    await client.query(pingQuery());
    moveClock(jumpMs);
    return Promise.race([client.ended, ask('keptAlive').then(() => 'alive')]);
  },

  /** The connection stays open and nothing is lost. */
  staysOpen: async (client, ask) => {
    await untilOpen(client);
    const { stanzas, sends, bytes } = await ask('counts');
    let inOrder = 0;
    const received = new Promise(resolve => {
      if (stanzas === 0) resolve(undefined);
      client.onRelay(({ attrs }) => {
        if (Number(attrs.n) === inOrder && ++inOrder === stanzas) resolve(undefined);
      });
    });
    await ask('injectFault');
    const content = Buffer.alloc(bytes, 1);
    const sent = Array.from({ length: sends }, (_, n) =>
      client.send({ tag: 'message', attrs: { id: `OUT${n}`, to: '15550001111@s.whatsapp.net' }, content })
    );
    await ask('allSent');
    const lost = client.ended.then(outcome => Promise.reject(new Error(`lost: ${outcome}; ${inOrder} in`)));
    await Promise.race([lost, Promise.all([received, ...sent])]);
    const arrived = await ask('allArrived');
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

/** @type {Buffer[]} Memory that is not free. */
const taken = [];

/** Allocates memory until only {@link MEMORY_LEFT} is left below the limit of the process (`ulimit -d`). */
function takeMemory() {
  const [, limit] = /^Max data size +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  for (;;) {
    const [, used] = /^VmData:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    const free = Number(limit) - Number(used) * 1024 - MEMORY_LEFT;
    if (free <= 0) return;
    taken.push(Buffer.allocUnsafeSlow(Math.min(free, PORTION)));
  }
}

/** @type {import('../shared/channel.mjs').Channel} */
const channel = openChannel(process, {
  prepare: async ({ layer, rootKey }) => {
    if (layer !== 'session') await checkBackend(layer);
    trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  },
  takeDescriptors,
  run: async settings => {
    const { name, scenario } = settings;
    const start = performance.now();
    const outcomeOf = async () => {
      const client = settings.layer === 'session' ? sessionClient(settings) : baileysClient(settings);
      return SCENARIOS[scenario](client, what => channel.ask(what, { name }));
    };
    const outcome = await outcomeOf().catch(error => `threw ${describeRejection(error)}`);
    return { outcome, ms: performance.now() - start };
  }
});

process.on('unhandledRejection', () => {}); // Baileys causes some when a connection ends during the login
process.on('disconnect', () => process.exit(0));
