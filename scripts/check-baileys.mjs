/**
 * Checks whether a release of Baileys works: `npm run check:baileys -- latest` (a tag or version of the package
 * `baileys`).
 *
 * Installs it into a temporary project, checks whether `register` knows its files, and runs the programs of
 * scripts/platforms/checks with it: a comparison of the codecs, two bots under `register`, and a NativeSession.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { log, run } from './platforms/tools.mjs';
import { ROOT } from './shared/root.mjs';

const CHECKS = [
  { name: 'codec', flags: [], args: [join(ROOT, '__test__/vectors/codec-7.json')] },
  { name: 'bot', flags: ['--import', 'baileys-native/register'], args: [] },
  { name: 'session', flags: [], args: [] }
];

/** Time limit of one program, in milliseconds. */
const TIMEOUT = 120_000;

const wanted = process.argv[2] ?? 'latest';
if (!/^[\w.-]+$/.test(wanted)) throw new Error(`${wanted} is neither a tag nor a version`);
const project = join(ROOT, 'target/baileys', wanted);
rmSync(project, { recursive: true, force: true });
mkdirSync(project, { recursive: true });
const { overrides } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, overrides }));
const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', project];
run('npm', ['install', ...flags, `baileys@${wanted}`], { cwd: project, step: `npm install baileys@${wanted}` });
const modules = join(project, 'node_modules');
symlinkSync(ROOT.replace(/[\\/]$/, ''), join(modules, 'baileys-native'), 'junction');
const { version } = JSON.parse(readFileSync(join(modules, 'baileys/package.json'), 'utf8'));
console.log(`baileys@${wanted} is ${version}`);

/** @type {[string, string][]} */
const rows = [];
/**
 * @param {string} name
 * @param {string[]} args
 */
function check(name, args) {
  log(`${name}:`);
  // This package is a link. Without these flags Node would find the Baileys of this repository.
  const links = ['--preserve-symlinks', '--preserve-symlinks-main'];
  const { status, signal } = spawnSync(process.execPath, [...links, ...args], {
    cwd: project,
    stdio: ['ignore', 2, 2],
    timeout: TIMEOUT
  });
  rows.push([name, status === 0 ? 'passed' : `failed (${signal ?? `exit code ${status}`})`]);
}

writeFileSync(
  join(project, 'files.mjs'),
  `import 'baileys';
import { replaced } from 'baileys-native';
if (replaced().length === 0) throw new Error('register does not know its files: Baileys runs on its own socket layer');`
);
check('files', ['--import', 'baileys-native/register', 'files.mjs']);
for (const { name, flags: own, args } of CHECKS) {
  copyFileSync(join(ROOT, `scripts/platforms/checks/${name}.mjs`), join(project, `${name}.mjs`));
  check(name, [...own, join(project, `${name}.mjs`), ...args]);
}
for (const [name, result] of rows) console.log(`${name.padEnd(8)} ${result}`);
const failed = rows.filter(([, result]) => result !== 'passed').length;
console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
