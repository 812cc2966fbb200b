/**
 * Runs the fuzz targets with libFuzzer and AddressSanitizer, one after another, and prints a table.
 *
 *     npm run fuzz                               each target for 60 seconds
 *     npm run fuzz -- --seconds 600 decode       one target for ten minutes
 *     npm run fuzz -- --keep                     then adds inputs that reach new code to the committed corpora
 *
 * If a target fails, the exit code is 1 and the input is in target/fuzz/artifacts. Correct the fault, then copy the
 * input into __test__/fuzz/corpus/<target>: `cargo test --no-default-features --features seams corpora` runs it as a
 * test.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './shared/root.mjs';

const WORKSPACE = join(ROOT, '__test__/fuzz');
const WORK = join(ROOT, 'target/fuzz');
const TOOLS = join(ROOT, 'target/tools');
const CARGO_FUZZ_VERSION = '0.13.2';

/** Limits of a committed corpus: the size of an input in bytes, and the number of inputs. */
const MAX_INPUT = 2048;
const MAX_INPUTS = 60;

/** Limits for one input: memory in MB, time in seconds. */
const LIMITS = ['-rss_limit_mb=2048', '-malloc_limit_mb=1024', '-timeout=20'];

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, keep: { type: 'boolean', default: false } },
  allowPositionals: true
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new RangeError('--seconds takes a number above 0');

const names = readdirSync(join(WORKSPACE, 'fuzz_targets')).map(file => file.replace(/\.rs$/, ''));
const unknown = positionals.find(name => !names.includes(name));
if (unknown !== undefined) throw new RangeError(`There is no target ${unknown}; there are ${names.join(', ')}.`);
const wanted = positionals.length > 0 ? positionals : names;

/** The toolchain: nightly if it is installed, otherwise the project's own with its nightly options enabled. */
const hasNightly = spawnSync('cargo', ['+nightly', '--version'], { stdio: 'ignore' }).status === 0;
const cargo = hasNightly ? ['+nightly'] : [];
const env = {
  ...process.env,
  ...(hasNightly ? {} : { RUSTC_BOOTSTRAP: '1' }),
  PATH: `${join(TOOLS, 'bin')}:${process.env.PATH}`,
  CARGO_TARGET_DIR: join(ROOT, 'target/fuzz-build')
};

function installCargoFuzz() {
  if (existsSync(join(TOOLS, 'bin/cargo-fuzz'))) return;
  console.error('fuzz: installing cargo-fuzz (a minute, once)');
  const args = ['install', 'cargo-fuzz', '--version', CARGO_FUZZ_VERSION, '--locked', '--root', TOOLS];
  const { status } = spawnSync('cargo', args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('cargo-fuzz could not be installed; its output is above.');
}

/**
 * @param {string[]} args
 * @param {import('node:child_process').StdioOptions} stdio
 */
function cargoFuzz(args, stdio) {
  const [command, ...rest] = args;
  const all = [...cargo, 'fuzz', /** @type {string} */ (command), '--fuzz-dir', WORKSPACE, ...rest];
  return spawnSync('cargo', all, { cwd: WORKSPACE, env, stdio, encoding: 'utf8', maxBuffer: 2 ** 28 });
}

/** @param {string} name */
function fuzz(name) {
  const [corpus, seeds, artifacts] = [
    join(WORK, 'corpus', name),
    join(WORKSPACE, 'corpus', name),
    `${join(WORK, 'artifacts', name)}/`
  ];
  for (const folder of [corpus, seeds, artifacts]) mkdirSync(folder, { recursive: true });
  console.error(`fuzz: ${name}, ${seconds} s`);
  const flags = [`-max_total_time=${seconds}`, `-artifact_prefix=${artifacts}`, '-print_final_stats=1', ...LIMITS];
  const { status, stderr } = cargoFuzz(['run', name, corpus, seeds, '--', ...flags], ['ignore', 'inherit', 'pipe']);
  if (status !== 0) console.error(stderr.split('\n').slice(-60).join('\n'));
  /** @param {RegExp} pattern */
  const number = pattern => Number(stderr.match(pattern)?.at(-1) ?? 0);
  const progress = [...stderr.matchAll(/cov: (\d+) ft: (\d+)/g)].at(-1);
  if (values.keep && status === 0) keep(name, corpus, seeds);
  return {
    target: name,
    runs: number(/stat::number_of_executed_units: *(\d+)/),
    'runs/s': number(/stat::average_exec_per_sec: *(\d+)/),
    edges: Number(progress?.[1] ?? 0),
    features: Number(progress?.[2] ?? 0),
    'peak MB': number(/stat::peak_rss_mb: *(\d+)/),
    result: status === 0 ? 'ok' : `FAULT, see ${artifacts}`
  };
}

/**
 * Adds the smallest set of inputs that reaches the same code as all inputs, within the limits of a committed corpus.
 *
 * @param {string} name
 * @param {string} corpus
 * @param {string} seeds
 */
function keep(name, corpus, seeds) {
  const merged = join(WORK, 'merged', name);
  rmSync(merged, { recursive: true, force: true });
  mkdirSync(merged, { recursive: true });
  cargoFuzz(['run', name, merged, seeds, corpus, '--', '-merge=1', `-max_len=${MAX_INPUT}`], 'ignore');
  const bySize = readdirSync(merged)
    .map(file => ({ file, size: statSync(join(merged, file)).size }))
    .filter(({ size }) => size <= MAX_INPUT)
    .sort((a, b) => b.size - a.size);
  const room = MAX_INPUTS - readdirSync(seeds).length;
  for (const { file } of bySize.slice(0, Math.max(room, 0))) copyFileSync(join(merged, file), join(seeds, file));
}

installCargoFuzz();
const rows = wanted.map(fuzz);
console.table(Object.fromEntries(rows.map(({ target, ...row }) => [target, row])));
if (rows.some(({ result }) => result !== 'ok')) process.exitCode = 1;
