/**
 * Runs the packages of each target on a Node.js of that target, as far as a Debian machine can:
 *
 *     npm run test:platforms                             all targets
 *     npm run test:platforms -- linux-x64-gnu ...        some targets
 *     npm run test:platforms -- --check                  does not change docs/platforms.md
 *     npm run test:platforms -- --here                   tests the existing binary on the Node.js that runs this script,
 *                                                        and does not change docs/platforms.md
 *     npm run test:platforms -- --missing                only prints what this machine lacks; exit code 3 if anything
 *     npm run test:platforms -- --install linux-arm64-gnu  instead: npm, pnpm and Yarn install the packages there
 *
 * Builds the binaries, creates a project like npm (with the main package and the platform package), and runs the
 * programs in `checks/`. Prints a table. If all checks pass, writes the rows of the targets into docs/platforms.md.
 */

import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../compat/markdown.mjs';
import { ROOT } from '../shared/root.mjs';
import { describeBinary } from './binary.mjs';
import { readSection, writeSection } from './document.mjs';
import { MANAGERS, installAndRun, startRelease } from './install.mjs';
import { builtBinary, stageMain, stagePlatform } from './packages.mjs';
import { missingFor } from './requirements.mjs';
import { BUILDABLE, binaryPath, ownTarget, publishedName, selectTargets } from './targets.mjs';
import { runnerOf } from './toolchains.mjs';
import { log, run } from './tools.mjs';

const CHECKS = [
  { name: 'codec', does: 'codec', flags: [], args: [join(ROOT, '__test__/vectors/codec-7.json')] },
  { name: 'bot', does: 'bot under `register`', flags: ['--import', 'baileys-native/register'], args: [] },
  { name: 'session', does: '`NativeSession`', flags: [], args: [] },
  { name: 'errors', does: 'errors', flags: [], args: [] }
];

/**
 * A check is ended if it prints nothing for this time, in milliseconds. It prints a line after each step. An emulator
 * on a busy machine needs much time for a step.
 */
const IDLE_LIMIT = 300_000;

/** Time limit of one installation, in milliseconds. A package manager under an emulator needs minutes. */
const INSTALL_LIMIT = 900_000;

/** Exit code of `--missing` if this machine lacks anything. */
const EXIT_MISSING = 3;

/** A cell of the table in the document without a result. */
const NOT_RUN = 'not run';

/** The last line of a check that passed begins with this text. */
const RESULT = 'passed: ';

/**
 * @param {string} name
 * @returns {string} The binary of a target.
 */
function binaryOf(name) {
  const binary = values.here ? builtBinary(name) : binaryPath(name);
  if (binary === undefined) throw new Error(`There is no binary for ${name}; build it first.`);
  return binary;
}

/**
 * @param {import('./targets.mjs').PlatformTarget} target
 * @returns {string} The folder of a project with the packages of a target.
 */
function layOut({ name }) {
  const project = join(ROOT, 'target/platforms/projects', name);
  rmSync(project, { recursive: true, force: true });
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const each of readdirSync(join(ROOT, 'node_modules'))) {
    if (!each.startsWith('.') && !each.startsWith('baileys-native'))
      symlinkSync(join(ROOT, 'node_modules', each), join(modules, each), 'junction');
  }
  // Without a package.json the project would be part of the repository, and `baileys-native` would be the repository.
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  stageMain(join(modules, 'baileys-native'));
  const published = publishedName(name);
  stagePlatform(published, join(modules, `baileys-native-${published}`), binaryOf(name));
  for (const { name: check } of CHECKS) {
    writeFileSync(join(project, `${check}.mjs`), readFileSync(join(ROOT, `scripts/platforms/checks/${check}.mjs`)));
  }
  return project;
}

/**
 * @param {string} project
 * @param {import('./toolchains.mjs').Runner} runner
 * @param {typeof CHECKS[number]} check
 * @returns {Promise<{ passed: boolean, text: string }>} `text`: the result that it printed, or how it ended.
 */
function runCheck(project, runner, { name, flags, args }) {
  const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...env } = runner.env;
  const command = [...runner.args, ...flags, `${name}.mjs`, ...args.map(runner.path)];
  // Files, because Node.js for Windows cannot open a pipe of this system under Wine.
  const files = ['output', 'errors'].map(kind => join(project, `${name}.${kind}.txt`));
  const [stdout, stderr] = files.map(file => openSync(file, 'w'));
  const child = spawn(runner.command, command, { cwd: project, env, stdio: ['ignore', stdout, stderr] });
  for (const file of [stdout, stderr]) closeSync(file);
  const timer = setTimeout(() => child.kill('SIGKILL'), IDLE_LIMIT);
  const watcher = watch(files[0], () => timer.refresh());
  return new Promise(resolve => {
    /** @param {{ passed: boolean, text: string }} result */
    const end = result => {
      clearTimeout(timer);
      watcher.close();
      resolve(result);
    };
    child.on('error', error => {
      log(error.message);
      end({ passed: false, text: 'failed (not started)' });
    });
    child.on('exit', (code, signal) => {
      const [output, errors] = files.map(file => readFileSync(file, 'utf8'));
      const last = output.trim().split(/\r?\n/).at(-1) ?? '';
      const passed = code === 0 && last.startsWith(RESULT);
      if (!passed) log(`the last step was "${last}"\n${errors.slice(-4000)}`);
      const text = passed ? last.slice(RESULT.length) : `failed (${signal ?? `exit code ${code}`})`;
      end({ passed, text });
    });
  });
}

/**
 * @param {import('./targets.mjs').PlatformTarget} target
 * @param {import('./toolchains.mjs').Runner} runner
 * @returns {Promise<{ passed: boolean, text: string }[]>} The results, in the order of `CHECKS`.
 */
async function runChecks(target, runner) {
  const project = layOut(target);
  const results = [];
  for (const check of CHECKS) {
    log(`${target.name}: ${check.name}`);
    results.push(await runCheck(project, runner, check));
  }
  return results;
}

/**
 * Installs the packages of a target by each package manager, on a Node.js of that target.
 *
 * @param {import('./targets.mjs').PlatformTarget} target
 * @param {import('./toolchains.mjs').Runner} runner
 * @returns {Promise<{ passed: boolean, text: string }[]>} The results, in the order of `MANAGERS`.
 */
async function runInstallations({ name }, runner) {
  const platform = publishedName(name);
  const release = await startRelease({ platform, binary: binaryOf(name), runner, timeout: INSTALL_LIMIT });
  const results = [];
  try {
    for (const manager of MANAGERS) {
      log(`${name}: ${manager.name}`);
      try {
        await installAndRun(release, manager);
        results.push({ passed: true, text: 'installed, runs natively' });
      } catch (error) {
        log(`${error.message}\n${error.stdout ?? ''}`);
        results.push({ passed: false, text: 'failed' });
      }
    }
  } finally {
    release.stop();
  }
  return results;
}

/**
 * Adds the rows of the other targets: those in the document, or rows that say that there is no result. A cell of a column
 * that the document does not have yet says so too.
 *
 * @param {string[][]} rows
 * @returns {string[][]}
 */
function withOtherRows(rows) {
  const [names, , ...written] = readSection(command)
    .split('\n')
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(text => text.trim())
    );
  /** @param {string[]} row A row of the document. */
  const inColumns = row => head.map(name => row[names.indexOf(name)] ?? NOT_RUN);
  return BUILDABLE.flatMap(({ name }) => {
    const find = (/** @type {string[][]} */ among) => among.find(([first]) => first === `\`${name}\``);
    const old = find(written);
    const row = find(rows) ?? (old && inColumns(old));
    if (row !== undefined) return [row];
    // The table of installations has only the targets with results.
    return values.install ? [] : [[`\`${name}\``, ...head.slice(1).map(() => NOT_RUN)]];
  });
}

/** Whether package managers take this system for one with musl. */
const systemIsMusl = () => existsSync('/usr/bin/ldd') && readFileSync('/usr/bin/ldd', 'latin1').includes('musl');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean' },
    here: { type: 'boolean' },
    install: { type: 'boolean' },
    missing: { type: 'boolean' }
  }
});
const targets = values.here ? [ownTarget()] : selectTargets(positionals);
if (values.install) {
  const foreign = targets.filter(({ name }) => name.endsWith('-musl') !== systemIsMusl()).map(({ name }) => name);
  if (foreign.length > 0) {
    console.error(
      `Package managers read the C library in /usr/bin/ldd: ${foreign.join(', ')} cannot be installed here.`
    );
    process.exit(1);
  }
}
/** The command in the mark of the table in the document. */
const command = values.install ? 'npm run test:platforms -- --install' : 'npm run test:platforms';
if (values.missing) {
  const lacking = new Set(targets.flatMap(target => missingFor(target)));
  if (lacking.size > 0) console.log([...lacking].join(', '));
  process.exit(lacking.size > 0 ? EXIT_MISSING : 0);
}
// Takes a few seconds if the binaries are current.
if (!values.here) {
  run(process.execPath, [join(ROOT, 'scripts/platforms/build.mjs'), ...targets.map(({ name }) => name)]);
}

const columns = values.install ? MANAGERS.map(({ name }) => name) : CHECKS.map(({ does }) => does);
const head = values.install ? ['target', 'run by', ...columns] : ['target', 'binary', 'needs', 'run by', ...columns];
const rows = [];
let failed = 0;
let passed = 0;
for (const target of targets) {
  const runner = runnerOf(target);
  const results = await (values.install ? runInstallations(target, runner) : runChecks(target, runner));
  passed += results.filter(result => result.passed).length;
  failed += results.filter(result => !result.passed).length;
  const { size, needs } = describeBinary(binaryOf(target.name));
  const facts = values.install ? [] : [`${(size / 2 ** 20).toFixed(1)} MiB`, needs];
  rows.push([`\`${target.name}\``, ...facts, runner.runs, ...results.map(({ text }) => text)]);
}
const result = table(head, rows);
console.log(result);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
else if (!values.check && !values.here) writeSection(command, table(head, withOtherRows(rows)));
