/**
 * Builds the addon with AddressSanitizer, runs tests with it and prints a table: `npm run test:asan [-- parts of file
 * names]`. Without arguments these are the tests of the boundary, the codec and hostile peers. Linux x64 only.
 *
 * The runtime of the sanitizer must be loaded before the addon. GCC's runtime is used, because it has the same
 * interface.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './shared/root.mjs';

const TARGET = 'x86_64-unknown-linux-gnu';
const BUILD = join(ROOT, 'target/asan');
/** The file name must end in `.node`: Node.js then loads it as an addon. */
const ADDON = join(BUILD, 'baileys-native.node');
const FOLDER = '__test__/addon';

/** Tests that pass hostile bytes, objects and memory to the addon. */
const DEFAULT = [
  'boundary',
  'codec',
  'strings',
  'read-ahead',
  'noise',
  'invalid-frames',
  'shared-memory',
  'hostile',
  'mock-server-faults',
  'websocket-messages',
  'websocket-ended',
  'session-lifetime'
];

/** The nightly toolchain if it is installed, otherwise the project's own with its nightly options enabled. */
const hasNightly = spawnSync('cargo', ['+nightly', '--version'], { stdio: 'ignore' }).status === 0;

function build() {
  const toolchain = hasNightly ? ['+nightly'] : [];
  const env = {
    ...process.env,
    ...(hasNightly ? {} : { RUSTC_BOOTSTRAP: '1' }),
    RUSTFLAGS: '-Zsanitizer=address -Copt-level=1',
    CARGO_TARGET_DIR: BUILD
  };
  const args = [...toolchain, 'build', '--lib', '--target', TARGET];
  const { status } = spawnSync('cargo', args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The addon could not be built with AddressSanitizer; the output is above.');
  copyFileSync(join(BUILD, TARGET, 'debug/libbaileys_native.so'), ADDON);
}

function runtime() {
  const { stdout } = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const path = stdout?.trim() ?? '';
  if (!existsSync(path)) throw new Error("GCC's libasan.so was not found; it comes with gcc.");
  return path;
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
const tests = readdirSync(join(ROOT, FOLDER)).filter(name => name.endsWith('.test.mjs'));
const unknown = wanted.find(part => !tests.some(name => name.includes(part)));
if (unknown !== undefined) throw new RangeError(`No test file matches ${unknown}.`);
const files = tests.filter(name => wanted.some(part => name.includes(part)));

const env = {
  ...process.env,
  // Node.js does not free all memory when it ends. The tests expect failed allocations. Some tests measure memory, so
  // the sanitizer keeps only 32 MB of freed memory instead of 256 MB.
  ASAN_OPTIONS: [
    'detect_leaks=0',
    'abort_on_error=1',
    'allocator_may_return_null=1',
    'detect_stack_use_after_return=1',
    'quarantine_size_mb=32'
  ].join(':'),
  NAPI_RS_NATIVE_LIBRARY_PATH: ADDON
};

/**
 * Runs a test file, prints its output, and returns its row of the table.
 *
 * @param {string} file
 */
function test(file) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', file], {
    cwd: ROOT,
    env: { ...env, LD_PRELOAD: runtime() },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28
  });
  process.stdout.write(stdout + stderr);
  /** @param {string} name */
  const figure = name => Number(new RegExp(`^\\S+ ${name} ([\\d.]+)$`, 'm').exec(stdout)?.[1] ?? NaN);
  const reports = (stdout + stderr).match(/ERROR: AddressSanitizer/g)?.length ?? 0;
  return {
    tests: figure('tests'),
    passed: figure('pass'),
    skipped: figure('skipped'),
    seconds: Math.round(figure('duration_ms') / 1000),
    'sanitizer reports': reports,
    result: status === 0 && reports === 0 ? 'ok' : 'FAILED'
  };
}

build();
const rows = Object.fromEntries(files.map(name => [name, test(`${FOLDER}/${name}`)]));
console.table(rows);
if (Object.values(rows).some(({ result }) => result !== 'ok')) process.exitCode = 1;
