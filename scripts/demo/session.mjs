// `npm run demo -- session`: runs a NativeSession from pairing to resumption, step by step, with a server on loopback.

import { once } from 'node:events';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { initAuthCreds } from 'baileys';
import { NativeSession } from 'baileys-native';
import { MockServer } from 'baileys-native/testing';
import { stall } from '../stall/run.mjs';

const USAGE = `Usage: npm run demo -- session [options]

  --queries N   round trips (500)
  --stanzas N   stanzas that arrive while the loop is blocked (10000)
  --blocked S   seconds for which the loop is blocked (20)
  --interval MS keep-alive interval (2000)
`;

/** How many queries may be unanswered at the same time. */
const WINDOW = 32;

/** @typedef {{ step: string, outcome: string, ms: number }} Row */
/** @typedef {{ queries: number, stanzas: number, blockedMs: number, intervalMs: number }} Options */

/** @param {number} value */
const whole = value => Math.round(value).toLocaleString('en-US');

/** @param {NativeSession} session */
const connected = session =>
  new Promise(resolve => {
    session.on('state', function onState({ to }) {
      if (to !== 'connected') return;
      session.off('state', onState);
      resolve(undefined);
    });
  });

const ping = () => ({ tag: 'iq', attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' } });

/**
 * @param {NativeSession} session
 * @param {number} count
 */
async function askAll(session, count) {
  let left = count;
  const ask = async () => {
    while (left-- > 0) await session.query(ping());
  };
  await Promise.all(Array.from({ length: WINDOW }, ask));
}

/**
 * The steps of the demo, each with a function that returns its result as text.
 *
 * @param {MockServer} server
 * @param {NativeSession} session
 * @param {Options} options
 * @returns {[string, () => Promise<string>][]}
 */
function steps(server, session, { queries, stanzas, blockedMs, intervalMs }) {
  const scenario = { intervalMs, blockedMs, stanzas };
  const handshake = () => session.metrics().handshake?.kind;
  /** @param {'js' | 'native'} backend */
  const blocked = async backend => {
    const { received, inOrder, code, keepAlives } = await stall({ backend, ...scenario });
    const isComplete = code === undefined && inOrder === stanzas;
    if (isComplete !== (backend === 'native')) throw new Error(`${backend}: ${received} stanzas, code ${code}`);
    const end = code === undefined ? 'alive' : `lost, code ${code}`;
    return `${end}; ${whole(received)} of ${whole(stanzas)} stanzas, ${keepAlives} keep-alives`;
  };
  return [
    [
      'pair',
      async () => {
        const paired = once(session, 'paired');
        const restarted = connected(session);
        session.once('qr', qr => void server.scanQr(qr).catch(error => session.emit('error', error)));
        session.connect();
        const [me] = await paired;
        await restarted;
        return `${me.id}, restarted (515), logged in by its new credentials (${handshake()})`;
      }
    ],
    [
      'query',
      async () => {
        await askAll(session, queries);
        const { queryLatency } = session.metrics();
        return `${whole(queryLatency.count)} answers, ${(queryLatency.sumMs / queryLatency.count).toFixed(1)} ms each`;
      }
    ],
    ['stall, Baileys on JavaScript', () => blocked('js')],
    ['stall, NativeSession', () => blocked('native')],
    [
      'drop',
      async () => {
        const again = connected(session);
        const reconnecting = once(session, 'reconnecting');
        // The session's key of the server is no longer valid.
        server.rotateNoiseKey();
        server.connections[server.connections.length - 1].drop({ reset: true });
        const [{ reason }] = await reconnecting;
        await again;
        return `${reason.code} ${reason.kind}, connected again; resumption declined (${handshake()})`;
      }
    ],
    [
      'resume',
      async () => {
        const asked = session.query({ ...ping(), attrs: { ...ping().attrs, xmlns: 'held' } }, { idempotent: true });
        await server.waitFor(({ node }) => node.attrs.xmlns === 'held');
        const again = connected(session);
        server.connections[server.connections.length - 1].drop();
        await again;
        const { attrs } = await asked;
        const { kind, ms } = session.metrics().handshake ?? {};
        if (kind !== 'IK') throw new Error(`the handshake was ${kind}`);
        return `one round trip (${kind}, ${ms} ms); idempotent query ${attrs.id} sent again and answered`;
      }
    ]
  ];
}

/**
 * Shows the current step on a terminal.
 *
 * @param {string} name
 */
function showProgress(name) {
  const start = performance.now();
  if (!process.stdout.isTTY) return () => {};
  const show = () => process.stdout.write(`\r  ${name.padEnd(30)}${whole((performance.now() - start) / 1000)} s `);
  const timer = setInterval(show, 500);
  show();
  return () => {
    clearInterval(timer);
    process.stdout.write('\r\x1b[K');
  };
}

/**
 * @template T
 * @param {number} ms
 * @param {string} step
 * @param {Promise<T>} outcome
 * @returns {Promise<T>}
 */
function within(ms, step, outcome) {
  const cancel = new AbortController();
  const late = delay(ms, undefined, { signal: cancel.signal }).then(
    () => Promise.reject(new Error(`${step} takes too long`)),
    () => outcome
  );
  return Promise.race([outcome, late]).finally(() => cancel.abort());
}

/** @param {Row[]} rows */
function table(rows) {
  const width = Math.max(...rows.map(({ step }) => step.length));
  const time = Math.max(...rows.map(({ ms }) => whole(ms).length)) + 3;
  return rows.map(({ step, outcome, ms }) => `${step.padEnd(width)}  ${`${whole(ms)} ms`.padStart(time)}  ${outcome}`);
}

/** @param {string[]} args */
function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      queries: { type: 'string', default: '500' },
      stanzas: { type: 'string', default: '10000' },
      blocked: { type: 'string', default: '20' },
      interval: { type: 'string', default: '2000' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  /** @param {'queries' | 'stanzas' | 'blocked' | 'interval'} name */
  const number = name => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0`);
    return value;
  };
  const counts = { queries: number('queries'), stanzas: number('stanzas') };
  return { ...counts, blockedMs: number('blocked') * 1000, intervalMs: number('interval'), help: values.help };
}

/** @param {string[]} args */
export async function sessionDemo(args) {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = await MockServer.start();
  // The first query is not answered on its first connection.
  let holding = true;
  server.handle({ xmlns: 'held' }, () => {
    if (!holding) return undefined;
    holding = false;
    return null;
  });
  const session = new NativeSession({
    url: server.url,
    agent: new Agent({ ca: server.ca }),
    trustedRoot: server.rootKey,
    auth: { creds: initAuthCreds() },
    reconnect: { baseMs: 100 },
    resume: true
  });
  /** @type {Row[]} */
  const rows = [];
  try {
    for (const [step, run] of steps(server, session, options)) {
      const done = showProgress(step);
      const start = performance.now();
      const outcome = await within(options.blockedMs + 90_000, step, run()).finally(done);
      const row = { step, outcome, ms: performance.now() - start };
      rows.push(row);
      process.stdout.write(`  ${step.padEnd(30)}${`${whole(row.ms)} ms`.padStart(9)}\n`);
    }
    const { logins, stanzasIn, stanzasOut, reconnects } = session.metrics();
    const ends = Object.entries(reconnects).map(([code, count]) => `${code}: ${count}`);
    const handshakes = server.connections.map(({ handshake }) => handshake).join(', ');
    const total = `${logins} logins, ${whole(stanzasIn)} stanzas in, ${whole(stanzasOut)} out; handshakes ${handshakes}; ends by code ${ends.join(', ')}`;
    process.stdout.write(['', ...table(rows), '', total, ''].join('\n'));
  } finally {
    await session.close();
    await server.stop();
  }
}
