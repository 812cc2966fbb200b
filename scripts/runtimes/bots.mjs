/** Bots under register on a runtime, against the mock server on Node.js. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { MockServer, sampleStanzas } from 'baileys-native/testing';
import layout from '../../js/shared/baileys-layout.cjs';
import { ROOT } from '../shared/root.mjs';

const BOT = join(ROOT, 'scripts/runtimes/bot.mjs');
const SUPPORT = pathToFileURL(join(ROOT, '__test__/support/baileys-client.mjs')).href;
const STANZAS = 200;

/** A bot is killed if it reports nothing for this time, in milliseconds. */
const IDLE_LIMIT = 120_000;

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
 * Runs one bot. Resolves with the result of each check, its standard error and its exit code.
 *
 * @param {string} binary
 * @param {string[]} args
 * @param {string} packageName The package of Baileys.
 * @param {string} directory
 */
async function runBot(binary, args, packageName, directory) {
  // Baileys 6 loses a stanza that arrives directly after the handshake, before its finishInit has ended.
  const server = await MockServer.start({
    baileys: packageName,
    ...(packageName === 'baileys' ? {} : { greetingDelayMs: 250 })
  });
  const address = { url: server.url, ca: server.ca, rootKey: Buffer.from(server.rootKey).toString('base64') };
  const child = spawn(binary, [...args, packageName, SUPPORT, JSON.stringify(address)], { cwd: directory });
  const timer = setTimeout(() => child.kill('SIGKILL'), IDLE_LIMIT);
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
    timer.refresh();
    if (!text.startsWith('{"event"')) return;
    const { event, value } = JSON.parse(text);
    Promise.resolve(handlers[event]?.(value)).catch(error => child.kill() && (errors += error.stack));
  });
  const status = await new Promise(resolve => child.on('close', (code, signal) => resolve(code ?? signal)));
  clearTimeout(timer);
  await server.stop();
  return { passed, errors, status };
}

/** The checks of a bot, in the order of the columns. */
export const BOT_CHECKS = ['replaced', 'paired', 'logged in', 'received', 'sent', 'native socket'];

/**
 * Runs a bot with each supported release of Baileys.
 *
 * @param {string} binary
 * @param {string[]} args
 * @returns {Promise<{ release: string, cells: string[], fault: string | undefined }[]>} `fault`: what it wrote, if any
 *   check failed.
 */
export async function runBots(binary, args) {
  const directory = makeProject();
  const results = [];
  try {
    for (const { packageName, version: release } of layout.RELEASES) {
      const { passed, errors, status } = await runBot(binary, args, packageName, directory);
      const isFine = status === 0 && Object.values(passed).every(text => text !== '');
      const cells = Object.values(passed).map(text => text || '-');
      results.push({ release, cells, fault: isFine ? undefined : `ended with ${status}\n${errors}` });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return results;
}
