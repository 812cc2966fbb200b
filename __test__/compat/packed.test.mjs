import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { proto } from 'baileys';
import platform from '../../js/addon/platform.cjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const { currentPlatform, nameOf } = platform;

const run = promisify(execFile);
const BAILEYS = 'baileys@7.0.0-rc14';
const INSTALL_TIMEOUT = 540_000;
const PROGRAM_TIMEOUT = 540_000;
const WAIT = { timeoutMs: 300_000 };

/** The only commands in PATH: the installation of the package must not need a compiler. */
const COMMANDS = ['sh', 'git'];

let directory;
let project;
let env;

before(
  async () => {
    directory = mkdtempSync(join(tmpdir(), 'baileys-native-packed-'));
    env = bareEnvironment(join(directory, 'bin'));
    const { stdout } = await run(process.execPath, [
      join(ROOT, 'scripts/pack.mjs'),
      join(directory, 'tarballs'),
      '--only',
      nameOf(currentPlatform())
    ]);
    const tarballs = stdout.trim().split('\n');
    assert.equal(tarballs.length, 2, stdout);
    project = join(directory, 'project');
    mkdirSync(project);
    const { overrides } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, overrides }));
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-update-notifier'];
    await run(process.execPath, [npmFile(), 'install', ...flags, ...tarballs, BAILEYS], {
      cwd: project,
      env,
      timeout: INSTALL_TIMEOUT
    });
  },
  { timeout: INSTALL_TIMEOUT + 60_000 }
);

after(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Runs a program in the project.
 *
 * @param {string} name
 * @param {string} source
 * @param {string[]} [flags]
 * @returns {Promise<any>} Its output, parsed as JSON.
 */
async function program(name, source, flags = []) {
  writeFileSync(join(project, name), source);
  const { stdout } = await run(process.execPath, [...flags, name], { cwd: project, env, timeout: PROGRAM_TIMEOUT });
  return JSON.parse(stdout);
}

test('the environment has no Rust', async () => {
  await assert.rejects(run('cargo', ['--version'], { env }), { code: 'ENOENT' });
  await assert.rejects(run('rustc', ['--version'], { env }), { code: 'ENOENT' });
});

test('require() and import have the same exports', async () => {
  const required = await program(
    'names.cjs',
    `console.log(JSON.stringify(Object.keys(require('baileys-native')).sort()));`
  );
  const imported = await program(
    'names.mjs',
    `import * as native from 'baileys-native'; console.log(JSON.stringify(Object.keys(native).sort()));`
  );
  assert.deepEqual(imported, required);
  for (const name of ['WebSocketClient', 'makeNoiseHandler', 'encodeBinaryNode', 'decodeBinaryNode', 'isActive']) {
    assert.ok(required.includes(name), name);
  }
});

test('the binary encodes and decodes like Baileys', async () => {
  const [ours, theirs, decoded] = await program(
    'codec.mjs',
    `import { decodeBinaryNode, encodeBinaryNode } from 'baileys-native';
    import * as baileys from 'baileys';
    const node = { tag: 'iq', attrs: { to: '123@s.whatsapp.net', id: '9' }, content: [{ tag: 'ping', attrs: {} }] };
    const [ours, theirs] = [encodeBinaryNode(node), baileys.encodeBinaryNode(node)].map(bytes => bytes.toString('hex'));
    console.log(JSON.stringify([ours, theirs, await decodeBinaryNode(encodeBinaryNode(node))]));`
  );
  assert.equal(ours, theirs);
  assert.equal(decoded.tag, 'iq');
});

test('--import baileys-native/register replaces parts of the installed Baileys', async () => {
  const source = `import { isActive } from 'baileys-native/register';
    import { makeNoiseHandler } from 'baileys';
    console.log(JSON.stringify([isActive(), makeNoiseHandler[Symbol.for('baileys-native')] === true]));`;
  assert.deepEqual(await program('bot.mjs', source, ['--import', 'baileys-native/register']), [true, true]);
});

/** A typical bot that does not mention this package. It links, answers a text, and ends. */
const BOT = `import { makeWASocket, DisconnectReason, WA_CERT_DETAILS, useMultiFileAuthState } from 'baileys';
WA_CERT_DETAILS.PUBLIC_KEY.set(Buffer.from(process.env.ROOT, 'hex')); // of the mock server
const { state: auth, saveCreds } = await useMultiFileAuthState('session');
auth.creds.accountSyncCounter = 1; // waits for no history
(function start() {
  const sock = makeWASocket({ auth, waWebSocketUrl: process.env.URL });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
    if (qr) process.send(qr);
    if (connection === 'close' && lastDisconnect.error.output.statusCode === DisconnectReason.restartRequired) start();
  });
  sock.ev.on('messages.upsert', ({ messages: [{ key, message }] }) => {
    if (!key.fromMe) sock.sendMessage(key.remoteJid, { text: \`You said: \${message.conversation}\` });
  });
})();`;

test('a bot runs on the installed packages', { timeout: PROGRAM_TIMEOUT }, async () => {
  const modules = join(project, 'node_modules');
  const { MockServer } = await import(pathToFileURL(join(modules, 'baileys-native/js/testing/index.mjs')).href);
  const server = await MockServer.start({
    tls: false,
    preKeyCount: 100,
    baileys: join(modules, 'baileys/lib/index.js')
  });
  writeFileSync(join(project, 'talker.mjs'), BOT);
  const bot = fork('talker.mjs', {
    cwd: project,
    env: { ...env, URL: server.url, ROOT: server.rootKey.toString('hex') },
    execArgv: ['--import', 'baileys-native/register'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  });
  bot.on('message', qr => server.scanQr(qr));
  const exited = once(bot, 'exit');
  try {
    // Messages of channels are not end-to-end encrypted.
    const channel = '120363000000000001@newsletter';
    await server.waitFor(({ connection, node }) => connection === 1 && node.tag === 'presence', WAIT);
    const [, connection] = server.connections;
    // Baileys' own client would offer compression.
    assert.equal(connection.request.headers['sec-websocket-extensions'], undefined);
    await connection.send({
      tag: 'message',
      attrs: { id: '1', from: channel, type: 'text', t: '1700000000', server_id: '1' },
      content: [{ tag: 'plaintext', attrs: {}, content: proto.Message.encode({ conversation: 'hello' }).finish() }]
    });
    const { node } = await server.waitFor(({ direction, node }) => direction === 'in' && node.tag === 'message', WAIT);
    const [{ content }] = node.content.filter(({ tag }) => tag === 'plaintext');
    const { conversation, extendedTextMessage } = proto.Message.decode(content);
    assert.deepEqual([node.attrs.to, conversation || extendedTextMessage.text], [channel, 'You said: hello']);
    await connection.streamError(503);
    assert.deepEqual(await exited, [0, null]);
  } finally {
    bot.kill();
    await server.stop();
  }
});

test('the package has its command and its other files', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { stdout } = await run(join(project, 'node_modules/.bin/baileys-native'), ['--version'], { cwd: project, env });
  assert.equal(stdout.trim(), version);
  for (const file of readdirSync(join(ROOT, 'js/inspect/page'))) {
    assert.ok(existsSync(join(project, 'node_modules/baileys-native/js/inspect/page', file)), file);
  }
  // The optional package prom-client is not installed, so the program passes a registry of its own.
  const names = await program(
    'prometheus.mjs',
    `import { collectMetrics } from 'baileys-native/prometheus';
    const names = [];
    collectMetrics({ register: { registerMetric: ({ name }) => names.push(name) } });
    console.log(JSON.stringify(names));`
  );
  assert.ok(names.includes('baileys_native_sessions'));
});

test('the installed packages have only needed files, and the binary once', () => {
  const modules = join(project, 'node_modules');
  const manifest = JSON.parse(readFileSync(join(modules, 'baileys-native/package.json'), 'utf8'));
  assert.deepEqual([manifest.devDependencies, manifest.scripts], [undefined, undefined]);
  const platforms = Object.keys(manifest.optionalDependencies);
  assert.deepEqual(platforms, [`baileys-native-${nameOf(currentPlatform())}`]);
  const files = readdirSync(join(modules, 'baileys-native'), { recursive: true });
  assert.ok(files.includes(join('js', 'loader', 'register.cjs')));
  assert.deepEqual(
    files.filter(name => /\.(?:node|rs|test\.mjs)$/.test(name)),
    []
  );
  const binaries = platforms
    .filter(name => existsSync(join(modules, name)))
    .flatMap(name => readdirSync(join(modules, name)).filter(file => file.endsWith('.node')));
  assert.equal(binaries.length, 1);
});

test('every link of the documents leads to a file of the package', () => {
  const folder = join(project, 'node_modules/baileys-native');
  const documents = ['README.md', ...readdirSync(join(folder, 'docs')).map(name => `docs/${name}`)];
  assert.deepEqual(documents.sort(), ['README.md', 'docs/faq.md', 'docs/register.md']);
  for (const document of [...documents, 'CHANGELOG.md']) {
    const text = readFileSync(join(folder, document), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)) {
      assert.ok(existsSync(join(folder, dirname(document), target)), `${document}: ${target}`);
    }
  }
  for (const [document] of readFileSync(join(folder, 'index.d.ts'), 'utf8').matchAll(/docs\/\w+\.md/g)) {
    assert.ok(existsSync(join(folder, document)), document);
  }
});

/**
 * The environment of a machine without a compiler: PATH has one folder with links to COMMANDS.
 *
 * @param {string} bin
 */
function bareEnvironment(bin) {
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const command of COMMANDS) {
    const path = find(command);
    if (path !== undefined) symlinkSync(path, join(bin, command));
  }
  const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...inherited } = process.env;
  return { ...inherited, PATH: bin };
}

/** The file of this machine's npm. Node runs it directly, because npm is not in the shortened PATH. */
function npmFile() {
  const path = process.env.npm_execpath ?? find('npm');
  assert.ok(path !== undefined, 'npm is needed for this test');
  return path;
}

/** @param {string} command */
function find(command) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      return realpathSync(join(folder, command));
    } catch {
      continue;
    }
  }
  return undefined;
}
