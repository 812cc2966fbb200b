// npm, pnpm and Yarn install the packages from a registry: no compiler, no scripts, and one binary, the correct one.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { encodeBinaryNode } from 'baileys';
import platform from '../../js/addon/platform.cjs';
import { builtBinary, stageMain, stagePlatform } from '../../scripts/platforms/packages.mjs';
import { PUBLISHED } from '../../scripts/platforms/targets.mjs';
import { provideNpm } from '../../scripts/platforms/tools.mjs';
import { startRegistry } from '../support/registry.mjs';

const run = promisify(execFile);
const NAME = platform.nameOf(platform.currentPlatform());
const NAMES = PUBLISHED.map(({ name }) => name);

/** Time limit of one installation, in milliseconds. */
const TIMEOUT = 180_000;
const options = { timeout: TIMEOUT };

const PROGRAM = `const { encodeBinaryNode } = require('baileys-native');
console.log(encodeBinaryNode({ tag: 'iq', attrs: { id: '1' } }).toString('hex'));`;
/** The result of Baileys' own encoder. */
const PRINTS = encodeBinaryNode({ tag: 'iq', attrs: { id: '1' } }).toString('hex');

let folder;
let registry;
let env;
const release = [];
after(() => release.forEach(end => end()));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baileys-native-managers-'));
  release.push(() => rmSync(folder, { recursive: true, force: true }));
  const binary = builtBinary(NAME);
  assert.ok(binary, 'the addon has been built');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const command of ['sh', 'tar']) {
    symlinkSync(execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim(), join(bin, command));
  }
  // Only the binary of this machine is real.
  const empty = join(folder, 'empty.node');
  writeFileSync(empty, '');
  stageMain(join(folder, 'staged/main'), NAMES);
  for (const name of NAMES) stagePlatform(name, join(folder, 'staged', name), name === NAME ? binary : empty);
  const tarballs = ['main', ...NAMES].map(name => pack(join(folder, 'staged', name)));
  registry = await startRegistry({ after: end => release.push(end) }, tarballs);
  env = {
    HOME: join(folder, 'home'),
    PATH: bin,
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, 'npm-cache'),
    YARN_REGISTRY: registry.url,
    YARN_NPM_REGISTRY_SERVER: registry.url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_CACHE_FOLDER: join(folder, 'yarn-cache'),
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    CI: 'true'
  };
  mkdirSync(env.HOME);
}, options);

function pack(staged) {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: staged,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']
  });
  const [{ filename }] = Object.values(JSON.parse(output));
  return join(folder, filename);
}

/** The file of npm itself, which runs without its folder in PATH. */
function npmFile() {
  const root = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim();
  return join(root, 'npm/bin/npm-cli.js');
}

/** A new project, and a way to run Node.js in it. */
function makeProject(name, extra = {}) {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', private: true }));
  writeFileSync(join(project, 'app.cjs'), PROGRAM);
  const node = (...args) => run(process.execPath, args, { cwd: project, env: { ...env, ...extra }, timeout: TIMEOUT });
  return { project, node };
}

const binariesIn = project =>
  readdirSync(join(project, 'node_modules')).filter(name => name.startsWith('baileys-native-'));

test('the environment has no compiler', async () => {
  for (const command of ['cargo', 'rustc', 'cc', 'gcc', 'make']) {
    await assert.rejects(run(command, ['--version'], { env }), { code: 'ENOENT' }, command);
  }
});

test('npm installs a package that works', options, async () => {
  const { project, node } = makeProject('npm');
  await node(npmFile(), 'install', '--no-audit', '--no-fund', 'baileys-native');
  assert.deepEqual(binariesIn(project), [`baileys-native-${NAME}`]);
  assert.equal((await node('app.cjs')).stdout.trim(), PRINTS);
});

test('pnpm installs a package that works', options, async () => {
  const { node } = makeProject('pnpm');
  const pnpm = join(provideNpm('pnpm@10.28.2'), 'bin/pnpm.cjs');
  const before = registry.served.length;
  await node(pnpm, 'add', '--store-dir', join(folder, 'pnpm-store'), 'baileys-native');
  assert.deepEqual(registry.served.slice(before).sort(), ['baileys-native', `baileys-native-${NAME}`]);
  assert.equal((await node('app.cjs')).stdout.trim(), PRINTS);
});

test('Yarn 1 installs a package that works', options, async () => {
  const { project, node } = makeProject('yarn1');
  await node(join(provideNpm('yarn@1.22.22'), 'bin/yarn.js'), 'add', '--non-interactive', 'baileys-native');
  // This manager ignores `libc`: both packages for Linux are installed, and the loader chooses the right one.
  assert.ok(binariesIn(project).includes(`baileys-native-${NAME}`));
  assert.equal((await node('app.cjs')).stdout.trim(), PRINTS);
});

for (const linker of ['node-modules', 'pnp']) {
  test(`Yarn 4 installs a package that works, linker ${linker}`, options, async () => {
    const { node } = makeProject(`yarn4-${linker}`, { YARN_NODE_LINKER: linker });
    const yarn = join(provideNpm('@yarnpkg/cli-dist@4.12.0'), 'bin/yarn.js');
    await node(yarn, 'add', 'baileys-native');
    assert.equal((await node(yarn, 'node', 'app.cjs')).stdout.trim(), PRINTS);
  });
}

test('npm installs the binary package of the requested platform', options, async () => {
  for (const name of NAMES) {
    const [os, cpu, abi] = name.split('-');
    const { project, node } = makeProject(`for-${name}`);
    const libc = os === 'linux' ? [`--libc=${abi === 'gnu' ? 'glibc' : 'musl'}`] : [];
    await node(
      npmFile(),
      'install',
      '--no-audit',
      '--no-fund',
      `--os=${os}`,
      `--cpu=${cpu}`,
      ...libc,
      'baileys-native'
    );
    assert.deepEqual(binariesIn(project), [`baileys-native-${name}`]);
  }
});
