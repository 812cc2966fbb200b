/**
 * Runs the packages of each target on a Node.js of that target, as far as a Debian machine can:
 *
 *     npm run test:platforms                             all targets
 *     npm run test:platforms -- linux-x64-gnu ...        some targets
 *     npm run test:platforms -- --check                  does not change docs/platforms.md
 *     npm run test:platforms -- --here linux-x64-musl    tests the existing binary on the Node.js that runs this script
 *     npm run test:platforms -- --missing                only prints what this machine lacks; exit code 3 if anything
 *
 * Builds the binaries, creates a project like npm (with the main package and the platform package), and runs the
 * programs in `checks/`. Prints a table. If all checks pass, writes the rows of the targets into docs/platforms.md.
 */

import { spawn } from 'node:child_process';
import {
  closeSync,
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
import { describeBinary } from './binary.mjs';
import { readSection, writeSection } from './document.mjs';
import { stageMain, stagePlatform } from './packages.mjs';
import { missingFor } from './requirements.mjs';
import { BUILDABLE, binaryPath, publishedName, selectTargets } from './targets.mjs';
import { runnerOf } from './toolchains.mjs';
import { ROOT, log, run } from './tools.mjs';

const CHECKS = [
  { name: 'codec', does: 'codec', flags: [], args: [join(ROOT, '__test__/vectors/codec-7.json')] },
  { name: 'bot', does: 'bot under `register`', flags: ['--import', 'baileys-native/register'], args: [] },
  { name: 'session', does: '`NativeSession`', flags: [], args: [] }
];

/**
 * A check is ended if it prints nothing for this time, in milliseconds. It prints a line after each step. An emulator
 * on a busy machine needs much time for a step.
 */
const IDLE_LIMIT = 300_000;

/** Exit code of `--missing` if this machine lacks anything. */
const EXIT_MISSING = 3;

/** The last line of a check that passed begins with this text. */
const RESULT = 'passed: ';

/**
 * @param {import('./targets.mjs').Target} target
 * @returns {string} The folder of a project with the packages of a target.
 */
function layOut({ name }) {
  const project = join(ROOT, 'target/platforms/projects', name);
  rmSync(project, { recursive: true, force: true });
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const each of readdirSync(join(ROOT, 'node_modules'))) {
    if (!each.startsWith('.') && !each.startsWith('baileys-native'))
      symlinkSync(join(ROOT, 'node_modules', each), join(modules, each));
  }
  // Without a package.json the project would be part of the repository, and `baileys-native` would be the repository.
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  stageMain(join(modules, 'baileys-native'));
  const published = publishedName(name);
  stagePlatform(published, join(modules, `baileys-native-${published}`), binaryPath(name));
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
 * Adds the rows of the other targets: those in the document, or rows that say that there is no result.
 *
 * @param {string[][]} rows
 * @returns {string[][]}
 */
function withOtherRows(rows) {
  const written = readSection('npm run test:platforms')
    .split('\n')
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(text => text.trim())
    );
  return BUILDABLE.map(({ name }) => {
    const find = (/** @type {string[][]} */ among) => among.find(([first]) => first === `\`${name}\``);
    return find(rows) ?? find(written) ?? [`\`${name}\``, ...rows[0].slice(1).map(() => 'not run')];
  });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, here: { type: 'boolean' }, missing: { type: 'boolean' } }
});
const targets = selectTargets(positionals);
if (values.missing) {
  const lacking = new Set(targets.flatMap(target => missingFor(target)));
  if (lacking.size > 0) console.log([...lacking].join(', '));
  process.exit(lacking.size > 0 ? EXIT_MISSING : 0);
}
// Takes a few seconds if the binaries are current.
if (!values.here) {
  run(process.execPath, [join(ROOT, 'scripts/platforms/build.mjs'), ...targets.map(({ name }) => name)]);
}

const head = ['target', 'binary', 'needs', 'run by', ...CHECKS.map(({ does }) => does)];
const rows = [];
let failed = 0;
let passed = 0;
for (const target of targets) {
  const runner = runnerOf(values.here ? { ...target, runner: 'native' } : target);
  const project = layOut(target);
  const { size, needs } = describeBinary(binaryPath(target.name));
  const cells = [];
  for (const check of CHECKS) {
    log(`${target.name}: ${check.name}`);
    const result = await runCheck(project, runner, check);
    if (result.passed) passed += 1;
    else failed += 1;
    cells.push(result.text);
  }
  rows.push([`\`${target.name}\``, `${(size / 2 ** 20).toFixed(1)} MiB`, needs, runner.runs, ...cells]);
}
const result = table(head, rows);
console.log(result);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
else if (!values.check) writeSection('npm run test:platforms', table(head, withOtherRows(rows)));
