/** Runs Baileys' client and ours through proxies, and compares what each of the two, the proxy and the target saw. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { WebSocketServer } from 'ws';
import { BaileysClient, NativeClient, observe } from './socket-log.mjs';

/** The status codes that Baileys makes of errors. */
const generics = new URL('./lib/Utils/generics.js', import.meta.resolve('baileys/package.json'));
export const { getCodeFromWSError } = await import(generics);

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

/** How long the log of a connection that neither opens nor closes is waited for, in milliseconds. */
const PATIENCE = 8000;

/**
 * Connects once; the log until the first message, the end, or `until`.
 *
 * @param {object} config
 * @param {string} [until] an event that ends it as well
 */
export async function logOf(Client, url, config, until) {
  const client = new Client(url, { connectTimeoutMs: 5000, ...config });
  const log = observe(client);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`neither message nor end: ${JSON.stringify(log)}`)), PATIENCE);
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
  // Baileys' own waits for ever on a connection that is closed already.
  if (!client.isClosed) await client.close();
  return log;
}

/**
 * Runs both clients, each against a proxy of its own, and asserts that logs and requests are equal and that the target saw
 * no connection but the proxy's.
 *
 * @param {object} run
 * @param {() => Promise<import('./proxies.mjs').Proxy>} run.startProxy
 * @param {(port: number) => object} run.makeAgent
 * @param {(port: number) => string} run.url of the target, by the target's port
 * @param {Awaited<ReturnType<typeof greeter>>} run.target
 * @param {string} [run.until]
 * @returns {Promise<{ log: unknown[], asked: string[] }>} of our client
 */
export async function compareThroughProxy({ startProxy, makeAgent, url, target, until, config }) {
  const results = [];
  for (const Client of [BaileysClient, NativeClient]) {
    const proxy = await startProxy();
    const from = target.ports.length;
    try {
      const log = await logOf(Client, url(target.port), { agent: makeAgent(proxy.port), ...config }, until);
      const strangers = target.ports.slice(from).filter(port => !proxy.ports.has(port));
      assert.deepEqual(strangers, [], 'connections that did not come from the proxy');
      results.push({ log, asked: proxy.asked.map(comparable) });
    } finally {
      proxy.close();
    }
  }
  const [expected, actual] = results;
  assert.deepEqual(actual, expected);
  return actual;
}

/** A request without what differs: the key, the compression that ours does not offer, and the headers' order. */
function comparable(request) {
  const [first, ...lines] = request.split('\n');
  const kept = lines.filter(line => !/^sec-websocket-(key|extensions):/i.test(line));
  return [first, ...kept.sort()].join('\n');
}

/** What Baileys makes of the error in a log. */
export const statusOf = log => {
  const error = log.find(([event]) => event === 'error')?.[1];
  return error && getCodeFromWSError(error);
};
