/** The cache of tools for other platforms, and functions that download each tool once. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../shared/root.mjs';

/** The folder of the tools. It is outside of the checkout: several checkouts share it, and `target/` may be deleted. */
export const CACHE =
  process.env.BAILEYS_NATIVE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'baileys-native');

/** Exit code of the commands if a tool cannot be installed, for example without a network. `.ci/run` knows it. */
const EXIT_NOT_INSTALLED = 4;

/** @param {string} text Progress, written to standard error. */
export function log(text) {
  console.error(text);
}

/**
 * Runs a command and waits for its end. Its output is written to standard error.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, step?: string }} [options] `step`: a description that is printed
 *   first.
 */
export function run(command, args, { cwd = ROOT, env = process.env, step } = {}) {
  if (step !== undefined) log(`  ${step}`);
  const { error, status, signal } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw new Error(`${command} could not be started: ${error.message}`);
  if (status === EXIT_NOT_INSTALLED && command === process.execPath) process.exit(EXIT_NOT_INSTALLED);
  if (status !== 0)
    throw new Error(`${command} ${args[0]} failed (${signal ?? `exit code ${status}`}); its output is above`);
}

/**
 * Returns a folder of the cache and fills it once. It is filled under a temporary name and renamed when it is complete,
 * so that an interrupted installation is never used.
 *
 * @param {string} name Name with the version: each version has its own folder.
 * @param {(folder: string) => void} fill
 * @returns {string} The path of the folder. Ends the process with {@link EXIT_NOT_INSTALLED} if it cannot be filled.
 */
export function provide(name, fill) {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial-${process.pid}`;
  log(`installing ${name} into ${dirname(folder)}`);
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    fill(partial);
    // Another process may have created it.
    if (!existsSync(folder)) renameSync(partial, folder);
  } catch (error) {
    log(`${name} could not be installed: ${error.message}`);
    process.exitCode = EXIT_NOT_INSTALLED;
  }
  rmSync(partial, { recursive: true, force: true });
  if (process.exitCode === EXIT_NOT_INSTALLED) process.exit();
  return folder;
}

/**
 * @param {string} requirement A requirement for pip, with the version.
 * @param {string} name Folder in the cache.
 * @param {string[]} [flags]
 */
export function providePython(requirement, name, flags = []) {
  return provide(name, folder => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
    run('python3', [...pip, ...flags, '--target', folder, requirement], { step: `pip install ${requirement}` });
  });
}

/** @param {string} requirement `name@version` of an npm package without dependencies. */
export function provideNpm(requirement) {
  const folder = provide(requirement.replaceAll(/[@/]/g, '-'), into => {
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--force'];
    run('npm', ['install', '--prefix', into, ...flags, requirement], { cwd: into, step: `npm install ${requirement}` });
  });
  return join(folder, 'node_modules', requirement.slice(0, requirement.lastIndexOf('@')));
}

/** @param {string} name A crate with a command of the same name. @param {string} version */
export function provideCrate(name, version) {
  const folder = provide(`${name}-${version}`, into => {
    run('cargo', ['install', name, '--version', version, '--locked', '--quiet', '--root', into], {
      step: `cargo install ${name}@${version} (a few minutes)`
    });
  });
  return join(folder, 'bin');
}
