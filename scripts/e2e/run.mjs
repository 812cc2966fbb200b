// One run: a server in this process, which does not load the native layer, and two clients in child processes.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MockServer } from 'baileys-native/testing';
import { isVersion7 } from '../shared/baileys.mjs';
import { describeError } from '../shared/channel.mjs';
import { startChild } from '../shared/child.mjs';
import { observeBehaviours } from './behaviours.mjs';
import { compareStanzas, nameOf } from './stanzas.mjs';
import { jidOf, USERS } from './users.mjs';

/**
 * @typedef {import('./types.js').Side} Side
 * @typedef {import('./types.js').Phase} Phase
 * @typedef {import('./types.js').ClientServices} ClientServices
 * @typedef {import('baileys-native/testing').Device} Device
 * @typedef {import('../shared/channel.mjs').Channel<ClientServices>['ask']} AskClient
 * @typedef {{ ask: AskClient, failed: Promise<never>, stop: () => Promise<void> }}
 *   ClientProcess
 */

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
/** @type {Side[]} */
const SIDES = ['a', 'b'];
/** The number of texts that one side sends before the other side sends. */
export const BURST = 20;
/** Longer than Baileys delays events, in milliseconds: after this time all repeated messages were delivered. */
const LAST_EVENTS_MS = 300;
const GREETING_DELAY_MS = 250;
/**
 * A run fails if no message, receipt or login reaches the server for this time, in milliseconds. The run itself has no
 * limit, because everything is slow on a busy machine.
 */
const IDLE_LIMIT_MS = 120_000;
/** Time limit for a cut and the next login, in milliseconds. */
const CUT_TIMEOUT_MS = 120_000;

/**
 * Time for Baileys 6 to acknowledge messages that were in flight at a cut, in milliseconds. It may never do so. Baileys
 * 7 always does.
 */
const ACKNOWLEDGED_MS = 12_000;

/** @type {(side: Side) => Side} */
const otherSide = side => (side === 'a' ? 'b' : 'a');

/**
 * @param {MockServer} server
 * @param {Side} side
 * @param {import('../shared/bot.mjs').Backend} backend
 * @param {string} packageName The package of Baileys.
 * @returns {ClientProcess}
 */
function startClient(server, side, backend, packageName) {
  const { ask, failed, stop } = startChild(CLIENT, {
    layer: backend,
    name: `client ${side}`,
    args: [packageName],
    services: {
      scan: ({ qr }) => server.scanQr(qr, { jid: USERS[side], pushName: side }).then(() => undefined)
    }
  });
  return { ask, failed, stop };
}

export class Run {
  /**
   * @param {MockServer} server
   * @param {Record<Side, ClientProcess>} clients
   * @param {import('./types.js').MessageCounts} counts
   * @param {boolean} mayLoseInFlight Whether the clients may never acknowledge messages that were in flight at a cut.
   */
  constructor(server, clients, counts, mayLoseInFlight) {
    this.mayLoseInFlight = mayLoseInFlight;
    this.server = server;
    this.clients = clients;
    this.counts = counts;
    /** @type {string[]} */
    this.inFlight = [];
    this.retries = 0;
    /** For each flow: the number of messages that have not arrived. @type {Record<string, number>} */
    this.missing = {};
    /** Whether the run still waits until messages that were in flight at a cut are acknowledged. */
    this.waitsForInFlight = true;
    /** @type {Promise<never>} */
    this.serverFailed = new Promise((_, reject) => server.once('failure', error => reject(error)));
    this.serverFailed.catch(() => {}); // handled by `watched`
    server.on('stanza', ({ direction, node }) => {
      if (direction === 'in' && node.tag === 'receipt' && node.attrs.type === 'retry') this.retries += 1;
    });
  }

  /**
   * Calls a client. Rejects if a client or the server fails.
   *
   * @template {keyof ClientServices} Name
   * @param {Side} side
   * @param {Name} name
   * @param {ClientServices[Name][0]} data
   * @returns {Promise<ClientServices[Name][1]>}
   */
  ask(side, name, data) {
    return this.watched(this.clients[side].ask(name, data));
  }

  /**
   * Waits for a promise. Rejects if a client or the server fails.
   *
   * @template Value
   * @param {Promise<Value>} promise
   */
  watched(promise) {
    return Promise.race([promise, this.clients.a.failed, this.clients.b.failed, this.serverFailed]);
  }

  /** @param {Side} side */
  device(side) {
    return this.server.devicesOf(USERS[side])[0];
  }

  async connect() {
    for (const side of SIDES) {
      const { url, ca, rootKey } = this.server;
      await this.ask(side, 'pair', { side, url, ca: String(ca), rootKey: rootKey.toString('hex') });
      await this.ask(side, 'login', undefined);
    }
  }

  /**
   * Sends texts. Resolves when all have arrived, were read and are acknowledged.
   *
   * @param {Side} from
   * @param {ClientServices['send'][0]} request
   * @param {Promise<void>} [concurrent] Is awaited after the texts were queued.
   */
  async send(from, request, concurrent) {
    await this.ask(from, 'send', request);
    await this.watched(Promise.resolve(concurrent));
    await this.arrived(from, request);
  }

  /**
   * @param {Side} from
   * @param {ClientServices['send'][0]} request
   */
  async arrived(from, { phase, first, count }) {
    const flow = `${phase}:${from}:`;
    await this.ask(from, 'settle', undefined);
    await this.#untilAcknowledged();
    const expected = first + count - (this.missing[flow] ?? 0);
    const arrived = await this.ask(otherSide(from), 'arrived', { flow, count: expected });
    this.missing[flow] = first + count - arrived;
    await this.ask(otherSide(from), 'settle', undefined);
    await this.#untilAcknowledged();
  }

  /** Resolves when all messages are acknowledged, or after a time limit if some may never be acknowledged. */
  async #untilAcknowledged() {
    while (this.unacknowledged().length > 0) {
      const stop = new AbortController();
      const { signal } = stop;
      const acknowledged = once(this.server, 'acknowledged', { signal });
      /** @type {Promise<unknown>} */
      const late =
        this.mayLoseInFlight && this.waitsForInFlight
          ? delay(ACKNOWLEDGED_MS, undefined, { signal }).then(() => (this.waitsForInFlight = false))
          : new Promise(() => {});
      for (const each of [acknowledged, late]) each.catch(() => {}); // aborted below
      try {
        await this.watched(Promise.race([acknowledged, late]));
      } finally {
        stop.abort();
      }
    }
  }

  /** The unacknowledged messages for which the run must wait. */
  unacknowledged() {
    return SIDES.map(side => this.device(side))
      .filter(Boolean)
      .flatMap(device => this.server.pending(device))
      .filter(({ attrs }) => this.waitsForInFlight || !this.inFlight.includes(attrs.id));
  }

  /**
   * Texts in both directions, in bursts that alternate: Baileys 7 may lose an update of a session when it encrypts and
   * decrypts for the same user at the same time. In the middle the connection of `b` is cut twice: while the last
   * messages of a burst are sent to it, and while it sends.
   */
  async texts() {
    const { texts } = this.counts;
    const half = Math.floor(texts / BURST / 2) * BURST;
    for (let first = 0; first < texts; first += BURST) {
      const count = Math.min(BURST, texts - first);
      for (const side of SIDES) {
        const last = first + (side === 'a' ? count : Math.ceil(count / 2)) - 1;
        const cut = first === half ? this.#cutAfter(side, `texts:${side}:${last}`) : undefined;
        await this.send(side, { phase: 'texts', to: jidOf(otherSide(side)), first, count }, cut);
      }
    }
  }

  async group() {
    this.groupId = /** @type {string} */ (await this.act('a', 'createGroup', 'Two clients', [jidOf('b')]));
    const group = this.groupId;
    for (const side of SIDES) {
      await this.send(side, { phase: 'group', to: group, first: 0, count: this.counts.group / 2 });
    }
  }

  /** Texts to a client that is offline and connects later. */
  async away() {
    const { server } = this;
    const device = this.device('b');
    const connection = server.connections.find(item => item.device === device && item.state === 'open');
    if (!connection) throw new Error('client b has no connection');
    const closed = once(connection, 'close');
    await this.ask('b', 'logout', undefined);
    await closed;
    /** @type {ClientServices['send'][0]} */
    const request = { phase: 'away', to: jidOf('b'), first: 0, count: this.counts.away - 1 };
    await this.ask('a', 'send', request);
    await this.ask('a', 'settle', undefined);
    await this.ask('b', 'login', undefined);
    await this.#untilAcknowledged();
    // Baileys 6.7 delivers the events of the offline queue only when another message arrives.
    await this.send('a', { ...request, first: request.count, count: 1 });
  }

  /**
   * Runs an action of a client.
   *
   * @param {Side} side
   * @param {string} name See actions.mjs.
   * @param {unknown[]} args
   */
  act(side, name, ...args) {
    return this.ask(side, 'act', { name, args });
  }

  /**
   * Cuts the connection of `b` when the server has read the given text. Resolves when `b` has logged in again.
   *
   * If the text is from `a`, the server stops reading from `b` before the cut. So it cannot read an acknowledgement of
   * the text, and at least this text is in flight at the cut.
   *
   * @param {Side} from
   * @param {string} id
   */
  #cutAfter(from, id) {
    const { server } = this;
    const device = this.device('b');
    const start = server.stanzas.length;
    /** @type {Promise<void>} */
    const loggedIn = new Promise((resolve, reject) => {
      /** @param {import('baileys-native/testing').StanzaRecord} record */
      const onStanza = ({ direction, node }) => {
        if (direction !== 'in' || node.tag !== 'message' || node.attrs.id !== id) return;
        server.off('stanza', onStanza);
        const connection = server.connections.find(item => item.device === device && item.state === 'open');
        if (!connection) {
          reject(new Error(`client b has no connection to cut when ${id} is read`));
          return;
        }
        if (from === 'a') connection.pause();
        // The server sends the text to `b` in the same turn of the event loop in which it reads it.
        setImmediate(() => {
          if (from === 'a') this.inFlight = this.#messagesInFlight(device, connection);
          connection.drop();
        });
        /** @param {import('baileys-native/testing').StanzaRecord} record */
        const isLogin = record =>
          record.node.tag === 'success' && server.connections[record.connection].device === device;
        resolve(server.waitFor(isLogin, { from: start, timeoutMs: CUT_TIMEOUT_MS }).then(() => undefined));
      };
      server.on('stanza', onStanza);
    });
    loggedIn.catch(() => {}); // handled by the caller
    return loggedIn;
  }

  /**
   * Compares the stanzas that the server sent to a client with those that its socket layer delivered, for all
   * connections.
   *
   * @param {Side} side
   * @param {string[][]} received The names of the delivered stanzas, by connection.
   * @param {number} due The stanzas among this number of the server's first records must have arrived.
   * @returns {import('./types.js').Stanzas}
   */
  stanzasOf(side, received, due) {
    const { server } = this;
    const connections = server.connections.filter(({ device }) => device === this.device(side));
    const all = connections.map(({ id, state }, at) => {
      /** @param {import('baileys-native/testing').StanzaRecord} record */
      const isTo = ({ direction, connection }) => direction === 'out' && connection === id;
      const sent = server.stanzas.filter(isTo).map(({ node }) => nameOf(node));
      const dueHere = state === 'open' ? server.stanzas.slice(0, due).filter(isTo).length : 0;
      return { sent: sent.length, ...compareStanzas(sent, received[at] ?? [], dueHere) };
    });
    return {
      connections: connections.length,
      sent: all.reduce((sum, { sent }) => sum + sent, 0),
      lost: all.flatMap(({ lost }) => lost),
      unexpected: all.flatMap(({ unexpected }) => unexpected)
    };
  }

  /**
   * What the server has seen of a message: the stanzas with its id, in order. `in` are those from a client, `out` those
   * to a client.
   *
   * @param {string} id
   */
  history(id) {
    return this.server.stanzas
      .filter(({ node }) => node.attrs.id === id)
      .map(({ direction, node: { tag, attrs } }) => [direction, tag, attrs.type, attrs.error].filter(Boolean).join(' '))
      .join(', ');
  }

  /**
   * The ids of the messages that the client may not have delivered: the server has not read their receipt. Baileys 6.17
   * also sends an acknowledgement after it; if it cannot, it does not deliver the message.
   *
   * @param {Device} device
   * @param {{ id: number }} connection The connection of the device.
   */
  #messagesInFlight(device, { id }) {
    const stanzas = this.server.stanzas.filter(({ connection }) => connection === id);
    const acknowledged = new Set(
      stanzas
        .filter(({ direction, node }) => direction === 'in' && node.tag === 'ack' && node.attrs.class === 'message')
        .map(({ node }) => node.attrs.id)
    );
    const sent = stanzas.filter(({ direction }) => direction === 'out').map(({ node }) => node);
    const unacknowledged = acknowledged.size > 0 ? sent.filter(({ attrs }) => !acknowledged.has(attrs.id)) : [];
    const messages = [...this.server.pending(device), ...unacknowledged];
    return [...new Set(messages.filter(({ tag }) => tag === 'message').map(({ attrs }) => attrs.id))];
  }
}

/**
 * @param {Phase} phase
 * @param {Side} from
 * @param {number} sent
 * @param {Record<Side, import('./types.js').Report>} reports
 * @param {string[]} inFlight
 * @returns {import('./types.js').Flow}
 */
function flow(phase, from, sent, reports, inFlight) {
  const prefix = `${phase}:${from}:`;
  /** @param {string[]} items */
  const own = items => items.filter(item => item.startsWith(prefix));
  const received = own(reports[otherSide(from)].received);
  const first = [...new Set(received)];
  const numbers = first.filter(item => !inFlight.includes(item)).map(item => Number(item.slice(prefix.length)));
  const expected = Array.from({ length: sent }, (_, index) => `${prefix}${index}`);
  return {
    phase,
    from,
    sent,
    received: first.length,
    lost: expected.filter(item => !first.includes(item)),
    duplicated: received.filter((item, index) => received.indexOf(item) !== index),
    inOrder: numbers.every((number, index) => index === 0 || number > numbers[index - 1]),
    delivered: own(reports[from].delivered).length,
    read: own(reports[from].read).length,
    undelivered: expected.filter(item => !reports[from].delivered.includes(item))
  };
}

/**
 * Runs two clients that send messages to each other.
 *
 * @param {object} options
 * @param {import('./types.js').Backends} options.backends
 * @param {import('./types.js').MessageCounts} options.counts
 * @param {string} [options.packageName] The package of Baileys that both clients run.
 * @returns {Promise<import('./types.js').RunResult>}
 */
export async function runPair({ backends, counts, packageName = 'baileys' }) {
  const isNew = isVersion7(packageName);
  const options = isNew ? {} : { greetingDelayMs: GREETING_DELAY_MS };
  const server = await MockServer.start({ baileys: packageName, ...options });
  const clients = {
    a: startClient(server, 'a', backends.a, packageName),
    b: startClient(server, 'b', backends.b, packageName)
  };
  const run = new Run(server, clients, counts, !isNew);
  const { idle, stop } = watchProgress(server, () => {
    const missing = run.unacknowledged().map(node => `${nameOf(node)} (${run.history(node.attrs.id)})`);
    return `nothing has arrived for ${IDLE_LIMIT_MS / 1000} s; not acknowledged: ${missing.join('; ') || 'nothing'}`;
  });
  try {
    return await Promise.race([scenario(run, backends), idle]);
  } catch (error) {
    throw new Error(`${backends.a} with ${backends.b}: ${describeError(error)}`, { cause: error });
  } finally {
    stop();
    await Promise.all([clients.a.stop(), clients.b.stop()]);
    await server.stop();
  }
}

/**
 * Watches whether a run progresses. Queries do not count: an idle client sends one every 30 s to keep its connection.
 *
 * @param {MockServer} server
 * @param {() => string} describe The message of the error.
 * @returns {{ idle: Promise<never>, stop: () => void }} `idle` rejects if the run does not progress.
 */
function watchProgress(server, describe) {
  /** @type {(error: Error) => void} */
  let fail = () => {};
  /** @type {Promise<never>} */
  const idle = new Promise((_, reject) => (fail = reject));
  const timer = setTimeout(() => fail(new Error(describe())), IDLE_LIMIT_MS);
  server.on('login', () => timer.refresh());
  server.on('stanza', ({ node }) => {
    if (node.tag !== 'iq') timer.refresh();
  });
  return { idle, stop: () => clearTimeout(timer) };
}

/**
 * @param {Run} run
 * @param {import('./types.js').Backends} backends
 * @returns {Promise<import('./types.js').RunResult>}
 */
async function scenario(run, backends) {
  const { counts } = run;
  await run.connect();
  const begin = performance.now();
  await run.texts();
  await run.group();
  if (counts.away > 0) await run.away();
  const ms = performance.now() - begin;
  await delay(LAST_EVENTS_MS);
  const reports = { a: await run.ask('a', 'report', undefined), b: await run.ask('b', 'report', undefined) };
  const { retries } = run;
  const behaviours = await observeBehaviours(run);
  const due = run.server.stanzas.length;
  // The answer to a ping arrives after all stanzas that were sent before it.
  await Promise.all(SIDES.map(side => run.act(side, 'ping')));
  const flows = [
    flow('texts', 'a', counts.texts, reports, run.inFlight),
    flow('texts', 'b', counts.texts, reports, run.inFlight),
    flow('group', 'a', counts.group / 2, reports, run.inFlight),
    flow('group', 'b', counts.group / 2, reports, run.inFlight),
    flow('away', 'a', counts.away, reports, run.inFlight)
  ];
  const lost = flows.flatMap(each => each.lost);
  const last = { a: await run.ask('a', 'report', undefined), b: await run.ask('b', 'report', undefined) };
  return {
    backends,
    flows,
    histories: Object.fromEntries(lost.map(item => [item, run.history(item)])),
    inFlight: run.inFlight,
    resent: reports.b.resent,
    stanzas: { a: run.stanzasOf('a', last.a.stanzas, due), b: run.stanzasOf('b', last.b.stanzas, due) },
    behaviours,
    undecrypted: reports.a.undecrypted + reports.b.undecrypted,
    retries,
    logins: { a: reports.a.logins, b: reports.b.logins },
    layers: { a: reports.a.layers, b: reports.b.layers },
    ms
  };
}
