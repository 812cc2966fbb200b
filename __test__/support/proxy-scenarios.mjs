/** Runs Baileys' client and ours through proxies, and compares what each of the two, the proxy and the target saw. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { LINES, observe, outcomeOf, statusCodeOf } from './socket-log.mjs';
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
 */

/**
 * One client's run; asserts that the target saw no connection but the proxy's.
 *
 * @param {Run} run
 * @returns {Promise<Seen>}
 */
async function runThroughProxy(Client, { startProxy, makeAgent, url, target, until, config }) {
  const proxy = await startProxy();
  const from = target.ports.length;
  try {
    const log = await logOf(Client, url(target.port), { agent: makeAgent(proxy.port), ...config }, until);
    const strangers = target.ports.slice(from).filter(port => !proxy.ports.has(port));
    assert.deepEqual(strangers, [], 'connections that did not come from the proxy');
    return { log, asked: proxy.asked.map(comparable) };
  } finally {
    proxy.close();
  }
}

/**
 * Declares a test of runs through proxies. `compare` makes a run on every line, asserts that with both clients logs and
 * requests are equal, keeps that for docs/compatibility.md, and gives what our client of Baileys 7 and its proxy saw.
 *
 * @param {string} name
 * @param {(compare: (run: Run) => Promise<Seen>, t: import('node:test').TestContext) => Promise<void>} script
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
    return seen[0];
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
