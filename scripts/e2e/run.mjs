// One run: a server in this process, which does not load the native layer, and two clients in child processes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MockServer } from 'baileys-native/testing';
import { describeError, openChannel } from '../shared/channel.mjs';
import { answersOf } from './answers.mjs';
import { compareStanzas, nameOf } from './stanzas.mjs';
import { jidOf, USERS } from './users.mjs';

/**
 * @typedef {import('./types.js').Side} Side
 * @typedef {import('./types.js').Phase} Phase
 * @typedef {import('./types.js').ClientServices} ClientServices
 * @typedef {import('./types.js').ParentServices} ParentServices
 * @typedef {import('baileys-native/testing').Device} Device
 * @typedef {import('../shared/channel.mjs').Channel<ClientServices>['ask']} Ask
 * @typedef {{ side: Side, user: string, child: import('node:child_process').ChildProcess, ask: Ask, failed:
 *   Promise<never> }} Peer
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
/** @type {Side[]} */
const SIDES = ['a', 'b'];
/** The number of texts that one side sends before the other side sends. */
export const BURST = 20;
/** Longer than Baileys delays events: repeated messages were delivered by then. */
const LAST_EVENTS_MS = 300;
const GREETING_DELAY_MS = 250;
/** Time limit for a cut and the next login, in milliseconds. */
const CUT_TIMEOUT_MS = 20_000;

/**
 * Time for Baileys 6 to acknowledge messages that were in flight at a cut, in ms. It may never do so; Baileys 7 does.
 */
const OVERDUE_MS = 12_000;

/** @type {(side: Side) => Side} */
const otherSide = side => (side === 'a' ? 'b' : 'a');

/**
 * @param {MockServer} server
 * @param {Side} side
 * @param {import('./types.js').Backend} backend
 * @param {string} line the package of Baileys
 * @returns {Peer}
 */
function start(server, side, backend, line) {
  const child = fork(CLIENT, [line], {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    execArgv: backend === 'native' ? ['--import', 'baileys-native/register'] : [],
    env: backend === 'native' ? process.env : { ...process.env, BAILEYS_NATIVE: 'off' }
  });
  /** @type {(error: Error) => void} */
  let reject;
  /** @type {Promise<never>} */
  const failed = new Promise((_, fail) => (reject = fail));
  failed.catch(() => {}); // handled by `watched`
  child.once('error', error => reject(error));
  child.once('exit', (code, signal) => reject(new Error(`client ${side} ended with ${signal ?? `exit code ${code}`}`)));
  /** @type {import('../shared/channel.mjs').Channel<ClientServices>} */
  const { ask } = openChannel(child, {
    scan: ({ qr }) => server.scanQr(qr, { jid: USERS[side], pushName: side }).then(() => undefined),
    failed: ({ stack }) => reject(new Error(`client ${side}: ${stack}`))
  });
  return { side, user: USERS[side], child, ask, failed };
}

export class Run {
  /**
   * @param {MockServer} server
   * @param {Record<Side, Peer>} peers
   * @param {import('./types.js').Counts} counts
   * @param {boolean} mayForget whether the clients may never acknowledge messages that were in flight at a cut
   */
  constructor(server, peers, counts, mayForget) {
    this.mayForget = mayForget;
    this.server = server;
    this.peers = peers;
    this.counts = counts;
    /** @type {string[]} */
    this.inFlight = [];
    this.retries = 0;
    /** By flow, how many messages were given up. @type {Record<string, number>} */
    this.missing = {};
    /** Whether the run still waits for messages that were in flight at a cut. */
    this.patient = true;
    /** @type {Promise<never>} */
    this.broken = new Promise((_, reject) => server.once('failure', error => reject(error)));
    this.broken.catch(() => {});
    server.on('stanza', ({ direction, node }) => {
      if (direction === 'in' && node.tag === 'receipt' && node.attrs.type === 'retry') this.retries += 1;
    });
  }

  /**
   * Calls a client. A failure of a client or the server ends the wait.
   *
   * @template {keyof ClientServices} Name
   * @param {Side} side
   * @param {Name} name
   * @param {ClientServices[Name][0]} data
   * @returns {Promise<ClientServices[Name][1]>}
   */
  ask(side, name, data) {
    return this.watched(this.peers[side].ask(name, data));
  }

  /**
   * @template Value
   * @param {Promise<Value>} promise
   */
  watched(promise) {
    return Promise.race([promise, this.peers.a.failed, this.peers.b.failed, this.broken]);
  }

  /** @param {Side} side */
  device(side) {
    return this.server.devicesOf(USERS[side])[0];
  }

  async connect() {
    for (const side of SIDES) {
      const { url, ca, rootKey } = this.server;
      const backend = this.peers[side].child.spawnargs.includes('baileys-native/register') ? 'native' : 'js';
      await this.ask(side, 'pair', { side, backend, url, ca: String(ca), rootKey: rootKey.toString('hex') });
      await this.ask(side, 'login', undefined);
    }
  }

  /**
   * Sends texts. Resolves when all have arrived, were read and are acknowledged.
   *
   * @param {Side} from
   * @param {ClientServices['send'][0]} request
   * @param {Promise<void>} [meanwhile]
   */
  async send(from, request, meanwhile) {
    await this.ask(from, 'send', request);
    await this.watched(Promise.resolve(meanwhile));
    await this.arrived(from, request);
  }

  /**
   * @param {Side} from
   * @param {ClientServices['send'][0]} request
   */
  async arrived(from, { phase, first, count }) {
    const flow = `${phase}:${from}:`;
    await this.ask(from, 'settle', undefined);
    await this.#emptyMailboxes();
    const expected = first + count - (this.missing[flow] ?? 0);
    const arrived = await this.ask(otherSide(from), 'arrived', { flow, count: expected });
    this.missing[flow] = first + count - arrived;
    await this.ask(otherSide(from), 'settle', undefined);
    await this.#emptyMailboxes();
  }

  /** Resolves when all messages are acknowledged, or after a time limit if some may never be acknowledged. */
  async #emptyMailboxes() {
    while (this.waitsFor().length > 0) {
      const stop = new AbortController();
      const { signal } = stop;
      const said = once(this.server, 'acknowledged', { signal });
      /** @type {Promise<unknown>} */
      const late =
        this.mayForget && this.patient
          ? delay(OVERDUE_MS, undefined, { signal }).then(() => (this.patient = false))
          : new Promise(() => {});
      for (const each of [said, late]) each.catch(() => {}); // stopped
      try {
        await this.watched(Promise.race([said, late]));
      } finally {
        stop.abort();
      }
    }
  }

  /** The unacknowledged messages that the run must wait for. */
  waitsFor() {
    return SIDES.map(side => this.device(side))
      .filter(Boolean)
      .flatMap(device => this.server.pending(device))
      .filter(({ attrs }) => this.patient || !this.inFlight.includes(attrs.id));
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
    this.groupId = /** @type {string} */ (await this.service('a', 'createGroup', 'Two clients', [jidOf('b')]));
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
    await this.#emptyMailboxes();
    // Baileys 6.7 delivers the events of the offline queue only when another message arrives.
    await this.send('a', { ...request, first: request.count, count: 1 });
  }

  /**
   * @param {Side} side
   * @param {string} name see services.mjs
   * @param {unknown[]} args
   */
  service(side, name, ...args) {
    return this.ask(side, 'service', { name, args });
  }

  /**
   * Cuts the connection of `b` when the server has read the given text. Resolves when `b` has logged in again.
   *
   * When the server has read this text of `a`, it stops reading from `b`. So it cannot read an acknowledgement of the
   * text, and at least this text is in flight at the cut.
   *
   * @param {Side} from
   * @param {string} id
   */
  #cutAfter(from, id) {
    const { server } = this;
    const device = this.device('b');
    const start = server.stanzas.length;
    /** @type {Promise<void>} */
    const back = new Promise((resolve, reject) => {
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
        // The server sends the text to `b` in the turn in which it reads it.
        setImmediate(() => {
          if (from === 'a') this.inFlight = this.#pendingMessages(device);
          connection.drop();
        });
        /** @param {import('baileys-native/testing').StanzaRecord} record */
        const isBack = record =>
          record.node.tag === 'success' && server.connections[record.connection].device === device;
        resolve(server.waitFor(isBack, { from: start, timeoutMs: CUT_TIMEOUT_MS }).then(() => undefined));
      };
      server.on('stanza', onStanza);
    });
    back.catch(() => {}); // handled by the caller
    return back;
  }

  /**
   * Compares the stanzas that the server sent to a client with those that its socket layer delivered, for all
   * connections.
   *
   * @param {Side} side
   * @param {string[][]} received by connection
   * @param {number} due the number of the server's records whose stanzas must have arrived
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
      strange: all.flatMap(({ strange }) => strange)
    };
  }

  /** The ids of the messages that a device has not acknowledged. @param {Device} device */
  #pendingMessages(device) {
    return this.server
      .pending(device)
      .filter(({ tag }) => tag === 'message')
      .map(({ attrs }) => attrs.id);
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

/** @param {Peer} peer */
async function end({ child }) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (child.connected) child.disconnect();
  else child.kill();
  await gone;
}

/**
 * Runs two clients against each other.
 *
 * @param {object} options
 * @param {import('./types.js').Backends} options.backends
 * @param {import('./types.js').Counts} options.counts
 * @param {number} options.timeoutMs
 * @param {string} [options.line] the package of Baileys that both clients run
 * @returns {Promise<import('./types.js').Result>}
 */
export async function runPair({ backends, counts, timeoutMs, line = 'baileys' }) {
  // Baileys 6 loses a stanza that arrives directly after the handshake, before its finishInit has ended.
  const patience = line === 'baileys' ? {} : { greetingDelayMs: GREETING_DELAY_MS };
  const server = await MockServer.start({ baileys: line, ...patience });
  const peers = { a: start(server, 'a', backends.a, line), b: start(server, 'b', backends.b, line) };
  const run = new Run(server, peers, counts, line !== 'baileys');
  const stop = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: stop.signal }).then(() => {
    const waits = run.waitsFor().map(nameOf).join(', ');
    throw new Error(`the run did not end within ${timeoutMs / 1000} s; not acknowledged: ${waits || 'nothing'}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([scenario(run, backends), late]);
  } catch (error) {
    throw new Error(`${backends.a} with ${backends.b}: ${describeError(error)}`, { cause: error });
  } finally {
    stop.abort();
    await Promise.all([end(peers.a), end(peers.b)]);
    await server.stop();
  }
}

/**
 * @param {Run} run
 * @param {import('./types.js').Backends} backends
 * @returns {Promise<import('./types.js').Result>}
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
  const answers = await answersOf(run);
  const due = run.server.stanzas.length;
  // The answer of a ping arrives after everything that was sent before.
  await Promise.all(SIDES.map(side => run.service(side, 'ping')));
  const last = { a: await run.ask('a', 'report', undefined), b: await run.ask('b', 'report', undefined) };
  return {
    backends,
    flows: [
      flow('texts', 'a', counts.texts, reports, run.inFlight),
      flow('texts', 'b', counts.texts, reports, run.inFlight),
      flow('group', 'a', counts.group / 2, reports, run.inFlight),
      flow('group', 'b', counts.group / 2, reports, run.inFlight),
      flow('away', 'a', counts.away, reports, run.inFlight)
    ],
    inFlight: run.inFlight,
    resent: reports.b.resent,
    stanzas: { a: run.stanzasOf('a', last.a.stanzas, due), b: run.stanzasOf('b', last.b.stanzas, due) },
    answers,
    undecrypted: reports.a.undecrypted + reports.b.undecrypted,
    retries,
    logins: { a: reports.a.logins, b: reports.b.logins },
    layers: { a: reports.a.layers, b: reports.b.layers },
    ms
  };
}
