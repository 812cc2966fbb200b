/** Refused upgrades, peers that stop answering, and connections that the program ends. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { runModule } from '../support/child.mjs';
import { httpProxy } from '../support/proxies.mjs';
import { httpsAgents } from '../support/proxy-agents.mjs';
import { closeAfter } from '../support/resources.mjs';
import { LINES, upgradeResponse, closeEvent, nextEvent, rawServer } from '../support/socket-log.mjs';
import { firstInTime } from '../support/time-limits.mjs';
import { serverAnswering, whenClosed, testSameLog, testSameResult } from '../support/socket-scenarios.mjs';
import { RELEASES, urlOf } from '../../scripts/shared/baileys.mjs';

const require = createRequire(import.meta.url);
const { createDropIn } = require('../../js/baileys/drop-in.cjs');

const SHORT = 300;

// --- a refused upgrade

/** HTTP statuses, and Baileys' status code for the error if only Baileys has listeners. */
const STATUSES = {
  200: 408,
  302: 408,
  400: 400,
  // Baileys would take these codes for a logged-out account or a bad session.
  401: 408,
  403: 403,
  404: 404,
  405: 405,
  407: 407,
  411: 408,
  429: 429,
  440: 408,
  500: 408,
  502: 502,
  503: 503,
  515: 408
};

const refusing = status => serverAnswering(`HTTP/1.1 ${status} Some Reason\r\nContent-Length: 0\r\n\r\n`);

/** Connects like Baileys, with listeners only of `error` and `close`, and those that `listen` adds. */
async function errorOf(Client, line, port, { agent, listen = () => {}, connectTimeoutMs = 30_000 } = {}) {
  const client = new Client(`ws://127.0.0.1:${port}/`, { connectTimeoutMs, agent });
  const seen = [];
  client.on('error', error => seen.push(['error', error.message, line.statusCodeOf(error)]));
  client.on('close', code => seen.push(['close', code]));
  client.connect();
  listen(client, seen);
  await closeEvent(client);
  return seen;
}

const TIMED_OUT = [
  ['error', 'Opening handshake has timed out', 408],
  ['close', 1006]
];
const refusedWith = (status, code) => [
  [
    'error',
    code === Number(status)
      ? `Unexpected server response: ${status}`
      : `The server refused the WebSocket upgrade with status ${status}`,
    code
  ],
  ['close', 1006]
];
const words = seen =>
  seen.map(([name, first, code]) => (name === 'error' ? `status ${code}: ${first}` : name)).join(', ');

for (const [status, code] of Object.entries(STATUSES)) {
  testSameResult(
    `status ${status} instead of 101, with only the listeners of Baileys`,
    async (Client, line, t) => {
      const server = closeAfter(t, await refusing(status)());
      // Baileys reports the error only after this time.
      const connectTimeoutMs = Client === line.Baileys ? SHORT : 30_000;
      return errorOf(Client, line, server.port, { connectTimeoutMs });
    },
    {
      outcome: words,
      check: seen => assert.deepEqual(seen, refusedWith(status, code)),
      differs: { id: 'refused-upgrade', ours: () => refusedWith(status, code) }
    }
  );
}

for (const [where, listen] of [
  ['on the client', (client, seen) => client.on('unexpected-response', (_, { statusCode }) => seen.push([statusCode]))],
  ['on the client, once', (client, seen) => client.once('unexpected-response', () => seen.push(['once']))],
  ['on the socket', (client, seen) => client.socket.on('unexpected-response', () => seen.push(['socket']))]
]) {
  testSameResult(
    `status 403 instead of 101, with a listener of unexpected-response ${where}`,
    async (Client, line, t) => {
      const server = closeAfter(t, await refusing(403)());
      const attempt = connectTimeoutMs => errorOf(Client, line, server.port, { listen, connectTimeoutMs });
      return firstInTime(attempt, ([[first]]) => first !== 'error', 1_000);
    },
    { outcome: words, check: seen => assert.deepEqual(seen.slice(1), TIMED_OUT) }
  );
}

testSameResult(
  'status 403 instead of 101, after the listeners of the socket were removed',
  async (Client, line, t) => {
    const server = closeAfter(t, await refusing(403)());
    const listen = client => client.socket.removeAllListeners('unexpected-response');
    return errorOf(Client, line, server.port, { listen });
  },
  { outcome: words, check: seen => assert.deepEqual(seen, refusedWith(403, 403)) }
);

test('a refusing proxy ends the connection if only Baileys has listeners', { timeout: 60_000 }, async t => {
  for (const line of LINES) {
    const proxy = closeAfter(t, await httpProxy({ credentials: 'user:right' }));
    const agent = httpsAgents['https-proxy-agent 9'](`http://user:wrong@127.0.0.1:${proxy.port}`);
    assert.deepEqual(await errorOf(line.Native, line, 1, { agent }), refusedWith(407, 407));
  }
});

// --- a peer that sends nothing

/** The limit for a close() that does not wait, in milliseconds. `ws` waits 30 s, of which the test waits a part. */
const AT_ONCE = 20_000;
const WAITING = 3000;

/** A script that calls close() after `silence`, for a peer that sends no close frame. */
const closeAfterSilence = silence =>
  async function ({ client, Client, line, note, connectTimeoutMs }) {
    client.connect();
    await nextEvent(client, 'open');
    await delay(silence(connectTimeoutMs));
    const { socket } = client;
    const gone = closeEvent(client);
    void client.close();
    const limit = Client === line.Native ? AT_ONCE : WAITING;
    note('at once', await Promise.race([gone.then(() => true), delay(limit, false, { ref: false })]));
    socket.terminate();
    await gone;
  };
const closedAtOnce = log => {
  const [upgrade, open, ...rest] = log;
  const [[, ...end], ...others] = rest.filter(([what]) => what === 'close').map(each => each);
  assert.deepEqual(others, []);
  return [
    upgrade,
    open,
    ...rest.filter(([what]) => !['close', 'at once'].includes(what)),
    ['close', ...end],
    ['at once', true]
  ];
};
const silentPeer = { id: 'silent-peer', ours: closedAtOnce };
const isOpened = log => log.some(([what]) => what === 'open');

testSameLog(
  'close() if the peer has sent nothing since the opening',
  () => rawServer((socket, key) => socket.write(upgradeResponse(key))),
  closeAfterSilence(connectTimeoutMs => connectTimeoutMs),
  { config: { connectTimeoutMs: SHORT }, isInTime: isOpened, differs: silentPeer }
);

testSameLog(
  'close() if the peer was silent for the keep-alive interval and 5 s',
  () =>
    rawServer((socket, key) =>
      socket.write(Buffer.concat([Buffer.from(upgradeResponse(key)), Buffer.from([0x82, 1, 1])]))
    ),
  closeAfterSilence(() => 5_200),
  { config: { connectTimeoutMs: SHORT, keepAliveIntervalMs: 100 }, isInTime: isOpened, differs: silentPeer }
);

testSameLog(
  'close() if the peer was silent for less than the keep-alive interval and 5 s',
  () =>
    rawServer((socket, key) => {
      socket.write(Buffer.concat([Buffer.from(upgradeResponse(key)), Buffer.from([0x82, 1, 1])]));
      socket.on('data', () => socket.end(Buffer.from([0x88, 0])));
    }),
  async ({ client, connectTimeoutMs }) => {
    client.connect();
    await nextEvent(client, 'open');
    await delay(connectTimeoutMs + SHORT);
    await Promise.all([closeEvent(client), client.close()]);
  },
  { config: { connectTimeoutMs: SHORT, keepAliveIntervalMs: 100 }, isInTime: isOpened }
);

// --- a Unix domain socket

test('a ws+unix: URL uses the class of Baileys, and is an error without it', { timeout: 60_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-'));
  const path = join(folder, 'socket');
  const http = createHttpServer().listen(path);
  await once(http, 'listening');
  const server = new WebSocketServer({ server: http });
  t.after(() => {
    server.close();
    http.close();
    rmSync(folder, { recursive: true });
  });
  for (const { name, Baileys, Native } of LINES) {
    const url = `ws+unix:${path}:/ws/chat`;
    const bare = new Native(url, {});
    const failed = new Promise(resolve => bare.once('error', resolve));
    bare.connect();
    assert.equal((await failed).code, 'ERR_AGENT_UNSUPPORTED', name);

    const { WebSocketClient } = createDropIn({ dialect: name, webSocketClient: () => Baileys });
    const client = new WebSocketClient(url, {});
    const accepted = once(server, 'connection');
    client.connect();
    const [[, request]] = await Promise.all([accepted, nextEvent(client, 'open')]);
    assert.equal(request.url, '/ws/chat', name);
    const gone = closeEvent(client);
    client.socket.terminate();
    await gone;
  }
  assert.throws(() => new LINES[0].Native('ws+unix:', {}).connect(), {
    name: 'SyntaxError',
    message: "The URL's pathname is empty"
  });
});

// --- connections that the program ends

/** A program that ends a connection without a listener of `error`, and prints the uncaught exceptions. */
const program = (load, end) => `
  import { once } from 'node:events';
  import { createServer } from 'node:net';
  import { createRequire } from 'node:module';
  const WebSocketClient = ${load};
  const uncaught = [];
  const caught = new Promise(resolve => {
    process.on('uncaughtException', error => resolve(uncaught.push(error.message)));
  });
  const server = createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new WebSocketClient('ws://127.0.0.1:' + server.address().port, { connectTimeoutMs: 30_000 });
  client.connect();
  const closed = new Promise(resolve => client.once('close', resolve));
  const { socket } = client;
  void ${end};
  // The package ws emits no close event if a listener is missing.
  await Promise.race([closed, caught]);
  await new Promise(setImmediate);
  console.log(JSON.stringify(uncaught));
  process.exit();
`;

const DROP_IN = JSON.stringify(require.resolve('../../js/baileys/drop-in.cjs'));

for (const end of ['client.close()', 'socket.terminate()']) {
  test(
    `${end} while connecting, without an error listener, causes no uncaught exception`,
    { timeout: 60_000 },
    async () => {
      for (const { dialect, packageName } of RELEASES) {
        const url = JSON.stringify(urlOf(packageName, 'webSocketClient'));
        const javascript = `await import(${JSON.stringify(urlOf(packageName, 'main'))}).then(() => import(${url}))`;
        const theirs = `(namespace => namespace.WebSocketClient ?? namespace.default.WebSocketClient)(${javascript})`;
        const ours = `createRequire(${JSON.stringify(import.meta.url)})(${DROP_IN}).createDropIn({ dialect: '${dialect}' }).WebSocketClient`;
        const message = 'WebSocket was closed before the connection was established';
        // In Baileys 6.17 end() first removes its listener of `error`.
        assert.deepEqual(await runModule([], program(theirs, end)), [message], `${dialect}, JavaScript`);
        assert.deepEqual(await runModule([], program(ours, end)), [], `${dialect}, native`);
      }
    }
  );
}

test('an error event without a listener is an uncaught exception, as with ws', { timeout: 60_000 }, async () => {
  const ours = `createRequire(${JSON.stringify(import.meta.url)})(${DROP_IN}).createDropIn().WebSocketClient`;
  // After the first data: a reset right after accept() can be an error of connecting.
  const source = program(ours, 'undefined').replace(
    'socket.on(',
    `socket.once('data', () => socket.resetAndDestroy()).on(`
  );
  assert.deepEqual(await runModule([], source), ['read ECONNRESET']);
});

test('a client whose connection was refused connects again', { timeout: 60_000 }, async t => {
  const [{ Native, statusCodeOf }] = LINES;
  let refuse = true;
  const answer = (socket, key) => {
    socket.write(refuse ? 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n' : upgradeResponse(key));
    refuse = false;
  };
  const server = closeAfter(t, await rawServer(answer));
  const client = new Native(`ws://127.0.0.1:${server.port}/`, { connectTimeoutMs: 30_000 });
  const failed = new Promise(resolve => client.once('error', resolve));
  client.connect();
  assert.equal(statusCodeOf(await failed), 503);
  await whenClosed(client);
  client.socket = null;
  client.connect();
  await once(client, 'open');
  const gone = closeEvent(client);
  client.socket.terminate();
  await gone;
});
