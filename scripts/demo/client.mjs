// The bot of the demo: a child process that is told by its command line alone which socket layer it runs on. It drives the
// scenario, measures itself, and asks its parent for what only the server can do.

import { Agent } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as baileys from 'baileys';
import { trustTestRoot } from 'baileys-native/testing';
import { LogFile, describeQr, describeStanza } from './log.mjs';
import { INBOUND_EVENTS, SEND_WINDOW, inboundStanza, outboundStanza, ping, warmUp } from './traffic.mjs';

const NATIVE = Symbol.for('baileys-native');
const RESTART_REQUIRED = 515;

const questions = new Map();
let lastQuestion = 0;

/** Asks the parent to do something; resolves with its answer. */
function ask(what, data) {
  const id = ++lastQuestion;
  return new Promise((resolve, reject) => {
    questions.set(id, { resolve, reject });
    process.send({ id, what, data });
  });
}

process.on('message', ({ id, answer, error }) => {
  const { resolve, reject } = questions.get(id);
  questions.delete(id);
  if (error === undefined) resolve(answer);
  else reject(new Error(error));
});

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

/** The part of `logger` that Baileys uses, without output. */
function silentLogger() {
  const logger = { level: 'silent', child: () => logger };
  for (const name of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) logger[name] = () => {};
  return logger;
}

/** Signal keys in memory. */
function memoryKeys() {
  const store = new Map();
  return {
    get: async (type, ids) =>
      Object.fromEntries(ids.map(id => [id, store.get(`${type}:${id}`)]).filter(([, value]) => value)),
    set: async data => {
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values)) {
          if (value) store.set(`${type}:${id}`, value);
          else store.delete(`${type}:${id}`);
        }
      }
    }
  };
}

/** Refuses to measure the wrong thing. */
async function checkBackend(backend) {
  const replaced = [baileys.encodeBinaryNode, baileys.decodeBinaryNode, baileys.makeNoiseHandler].map(
    value => value[NATIVE] === true
  );
  if (backend === 'js') {
    if (replaced.includes(true)) throw new Error('the JavaScript run has loaded the native socket layer');
    return;
  }
  const { isActive } = await import('baileys-native/register');
  if (!isActive() || replaced.includes(false)) {
    throw new Error('the native socket layer was asked for, but baileys-native is not active in this process');
  }
}

/** One line per event, in order: what comes in apart from what happens to the connection. */
class Recorder {
  #messages = 0;
  #ws;
  #onFrame = frame => this.inbound.add(frame instanceof Uint8Array ? 'handshake' : describeStanza(frame));
  #onMessage = () => this.#messages++;

  constructor(directory) {
    this.inbound = new LogFile(join(directory, 'inbound.log'));
    this.connection = new LogFile(join(directory, 'connection.log'));
  }

  /** Follows a new socket. */
  watch(sock) {
    const note = line => this.connection.add(line);
    sock.ev.on('connection.update', update => note(`connection.update ${describeUpdate(update)}`));
    sock.ev.on('creds.update', update => note(`creds.update ${Object.keys(update).join(' ')}`));
    for (const event of ['open', 'close', 'error']) sock.ws.on(event, () => note(`ws ${event}`));
    this.#ws = sock.ws;
    this.#messages = 0;
    this.resume();
  }

  /** Stays out of the way of a measurement. */
  pause() {
    this.#ws.off('frame', this.#onFrame).off('message', this.#onMessage);
    this.connection.add(`ws messages: ${this.#messages}`);
  }

  resume() {
    this.#ws.on('frame', this.#onFrame).on('message', this.#onMessage);
  }

  close() {
    this.connection.add(`ws messages: ${this.#messages}`);
    this.inbound.close();
    this.connection.close();
  }
}

function describeUpdate({ qr, lastDisconnect, ...rest }) {
  const shown = { ...rest };
  if (qr) shown.qr = describeQr(qr);
  if (lastDisconnect) {
    const { error } = lastDisconnect;
    shown.lastDisconnect = error ? { message: error.message, code: error.output?.statusCode } : {};
  }
  return JSON.stringify(shown);
}

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
  constructor(settings) {
    this.settings = settings;
    this.recorder = new Recorder(settings.directory);
    this.creds = JSON.parse(settings.creds, baileys.BufferJSON.reviver);
    this.keys = memoryKeys();
    this.sent = 0;
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
    if ((sock.ws.constructor[NATIVE] === true) !== (this.settings.backend === 'native')) {
      throw new Error('Baileys has made its socket from the wrong socket layer');
    }
    this.recorder.watch(sock);
    sock.ev.on('creds.update', update => Object.assign(this.creds, update));
    return sock;
  }

  /** Resolves with the code that the server ends the pairing connection with. */
  pair() {
    const sock = this.connect();
    return new Promise((resolve, reject) => {
      sock.ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
        if (qr) ask('scan', { qr }).catch(reject);
        if (connection !== 'close') return;
        const code = lastDisconnect?.error?.output?.statusCode;
        if (code === RESTART_REQUIRED) resolve(code);
        else reject(lastDisconnect?.error ?? new Error('the connection closed while pairing'));
      });
    });
  }

  /** Resolves with the milliseconds it took to get to `open`. */
  login() {
    const start = performance.now();
    this.sock = this.connect();
    return new Promise((resolve, reject) => {
      this.sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
        if (connection === 'open') resolve(performance.now() - start);
        if (connection === 'close') reject(lastDisconnect?.error ?? new Error('the connection closed'));
      });
    });
  }

  /** Round trips one after the other; resolves with their milliseconds. */
  async pings(count) {
    const times = [];
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      const answer = await this.sock.query(ping());
      times.push(performance.now() - start);
      if (answer?.attrs.type !== 'result') throw new Error(`ping ${index} was not answered`);
    }
    return times;
  }

  /** Receives a flood, and checks that nothing is missing, doubled or out of order. */
  async receive(count) {
    const ids = Array.from({ length: count }, (_, index) => inboundStanza(index).attrs.id);
    await ask('prepareFlood', { count });
    let seen = 0;
    let firstAt;
    let finish;
    const finished = new Promise((resolve, reject) => (finish = { resolve, reject }));
    const onStanza = ({ tag, attrs }) => {
      if (seen === 0) firstAt = performance.now();
      if (attrs.id !== ids[seen]) finish.reject(new Error(`stanza ${seen} of the flood is <${tag} id="${attrs.id}">`));
      seen += 1;
      if (seen === count) finish.resolve(performance.now() - firstAt);
    };
    for (const event of INBOUND_EVENTS) this.sock.ws.on(event, onStanza);
    const watch = stopwatch();
    const acknowledged = ask('startFlood');
    const ms = await finished;
    await acknowledged;
    const cpuUs = watch.cpuUs();
    for (const event of INBOUND_EVENTS) this.sock.ws.off(event, onStanza);
    return { ms, cpuUs };
  }

  /** Sends with a bounded number of promises in flight; ends when the server has read everything. */
  async send(count) {
    const nodes = Array.from({ length: count }, (_, index) => outboundStanza(index));
    this.sent += count;
    const arrived = ask('messages', { total: this.sent });
    let next = 0;
    const sender = async () => {
      while (next < count) await this.sock.sendNode(nodes[next++]);
    };
    const watch = stopwatch();
    await Promise.all(Array.from({ length: SEND_WINDOW }, sender));
    const ms = watch.elapsedMs();
    await arrived;
    return { ms, cpuUs: watch.cpuUs() };
  }

  /** Runs a phase twice: first to warm up, recorded; then measured, with nothing but the phase's own listeners. */
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
    const closed = new Promise(resolve => {
      this.sock.ev.on('connection.update', ({ connection }) => connection === 'close' && resolve());
    });
    this.sock.end(undefined);
    await closed;
  }
}

async function run() {
  const settings = await ask('settings');
  await checkBackend(settings.backend);
  const { pings, stanzas, sends } = settings.counts;
  const warm = warmUp(settings.counts);
  const scenario = new Scenario(settings);

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
  await ask('failed', { stack: error.stack });
  process.exit(1);
}
