/**
 * Checks whether releases of Baileys work: `npm run check:baileys [-- tag or version...]`. Without arguments: the tags
 * `latest` and `next`, and the version that was published last.
 *
 * Installs each into target/baileys, and checks whether `register` knows its files. Then it runs the compatibility tests
 * on it: the codec against Baileys' own, a bot on both layers, and two bots that write to each other on each pair of
 * layers.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { log, run } from './platforms/tools.mjs';
import { ROOT } from './shared/root.mjs';

const REGISTER = ['--import', 'baileys-native/register'];

/** Time limit of one program, in milliseconds. */
const TIMEOUT = 900_000;

/** Prints whether `register` has replaced parts of a package. */
const FILES_PROGRAM = `const { replaced } = await import('baileys-native');
await import(process.argv[1]);
if (replaced().length === 0) throw new Error('register does not know its files: Baileys runs on its own socket layer');`;

/** @returns {Map<string, string>} The versions to check, and why. */
function currentVersions() {
  const output = execFileSync('npm', ['view', 'baileys', 'dist-tags', 'time', '--json'], { encoding: 'utf8' });
  /** @type {{ 'dist-tags': Record<string, string>, time: Record<string, string> }} */
  const { 'dist-tags': tags, time } = JSON.parse(output);
  const [last] = Object.entries(time)
    .filter(([version]) => /^\d/.test(version))
    .sort(([, a], [, b]) => (a < b ? 1 : -1));
  const versions = new Map([[last[0], `published last, ${last[1].slice(0, 10)}`]]);
  for (const tag of ['next', 'latest']) {
    if (tags[tag] === undefined) console.log(`baileys has no tag ${tag}`);
    else versions.set(tags[tag], `the tag ${tag}`);
  }
  return versions;
}

/**
 * Runs a program with Node.js.
 *
 * @param {string[]} args
 * @returns {{ isPassed: boolean, result: string, stdout: string }}
 */
function program(args) {
  const { status, signal, stdout } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    timeout: TIMEOUT
  });
  const isPassed = status === 0;
  return { isPassed, result: isPassed ? 'passed' : `failed (${signal ?? `exit code ${status}`})`, stdout };
}

/**
 * A bot on both layers. The result of a run, except whether the layer was native, must be the same.
 *
 * @param {string} name
 */
function bothLayers(name) {
  const runs = [[], REGISTER].map(flags => program([...flags, '__test__/compat/support/line-session.mjs', name]));
  const failed = runs.find(({ isPassed }) => !isPassed);
  if (failed !== undefined) return failed;
  const [javascript, native] = runs.map(({ stdout }) => JSON.parse(stdout));
  const isNative = native.native && !javascript.native;
  const isSame = isDeepStrictEqual({ ...native, active: false, native: false }, javascript);
  const result = isNative ? (isSame ? 'passed' : 'failed (the results differ)') : 'failed (not on the native layer)';
  if (!isSame) log(`JavaScript: ${runs[0].stdout}native: ${runs[1].stdout}`);
  return { isPassed: isNative && isSame, result };
}

/** @param {string} version @returns {string} The recorded payloads for its wire format. */
function vectorsFor(version) {
  const [major, minor, patch] = version.split(/[.-]/).map(Number);
  const dialect = major >= 7 ? '7' : minor === 7 && patch >= 19 ? '6.7' : '6.17';
  return join(ROOT, `__test__/vectors/codec-${dialect}.json`);
}

/**
 * Installs a release. The tests find it by another name, beside the release that they usually run on.
 *
 * @param {string} wanted A tag or a version.
 * @returns {{ name: string, version: string, remove: () => void }}
 */
function install(wanted) {
  const project = join(ROOT, 'target/baileys', wanted);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  const { overrides } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, overrides }));
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefix', project];
  run('npm', ['install', ...flags, `baileys@${wanted}`], { cwd: project, step: `npm install baileys@${wanted}` });
  const root = join(project, 'node_modules/baileys');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const name = `baileys-checked-${process.pid}`;
  const link = join(ROOT, 'node_modules', name);
  symlinkSync(root, link, 'junction');
  return { name, version, remove: () => rmSync(link) };
}

/**
 * @param {string} wanted
 * @returns {boolean} Whether all checks passed.
 */
function check(wanted) {
  const { name, version, remove } = install(wanted);
  const codec = ['scripts/platforms/checks/codec.mjs', vectorsFor(version), name];
  const clients = ['scripts/compat-e2e.mjs', '--package', name, '--texts', '40', '--group', '20', '--away', '10'];
  /** @type {[string, () => { isPassed: boolean, result: string }][]} */
  const checks = [
    ['files', () => program([...REGISTER, '--input-type=module', '--eval', FILES_PROGRAM, name])],
    ['codec', () => program([...REGISTER, ...codec])],
    ['bot', () => bothLayers(name)],
    ['clients', () => program(clients)]
  ];
  const results = [];
  try {
    for (const [does, act] of checks) {
      log(`baileys ${version}: ${does}`);
      results.push({ does, ...act() });
    }
  } finally {
    remove();
  }
  console.log(`baileys ${version}`);
  for (const { does, result } of results) console.log(`  ${does.padEnd(8)} ${result}`);
  return results.every(({ isPassed }) => isPassed);
}

const wanted = process.argv.slice(2);
const invalid = wanted.find(each => !/^[\w.-]+$/.test(each));
if (invalid !== undefined) throw new Error(`${invalid} is neither a tag nor a version`);
if (wanted.length === 0) {
  for (const [version, why] of currentVersions()) {
    console.log(`${version}: ${why}`);
    wanted.push(version);
  }
}
const failed = wanted.filter(each => !check(each));
console.log(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
