/**
 * Runs bots under register, and the test files of the addon, on Bun and Deno:
 *
 *     npm run test:runtimes                        writes the tables into docs/platforms.md
 *     npm run test:runtimes -- --on bun            only one runtime
 *     npm run test:runtimes -- --last              runs nothing: checks and writes the last result of each file and bot
 *     npm run test:runtimes -- --record            also writes the failed tests into runtimes/failures.json
 *     npm run test:runtimes -- websocket session   only test files with these parts in their names
 *     npm run test:runtimes -- --bots              only the bots
 *
 * Bun and Deno are installed once from the npm registry into target/runtimes. The exit code is 1 if a bot fails, if a
 * test fails that is not in failures.json, if a test of its list `always` passes, or if a file has failures and no
 * reason.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from './compat/markdown.mjs';
import { writeSection } from './platforms/document.mjs';
import { run } from './platforms/tools.mjs';
import { BOT_CHECKS, runBots } from './runtimes/bots.mjs';
import { knownOf, merged, numberOf } from './runtimes/known.mjs';
import { REASONS } from './runtimes/reasons.mjs';
import { FOLDER, RUNTIMES, binaryOf, versionOf } from './runtimes/runtimes.mjs';
import { nameOf, runFile, suiteFiles } from './runtimes/suite.mjs';
import { ROOT } from './shared/root.mjs';

const RECORD = join(ROOT, 'scripts/runtimes/failures.json');

/**
 * @typedef {object} Results
 * @property {string} version
 * @property {Awaited<ReturnType<typeof runBots>>} bots
 * @property {import('./runtimes/suite.mjs').FileResult[]} files
 */

const { values, positionals: parts } = parseArgs({
  allowPositionals: true,
  options: {
    bots: { type: 'boolean' },
    last: { type: 'boolean' },
    record: { type: 'boolean' },
    on: { type: 'string' }
  }
});
const isWhole = !values.bots && parts.length === 0 && values.on === undefined;

/** @type {Record<string, Record<string, import('./runtimes/known.mjs').KnownFailures>>} Known failures by runtime and file. */
const recorded = JSON.parse(readFileSync(RECORD, 'utf8'));

/** @type {string[]} */
const faults = [];

/** @param {string} name */
const resultsPath = name => join(FOLDER, `results-${name}.json`);

/** @param {string} name @returns {Results} The last results on a runtime. */
function lastResults(name) {
  if (!existsSync(resultsPath(name))) return { version: '', bots: [], files: [] };
  return JSON.parse(readFileSync(resultsPath(name), 'utf8'));
}

/**
 * Saves results. They replace the last results for the same files.
 *
 * @param {string} name
 * @param {Results} results
 */
function saveResults(name, { version, bots, files }) {
  const last = lastResults(name);
  const isSame = last.version === version;
  const others = isSame ? last.files.filter(({ file }) => !files.some(each => each.file === file)) : [];
  const merged = [...others, ...files].sort((a, b) => (a.file < b.file ? -1 : 1));
  const kept = { version, bots: bots.length > 0 || !isSame ? bots : last.bots, files: merged };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(resultsPath(name), JSON.stringify(kept));
}

/**
 * @param {import('./runtimes/runtimes.mjs').Runtime} runtime
 * @returns {Promise<Results>}
 */
async function measure(runtime) {
  const binary = binaryOf(runtime);
  const version = versionOf(binary) ?? '';
  const bots = parts.length > 0 ? [] : await runBots(binary, runtime.botArgs('bot.mjs'));
  if (bots.length > 0) saveResults(runtime.name, { version, bots, files: [] });
  const files = [];
  for (const file of values.bots || runtime.testArgs === undefined ? [] : suiteFiles(parts)) {
    if (REASONS[runtime.name][nameOf(file)]?.run === false) continue;
    const started = Date.now();
    const result = await runFile(runtime, binary, file);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.error(
      `${runtime.name} ${result.file}: ${result.passed} passed, ${result.failed.length} failed, ${seconds} s`
    );
    files.push(result);
    saveResults(runtime.name, { version, bots, files: [result] });
  }
  return { version, bots, files };
}

/**
 * Compares the results of a file with failures.json.
 *
 * @param {string} runtime
 * @param {import('./runtimes/suite.mjs').FileResult} result
 */
function checkResult(runtime, { file, failed, output }) {
  if (values.record) {
    const files = (recorded[runtime] ??= {});
    const known = merged(files[file], failed);
    if (known === undefined) delete files[file];
    else files[file] = known;
  }
  const { always, sometimes } = knownOf(recorded[runtime]?.[file]);
  const added = failed.filter(name => !always.includes(name) && !sometimes.includes(name));
  const passing = always.filter(name => !failed.includes(name));
  if (added.length > 0) faults.push(`${runtime}, ${file}: failed: ${added.join('; ')}\n${output}`);
  if (passing.length > 0) faults.push(`${runtime}, ${file}: passed, but is in failures.json: ${passing.join('; ')}`);
  if (failed.length > 0 && REASONS[runtime][file] === undefined)
    faults.push(`${runtime}, ${file}: no reason in reasons.mjs`);
}

/**
 * @param {Map<string, Results>} all
 * @returns {string} Tables.
 */
function report(all) {
  const botRows = [];
  const totalRows = [];
  const failureRows = [];
  for (const [name, { version, bots, files }] of all) {
    for (const { release, cells, fault } of bots) {
      if (fault !== undefined) faults.push(`${name}, Baileys ${release}: ${fault}`);
      botRows.push([`${name} ${version}`, release, ...cells]);
    }
    const ran = files.filter(({ file }) => REASONS[name][file]?.run !== false);
    for (const result of ran) {
      checkResult(name, result);
      const { file, passed, failed } = result;
      const known = recorded[name]?.[file];
      if (known !== undefined) {
        const why = REASONS[name][file]?.why ?? '';
        failureRows.push([name, `\`${file}\``, `${numberOf(known)} of ${passed + failed.length}`, why]);
      }
    }
    for (const [file, { why, run }] of Object.entries(REASONS[name] ?? {})) {
      if (run === false) failureRows.push([name, `\`${file}\``, 'not run', why]);
    }
    if (ran.length === 0) continue;
    const passed = ran.reduce((sum, each) => sum + each.passed, 0);
    const failed = ran.reduce((sum, each) => sum + each.failed.length, 0);
    const whole = ran.filter(each => each.failed.length === 0).length;
    totalRows.push([`${name} ${version}`, ...[ran.length, whole, passed, failed].map(String)]);
  }
  return [
    botRows.length > 0 ? table(['runtime', 'Baileys', ...BOT_CHECKS], botRows) : '',
    totalRows.length > 0
      ? table(['runtime', 'test files', 'files without a failure', 'tests passed', 'tests failed'], totalRows)
      : '',
    failureRows.length > 0 ? table(['runtime', 'test file', 'tests failed', 'reason'], failureRows) : ''
  ]
    .filter(text => text !== '')
    .join('\n\n');
}

/** @type {Map<string, Results>} */
const all = new Map();
for (const runtime of RUNTIMES) {
  const { name } = runtime;
  if (!values.last && (values.on === undefined || values.on === name)) {
    all.set(name, await measure(runtime));
  } else if (values.last) all.set(name, lastResults(name));
}
for (const { name, testArgs } of isWhole && values.last ? RUNTIMES : []) {
  const { bots = [], files = [] } = all.get(name) ?? {};
  if (bots.length === 0) faults.push(`${name}: there is no result of the bots`);
  for (const file of testArgs === undefined ? [] : suiteFiles([]).map(nameOf)) {
    const isRun = REASONS[name][file]?.run !== false;
    if (isRun && !files.some(each => each.file === file)) faults.push(`${name}, ${file}: there is no result`);
  }
}
const text = report(all);
console.log(text);
if (values.record) {
  writeFileSync(RECORD, `${JSON.stringify(recorded, null, 2)}\n`);
  run('npx', ['prettier', '--write', RECORD]);
}
if (faults.length > 0) {
  console.error(`\n${faults.length} faults:\n${faults.join('\n')}`);
  process.exitCode = 1;
} else if (isWhole) writeSection('npm run test:runtimes', text);
