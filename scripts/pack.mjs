/**
 * Makes the tarballs that are published: the package itself, and one per binary in `npm/`.
 *
 *     node scripts/pack.mjs [folder]        (default: target/pack)
 *
 * The dependency on the packages with the binaries exists only in what is published: in the repository it would make
 * `npm ci` ask for a version that is not out yet. Prints the paths of the tarballs, that of the package itself first.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PREBUILT } from '../js/addon/platform.cjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = ['README.md', 'LICENSE', 'CHANGELOG.md'];

/** Fields of package.json that mean something in the repository only. */
const REPOSITORY_FIELDS = ['devDependencies', 'overrides', 'scripts', 'napi', 'private'];

const destination = resolve(process.argv[2] ?? join(ROOT, 'target/pack'));
const staging = join(destination, 'staging');

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * @param {string} from
 * @param {string} to
 * @param {string} name
 */
function copyIfThere(from, to, name) {
  if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name), { recursive: true });
}

/**
 * @param {string} folder
 * @param {object} manifest
 */
function writeManifest(folder, manifest) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * @param {string} folder Staged package.
 * @returns {string} Path of its tarball.
 */
function pack(folder) {
  // Without a shell and by npm's own file where it is known: this also runs under `npm run`.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  const options = { cwd: folder, encoding: /** @type {const} */ ('utf8') };
  const output = execFileSync(command, [...args, 'pack', '--json', '--pack-destination', destination], options);
  const [{ filename }] = Object.values(JSON.parse(output));
  return join(destination, filename);
}

/**
 * Stages the package of one platform.
 *
 * @param {string} name Folder in `npm/`.
 * @param {string} version
 * @returns {{ name: string, folder: string } | undefined} Undefined when its binary has not been built.
 */
function stagePlatform(name, version) {
  const source = join(ROOT, 'npm', name);
  const manifest = readJson(join(source, 'package.json'));
  if (manifest.version !== version) throw new Error(`npm/${name} has version ${manifest.version}, not ${version}`);
  if (!existsSync(join(ROOT, 'js/addon', manifest.main))) return undefined;
  if (name === PREBUILT.name) checkGlibc(join(ROOT, 'js/addon', manifest.main));
  const folder = join(staging, name);
  cpSync(source, folder, { recursive: true });
  cpSync(join(ROOT, 'js/addon', manifest.main), join(folder, manifest.main));
  copyIfThere(ROOT, folder, 'LICENSE');
  return { name: manifest.name, folder };
}

/**
 * Warns where users are told of another glibc than a binary needs: it was built where it must not be published from.
 *
 * @param {string} file
 */
function checkGlibc(file) {
  const needed = readFileSync(file, 'latin1').matchAll(/GLIBC_(\d+(?:\.\d+)+)/g);
  const versions = Array.from(needed, match => match[1]).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const { glibc } = PREBUILT;
  if (versions.at(-1) !== glibc) {
    console.warn(`${file} needs glibc ${versions.at(-1)}, and js/addon/platform.cjs says ${glibc}: do not publish it`);
  }
}

/** Stages the package itself; returns its folder and the platforms that go with it. */
function stageMain() {
  const manifest = readJson(join(ROOT, 'package.json'));
  for (const field of REPOSITORY_FIELDS) delete manifest[field];
  const folder = join(staging, 'main');
  mkdirSync(folder);
  for (const name of ['docs', 'js', 'index.d.ts', 'index.d.mts', ...DOCUMENTS]) copyIfThere(ROOT, folder, name);
  const platforms = readdirSync(join(ROOT, 'npm'));
  const names = platforms.map(platform => readJson(join(ROOT, 'npm', platform, 'package.json')).name);
  const optionalDependencies = Object.fromEntries(names.map(name => [name, manifest.version]));
  writeManifest(folder, { ...manifest, optionalDependencies });
  return { folder, platforms, version: manifest.version };
}

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
const main = stageMain();
const binaries = main.platforms
  .map(platform => stagePlatform(platform, main.version))
  .filter(staged => staged !== undefined);
if (binaries.length === 0) throw new Error('There is no binary to pack; run npm run build first.');
for (const { folder } of [main, ...binaries]) console.log(pack(folder));
rmSync(staging, { recursive: true, force: true });
