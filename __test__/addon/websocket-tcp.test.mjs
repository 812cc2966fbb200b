/** The TCP connection of a socket: pause(), resume(), `_socket`, and the TCP keep-alive of agents. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createSession, linkedCredentials, startServer } from '../support/native-session.mjs';
import { httpProxy, socksProxy } from '../support/proxies.mjs';
import { httpsAgents, socksAgents } from '../support/proxy-agents.mjs';
import { greetingServer } from '../support/proxy-scenarios.mjs';
import { NativeClient, nextEvent, wsServer } from '../support/socket-log.mjs';
import { closeEvent, testSameLog, testSameResult, closeAndWait } from '../support/socket-scenarios.mjs';
import { certificate } from '../support/tls.mjs';
import { until } from '../support/until.mjs';

const quiet = () => wsServer(() => {});
const echoing = () => wsServer(s => s.on('message', data => s.send(data)));

// --- pause and resume

testSameLog('pause() and resume()', echoing, async ({ client, note }) => {
  let count = 0;
  client.on('message', () => count++);
  client.connect();
  const { socket } = client;
  socket.pause();
  note('while connecting', socket.isPaused);
  await nextEvent(client, 'open');
  socket.pause();
  note('paused', socket.isPaused);
  const sent = new Promise(resolve => client.send('x', resolve));
  await sent;
  // Nothing arrives in this time.
  await delay(300);
  note('while paused', count);
  const arrived = nextEvent(client, 'message');
  socket.resume();
  note('resumed', socket.isPaused);
  await arrived;
  note('afterwards', count);
  await closeAndWait(client);
  socket.pause();
  note('after the end', socket.isPaused);
});

const LARGE = 24 << 20;

testSameLog(
  'a paused socket applies back-pressure to the server',
  ({ note }) =>
    wsServer(async s => {
      s.on('message', async () => {
        s.send(Buffer.alloc(LARGE));
        await delay(300);
        note('held back', s.bufferedAmount > 0);
        s.ping();
      });
    }),
  async ({ client, note, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    client.socket.pause();
    client.send('x');
    await until(() => log.some(([what]) => what === 'held back'), { every: 10 });
    const arrived = Promise.all([nextEvent(client, 'message'), nextEvent(client, 'ping')]);
    client.socket.resume();
    note('length', (await arrived)[0][0].length);
    await closeAndWait(client);
  }
);

testSameLog('terminate() and close events of a paused socket', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  const gone = closeEvent(client);
  client.socket.pause();
  client.socket.terminate();
  await gone;
  note('paused', client.socket.isPaused);
});

// --- _socket

const seesPorts = ({ note }) => wsServer((s, request) => note('server', request.socket.remotePort));

testSameLog('_socket: the addresses of the connection', seesPorts, async ({ client, note, port, log }) => {
  client.connect();
  const { socket } = client;
  note('before', socket._socket);
  await nextEvent(client, 'open');
  await until(() => log.some(([what]) => what === 'server'), { every: 1 });
  const [[, seen]] = log.splice(
    log.findIndex(([what]) => what === 'server'),
    1
  );
  const tcp = socket._socket;
  note('same', tcp === socket._socket, tcp.destroyed);
  note('remote', tcp.remoteAddress, tcp.remotePort === port, tcp.remoteFamily);
  note('local', tcp.localAddress, tcp.localPort === seen, tcp.localFamily);
  note('address', { ...tcp.address(), port: tcp.address().port === seen });
  await closeAndWait(client);
  note('after', socket._socket === tcp, tcp.destroyed, tcp.remoteAddress, tcp.localPort === seen);
});

/** The timeout of an idle connection, in milliseconds. */
const IDLE_MS = 2000;

testSameLog('_socket: setTimeout()', echoing, async ({ client, note, log }) => {
  client.connect();
  await nextEvent(client, 'open');
  const tcp = client.socket._socket;
  for (const bad of ['x', -1, Infinity]) {
    try {
      tcp.setTimeout(bad);
      note('taken');
    } catch (error) {
      note('refused', error.name, error.code);
    }
  }
  const first = once(tcp, 'timeout');
  note('returned', tcp.setTimeout(50, () => note('called')) === tcp, tcp.timeout);
  await first;
  // A connection with traffic is not idle. Without the traffic it would be. If this process was paused, the connection
  // had no traffic, and the traffic is repeated.
  let isIdle;
  let longestMs;
  tcp.on('timeout', () => (isIdle = true));
  do {
    [isIdle, longestMs] = [false, 0];
    tcp.setTimeout(IDLE_MS);
    const start = performance.now();
    for (let last = start; last < start + 1.25 * IDLE_MS;) {
      const answered = nextEvent(client, 'message');
      client.send('x');
      await answered;
      await delay(50);
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
  } while (longestMs > IDLE_MS / 2);
  log.splice(0, log.length, ...log.filter(([what]) => what !== 'message'));
  note('idle', isIdle);
  const never = () => note('never');
  tcp.setTimeout(10_000, never);
  tcp.setTimeout(0, never);
  note('left', tcp.timeout, tcp.listenerCount('timeout'));
  await closeAndWait(client);
  note('after', tcp.setTimeout(10) === tcp);
});

for (const error of [undefined, new Error('why')]) {
  testSameLog(`_socket: destroy(${error ? 'error' : ''})`, quiet, async ({ client, note }) => {
    client.connect();
    await nextEvent(client, 'open');
    const { socket } = client;
    const tcp = socket._socket;
    const gone = Promise.all([closeEvent(client), new Promise(resolve => tcp.once('close', resolve))]);
    if (error) tcp.on('error', ({ message }) => note('tcp', message));
    note('returned', tcp.destroy(error) === tcp, tcp.destroyed, tcp.destroy() === tcp);
    await gone;
    note('state', socket.readyState);
  });
}

// --- TCP keep-alive

/** The TCP timers of connections can be read only on Linux. */
const IS_KNOWN = process.platform === 'linux';

/** The times that these tests use, in seconds. */
const IDLE_TIMES = [1, 7, 20, 30, 40, 45, 7200];

/**
 * Reads the timers of the connections to a port: the seconds until the next keep-alive probe, rounded up to one of
 * IDLE_TIMES, or `off` if there are no probes.
 *
 * @param {number} port
 */
async function probesTo(port) {
  if (!IS_KNOWN) return 'unknown';
  const RETRANSMISSION = '01';
  const PROBE = '02';
  for (;;) {
    const entries = ['tcp', 'tcp6'].flatMap(table =>
      readFileSync(`/proc/self/net/${table}`, 'latin1').trim().split('\n').slice(1)
    );
    const timers = entries
      .map(line => line.trim().split(/\s+/))
      .filter(([, , remote, state]) => state === '01' && Number.parseInt(remote.split(':')[1], 16) === port)
      .map(fields => fields[5].split(':'));
    if (timers.some(([kind]) => kind === RETRANSMISSION)) {
      await delay(20);
      continue;
    }
    return timers
      .map(([kind, ticks]) =>
        kind === PROBE ? IDLE_TIMES.find(idle => idle >= Number.parseInt(ticks, 16) / 100) : 'off'
      )
      .join();
  }
}

/** Opens a connection and returns the result of `look`. */
async function whileOpen(Client, url, config, look) {
  const client = new Client(url, { connectTimeoutMs: 30_000, ...config });
  client.on('error', () => {});
  client.connect();
  await nextEvent(client, 'open');
  try {
    return await look(client);
  } finally {
    await closeAndWait(client);
  }
}

/** The time in which the timers of a new connection must be read, in milliseconds: later they are rounded to less. */
const READ_MS = 4000;

/**
 * Opens a connection and reads its timers; see `probesTo`. If that took too long, it does so again.
 *
 * @param {() => object} makeConfig
 */
async function probesOf(Client, url, makeConfig, port) {
  for (;;) {
    const config = makeConfig();
    const start = performance.now();
    let ms = 0;
    const found = await whileOpen(Client, url, config, async () => {
      const probes = await probesTo(port);
      ms = performance.now() - start;
      return probes;
    });
    config.agent?.destroy?.();
    if (ms < READ_MS) return found;
  }
}

let plain;
let secure;
before(async () => {
  plain = await greetingServer();
  secure = await greetingServer(await certificate());
});
after(() => {
  plain.close();
  secure.close();
});

/** Node 20 does not pass `keepAlive` to TLS connections. */
const ON_TLS = Number(process.versions.node.split('.')[0]) >= 24;

/** Declares a test of both clients. `idle` is the expected time, if it is known. */
function sameProbes(name, run, idle) {
  testSameResult(`TCP keep-alive: ${name}`, run, {
    outcome: found => (found === 'off' ? 'no probes' : `probes after ${found} s`),
    check: found => IS_KNOWN && idle !== undefined && assert.equal(found, idle)
  });
}

for (const [name, options, idle] of [
  ['an agent without keepAlive', {}, 'off'],
  ['keepAlive', { keepAlive: true }, '1'],
  ['keepAlive and keepAliveMsecs', { keepAlive: true, keepAliveMsecs: 45_000 }, '45'],
  ['keepAlive with less than a second', { keepAlive: true, keepAliveMsecs: 900 }],
  ['keepAlive and keepAliveInitialDelay', { keepAlive: true, keepAliveInitialDelay: 30_000 }, '1'],
  ['only keepAliveMsecs', { keepAliveMsecs: 45_000 }, 'off']
]) {
  for (const [scheme, Agent] of [
    ['ws', http.Agent],
    ['wss', https.Agent]
  ]) {
    sameProbes(
      `${name}, ${scheme}`,
      Client => {
        const { port } = scheme === 'ws' ? plain : secure;
        const agent = () => new Agent({ ...options, ...(scheme === 'wss' && { rejectUnauthorized: false }) });
        return probesOf(Client, `${scheme}://127.0.0.1:${port}/`, () => ({ agent: agent() }), port);
      },
      scheme === 'ws' || ON_TLS ? idle : 'off'
    );
  }
}

for (const [label, make, start, scheme] of [
  ...Object.entries(httpsAgents).map(([label, make]) => [label, make, httpProxy, 'http']),
  ...Object.entries(socksAgents)
    .filter(([label]) => !/agent [67]$/.test(label) || label.startsWith('proxy'))
    .map(([label, make]) => [`SOCKS by ${label}`, make, socksProxy, 'socks5h'])
]) {
  sameProbes(`the connection to the proxy, with ${label}`, async Client => {
    const proxy = await start();
    try {
      const options = { keepAlive: true, keepAliveMsecs: 20_000, keepAliveInitialDelay: 30_000 };
      const config = () => ({ agent: make(`${scheme}://127.0.0.1:${proxy.port}`, options) });
      return await probesOf(Client, `ws://127.0.0.1:${plain.port}/`, config, proxy.port);
    } finally {
      proxy.close();
    }
  });
}

testSameLog('_socket: setKeepAlive() and setNoDelay()', quiet, async ({ client, note, port }) => {
  client.connect();
  await nextEvent(client, 'open');
  const tcp = client.socket._socket;
  for (const args of [[], [true, 45_000], [true, 7_000], [false], [true], [true, 'x']]) {
    note('keepAlive', tcp.setKeepAlive(...args) === tcp, await probesTo(port));
  }
  for (const args of [[], [false], [true]]) note('noDelay', tcp.setNoDelay(...args) === tcp);
  await closeAndWait(client);
  note('after', tcp.setKeepAlive(true, 7_000) === tcp, tcp.setNoDelay() === tcp);
});

test('tcpKeepAliveMs and BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS apply to every connection', { timeout: 60_000 }, async t => {
  const url = `ws://127.0.0.1:${plain.port}/`;
  const expect = async (config, idle) => {
    const found = await probesOf(NativeClient, url, () => config, plain.port);
    if (IS_KNOWN) assert.equal(found, idle, JSON.stringify(config));
  };
  const agent = () => new http.Agent({ keepAlive: true, keepAliveMsecs: 45_000 });
  await expect({}, 'off');
  await expect({ tcpKeepAliveMs: 20_000 }, '20');
  await expect({ tcpKeepAliveMs: 1 }, '1');
  await expect({ tcpKeepAliveMs: 20_000, agent: agent() }, '20');
  await expect({ tcpKeepAliveMs: 0, agent: agent() }, 'off');
  process.env.BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS = '30000';
  t.after(() => delete process.env.BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS);
  await expect({}, '30');
  await expect({ tcpKeepAliveMs: 20_000 }, '20');
  delete process.env.BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS;

  const server = await startServer(t, { acceptUnknown: true });
  const creds = linkedCredentials();
  const port = Number(new URL(server.url).port);
  for (const [options, idle] of [
    [{}, 'off'],
    [{ tcpKeepAliveMs: 40_000 }, '40'],
    [{ agent: agent() }, '45']
  ]) {
    const session = createSession(t, server, { creds, ...options });
    await session.connect();
    if (IS_KNOWN) assert.equal(await probesTo(port), idle);
    await session.close();
  }
  assert.throws(() => createSession(t, server, { tcpKeepAliveMs: -1 }), RangeError);
});
