/**
 * Prepares a checkout: installs the dependencies and builds the addon, each only if it is missing or out of date.
 * Prints nothing if there is nothing to do. It uses only Node, because it runs before packages are installed.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from './shared/root.mjs';

const LOCK = join(ROOT, 'target', 'setup.lock');
const LOCK_POLL_MS = 250;
const MIN_NODE = 20;
const BUILD_INPUTS = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', 'src', 'proto'];

/** An error that the user can correct. It is printed without a stack trace. */
class SetupError extends Error {}

async function main() {
  if (Number.parseInt(process.versions.node, 10) < MIN_NODE) {
    throw new SetupError(`Node ${MIN_NODE} or later is needed; this is ${process.version}.`);
  }
  if (dependenciesAreCurrent() && addonIsCurrent()) return;
  const release = await lock();
  try {
    // Another process may have installed the dependencies while it had the lock.
    if (!dependenciesAreCurrent()) installDependencies();
    if (!addonIsCurrent()) buildAddon();
  } finally {
    release();
  }
}

function dependenciesAreCurrent() {
  // npm writes this file last: it is missing after an interrupted installation.
  return modified('node_modules/.package-lock.json') >= modified('package-lock.json');
}

function addonIsCurrent() {
  const built = Math.max(0, ...addonFiles().map(path => modified(path)));
  return built >= Math.max(...BUILD_INPUTS.map(path => newest(join(ROOT, path))));
}

/**
 * The binaries of `napi build --platform`: at most one, unless the folder was used on several platforms.
 */
function addonFiles() {
  const names = readdirSync(join(ROOT, 'js/addon'));
  return names.filter(name => /^baileys-native\..*\.node$/.test(name)).map(name => join('js/addon', name));
}

function installDependencies() {
  console.error('setup: installing the dependencies (npm ci)');
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm is needed to install the dependencies; it comes with Node.js.'
  );
}

function buildAddon() {
  const rust = 'Rust is needed to build the addon: see https://rustup.rs (rust-toolchain.toml names the version).';
  requireCommand('cargo', rust);
  requireCommand('rustc', rust);
  requireCommand(
    process.env.CC ?? 'cc',
    'A C compiler is needed to build the addon, for example the package gcc or clang.'
  );
  console.error('setup: building the addon (a few minutes the first time)');
  const started = new Date();
  run('npm', ['run', '--silent', 'build'], 'npm is needed to build the addon.');
  // A source that changes during the build must be newer than the binary.
  for (const path of addonFiles()) utimesSync(join(ROOT, path), started, started);
}

/**
 * @param {string} command
 * @param {string} advice
 */
function requireCommand(command, advice) {
  const { error, status, stderr } = spawnSync(command, ['--version'], { cwd: ROOT, encoding: 'utf8' });
  if (error !== undefined) throw new SetupError(`${command} was not found. ${advice}`);
  if (status !== 0) throw new SetupError(`${command} --version failed. ${advice}\n${stderr}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} advice Printed if the command does not exist.
 */
function run(command, args, advice) {
  const windows = process.platform === 'win32';
  // Standard output is only for the command that runs after the set-up.
  const { error, status } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: windows });
  if (error !== undefined) throw new SetupError(`${command} was not found. ${advice}`);
  if (status !== 0) throw new SetupError(`${command} ${args.join(' ')} failed; its output is above.`);
}

/**
 * Waits until no other set-up of this checkout is running.
 *
 * @returns {Promise<() => void>} Releases the lock.
 */
async function lock() {
  mkdirSync(join(ROOT, 'target'), { recursive: true });
  for (let waiting = false; ; waiting = true) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (ownerIsGone()) {
      rmSync(LOCK, { force: true });
      continue;
    }
    if (!waiting) console.error('setup: waiting for another set-up of this checkout');
    await delay(LOCK_POLL_MS);
  }
}

function ownerIsGone() {
  const owner = Number.parseInt(readText(LOCK), 10);
  // The file is empty for a short time after its creation.
  if (Number.isNaN(owner)) return modified('target/setup.lock', Infinity) < Date.now() - 10_000;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Time of the last change of a file, or of any file in a folder; 0 if there is none.
 *
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), 0);
}

/**
 * @param {string} path Below the root.
 * @param {number} [missing]
 */
function modified(path, missing = 0) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? missing;
}

main().catch(error => {
  console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
  process.exitCode = 1;
});
