// Runs the examples with the commands in their first lines, with the mock server.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import * as baileys from 'baileys';
import { trustTestRoot } from '../../js/testing/index.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { login, memoryAuth } from '../support/baileys-client.mjs';
import { startMockServer } from '../support/mock-server.mjs';
import { httpProxy, socksProxy } from '../support/proxies.mjs';
import { closeAfter } from '../support/resources.mjs';

const require = createRequire(import.meta.url);
const { judgeFlags } = require('../../js/cli/doctor/launch.cjs');

const options = { timeout: 600_000 };
const REGISTER = ['--import', 'baileys-native/register'];
const FRIEND = '15550000009';

async function startServer(t, more) {
  const server = await startMockServer(t, { tls: false, acceptUnknown: true, preKeyCount: 100, ...more });
  t.after(trustTestRoot(baileys, server.rootKey));
  return server;
}

/** Removed when every process of the tests has ended. */
const base = mkdtempSync(join(tmpdir(), 'baileys-native-examples-'));
after(() => rmSync(base, { recursive: true, force: true }));
const temporaryDirectory = () => mkdtempSync(join(base, 'auth-'));

/**
 * Writes credentials to a folder and returns them. The device does not wait for its history. With a user it is linked.
 */
function keepCredentials(folder, user) {
  mkdirSync(folder, { recursive: true });
  const me = user && { id: `${user}:1@s.whatsapp.net`, name: 'Example' };
  const creds = { ...baileys.initAuthCreds(), accountSyncCounter: 1, ...(me && { me }) };
  writeFileSync(join(folder, 'creds.json'), JSON.stringify(creds, baileys.BufferJSON.replacer));
  return creds;
}

/** Starts an example in a process. `line` resolves with the first line of its output that matches. */
function start(t, server, args, env = {}) {
  const WA_SERVER = `${server.url}#${server.rootKey.toString('hex')}`;
  const child = spawn(process.execPath, ['--no-warnings', ...args], {
    cwd: ROOT,
    env: { ...process.env, WA_SERVER, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const exited = once(child, 'exit');
  t.after(() => {
    child.kill('SIGKILL');
    return exited;
  });
  let output = '';
  const waiting = new Set();
  const onData = data => {
    output += data;
    for (const look of waiting) look();
  };
  child.stdout.on('data', onData);
  child.stderr.on('data', onData);
  const line = pattern =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      child.once('exit', code => reject(new Error(`ended with ${code} before ${pattern}:\n${output}`)));
      look();
    });
  return { child, line };
}

/** Writes to the bot by another client and resolves with the answer. */
async function talkTo(server, jid) {
  const auth = memoryAuth(baileys);
  auth.creds.me = { id: `${FRIEND}:1@s.whatsapp.net`, name: 'Friend' };
  const friend = await login({ baileys, server, auth });
  const answer = new Promise(resolve =>
    friend.ev.on('messages.upsert', ({ messages: [{ key, message }] }) => {
      if (!key.fromMe) resolve(message?.conversation ?? message?.extendedTextMessage?.text);
    })
  );
  await friend.sendMessage(`${jid.split(':')[0]}@s.whatsapp.net`, { text: 'hello' });
  return answer;
}

for (const [file, flags] of [
  ['bot.mjs', REGISTER],
  ['bot.cjs', REGISTER],
  ['bot.mts', [...REGISTER, '--import', 'tsx']]
]) {
  test(`echo-bot/${file}: links by QR code, logs in, answers`, options, async t => {
    const server = await startServer(t);
    const AUTH_DIR = temporaryDirectory();
    keepCredentials(AUTH_DIR);
    const bot = start(t, server, [...flags, `examples/echo-bot/${file}`], { AUTH_DIR });
    await bot.line(/^running natively$/m);
    const [, qr] = await bot.line(/^QR (\S+)$/m);
    const device = await server.scanQr(qr);
    await bot.line(/^logged in as /m);
    assert.equal(await talkTo(server, device.jid), 'You said: hello');
  });
}

test('the example prints the QR code on a terminal', () => {
  const { showQr } = require('../../examples/show-qr.cjs');
  const [written, log, isTTY] = [[], console.log, process.stdout.isTTY];
  console.log = text => void written.push(text);
  process.stdout.isTTY = true;
  try {
    showQr('2@ref,key,identity,secret');
  } finally {
    Object.assign(console, { log });
    process.stdout.isTTY = isTTY;
  }
  assert.match(written[0], /[▄█▀]{10}/);
  assert.match(written.at(-1), /Linked devices/);
});

/** Each example with a bot: its file, the flags of Node.js, and more environment variables. */
const BOTS = [
  ['echo-bot/bot.mjs', REGISTER],
  ['echo-bot/bot.cjs', REGISTER],
  ['echo-bot/bot.mts', [...REGISTER, '--import', 'tsx']],
  ['pairing-code/bot.mjs', REGISTER, { PHONE: '15550000001' }],
  ['proxies/bots.mjs', REGISTER],
  ['workers/main.mjs', REGISTER],
  ['gateway/gateway.mjs', [], { PORT: '0' }]
];

const allBots = { timeout: BOTS.length * options.timeout };
test('each bot stops if another program connects with its credentials', allBots, async t => {
  for (const [file, flags, env] of BOTS) {
    await t.test(file, options, async t => {
      const server = await startServer(t);
      const proxy = closeAfter(t, await httpProxy());
      const AUTH_DIR = temporaryDirectory();
      const folder = /^(?:proxies|workers)/.test(file) ? join(AUTH_DIR, '1') : AUTH_DIR;
      const creds = keepCredentials(folder, '15550000001');
      const PROXIES = `http://127.0.0.1:${proxy.port}`;
      const places = { AUTH_DIR, SESSIONS_DIR: AUTH_DIR, PROXIES };
      const bot = start(t, server, [...flags, `examples/${file}`], { ...places, ...env });
      const exited = once(bot.child, 'exit');
      await bot.line(/^(?:session 1: )?logged in as|runs natively$|^state connected$/m);
      const other = await login({ baileys, server, auth: memoryAuth(baileys, creds) });
      await bot.line(file.startsWith('gateway') ? /^closed: .* \(440\)$/m : /another program has connected/);
      assert.deepEqual(await exited, [0, null]);
      assert.equal(server.connections.length, 2, 'the bot has not connected again');
      await other.end(undefined);
    });
  }
});

test('pairing-code: links by a code and logs in', options, async t => {
  const server = await startServer(t);
  const env = { AUTH_DIR: temporaryDirectory(), PHONE: '+1 555 000 0033' };
  const bot = start(t, server, [...REGISTER, 'examples/pairing-code/bot.mjs'], env);
  const asked = once(server, 'pairingCode');
  const [, code] = await bot.line(/^CODE (\w{8})$/m);
  assert.equal((await asked)[0], '15550000033');
  await server.enterPairingCode(code);
  await bot.line(/^logged in as 15550000033:/m);
});

test('proxies: each session uses its own proxy', options, async t => {
  const server = await startServer(t);
  const proxies = [closeAfter(t, await httpProxy()), closeAfter(t, await socksProxy())];
  const AUTH_DIR = temporaryDirectory();
  ['1', '2'].forEach(name => keepCredentials(join(AUTH_DIR, name), `1555000000${name}`));
  const PROXIES = `http://127.0.0.1:${proxies[0].port} socks5://127.0.0.1:${proxies[1].port}`;
  const bots = start(t, server, [...REGISTER, 'examples/proxies/bots.mjs'], { AUTH_DIR, PROXIES });
  for (const name of ['1', '2']) {
    await bots.line(new RegExp(`^session ${name}: logged in as 1555000000${name}:`, 'm'));
    const { request } = server.connections.find(({ device }) => device?.user === `1555000000${name}`);
    assert.ok(proxies[Number(name) - 1].ports.has(request.socket.remotePort), `session ${name}`);
  }
});

test('workers: sessions are distributed to threads and use baileys-native', options, async t => {
  const server = await startServer(t);
  const SESSIONS_DIR = temporaryDirectory();
  const users = ['15550000001', '15550000002', '15550000003', '15550000004'];
  for (const user of users) keepCredentials(join(SESSIONS_DIR, user), user);
  const main = start(t, server, [...REGISTER, 'examples/workers/main.mjs'], { SESSIONS_DIR, WORKERS: '2' });
  const workers = new Set();
  for (const user of users) {
    const [, worker] = await main.line(new RegExp(`^worker (\\d): ${user}:1@s\\.whatsapp\\.net runs natively$`, 'm'));
    workers.add(worker);
  }
  assert.deepEqual([...workers].sort(), ['1', '2']);
});

test('gateway: reconnects, resumes, acknowledges, serves metrics and health', options, async t => {
  const server = await startServer(t);
  const AUTH_DIR = temporaryDirectory();
  keepCredentials(AUTH_DIR, '15550000001');
  const gateway = start(t, server, ['examples/gateway/gateway.mjs'], { AUTH_DIR, PORT: '0' });
  const [, port] = await gateway.line(/^metrics on port (\d+)$/m);
  await gateway.line(/^state connected$/m);
  const get = async path => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get('/health'), [200, 'connected\n']);
  const again = once(server, 'login');
  server.connections[0].drop();
  await gateway.line(/^attempt 1 in \d+ ms/m);
  const [connection] = await again;
  assert.equal(connection.handshake, 'IK');
  await connection.send({ tag: 'message', attrs: { id: 'M1', from: '15550000002@s.whatsapp.net', type: 'text' } });
  const { node } = await server.waitFor(({ direction, node }) => direction === 'in' && node.tag === 'ack');
  assert.deepEqual([node.attrs.class, node.attrs.id], ['message', 'M1']);
  const [, text] = await get('/metrics');
  assert.match(text, /^baileys_native_sessions(?:\{[^}]*\})? 1$/m);
  gateway.child.kill('SIGTERM');
  assert.equal((await once(gateway.child, 'exit'))[0], 0);
});

test('vitest: the test of the bot passes', options, async () => {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'run', '--root', 'examples/vitest'], {
    cwd: ROOT,
    env: { ...env, NO_COLOR: '1' },
    timeout: 600_000
  });
  assert.match(stdout, /Tests +1 passed/);
});

test('docker: the images start the bot with register', () => {
  for (const name of ['Dockerfile.debian', 'Dockerfile.alpine']) {
    const text = readFileSync(join(ROOT, 'examples/docker', name), 'utf8');
    const [, command] = /^CMD (\[.*\])$/m.exec(text);
    const [judged] = judgeFlags(JSON.parse(command).join(' '), name);
    assert.equal(judged.status, 'ok', judged.message);
    assert.match(text, /^WORKDIR \/app$/m);
    assert.doesNotMatch(text, /^RUN .*--omit=optional/m);
  }
});
