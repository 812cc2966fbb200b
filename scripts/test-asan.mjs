/**
 * Builds the addon with AddressSanitizer and runs the tests of the boundary, of the codec and of hostile peers on it under
 * Node.js: `npm run test:asan`, with parts of file names to run others. Linux x64 only.
 *
 * The sanitizer's runtime has to be in the process before the addon: GCC's is loaded first, whose interface is the same.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TARGET = 'x86_64-unknown-linux-gnu';
const BUILD = join(ROOT, 'target/asan');
/** Node.js takes a file for an addon by its ending. */
const ADDON = join(BUILD, 'baileys-native.node');
const FOLDER = '__test__/addon';

/** Tests that hand hostile bytes, objects and memory to the addon. */
const DEFAULT = [
  'boundary',
  'codec',
  'strings',
  'linked',
  'noise',
  'read-ahead',
  'hostile',
  'mock-server-faults',
  'websocket-messages',
  'session-lifetime'
];

/** The nightly toolchain where it is installed, otherwise the project's own with its nightly options unlocked. */
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
const files = readdirSync(join(ROOT, FOLDER))
  .filter(name => name.endsWith('.test.mjs') && wanted.some(part => name.includes(part)))
  .map(name => `${FOLDER}/${name}`);
if (files.length === 0) throw new RangeError(`No test file matches ${wanted.join(' ')}.`);

build();
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    ...process.env,
    LD_PRELOAD: runtime(),
    // Node.js never frees everything; a failed allocation is an answer that the tests ask for.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:detect_stack_use_after_return=1',
    NAPI_RS_NATIVE_LIBRARY_PATH: ADDON
  }
});
process.exitCode = status ?? 1;
