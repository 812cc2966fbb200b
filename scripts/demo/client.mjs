// The bot of the demo: a child process. Its command line chooses the socket layer. It runs the scenario, measures
// itself, and asks its parent for actions of the server.

import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, pingQuery, silentLogger, statusCode } from '../shared/bot.mjs';
import { childMain } from '../shared/child.mjs';
import { rounded } from '../shared/text.mjs';
import { DemoRecorder } from './recorder.mjs';
import { INBOUND_EVENTS, LOGINS, REPETITIONS, SEND_BATCH, inboundStanza, outboundStanza } from './traffic.mjs';

/**
 * @typedef {import('./types.js').Ask} Ask
 * @typedef {import('./types.js').Cost} Cost
 * @typedef {import('../shared/bot.mjs').Sock} Sock
 */

const RESTART_REQUIRED = 515;

/**
 * Waits until both sides are idle: between two checks the server has neither sent nor received a stanza.
 *
 * @param {Ask} ask
 */
async function settle(ask) {
  let before;
  let now = await ask('settle');
  do {
    before = now;
    await delay(10);
    now = await ask('settle');
  } while (now !== before);
}

/** @param {NodeJS.CpuUsage} usage */
const microseconds = ({ user, system }) => user + system;

/** Measures the time and CPU time between two calls, for all threads of this process. */
function stopwatch() {
  const start = performance.now();
  const usage = process.cpuUsage();
  return {
    elapsedMs: () => performance.now() - start,
    cpuUs: () => microseconds(process.cpuUsage(usage))
  };
}

class Scenario {
  /**
   * @param {import('./types.js').DemoSettings} settings
   * @param {Ask} ask
   */
  constructor(settings, ask) {
    this.settings = settings;
    this.ask = ask;
    this.recorder = new DemoRecorder(settings.directory);
    this.creds = JSON.parse(settings.creds, baileys.BufferJSON.reviver);
    this.keys = memoryKeys();
    /** @type {Sock | undefined} */
    this.sock = undefined;
    trustTestRoot(baileys, Buffer.from(settings.rootKey, 'hex'));
  }

  connect() {
    const sock = baileys.makeWASocket({
      waWebSocketUrl: this.settings.url,
      agent: new Agent({ ca: this.settings.ca }),
      auth: { creds: this.creds, keys: this.keys },
      logger: silentLogger(),
      keepAliveIntervalMs: 300_000
    });
    checkSocket(sock.ws, this.settings.backend);
    this.recorder.watch(sock);
    sock.ev.on('creds.update', update => Object.assign(this.creds, update));
    return sock;
  }

  /** The socket that has logged in. */
  get open() {
    if (!this.sock) throw new Error('not logged in');
    return this.sock;
  }

  /**
   * Resolves when the device is linked and the server has asked for the restart.
   *
   * @returns {Promise<void>}
   */
  pair() {
    const sock = this.connect();
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
        if (qr) this.ask('scan', { qr }).catch(reject);
        if (connection !== 'close') return;
        if (statusCode(lastDisconnect?.error) === RESTART_REQUIRED) resolve();
        else reject(lastDisconnect?.error ?? new Error('the connection closed while pairing'));
      });
    });
  }

  /**
   * Resolves with the time until `open`, in milliseconds.
   *
   * @returns {Promise<number>}
   */
  login() {
    const start = performance.now();
    const sock = this.connect();
    this.sock = sock;
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') resolve(performance.now() - start);
        if (connection === 'close') reject(lastDisconnect?.error ?? new Error('the connection closed'));
      });
    });
  }

  /**
   * Makes round trips one after the other; resolves with their times in milliseconds.
   *
   * @param {number} count
   */
  async pings(count) {
    const times = [];
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      const answer = await this.open.query(pingQuery());
      times.push(performance.now() - start);
      if (answer?.attrs.type !== 'result') throw new Error(`ping ${index} was not answered`);
    }
    return times;
  }

  /**
   * Receives a flood, and checks that no stanza is missing, repeated or out of order.
   *
   * @param {number} count
   * @returns {Promise<Cost>}
   */
  async receive(count) {
    const ids = Array.from({ length: count }, (_, index) => inboundStanza(index).attrs.id);
    await this.ask('prepareFlood', { count });
    const { ws } = this.open;
    let seen = 0;
    let firstAt = 0;
    /** @type {(node: baileys.BinaryNode) => void} */
    let onStanza = () => {};
    /** @type {Promise<number>} */
    const finished = new Promise((resolve, reject) => {
      onStanza = ({ tag, attrs }) => {
        if (seen === 0) firstAt = performance.now();
        if (attrs.id !== ids[seen]) reject(new Error(`stanza ${seen} of the flood is <${tag} id="${attrs.id}">`));
        seen += 1;
        if (seen === count) resolve(performance.now() - firstAt);
      };
    });
    for (const event of INBOUND_EVENTS) ws.on(event, onStanza);
    const watch = stopwatch();
    const acknowledged = this.ask('startFlood');
    const ms = await finished;
    await acknowledged;
    const cpuUs = watch.cpuUs();
    for (const event of INBOUND_EVENTS) ws.off(event, onStanza);
    return { ms, cpuUs };
  }

  /**
   * Sends stanzas in batches.
   *
   * @param {baileys.BinaryNode[]} nodes
   */
  async sendAll(nodes) {
    for (let start = 0; start < nodes.length; start += SEND_BATCH) {
      await Promise.all(nodes.slice(start, start + SEND_BATCH).map(node => this.open.sendNode(node)));
    }
  }

  /**
   * Sends to a server that decodes and records every stanza.
   *
   * @param {number} count
   */
  async sendRecorded(count) {
    const arrived = this.ask('messages', { total: count });
    await this.sendAll(messages(count));
    await arrived;
  }

  /**
   * Sends to a server that only reads; ends when it has read everything.
   *
   * @param {number} count
   * @returns {Promise<Cost>}
   */
  async send(count) {
    const nodes = messages(count);
    await this.ask('expectMessages', { count });
    const watch = stopwatch();
    await this.sendAll(nodes);
    await this.ask('arrived');
    return { ms: watch.elapsedMs(), cpuUs: watch.cpuUs() };
  }

  async close() {
    /** @type {Promise<void>} */
    const closed = new Promise(resolve => {
      this.open.ev.on('connection.update', ({ connection }) => {
        if (connection === 'close') resolve();
      });
    });
    this.open.end(undefined);
    await closed;
  }
}

/** @param {number} count */
const messages = count => Array.from({ length: count }, (_, index) => outboundStanza(index));

/** @param {Cost[]} costs */
const total = costs => costs.reduce((sum, { ms }) => sum + ms, 0);

/**
 * @param {() => Promise<Cost>} act
 * @returns {Promise<Cost[]>}
 */
async function repeated(act) {
  const costs = [];
  for (let left = REPETITIONS; left > 0; left--) costs.push(await act());
  return costs;
}

await childMain(async (/** @type {import('./types.js').DemoSettings} */ settings, /** @type {Ask} */ ask) => {
  await checkBackend(settings.backend);
  const { pings, stanzas, sends } = settings.counts;
  const scenario = new Scenario(settings, ask);

  /**
   * @param {string} name
   * @param {number} [ms]
   */
  const report = (name, ms) => ask('progress', { name, ms });
  const start = performance.now();
  await scenario.pair();
  await report('paired by QR, restart (515)', performance.now() - start);
  const logins = [];
  while (logins.length < LOGINS) {
    if (logins.length > 0) await scenario.close();
    logins.push(await scenario.login());
    await settle(ask);
  }
  await report(
    `logged in, ${LOGINS} times`,
    logins.reduce((sum, ms) => sum + ms, 0)
  );

  // Both sides record this and it is compared. Afterwards V8 has optimised the code.
  const recorded = performance.now();
  await scenario.pings(pings);
  await scenario.receive(stanzas);
  await scenario.sendRecorded(sends);
  await settle(ask);
  scenario.recorder.pause();
  await report('the same traffic, recorded', performance.now() - recorded);

  const times = await scenario.pings(pings);
  await report(
    `${rounded(pings)} pings`,
    times.reduce((sum, ms) => sum + ms, 0)
  );
  await settle(ask);
  await ask('sink');
  const inbound = await repeated(() => scenario.receive(stanzas));
  await report(`${REPETITIONS} times ${rounded(stanzas)} stanzas in`, total(inbound));
  const outbound = await repeated(() => scenario.send(sends));
  await report(`${REPETITIONS} times ${rounded(sends)} stanzas out`, total(outbound));
  const peakRssKb = process.resourceUsage().maxRSS;
  scenario.recorder.close();
  return { logins, times, inbound, outbound, peakRssKb };
});
