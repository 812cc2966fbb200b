/**
 * Runs the packages of each target on a Node.js of that target, as far as a Debian machine can:
 *
 *     npm run test:platforms [-- linux-x64-gnu ...] [--check]
 *
 * Builds missing binaries, creates a project like npm (with the main package and the platform package), and runs the
 * programs in `checks/`. Prints a table, and writes it into docs/platforms.md if every target was run. With `--check`
 * it does not write the file. `--here`: uses the Node.js that runs this script.
 */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeBinary } from './binary.mjs';
import { stageMain, stagePlatform } from './packages.mjs';
import { binaryPath, publishedName, selectTargets } from './targets.mjs';
import { runnerOf } from './toolchains.mjs';
import { ROOT, log, run } from './tools.mjs';

const CHECKS = [
  { name: 'codec', does: 'codec', flags: [], args: [join(ROOT, '__test__/vectors/codec-7.json')] },
  { name: 'bot', does: 'bot under `register`', flags: ['--import', 'baileys-native/register'], args: [] },
  { name: 'session', does: '`NativeSession`', flags: [], args: [] }
];

/** Time limit of one check, in milliseconds. An emulator is about ten times slower. */
const TIMEOUT = 300_000;

const DOCUMENT = join(ROOT, 'docs/platforms.md');
const MARKS = ['<!-- written by npm run test:platforms -->', '<!-- end -->'];

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
 * @returns {Promise<{ passed: boolean, text: string }>} `text`: the last printed line, or the error.
 */
function runCheck(project, runner, { name, flags, args }) {
  const { NODE_OPTIONS: _, BAILEYS_NATIVE: __, ...env } = runner.env;
  const command = [...runner.args, ...flags, `${name}.mjs`, ...args.map(runner.path)];
  const child = spawn(runner.command, command, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', text => (output += text));
  child.stderr.setEncoding('utf8').on('data', text => (errors += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT);
  return new Promise(resolve => {
    child.on('error', error => resolve({ passed: false, text: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const passed = code === 0;
      if (!passed) log(errors.slice(-4000));
      const text = passed ? output.trim().split(/\r?\n/).at(-1) : `failed (${signal ?? `exit code ${code}`})`;
      resolve({ passed, text: text ?? '' });
    });
  });
}

/** @param {string[][]} rows */
function table(rows) {
  const [head, ...rest] = rows.map(row => `| ${row.join(' | ')} |`);
  return [head, `|${' --- |'.repeat(rows[0].length)}`, ...rest].join('\n');
}

/** @param {string} text */
function writeDocument(text) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [from, to] = MARKS.map(mark => document.indexOf(mark));
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} does not have the two marks`);
  writeFileSync(DOCUMENT, `${document.slice(0, from + MARKS[0].length)}\n\n${text}\n\n${document.slice(to)}`);
  run('npx', ['prettier', '--write', DOCUMENT]);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, here: { type: 'boolean' } }
});
const targets = selectTargets(positionals);
const missing = targets.filter(({ name }) => !existsSync(binaryPath(name))).map(({ name }) => name);
if (missing.length > 0) run(process.execPath, [join(ROOT, 'scripts/platforms/build.mjs'), ...missing]);

const rows = [['target', 'binary', 'needs', 'run by', ...CHECKS.map(({ does }) => does)]];
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
const result = table(rows);
console.log(result);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
else if (positionals.length === 0 && !values.check) writeDocument(result);
