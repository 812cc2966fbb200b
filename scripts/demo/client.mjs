// The bot of the demo: a child process that is told by its command line alone which socket layer it runs on. It drives the
// scenario, measures itself, and asks its parent for what only the server can do.

import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { checkBackend, checkSocket, memoryKeys, silentLogger } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { Recorder, statusCode } from './recorder.mjs';
import { INBOUND_EVENTS, SEND_WINDOW, inboundStanza, outboundStanza, ping, warmUp } from './traffic.mjs';

/**
 * @typedef {import('./types.js').Questions} Questions
 * @typedef {import('./types.js').Cost} Cost
 * @typedef {ReturnType<typeof baileys.makeWASocket>} Sock
 */

const RESTART_REQUIRED = 515;

const channel = openChannel(process);

/**
 * Asks the parent to do something; resolves with its answer.
 *
 * @template {keyof Questions} Name
 * @param {Name} what
 * @param {Questions[Name][0]} [data]
 * @returns {Promise<Questions[Name][1]>}
 */
const ask = (what, data) => channel.ask(what, data);

/** Waits until neither side has anything left to say: the server was quiet twice, and this process had its turn between. */
async function settle() {
  let before;
  let now = await ask('settle');
  do {
    before = now;
    await delay(10);
    now = await ask('settle');
  } while (now !== before);
}

process.on('disconnect', () => process.exit(1)); // nobody is left to report to

/** @param {NodeJS.CpuUsage} usage */
const microseconds = ({ user, system }) => user + system;

/** Cost of what happens between two calls, of all threads of this process. */
function stopwatch() {
  const start = performance.now();
  const usage = process.cpuUsage();
  return {
    elapsedMs: () => performance.now() - start,
    cpuUs: () => microseconds(process.cpuUsage(usage))
  };
}

class Scenario {
  /** @param {import('./types.js').Settings} settings */
  constructor(settings) {
    this.settings = settings;
    this.recorder = new Recorder(settings.directory);
    this.creds = JSON.parse(settings.creds, baileys.BufferJSON.reviver);
    this.keys = memoryKeys();
    this.sent = 0;
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
        if (qr) ask('scan', { qr }).catch(reject);
        if (connection !== 'close') return;
        if (statusCode(lastDisconnect?.error) === RESTART_REQUIRED) resolve();
        else reject(lastDisconnect?.error ?? new Error('the connection closed while pairing'));
      });
    });
  }

  /**
   * Resolves with the milliseconds it took to get to `open`.
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
   * Round trips one after the other; resolves with their milliseconds.
   *
   * @param {number} count
   */
  async pings(count) {
    const times = [];
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      const answer = await this.open.query(ping());
      times.push(performance.now() - start);
      if (answer?.attrs.type !== 'result') throw new Error(`ping ${index} was not answered`);
    }
    return times;
  }

  /**
   * Receives a flood, and checks that nothing is missing, doubled or out of order.
   *
   * @param {number} count
   * @returns {Promise<Cost>}
   */
  async receive(count) {
    const ids = Array.from({ length: count }, (_, index) => inboundStanza(index).attrs.id);
    await ask('prepareFlood', { count });
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
    const acknowledged = ask('startFlood');
    const ms = await finished;
    await acknowledged;
    const cpuUs = watch.cpuUs();
    for (const event of INBOUND_EVENTS) ws.off(event, onStanza);
    return { ms, cpuUs };
  }

  /**
   * Sends with a bounded number of promises in flight; ends when the server has read everything.
   *
   * @param {number} count
   * @returns {Promise<Cost>}
   */
  async send(count) {
    const nodes = Array.from({ length: count }, (_, index) => outboundStanza(index));
    this.sent += count;
    const arrived = ask('messages', { total: this.sent });
    let next = 0;
    const sender = async () => {
      while (next < count) await this.open.sendNode(nodes[next++]);
    };
    const watch = stopwatch();
    await Promise.all(Array.from({ length: SEND_WINDOW }, sender));
    const ms = watch.elapsedMs();
    await arrived;
    return { ms, cpuUs: watch.cpuUs() };
  }

  /**
   * Runs a phase twice: first to warm up, recorded; then measured, with nothing but the phase's own listeners.
   *
   * @template Result
   * @param {number} warmUpCount
   * @param {number} count
   * @param {(count: number) => Promise<Result>} run
   */
  async measured(warmUpCount, count, run) {
    await run(warmUpCount);
    await settle();
    this.recorder.pause();
    const result = await run(count);
    await settle();
    this.recorder.resume();
    return result;
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

async function run() {
  const settings = await ask('settings');
  await checkBackend(settings.backend);
  const { pings, stanzas, sends } = settings.counts;
  const warm = warmUp(settings.counts);
  const scenario = new Scenario(settings);

  /**
   * @param {string} name
   * @param {number} [ms]
   */
  const report = (name, ms) => ask('progress', { name, ms });
  const start = performance.now();
  await scenario.pair();
  await report('paired by QR, restart (515)', performance.now() - start);
  const connectMs = await scenario.login();
  await report('logged in', connectMs);
  await settle();
  const times = await scenario.measured(warm.pings, pings, count => scenario.pings(count));
  await report(
    `${pings.toLocaleString('en-US')} pings`,
    times.reduce((sum, ms) => sum + ms, 0)
  );
  const inbound = await scenario.measured(warm.stanzas, stanzas, count => scenario.receive(count));
  await report(`${stanzas.toLocaleString('en-US')} stanzas in`, inbound.ms);
  const outbound = await scenario.measured(warm.sends, sends, count => scenario.send(count));
  await report(`${sends.toLocaleString('en-US')} stanzas out`, outbound.ms);
  await scenario.close();
  await report('closed');
  const peakRssKb = process.resourceUsage().maxRSS;
  scenario.recorder.close();
  await ask('result', { connectMs, times, inbound, outbound, peakRssKb });
}

try {
  await run();
  process.exit(0); // Baileys leaves the timer of its pre-key upload running for half a minute
} catch (error) {
  await ask('failed', { stack: error instanceof Error ? String(error.stack) : String(error) });
  process.exit(1);
}
