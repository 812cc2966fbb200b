/**
 * Runs Baileys' client, ours and a NativeSession through proxies, and compares what each of them, the proxy and the
 * target saw.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';
import { initAuthCreds } from 'baileys';
import { NativeSession } from 'baileys-native';
import { WebSocketServer } from 'ws';
import { LINES, observe, outcomeOf, plain, statusCodeOf } from './socket-log.mjs';
import { closeEvent, judge } from './socket-scenarios.mjs';

/**
 * A WebSocket server that greets, and knows from which ports it was connected to.
 *
 * @param {{ cert: string, key: string }} [tls]
 * @param {string} [host]
 */
export async function greeter(tls, host = '127.0.0.1') {
  const server = tls ? https.createServer(tls) : http.createServer();
  const wss = new WebSocketServer({ server });
  const ports = [];
  server.on('connection', socket => ports.push(socket.remotePort));
  server.on('tlsClientError', () => {});
  wss.on('connection', (socket, request) => {
    socket.on('error', () => {});
    socket.on('message', message => socket.send(message));
    socket.send(`${request.url} ${Object.keys(request.headers).some(name => name.startsWith('proxy-'))}`);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: server.address().port,
    ports,
    close: () => {
      for (const socket of wss.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    }
  };
}

/** How long beyond its own limit a connection that neither opens nor closes is waited for, in milliseconds. */
const PATIENCE = 3000;

/**
 * Connects once; the log until the first message, the end, or `until`.
 *
 * @param {object} config
 * @param {string} [until] an event that ends it as well
 */
export async function logOf(Client, url, { connectTimeoutMs = 5000, ...config }, until) {
  const client = new Client(url, { connectTimeoutMs, ...config });
  const log = observe(client);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`neither message nor end: ${JSON.stringify(log)}`)),
      connectTimeoutMs + PATIENCE
    );
    for (const event of ['message', 'close', until]) {
      if (event) client.once(event, () => (clearTimeout(timer), resolve()));
    }
    client.connect();
  });
  if (client.isOpen) {
    const echo = once(client, 'message');
    client.send(Buffer.alloc(70_000, 7));
    await echo;
  }
  // Baileys 7 waits for ever on a connection that is closed already; 6.x never waits.
  if (!client.isClosed) await Promise.all([closeEvent(client), client.close()]);
  return log;
}

/**
 * A run through proxies, which both clients of every line make, each with a proxy of its own.
 *
 * @typedef {object} Run
 * @property {() => Promise<import('./proxies.mjs').Proxy>} startProxy
 * @property {(port: number) => object} makeAgent
 * @property {(port: number) => string} url of the target, by the target's port
 * @property {Awaited<ReturnType<typeof greeter>>} target
 * @property {string} [until] an event that ends it, besides the first message and the end
 * @property {object} [config]
 * @typedef {{ log: unknown[], asked: string[] }} Seen by a client, and by its proxy
 * @typedef {Seen & { reason?: import('baileys-native').EndReason }} Compared `reason`: the end of the session
 */

/**
 * Calls `act` with a new proxy; asserts that the target saw no connection but the proxy's.
 *
 * @template T
 * @param {Pick<Run, 'startProxy' | 'target'>} run
 * @param {(proxy: import('./proxies.mjs').Proxy) => Promise<T>} act
 */
async function withProxy({ startProxy, target }, act) {
  const proxy = await startProxy();
  const from = target.ports.length;
  try {
    const result = await act(proxy);
    const strangers = target.ports.slice(from).filter(port => !proxy.ports.has(port));
    assert.deepEqual(strangers, [], 'connections that did not come from the proxy');
    return result;
  } finally {
    proxy.close();
  }
}

/**
 * One client's run.
 *
 * @param {Run} run
 * @returns {Promise<Seen>}
 */
const runThroughProxy = (Client, run) =>
  withProxy(run, async proxy => {
    const { target, url, makeAgent, until, config } = run;
    const log = await logOf(Client, url(target.port), { agent: makeAgent(proxy.port), ...config }, until);
    return { log, asked: proxy.asked.map(comparable) };
  });

/**
 * The end of a NativeSession that cannot connect.
 *
 * @param {string} url
 * @param {{ agent: object, connectTimeoutMs?: number }} options
 * @returns {Promise<{ reason: import('baileys-native').EndReason, error: Error }>} `error` is that of `connect()`.
 */
export async function endOfSession(url, { connectTimeoutMs = 5000, ...options }) {
  const session = new NativeSession({
    url,
    auth: { creds: initAuthCreds() },
    reconnect: false,
    connectTimeoutMs,
    ...options
  });
  const closed = once(session, 'close');
  const error = await session.connect().then(
    () => assert.fail('a session without a server is connected'),
    each => each
  );
  const [reason] = await closed;
  return { reason, error };
}

/**
 * The run of a session through a proxy that does not work: its error is that of our socket, and it may connect again.
 *
 * @param {Run} run
 * @param {Seen} socket what our socket and its proxy saw
 */
const runSession = (run, socket) =>
  withProxy(run, async proxy => {
    const { target, url, makeAgent, config } = run;
    const { reason, error } = await endOfSession(url(target.port), { agent: makeAgent(proxy.port), ...config });
    assert.equal(reason.kind, 'transport');
    assert.deepEqual([error.code, error.cause], ['ERR_SESSION_ENDED', reason.cause]);
    const [[event, first, response]] = socket.log;
    if (event === 'unexpected-response') {
      const { statusCode } = response;
      assert.equal(reason.cause.message, `Unexpected server response: ${statusCode}`);
      assert.equal(reason.code, statusCode < 400 ? 408 : statusCode);
    } else {
      assert.equal(event, 'error');
      // The package `socks` keeps only the text of a system error.
      if (first.code === undefined) assert.equal(plain(reason.cause).message, first.message);
      else assert.deepEqual(plain(reason.cause), first);
      assert.equal(reason.errorCode, reason.cause.code);
      // 400 is final: another connection would fail as well.
      assert.equal(reason.code, UNTRUSTED.test(first.code) ? 400 : 408);
    }
    assert.deepEqual(proxy.asked.map(comparable), socket.asked);
    return reason;
  });

/** The codes of certificates that are not trusted. */
const UNTRUSTED = /^(?:UNABLE_TO_|ERR_TLS_CERT_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * Declares a test of runs through proxies. `compare` makes a run on every line, asserts that with both clients logs and
 * requests are equal, keeps that for docs/compatibility.md, and gives what our client of Baileys 7 and its proxy saw. If
 * the proxy does not work, a NativeSession makes the run too.
 *
 * @param {string} name
 * @param {(compare: (run: Run) => Promise<Compared>, t: import('node:test').TestContext) => Promise<void>} script
 */
export function throughProxy(name, script) {
  const compare = async run => {
    const seen = [];
    for (const line of LINES) {
      const expected = await runThroughProxy(line.Baileys, run);
      const actual = await runThroughProxy(line.Native, run);
      const outcome = `${outcomeOf(expected.log)}; ${expected.asked.length} asked of the proxy`;
      // Older agents give an address to Node 26 as the server's name. The caller looks at what ours does.
      const isRefused = ADDRESSES_ARE_REFUSED && codeOf(expected.log) === 'ERR_INVALID_ARG_VALUE';
      const differs = isRefused ? { id: 'proxies-that-fail', ours: ({ asked }) => ({ ...actual, asked }) } : undefined;
      judge(name, line, { expected, actual, outcome, differs, section: 'proxies' });
      seen.push(actual);
    }
    const isOpen = seen[0].log.some(([event]) => event === 'open');
    return { ...seen[0], reason: isOpen ? undefined : await runSession(run, seen[0]) };
  };
  test(name, { timeout: 60_000 }, t => script(compare, t));
}

/** Whether this version of Node throws where an address is to be the server's name. */
const ADDRESSES_ARE_REFUSED = Number(process.versions.node.split('.')[0]) >= 26;

const codeOf = log => log.find(([event]) => event === 'error')?.[1].code;

/** A request without what differs: the key, the compression that ours does not offer, and the headers' order. */
function comparable(request) {
  const [first, ...lines] = request.split('\n');
  const kept = lines.filter(line => !/^sec-websocket-(key|extensions):/i.test(line));
  return [first, ...kept.sort()].join('\n');
}

/** What Baileys makes of the error in a log. */
export const statusOf = log => {
  const error = log.find(([event]) => event === 'error')?.[1];
  return error && statusCodeOf(error);
};
