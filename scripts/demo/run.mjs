// One run: a fresh server in this process, the bot in a child process, and everything that the two have seen.

import { fork } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MockServer } from 'baileys-native/testing';
import { describeStanza } from './log.mjs';
import { acknowledged, inboundStanza } from './traffic.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const QUIET_MS = 25;
const QUIET_TURNS = 4;
const JID = '15550000001:1@s.whatsapp.net';

/**
 * Resolves once a number of turns of this process have passed in which the server has neither sent nor received a stanza,
 * with the number of stanzas so far.
 */
async function quiet(server) {
  let seen = -1;
  for (let turn = 0; turn < QUIET_TURNS; turn++) {
    if (server.stanzas.length !== seen) turn = 0;
    seen = server.stanzas.length;
    await delay(QUIET_MS);
  }
  return seen;
}

/** Counts what arrives, by tag. */
class Tally {
  #counts = new Map();
  #waiting = [];

  constructor(server) {
    server.on('stanza', ({ direction, node }) => {
      if (direction !== 'in') return;
      this.#counts.set(node.tag, this.of(node.tag) + 1);
      this.#waiting = this.#waiting.filter(({ tag, total, resolve }) => this.of(tag) < total || resolve());
    });
  }

  of(tag) {
    return this.#counts.get(tag) ?? 0;
  }

  /** Resolves once that many stanzas with this tag have arrived in all. */
  reaches(tag, total) {
    if (this.of(tag) >= total) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push({ tag, total, resolve }));
  }
}

/** What the child may ask for. */
function services({ server, settings, outcome, onProgress }) {
  const tally = new Tally(server);
  let flood;
  const connection = () => server.connections.at(-1);
  return {
    settings: () => ({ ...settings, url: server.url, ca: server.ca, rootKey: server.rootKey.toString('hex') }),
    scan: ({ qr }) => server.scanQr(qr, { jid: JID }).then(() => undefined),
    settle: () => quiet(server),
    prepareFlood: ({ count }) => {
      flood = connection().prepareFlood(inboundStanza, count);
    },
    startFlood: async () => {
      const acks = tally.reaches('ack', tally.of('ack') + acknowledged(flood.count));
      await flood.start();
      await acks;
    },
    messages: ({ total }) => tally.reaches('message', total),
    progress: onProgress,
    result: measured => void Object.assign(outcome, { measured }),
    failed: ({ stack }) => void (outcome.failure ??= stack)
  };
}

function serve(child, offered) {
  child.on('message', async ({ id, what, data }) => {
    let reply;
    try {
      reply = { id, answer: await offered[what](data) };
    } catch (error) {
      reply = { id, error: error.stack };
    }
    if (child.connected) child.send(reply, () => {}); // a child that has gone is reported by its exit
  });
}

/** Resolves when the child has ended with 0. */
function exited(child, timeoutMs) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the run did not end within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`the run ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** What the server has received, connection by connection: how each introduced itself, then its stanzas. */
function outboundLog(server) {
  return server.connections.flatMap(({ header, routingInfo, payload, received }) => [
    `header ${header?.toString('hex')} routing ${routingInfo?.toString('hex') ?? 'none'} login ${JSON.stringify(payload)}`,
    ...received.map(({ node }) => describeStanza(node))
  ]);
}

const lines = path => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/**
 * Runs the scenario once.
 *
 * @param {object} options
 * @param {'js' | 'native'} options.backend
 * @param {{ pings: number, stanzas: number, sends: number }} options.counts
 * @param {string} options.creds JSON of Baileys' credentials for a new device.
 * @param {string} options.directory Where the child leaves its logs.
 * @param {number} options.timeoutMs
 * @param {(step: { name: string, ms?: number }) => void} options.onProgress
 * @returns {Promise<{ measured: object, logs: Record<string, string[]> }>}
 */
export async function runOnce({ backend, counts, creds, directory, timeoutMs, onProgress }) {
  mkdirSync(directory, { recursive: true });
  const server = await MockServer.start();
  try {
    server.handle('message', () => []);
    const outcome = {};
    server.on('failure', error => (outcome.failure ??= `the server: ${error.stack}`));
    const child = fork(CLIENT, {
      cwd: ROOT,
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
      execArgv: backend === 'native' ? ['--import', 'baileys-native/register'] : [],
      env: backend === 'native' ? process.env : { ...process.env, BAILEYS_NATIVE: 'off' }
    });
    const settings = { backend, counts, creds, directory };
    serve(child, services({ server, settings, outcome, onProgress }));
    await exited(child, timeoutMs).catch(error => (outcome.failure ??= error.message));
    if (!outcome.failure && !outcome.measured) outcome.failure = 'the run ended without a result';
    if (outcome.failure) throw new Error(outcome.failure);
    const logs = {
      connection: lines(join(directory, 'connection.log')),
      inbound: lines(join(directory, 'inbound.log')),
      outbound: outboundLog(server)
    };
    return { measured: outcome.measured, logs };
  } finally {
    await server.stop();
  }
}
