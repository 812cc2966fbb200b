/**
 * Builds the addon for every target that a Debian machine can build, or for the given ones:
 *
 *     npm run build:all [-- linux-x64-gnu linux-arm64-gnu ...] [--use]
 *
 * The clients of the registries (cargo, pip, npm, apt) download the tools once into the folder `CACHE`. An interrupted
 * run can be continued: installed tools and compiled crates are kept. The binaries are in target/platforms/binaries.
 * `--use` also copies the one for this machine to the place where the tests load it.
 */

import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../shared/root.mjs';
import { describeBinary } from './binary.mjs';
import { missingFor, ownToolchainHas } from './requirements.mjs';
import { GLIBC, binaryName, binaryPath, selectTargets } from './targets.mjs';
import { debianRustEnvironment, windowsLibraries, zigEnvironment } from './toolchains.mjs';
import { log, run } from './tools.mjs';

/**
 * @param {import('./targets.mjs').PlatformTarget} target
 * @returns {{ env: NodeJS.ProcessEnv, flags: string[], how: string }}
 */
function toolchainOf({ triple, std }) {
  if (std === 'own' || ownToolchainHas(triple)) {
    return { env: zigEnvironment(), flags: [], how: 'the Rust of rust-toolchain.toml' };
  }
  const env = debianRustEnvironment();
  if (std === 'prebuilt') return { env, flags: [], how: "Debian's Rust, standard library of Debian" };
  return {
    env: { ...env, RUSTC_BOOTSTRAP: '1' },
    flags: ['-Zbuild-std=std,panic_unwind'],
    how: "Debian's Rust, standard library built from source"
  };
}

/** @param {import('./targets.mjs').PlatformTarget} target */
function build(target) {
  const { triple, name } = target;
  const { env, flags, how } = toolchainOf(target);
  // Flags for the target only: build scripts run on this machine.
  const variable = `CARGO_TARGET_${triple.toUpperCase().replaceAll('-', '_')}_RUSTFLAGS`;
  // Rust links musl statically by default, which is not possible for a shared library.
  if (triple.endsWith('-musl')) env[variable] = '-C target-feature=-crt-static';
  if (triple.endsWith('-windows-gnu')) {
    env.LIBNODE_PATH = windowsLibraries();
    env[variable] = `-L native=${env.LIBNODE_PATH}`;
  }
  const zigTarget = triple.endsWith('-linux-gnu') ? `${triple}.${GLIBC}` : triple;
  // A folder for each target: a build for one target would make crates of another one out of date, because build scripts
  // depend on the environment.
  const targetFolder = join(ROOT, 'target/platforms', name);
  log(`${name}: ${how}, linked by Zig (some minutes)`);
  const args = [
    'zigbuild',
    '--release',
    '--lib',
    '--locked',
    '--target',
    zigTarget,
    '--target-dir',
    targetFolder,
    ...flags
  ];
  run('cargo-zigbuild', args, { env });
  const library = triple.includes('-windows-') ? 'baileys_native.dll' : 'libbaileys_native.so';
  const file = binaryPath(name);
  mkdirSync(dirname(file), { recursive: true });
  replace(join(targetFolder, triple, 'release', library), file);
  return file;
}

/**
 * Replaces a file by renaming: a process may have loaded the old file, which must not change.
 *
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  copyFileSync(from, `${to}.partial`);
  renameSync(`${to}.partial`, to);
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { use: { type: 'boolean' } } });
const targets = selectTargets(positionals);
for (const target of targets) {
  const missing = missingFor(target, { runs: false });
  if (missing.length > 0) throw new Error(`${target.name} cannot be built here. Missing: ${missing.join(', ')}.`);
}
const rows = [];
for (const [index, target] of targets.entries()) {
  const started = Date.now();
  log(`[${index + 1}/${targets.length}] ${target.triple}`);
  const file = build(target);
  const { size, needs } = describeBinary(file);
  rows.push([
    basename(file),
    `${(size / 2 ** 20).toFixed(1)} MiB`,
    needs,
    `${Math.round((Date.now() - started) / 1000)} s`
  ]);
  if (values.use && target.name === `linux-${process.arch}-gnu`)
    replace(file, join(ROOT, 'js/addon', binaryName(target.name)));
}
for (const row of rows) console.log(row.join('  '));
