/**
 * Runs Baileys' client, ours and a NativeSession through proxies, and compares their events and errors, the requests to
 * the proxy, and the connections to the target.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';
import { initAuthCreds } from 'baileys';
import { NativeSession } from 'baileys-native';
import { WebSocketServer } from 'ws';
import { LINES, logEvents, summaryOf, plain, statusCodeOf } from './socket-log.mjs';
import { closeEvent, assertSameAndRecord } from './socket-scenarios.mjs';

/**
 * A WebSocket server that sends a greeting and returns each message. It closes the connection of a session, whose first
 * message begins with `WA`. `ports` are the client ports of its connections.
 *
 * @param {{ cert: string, key: string }} [tls]
 * @param {string} [host]
 */
export async function greetingServer(tls, host = '127.0.0.1') {
  const server = tls ? https.createServer(tls) : http.createServer();
  const wss = new WebSocketServer({ server });
  const ports = [];
  server.on('connection', socket => ports.push(socket.remotePort));
  server.on('tlsClientError', () => {});
  wss.on('connection', (socket, request) => {
    socket.on('error', () => {});
    socket.on('message', message => {
      if (message.subarray(0, 2).toString('latin1') === 'WA') socket.close();
      else socket.send(message);
    });
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

/** The time after `connectTimeoutMs` in which a connection must be closed, in milliseconds. */
const TIME_TO_CLOSE_MS = 30_000;

/**
 * Connects once. Resolves with the log of events at the first message, at the end of the connection, or at `until`.
 *
 * @param {object} config
 * @param {string} [until] the name of another event
 */
export async function logOf(Client, url, { connectTimeoutMs = 30_000, ...config }, until) {
  const client = new Client(url, { connectTimeoutMs, ...config });
  const log = logEvents(client);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`neither message nor end: ${JSON.stringify(log)}`)),
      connectTimeoutMs + TIME_TO_CLOSE_MS
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
  // Baileys 7 would wait forever if the connection is already closed. Baileys 6 does not wait.
  if (!client.isClosed) await Promise.all([closeEvent(client), client.close()]);
  return log;
}

/**
 * A connection through a proxy, to be made by both clients of every release line, each with its own proxy.
 *
 * @typedef {object} ProxyRun
 * @property {() => Promise<import('./proxies.mjs').Proxy>} startProxy
 * @property {(port: number) => object} makeAgent
 * @property {(port: number) => string} url the URL of the target with this port
 * @property {Awaited<ReturnType<typeof greetingServer>>} target
 * @property {string} [until] an event at which the log ends, besides the first message and the end
 * @property {object} [config]
 * @property {(request: string) => string} [sessionRequest] changes the requests of a session, if they differ
 * @typedef {{ log: unknown[], requests: string[] }} Seen The events of a client, and the requests to its proxy.
 * @typedef {Seen & { reason: import('baileys-native').EndReason }} Compared `reason` is the end of the session.
 */

/**
 * Calls `act` with a new proxy. Asserts that the target had only connections of the proxy.
 *
 * @template T
 * @param {Pick<ProxyRun, 'startProxy' | 'target'>} run
 * @param {(proxy: import('./proxies.mjs').Proxy) => Promise<T>} act
 */
async function withProxy({ startProxy, target }, act) {
  const proxy = await startProxy();
  const from = target.ports.length;
  try {
    const result = await act(proxy);
    const others = target.ports.slice(from).filter(port => !proxy.ports.has(port));
    assert.deepEqual(others, [], 'connections that did not come from the proxy');
    return result;
  } finally {
    proxy.close();
  }
}

/**
 * Connects one client.
 *
 * @param {ProxyRun} run
 * @returns {Promise<Seen>}
 */
const runThroughProxy = (Client, run) =>
  withProxy(run, async proxy => {
    const { target, url, makeAgent, until, config } = run;
    const log = await logOf(Client, url(target.port), { agent: makeAgent(proxy.port), ...config }, until);
    return { log, requests: proxy.requests.map(comparableRequest) };
  });

/**
 * Resolves with the end of a NativeSession that cannot connect.
 *
 * @param {string} url
 * @param {{ agent: object, connectTimeoutMs?: number }} options
 * @returns {Promise<{ reason: import('baileys-native').EndReason, error: Error }>} `error` is that of `connect()`.
 */
export async function endOfSession(url, { connectTimeoutMs = 30_000, ...options }) {
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
 * Connects a session through a proxy. The target is no server of WhatsApp and closes after the first message. Asserts that the requests to the proxy are those of our socket. If the proxy does not work, the error is that of
 * our socket.
 *
 * @param {ProxyRun} run
 * @param {Seen} socket the result of our socket
 */
const runSession = (run, socket) =>
  withProxy(run, async proxy => {
    const { target, url, makeAgent, config, sessionRequest = request => request } = run;
    const connections = target.ports.length;
    const { reason, error } = await endOfSession(url(target.port), { agent: makeAgent(proxy.port), ...config });
    assert.equal(error.code, 'ERR_SESSION_ENDED');
    if (socket.log.some(([event]) => event === 'open')) {
      assert.equal(reason.kind, 'transportClosed', reason.message);
      assert.equal(target.ports.length, connections + 1);
    } else {
      assertSameError(reason, error, socket);
    }
    assert.deepEqual(proxy.requests.map(comparableRequest).map(sessionRequest), socket.requests);
    return reason;
  });

/**
 * Asserts that a session has ended with the error of our socket.
 *
 * @param {import('baileys-native').EndReason} reason
 * @param {Error} error the error of `connect()`
 * @param {Seen} socket
 */
function assertSameError(reason, error, socket) {
  assert.equal(reason.kind, 'transport');
  assert.equal(error.cause, reason.cause);
  const [[event, first, response]] = socket.log;
  if (event === 'unexpected-response') {
    const { statusCode } = response;
    assert.equal(reason.cause.message, `Unexpected server response: ${statusCode}`);
    assert.equal(reason.code, statusCode < 400 ? 408 : statusCode);
    return;
  }
  assert.equal(event, 'error');
  // An error of the package `socks` has only the text of the system error.
  if (first.code === undefined) assert.equal(plain(reason.cause).message, first.message);
  else assert.deepEqual(plain(reason.cause), first);
  assert.equal(reason.errorCode, reason.cause.code);
  // With 400 the session does not connect again, because another connection would also fail.
  assert.equal(reason.code, UNTRUSTED.test(first.code) ? 400 : 408);
}

/** Error codes of untrusted certificates. */
const UNTRUSTED = /^(?:UNABLE_TO_|ERR_TLS_CERT_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * Declares a test of connections through proxies. `compare` connects both clients of every release line, asserts that
 * their logs and requests are equal, records that for docs/compatibility.md, and returns the result of our client for
 * Baileys 7, with the end of a NativeSession that connects in the same way.
 *
 * @param {string} name
 * @param {(compare: (run: ProxyRun) => Promise<Compared>, t: import('node:test').TestContext) => Promise<void>} script
 */
export function testThroughProxy(name, script) {
  const compare = async run => {
    const seen = [];
    for (const line of LINES) {
      const expected = await runThroughProxy(line.Baileys, run);
      const actual = await runThroughProxy(line.Native, run);
      const outcome = `${summaryOf(expected.log)}; ${expected.requests.length} requests to the proxy`;
      // Older agents pass an address as the server name, which Node 26 refuses. The caller checks the result of ours.
      const isRefused = NODE >= REFUSES_ADDRESSES && codeOf(expected.log) === 'ERR_INVALID_ARG_VALUE';
      const differs = isRefused
        ? { id: 'proxy-failures', sinceNode: REFUSES_ADDRESSES, ours: ({ requests }) => ({ ...actual, requests }) }
        : undefined;
      assertSameAndRecord(name, line, { expected, actual, outcome, differs, section: 'proxies' });
      seen.push(actual);
    }
    return { ...seen[0], reason: await runSession(run, seen[0]) };
  };
  test(name, { timeout: 180_000 }, t => script(compare, t));
}

const NODE = Number(process.versions.node.split('.')[0]);

/** Since this version Node throws if the server name is an address. */
const REFUSES_ADDRESSES = 26;

const codeOf = log => log.find(([event]) => event === 'error')?.[1].code;

/** A request without expected differences: the key, the compression that ours does not offer, the order of headers. */
function comparableRequest(request) {
  const [first, ...lines] = request.split('\n');
  const kept = lines.filter(line => !/^sec-websocket-(key|extensions):/i.test(line));
  return [first, ...kept.sort()].join('\n');
}

/** Baileys' status code for the error in a log; undefined if there is no error. */
export const statusOf = log => {
  const error = log.find(([event]) => event === 'error')?.[1];
  return error && statusCodeOf(error);
};
