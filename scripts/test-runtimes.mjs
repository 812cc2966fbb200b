/**
 * Runs bots under register on Bun and Deno (and Node, to compare) against the mock server, and prints a table.
 *
 *     npm run test:runtimes
 *
 * Bun and Deno are installed once from the npm registry into target/runtimes. Fails if a check fails that `KNOWN` does
 * not list.
 */

import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MockServer, sampleStanzas } from 'baileys-native/testing';
import layout from '../js/shared/baileys-layout.cjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'target/runtimes');
const BOT = join(ROOT, 'scripts/runtimes/bot.mjs');
const SUPPORT = pathToFileURL(join(ROOT, '__test__/support/baileys-client.mjs')).href;
const TIMEOUT_MS = 120_000;
const STANZAS = 200;

/** @type {Record<string, { package?: string, binary?: string, args: (bot: string) => string[] }>} */
const RUNTIMES = {
  node: { args: bot => ['--import', 'baileys-native/register', bot] },
  bun: {
    package: '@oven/bun-linux-x64',
    binary: 'bin/bun',
    args: bot => ['--preload', 'baileys-native/register', bot]
  },
  deno: {
    package: '@deno/linux-x64-glibc',
    binary: 'deno',
    // Deno needs a path here. It uses packages of node_modules only with this option, or if a package.json names them.
    args: bot => [
      'run',
      '--allow-all',
      '--node-modules-dir=manual',
      '--preload=./node_modules/baileys-native/js/loader/register.mjs',
      bot
    ]
  }
};

/**
 * Known failures by runtime and release, with the reason.
 *
 * @type {Record<string, string>}
 */
const KNOWN = {};

/**
 * The binary of a runtime. It is installed if it is missing.
 *
 * @param {{ package?: string, binary?: string }} runtime
 */
function binaryOf({ package: name, binary = '' }) {
  if (name === undefined) return process.execPath;
  const path = join(FOLDER, 'node_modules', name, binary);
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true });
    const flags = ['--prefix', FOLDER, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    execFileSync('npm', ['install', ...flags, name], { cwd: FOLDER, stdio: 'inherit' });
  }
  chmodSync(path, 0o755);
  return path;
}

/** Creates a folder with all installed packages and this package. */
function makeProject() {
  const directory = mkdtempSync(join(tmpdir(), 'baileys-native-runtimes-'));
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'baileys-native')
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  symlinkSync(ROOT.replace(/[\\/]$/, ''), join(modules, 'baileys-native'));
  const names = [...layout.RELEASES.map(({ packageName }) => packageName), 'baileys-native'];
  const dependencies = Object.fromEntries(names.map(name => [name, '*']));
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
  symlinkSync(BOT, join(directory, 'bot.mjs'));
  return directory;
}

/**
 * Runs one bot. Resolves with the result of each check, and the other output of the bot.
 *
 * @param {string} binary
 * @param {string[]} args
 * @param {string} line package of Baileys
 * @param {string} directory
 */
async function runBot(binary, args, line, directory) {
  // Baileys 6 loses a stanza that arrives directly after the handshake, before its finishInit has ended.
  const server = await MockServer.start({ baileys: line, ...(line === 'baileys' ? {} : { greetingDelayMs: 250 }) });
  const facts = { url: server.url, ca: server.ca, rootKey: Buffer.from(server.rootKey).toString('base64') };
  const child = spawn(binary, [...args, line, SUPPORT, JSON.stringify(facts)], { cwd: directory, timeout: TIMEOUT_MS });
  const passed = { replaced: '', paired: '', 'logged in': '', received: '', sent: '', 'native socket': '' };
  let errors = '';
  child.stderr.on('data', chunk => (errors += chunk));
  /** @param {unknown} value */
  const answer = value => child.stdin.write(`${JSON.stringify(value)}\n`);
  /** @type {Record<string, (value: any) => unknown>} */
  const handlers = {
    /** @param {string[]} names */
    replaced: names => (passed.replaced = names.length >= 6 ? `${names.length} exports` : ''),
    /** @param {string} qr */
    qr: async qr => answer((await server.scanQr(qr, { jid: '15550001234', pushName: 'Ada' })) ?? {}),
    /** @param {string} jid */
    paired: jid => (passed.paired = jid === '15550001234:1@s.whatsapp.net' ? 'yes' : ''),
    login: async () => {
      passed['logged in'] = 'yes';
      await server.connections.at(-1)?.prepareFlood(sampleStanzas.message, STANZAS).start();
      answer({ count: STANZAS });
    },
    /** @param {[number, boolean]} received */
    received: ([count, inOrder]) => (passed.received = count === STANZAS && inOrder ? `${count} stanzas` : ''),
    /** @param {string} name */
    socket: name => (passed['native socket'] = name === 'Socket' ? 'yes' : ''),
    /** @param {number} count */
    sent: count => {
      const presences = server.stanzas.filter(
        ({ direction, node }) => direction === 'in' && node.attrs.n !== undefined
      );
      const ordered = presences.every(({ node }, n) => node.attrs.n === String(n));
      passed.sent = presences.length === count && ordered ? `${count} stanzas` : '';
      answer({});
    }
  };
  createInterface({ input: child.stdout }).on('line', text => {
    if (!text.startsWith('{"event"')) return;
    const { event, value } = JSON.parse(text);
    Promise.resolve(handlers[event]?.(value)).catch(error => child.kill() && (errors += error.stack));
  });
  const status = await new Promise(resolve => child.on('close', (code, signal) => resolve(code ?? signal)));
  await server.stop();
  return { passed, errors, status };
}

async function main() {
  const directory = makeProject();
  const rows = [];
  let failed = false;
  try {
    for (const [name, runtime] of Object.entries(RUNTIMES)) {
      const binary = binaryOf(runtime);
      const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).match(/\d+\.\d+\.\d+/)?.[0];
      for (const { packageName, version: release } of layout.RELEASES) {
        const { passed, errors, status } = await runBot(binary, runtime.args('bot.mjs'), packageName, directory);
        const missing = Object.entries(passed).filter(([, text]) => text === '');
        const known = KNOWN[`${name} ${release}`];
        const isFine = missing.length === 0 && status === 0;
        if (isFine === (known !== undefined)) {
          failed = true;
          console.error(
            `${name} ${release}: ${isFine ? 'works, and is listed in KNOWN' : `ended with ${status}`}\n${errors}`
          );
        }
        const cells = Object.values(passed).map(text => text || '-');
        rows.push([`${name} ${version}`, release, ...cells, isFine ? '' : (known ?? 'failed')]);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const head = [
    'runtime',
    'Baileys',
    'replaced',
    'paired',
    'logged in',
    'received',
    'sent',
    'native socket',
    'why not'
  ];
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
  if (failed) process.exitCode = 1;
}

await main();
