/** What a machine needs to build and run a target. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ROOT } from '../shared/root.mjs';

/** @param {string} command @param {string[]} args */
function works(command, args) {
  return spawnSync(command, args, { cwd: ROOT, stdio: 'ignore' }).status === 0;
}

/**
 * Whether the toolchain of this checkout has the standard library of a target.
 *
 * @param {string} triple
 */
export function ownToolchainHas(triple) {
  const { status, stdout } = spawnSync('rustc', ['--print', 'target-libdir', '--target', triple], {
    cwd: ROOT,
    encoding: 'utf8'
  });
  return status === 0 && spawnSync('sh', ['-c', `ls "$1"/libstd-*.rlib`, 'sh', stdout.trim()]).status === 0;
}

function isDebianX64() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * @param {import('./targets.mjs').PlatformTarget} target
 * @param {{ builds?: boolean, runs?: boolean }} [what]
 * @returns {string[]} What is missing on this machine to build and to run a target.
 */
export function missingFor({ triple, std, runner }, { builds = true, runs = true } = {}) {
  const missing = [];
  const ownRust = std === 'own' || ownToolchainHas(triple);
  if (builds && !works('cargo', ['--version'])) missing.push('Rust');
  if (builds && !works('cc', ['--version'])) missing.push('a C compiler');
  const wheel = runs && runner.endsWith('musl');
  if ((builds || wheel) && !works('python3', ['-m', 'pip', '--version'])) missing.push('Python 3 with pip');
  const fromDebian = (builds && !ownRust) || (runs && runner !== 'native');
  if (fromDebian && !(isDebianX64() && works('apt-get', ['--version']))) missing.push('Debian for x64 with apt');
  return missing;
}
