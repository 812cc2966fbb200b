// `baileys-native doctor`: a correct set-up is healthy, and in broken set-ups the fault is named.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { MockServer } from '../../js/testing/index.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { httpProxy } from '../support/proxies.mjs';
import { closeAfter } from '../support/resources.mjs';

const require = createRequire(import.meta.url);
const { currentPlatform, nameOf } = require('../../js/addon/platform.cjs');
const { resolvedRoot } = require('../../js/cli/doctor/copies.cjs');
const { checkNode } = require('../../js/cli/doctor/runtime.cjs');
const { judgeFlags } = require('../../js/cli/doctor/launch.cjs');

const CLI = join(ROOT, 'js/cli/main.cjs');
const TIMEOUT = 600_000;
const timeout = { timeout: TIMEOUT };

/**
 * Creates the folder of a bot with the given files. Its `node_modules` has the links in `modules`; default: Baileys and
 * this package.
 */
function project(t, files = {}, modules = { baileys: 'node_modules/baileys', 'baileys-native': '.' }) {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-doctor-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'node_modules'));
  for (const [name, target] of Object.entries(modules)) {
    symlinkSync(join(ROOT, target).replace(/\/$/, ''), join(directory, 'node_modules', name));
  }
  const start = { scripts: { start: 'node --import baileys-native/register bot.js' } };
  for (const [name, content] of Object.entries({ 'package.json': JSON.stringify(start), ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

/** Runs the command; resolves with its exit code and both outputs. */
function doctor(directory, args = ['--json'], { env = {}, cli = CLI, flags = [] } = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !/proxy|^NODE_|^BAILEYS_NATIVE/i.test(name));
  return new Promise(resolve => {
    const options = { cwd: directory, env: { ...Object.fromEntries(clean), ...env }, timeout: TIMEOUT };
    execFile(process.execPath, [...flags, cli, 'doctor', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    );
  });
}

/** The messages of the faults. If an assertion fails, its message has the whole report. */
async function faults(directory, options, args = []) {
  const { code, stdout, stderr } = await doctor(directory, ['--json', ...args], options);
  assert.equal(code, 1, `${stdout}\n${stderr}`);
  const report = JSON.parse(stdout);
  assert.equal(report.healthy, false);
  return report.results
    .filter(({ status }) => status === 'fault')
    .map(({ check, message, advice }) => `${check}: ${message} ${advice ?? ''}`);
}

test('doctor finds no problem in a correct set-up', timeout, async t => {
  const directory = project(t, { 'bot.js': "require('baileys');" });
  const { code, stdout } = await doctor(directory);
  const report = JSON.parse(stdout);
  assert.equal(code, 0, stdout);
  assert.equal(report.healthy, true);
  assert.deepEqual(new Set(report.results.map(({ status }) => status)), new Set(['ok']), stdout);
  const of = name => report.results.filter(({ check }) => check === name);
  assert.equal(of('baileys')[0].data.resolved, true);
  assert.ok(of('handshake')[0].data.noiseMs > 0);
  assert.equal(of('connect').length, 0);
});

test('doctor prints no colours into a pipe, and progress to stderr', timeout, async t => {
  const { code, stdout, stderr } = await doctor(project(t), []);
  assert.equal(code, 0);
  assert.match(stdout, /^ok +node +Node\.js /m);
  assert.match(stdout, /\nHealthy\.\n$/);
  assert.ok(!stdout.includes('\u001b'));
  assert.match(stderr, /looking for copies of Baileys/);
});

test('--connect times each step with the server', timeout, async t => {
  const server = await MockServer.start({ tls: false });
  t.after(() => server.stop());
  const args = ['--json', '--connect', '--url', server.url, '--root', server.rootKey.toString('hex')];
  const { code, stdout } = await doctor(project(t), args);
  assert.equal(code, 0, stdout);
  const connect = JSON.parse(stdout).results.filter(({ check }) => check === 'connect');
  assert.deepEqual(
    connect.map(({ message }) => message.split(':')[0]),
    ['Name', 'TCP', 'Native connection']
  );
  assert.ok(connect[2].data.openMs > 0 && connect[2].data.noiseMs > 0);
  // No login and no registration: the server has received no payload.
  assert.deepEqual(
    server.connections.map(({ payload }) => payload),
    [undefined]
  );
});

test('--connect refuses a server whose certificate the root key did not sign', timeout, async t => {
  const server = await MockServer.start({ tls: false });
  t.after(() => server.stop());
  const found = await faults(project(t), {}, ['--connect', '--url', server.url]);
  assert.equal(found.length, 1);
  assert.match(found[0], /^connect: Native connection fails/);
});

test('doctor reports a wrong flag', timeout, async t => {
  const scripts = { start: 'node --import baileys-native bot.js' };
  const [found] = await faults(project(t, { 'package.json': JSON.stringify({ scripts }) }));
  assert.match(found, /^flag: The script "start" has --import baileys-native, which installs no hooks/);
  const judged = text => judgeFlags(text, 'line').map(({ status }) => status);
  assert.deepEqual(judged('node bot.js --import baileys-native/register'), ['fault']);
  assert.deepEqual(judged('node --loader baileys-native/register bot.js'), ['fault']);
  assert.deepEqual(judged('node --import baileys-native/register bot.js'), ['ok']);
  assert.deepEqual(judged('node -r baileys-native/register --enable-source-maps bot.js'), ['ok']);
  assert.deepEqual(judged('node bot.js'), []);
});

test('doctor reports a flag that pm2 does not resolve in cluster mode', timeout, async t => {
  const apps = more => `module.exports = { apps: [{ name: 'bot', script: 'bot.js', ${more} }] };`;
  const flag = "node_args: '--import baileys-native/register'";
  for (const mode of ["exec_mode: 'cluster'", 'instances: 2', '"instances": "max"']) {
    const found = await faults(project(t, { 'ecosystem.config.js': apps(`${mode}, ${flag}`) }));
    assert.match(found[0], /^flag: ecosystem\.config\.js has baileys-native\/register in cluster mode/, mode);
    assert.match(found[0], /--import \/.*js\/loader\/register\.mjs'$/);
  }
  const path = "node_args: '--import /app/node_modules/baileys-native/js/loader/register.mjs'";
  for (const more of [flag, `instances: 1, ${flag}`, `exec_mode: 'cluster', ${path}`]) {
    const { code, stdout } = await doctor(project(t, { 'ecosystem.config.js': apps(more) }));
    assert.equal(code, 0, stdout);
  }
});

test('doctor reports a wrong working directory', timeout, async t => {
  const directory = project(t, {}, { baileys: 'node_modules/baileys' });
  const [found] = await faults(directory);
  assert.match(found, /^resolve: .*is not found from .*register\.mjs/);
});

test('doctor reports a missing binary of the platform', timeout, async t => {
  const directory = project(t, {}, { baileys: 'node_modules/baileys' });
  const copy = join(directory, 'node_modules/baileys-native');
  mkdirSync(copy);
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  cpSync(join(ROOT, 'js'), join(copy, 'js'), { recursive: true, filter: source => !source.endsWith('.node') });
  const [found] = await faults(directory, { cli: join(copy, 'js/cli/main.cjs') });
  assert.match(found, /^binary: There is no usable binary of baileys-native for \w+-/);

  // node_modules was copied from another platform.
  const own = nameOf(currentPlatform());
  const other = own.startsWith('darwin') ? 'linux-arm64-gnu' : 'darwin-arm64';
  const folder = join(directory, `node_modules/baileys-native-${other}`);
  cpSync(join(ROOT, 'npm', other), folder, { recursive: true });
  writeFileSync(join(folder, `baileys-native.${other}.node`), '');
  const [again] = await faults(directory, { cli: join(copy, 'js/cli/main.cjs') });
  assert.ok(again.includes(`The package baileys-native-${own} `), again);
  assert.match(
    again,
    / is missing, damaged or of another version: .* package-lock\.json was written on another platform/
  );
});

test('doctor reports a late import of register', timeout, async t => {
  const late = "import makeWASocket from 'baileys';\nimport 'baileys-native/register';\n";
  const [found] = await faults(project(t, { 'late.mjs': late }), {}, ['late.mjs']);
  assert.match(found, /^program: late\.mjs loads baileys-native\/register too late: Node\.js links all static imports/);
  const required = "const { makeWASocket } = require('baileys');\nrequire('baileys-native/register');\n";
  const [again] = await faults(project(t, { 'late.cjs': required }), {}, ['late.cjs']);
  assert.match(again, /^program: late\.cjs loads baileys-native\/register too late: Baileys is loaded before it/);
});

test('doctor reports Baileys in a bundle', timeout, async t => {
  const { build } = require('esbuild');
  const directory = project(t, {
    'bot.mjs': "import { makeNoiseHandler } from 'baileys'; console.log(makeNoiseHandler);"
  });
  await build({
    absWorkingDir: directory,
    entryPoints: ['bot.mjs'],
    outfile: join(directory, 'dist.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    external: ['jimp', 'sharp', 'link-preview-js', 'audio-decode']
  });
  const [found] = await faults(directory, {}, ['dist.mjs']);
  assert.match(found, /^program: dist\.mjs contains Baileys, probably from a bundler/);
});

test('doctor reports two copies if one is not replaced', timeout, async t => {
  const directory = project(t);
  const old = 'node_modules/plugin/node_modules/baileys';
  for (const [path, text] of Object.entries({
    'package.json': JSON.stringify({ name: 'baileys', version: '5.0.0', main: 'lib/index.js' }),
    'lib/index.js': "require('./Socket/Client/websocket.js');",
    [FILES.webSocketClient]: 'exports.WebSocketClient = class {};',
    [FILES.noiseHandler]: 'exports.makeNoiseHandler = () => ({});',
    [FILES.encode]: 'exports.encodeBinaryNode = () => {};',
    [FILES.decode]: 'exports.decodeBinaryNode = () => {};'
  })) {
    mkdirSync(dirname(join(directory, old, path)), { recursive: true });
    writeFileSync(join(directory, old, path), text);
  }
  const { code, stdout } = await doctor(directory);
  assert.equal(code, 0, 'what the folder itself imports is native');
  const warnings = JSON.parse(stdout).results.filter(({ status }) => status === 'warning');
  assert.match(warnings[0].message, /^baileys 5\.0\.0 at .* is not replaced: /);
  assert.match(warnings[1].message, /^There are 2 copies of Baileys: /);
});

test('doctor reports a patched file', timeout, async t => {
  const directory = project(t, {}, { 'baileys-native': '.' });
  const copy = join(directory, 'node_modules/baileys');
  cpSync(join(ROOT, 'node_modules/baileys'), copy, { recursive: true, dereference: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') || name.startsWith('baileys')) continue;
    symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
  }
  appendFileSync(join(copy, 'lib/Socket/Client/websocket.js'), '// a patch\n');
  const { stdout } = await doctor(directory);
  const [found] = JSON.parse(stdout).results.filter(({ check }) => check === 'baileys');
  assert.equal(found.status, 'warning', stdout);
  assert.match(found.message, /runs on baileys-native in part: .*websocket\.js .*\(BAILEYS_NATIVE_\w+\)/);
});

test('doctor reports an invalid certificate file', timeout, async t => {
  const directory = project(t, { 'bad.pem': 'no certificate' });
  const found = await faults(directory, { env: { NODE_EXTRA_CA_CERTS: join(directory, 'bad.pem') } });
  assert.match(found[0], /^tls: NODE_EXTRA_CA_CERTS: .*bad\.pem holds no certificate/);
  const missing = await faults(directory, { env: { NODE_EXTRA_CA_CERTS: '/nowhere.pem' } });
  assert.match(missing[0], /^tls: NODE_EXTRA_CA_CERTS: \/nowhere\.pem cannot be read/);
});

test('doctor reports an unreachable proxy without its credentials', timeout, async t => {
  // A port that was just freed.
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise(resolve => server.close(resolve));
  const { stdout } = await doctor(project(t), ['--json'], {
    env: { HTTPS_PROXY: `http://user:secret@127.0.0.1:${port}` }
  });
  const [fault] = JSON.parse(stdout).results.filter(({ status }) => status === 'fault');
  assert.match(fault.message, /^HTTPS_PROXY=http:\/\/\*\*\*@127\.0\.0\.1:\d+ does not accept connections/);
  assert.ok(!stdout.includes('secret'));
});

test('--connect uses a proxy whose variable has no scheme', timeout, async t => {
  const answer = client => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  const { port } = closeAfter(t, await httpProxy({ answer }));
  const modules = ['baileys', 'https-proxy-agent'].map(name => [name, `node_modules/${name}`]);
  const directory = project(t, {}, { ...Object.fromEntries(modules), 'baileys-native': '.' });
  const args = ['--json', '--connect', '--url', 'ws://localhost:1/'];
  const { stdout } = await doctor(directory, args, { env: { HTTPS_PROXY: `127.0.0.1:${port}` } });
  const connect = JSON.parse(stdout).results.filter(({ check }) => check === 'connect');
  assert.equal(connect[0].message, `Through HTTPS_PROXY (http://127.0.0.1:${port})`, stdout);
  assert.equal(connect.length, 2);
  assert.match(connect[1].message, /^Native connection fails: .*502/);
});

test('doctor tells a copy from another one in a folder with a longer name', t => {
  const directory = project(
    t,
    { 'a/package.json': '{}', 'a-fork/package.json': '{"main": "index.js"}', 'a-fork/index.js': '' },
    {}
  );
  symlinkSync(join(directory, 'a-fork'), join(directory, 'node_modules/baileys'));
  const copies = ['a', 'a-fork'].map(name => ({ root: join(realpathSync(directory), name) }));
  assert.equal(resolvedRoot(directory, copies), copies[1].root);
});

test('doctor reports an old Node.js and another runtime', timeout, async t => {
  const directory = project(t, {
    'old.cjs': "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });"
  });
  const found = await faults(directory, { flags: ['--require', './old.cjs'] });
  assert.deepEqual(found.length, 1);
  assert.match(
    found[0],
    /^node: Node\.js 18\.20\.4 is too old; 20\.10 or later is needed Baileys uses its own JavaScript code/
  );
  const version = node => checkNode({ ...process.versions, node }).status;
  assert.deepEqual(['18.20.4', '20.9.0', '20.10.0', '26.1.0'].map(version), ['fault', 'fault', 'ok', 'ok']);
  assert.match(
    checkNode({ ...process.versions, bun: '1.3.0' }).message,
    /^doctor itself needs Node\.js, and this is bun 1\.3\.0/
  );
});

test('doctor reports that an environment variable disables register', timeout, async t => {
  const found = await faults(project(t), { env: { BAILEYS_NATIVE: 'off' } });
  assert.match(found.at(-1) ?? '', /BAILEYS_NATIVE=off|is not replaced/);
  assert.ok(found.some(text => text.startsWith('switches: BAILEYS_NATIVE=off')));
});

test('doctor reports that Baileys is missing', timeout, async t => {
  const found = await faults(project(t, {}, { 'baileys-native': '.' }));
  assert.match(found[0], /^baileys: No copy of Baileys is found from/);
});
