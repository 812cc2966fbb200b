/** The ends of connections of bots under register and of NativeSession: refused upgrades, silent servers, end() while connecting. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/shared/root.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { createSession, linkedCredentials, next, startServer } from '../support/native-session.mjs';

const BOT = fileURLToPath(new URL('support/ending-bot.mjs', import.meta.url));
const options = { timeout: 600_000 };

/** Runs a bot under register. Resolves with its report. */
const runBot = (line, ...args) => runBotWith({}, line, ...args);

/** Runs a bot with additional environment variables. */
async function runBotWith(env, line, ...args) {
  const flags = ['--import', 'baileys-native/register'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, BOT, packageOf(line), ...args], {
    cwd: ROOT,
    timeout: 300_000,
    env: { ...process.env, ...env }
  });
  return JSON.parse(stdout);
}

async function listening(t, server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `ws://127.0.0.1:${server.address().port}/`;
}

for (const [status, code] of [
  [403, 403],
  [405, 405],
  [503, 503],
  [401, 408],
  [500, 408],
  [302, 408]
]) {
  test(`an upgrade refused with ${status} ends with ${code} at once`, options, async t => {
    const url = await listening(
      t,
      http.createServer((_, response) => response.writeHead(status).end())
    );
    for (const line of LINE_NAMES) {
      // The connect timeout is longer than the time limit of the test.
      const seen = await runBot(line, url, 'wait', '600000');
      assert.deepEqual(seen, { code, uncaught: [] }, line);
    }
    const session = createSession(t, { url }, { creds: linkedCredentials(), reconnect: false });
    const closed = next(session, 'close');
    session.connect().catch(() => {});
    assert.equal((await closed)[0].code, code);
  });
}

test('a server that does not answer the handshake: the bot exits after the `close` update', options, async t => {
  const server = await startServer(t, { faults: { stallHandshake: true } });
  const sockets = [];
  // After the first response the relay forwards nothing, so the bot gets no close frame.
  const relay = net.createServer(client => {
    const upstream = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    sockets.push(client, upstream);
    client.pipe(upstream);
    upstream.once('data', data => {
      client.write(data);
      client.unpipe(upstream);
      client.resume();
    });
  });
  const url = (await listening(t, relay)) + new URL(server.url).pathname.slice(1);
  t.after(() => sockets.forEach(socket => socket.destroy()));
  for (const line of LINE_NAMES) {
    const { code, uncaught, isClosed, closeMs } = await runBot(line, url, 'wait', '1000');
    assert.deepEqual([code, uncaught, isClosed], [408, [], true], line);
    assert.ok(closeMs < 10_000, `${line}: ${closeMs} ms after the call of close()`);
  }
  const session = createSession(t, { url }, { creds: linkedCredentials(), reconnect: false, connectTimeoutMs: 1000 });
  const closed = next(session, 'close');
  session.connect().catch(() => {});
  assert.equal((await closed)[0].code, 408);
});

test('end() while connecting ends the bot without an uncaught exception', options, async t => {
  const url = await listening(
    t,
    net.createServer(socket => socket.on('error', () => {}))
  );
  for (const line of LINE_NAMES) {
    const { uncaught, code } = await runBot(line, url, 'end', '60000');
    assert.deepEqual([code, uncaught], [428, []], line);
  }
  const session = createSession(t, { url }, { creds: linkedCredentials(), reconnect: false });
  session.connect().catch(() => {});
  await session.close();
  assert.equal(session.state, 'disconnected');
});

test('an expired Noise certificate is refused if its dates are checked', options, async t => {
  for (const line of LINE_NAMES) {
    const server = await startServer(t, {
      baileys: packageOf(line),
      faults: { certificate: 'expired' },
      // Baileys 6 can lose a stanza that follows the handshake at once.
      greetingDelayMs: 250
    });
    const args = [server.url, 'qr', '60000', server.rootKey.toString('hex')];
    assert.equal((await runBot(line, ...args)).code, 'qr', line);
    const { code } = await runBotWith({ BAILEYS_NATIVE_CERTIFICATE_DATES: 'on' }, line, ...args);
    assert.equal(code, 400, line);
  }
});
