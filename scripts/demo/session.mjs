// `npm run demo -- session`: runs a NativeSession from pairing to resumption, step by step, with a server on loopback.

import { once } from 'node:events';
import { Agent } from 'node:https';
import { parseArgs } from 'node:util';
import { initAuthCreds } from 'baileys';
import { NativeSession } from 'baileys-native';
import { MockServer } from 'baileys-native/testing';
import { pingQuery } from '../shared/bot.mjs';
import { within } from '../shared/child.mjs';
import { positiveNumber, wholeNumber } from '../shared/options.mjs';
import { rounded } from '../shared/text.mjs';
import { stall } from '../stall/run.mjs';

const USAGE = `Usage: npm run demo -- session [options]

  --queries N   round trips (500)
  --stanzas N   stanzas that arrive while the event loop is blocked (10000)
  --blocked S   seconds for which the event loop is blocked (20)
  --interval MS keep-alive interval (2000)
`;

/** The number of queries that wait for their answers at the same time. */
const CONCURRENT_QUERIES = 32;

/** @typedef {{ step: string, outcome: string, ms: number }} StepRow */
/** @typedef {{ queries: number, stanzas: number, blockedMs: number, intervalMs: number }} SessionDemoOptions */

/** @param {NativeSession} session */
const connected = session =>
  new Promise(resolve => {
    session.on('state', function onState({ to }) {
      if (to !== 'connected') return;
      session.off('state', onState);
      resolve(undefined);
    });
  });

/**
 * Sends queries and waits for their answers.
 *
 * @param {NativeSession} session
 * @param {number} count
 */
async function queryMany(session, count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await session.query(pingQuery());
  };
  await Promise.all(Array.from({ length: CONCURRENT_QUERIES }, worker));
}

/**
 * The steps of the demo, each with a function that returns its result as text.
 *
 * @param {MockServer} server
 * @param {NativeSession} session
 * @param {SessionDemoOptions} options
 * @returns {[string, () => Promise<string>][]}
 */
function steps(server, session, { queries, stanzas, blockedMs, intervalMs }) {
  const scenario = { intervalMs, blockedMs, stanzas };
  const handshake = () => session.metrics().handshake?.kind;
  /** @param {'js' | 'session'} layer */
  const runStall = async layer => {
    const { received, inOrder, code, keepAlives } = await stall({ layer, ...scenario });
    const isComplete = code === undefined && inOrder === stanzas;
    if (isComplete !== (layer === 'session')) throw new Error(`${layer}: ${received} stanzas, code ${code}`);
    const end = code === undefined ? 'alive' : `lost, code ${code}`;
    return `${end}; ${rounded(received)} of ${rounded(stanzas)} stanzas, ${keepAlives} keep-alives`;
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
        await queryMany(session, queries);
        const { queryLatency } = session.metrics();
        return `${rounded(queryLatency.count)} answers, ${(queryLatency.sumMs / queryLatency.count).toFixed(1)} ms each`;
      }
    ],
    ['stall, Baileys on JavaScript', () => runStall('js')],
    ['stall, NativeSession', () => runStall('session')],
    [
      'drop',
      async () => {
        const again = connected(session);
        const reconnecting = once(session, 'reconnecting');
        // The server key that the session has saved is no longer valid.
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
        const query = { ...pingQuery(), attrs: { ...pingQuery().attrs, xmlns: 'held' } };
        const answer = session.query(query, { idempotent: true });
        await server.waitFor(({ node }) => node.attrs.xmlns === 'held');
        const again = connected(session);
        server.connections[server.connections.length - 1].drop();
        await again;
        const { attrs } = await answer;
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
  const show = () => process.stdout.write(`\r  ${name.padEnd(30)}${rounded((performance.now() - start) / 1000)} s `);
  const timer = setInterval(show, 500);
  show();
  return () => {
    clearInterval(timer);
    process.stdout.write('\r\x1b[K');
  };
}

/** @param {StepRow[]} rows */
function table(rows) {
  const width = Math.max(...rows.map(({ step }) => step.length));
  const time = Math.max(...rows.map(({ ms }) => rounded(ms).length)) + 3;
  return rows.map(
    ({ step, outcome, ms }) => `${step.padEnd(width)}  ${`${rounded(ms)} ms`.padStart(time)}  ${outcome}`
  );
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
  return {
    queries: wholeNumber(values, 'queries', 1),
    stanzas: wholeNumber(values, 'stanzas', 1),
    blockedMs: positiveNumber(values, 'blocked') * 1000,
    intervalMs: positiveNumber(values, 'interval'),
    help: values.help
  };
}

/** @param {string[]} args */
export async function sessionDemo(args) {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = await MockServer.start();
  // The query `held` is not answered when it arrives for the first time.
  let isFirst = true;
  server.handle({ xmlns: 'held' }, () => {
    if (!isFirst) return undefined;
    isFirst = false;
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
  /** @type {StepRow[]} */
  const rows = [];
  try {
    for (const [step, run] of steps(server, session, options)) {
      const done = showProgress(step);
      const start = performance.now();
      const limitMs = options.blockedMs + 90_000;
      const outcome = await within(limitMs, run(), () => `${step} takes too long`).finally(done);
      const row = { step, outcome, ms: performance.now() - start };
      rows.push(row);
      process.stdout.write(`  ${step.padEnd(30)}${`${rounded(row.ms)} ms`.padStart(9)}\n`);
    }
    const { logins, stanzasIn, stanzasOut, reconnects } = session.metrics();
    const ends = Object.entries(reconnects).map(([code, count]) => `${code}: ${count}`);
    const handshakes = server.connections.map(({ handshake }) => handshake).join(', ');
    const total = `${logins} logins, ${rounded(stanzasIn)} stanzas in, ${rounded(stanzasOut)} out; handshakes ${handshakes}; ends by code ${ends.join(', ')}`;
    process.stdout.write(['', ...table(rows), '', total, ''].join('\n'));
  } finally {
    await session.close();
    await server.stop();
  }
}
