/**
 * Writes js/loader/known-texts.json: the hashes of the texts that this package replaces, for all supported releases on
 * npm.
 *
 *     node scripts/generate-known-texts.mjs            downloads the releases into target/releases, writes the file
 *     node scripts/generate-known-texts.mjs --check    fails if the file would change
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import parts from '../js/loader/parts.cjs';
import targets from '../js/loader/targets.cjs';
import { ROOT } from './shared/root.mjs';

const RELEASES = join(ROOT, 'target/releases');
const OUTPUT = join(ROOT, 'js/loader/known-texts.json');
const NAMES = ['baileys', '@whiskeysockets/baileys'];

/** The oldest release that is checked; `chooseDialect` decides whether a release is supported. */
const OLDEST = [6, 7, 14];

function main() {
  /** @type {Map<string, Map<string, Set<string>>>} */
  const known = new Map(Object.keys(parts.PARTS).map(part => [part, new Map()]));
  const versions = new Set();
  for (const name of NAMES) {
    for (const version of publishedVersions(name)) {
      const root = download(name, version);
      const { dialect } = targets.chooseDialect(version, root);
      if (dialect === undefined) continue;
      versions.add(version);
      for (const [part, hash] of parts.fingerprint(root)) {
        const texts = known.get(part);
        texts?.set(hash, (texts.get(hash) ?? new Set()).add(dialect));
      }
    }
  }
  const source = print(known, [...versions].sort());
  if (process.argv.includes('--check')) {
    if (source !== readFileSync(OUTPUT, 'utf8')) throw new Error(`${OUTPUT} is out of date`);
  } else writeFileSync(OUTPUT, source);
  console.log(`${versions.size} releases, ${[...known.values()].reduce((sum, texts) => sum + texts.size, 0)} texts`);
}

/** @param {string} name */
function publishedVersions(name) {
  const listed = execFileSync('npm', ['view', name, 'versions', '--json'], { encoding: 'utf8' });
  return JSON.parse(listed).filter((/** @type {string} */ version) => {
    const numbers = version.split(/[.-]/, 3).map(Number);
    const different = numbers.findIndex(
      (/** @type {number} */ number, /** @type {number} */ i) => number !== OLDEST[i]
    );
    return different === -1 || numbers[different] > OLDEST[different];
  });
}

/**
 * Returns the directory of an unpacked release; downloads it if it is missing.
 *
 * @param {string} name
 * @param {string} version
 */
function download(name, version) {
  const directory = join(RELEASES, `${name.replace('@', '').replace('/', '-')}-${version}`);
  const root = join(directory, 'package');
  if (existsSync(join(root, 'package.json'))) return root;
  mkdirSync(directory, { recursive: true });
  const pack = ['pack', '--silent', '--pack-destination', directory, `${name}@${version}`];
  const archive = join(directory, execFileSync('npm', pack, { encoding: 'utf8' }).trim());
  const files = [...new Set(Object.values(parts.PARTS).map(({ file }) => `package/${file}`))];
  execFileSync('tar', ['-xzf', archive, '-C', directory, 'package/package.json', ...files]);
  rmSync(archive);
  return root;
}

/**
 * @param {Map<string, Map<string, Set<string>>>} known
 * @param {string[]} versions
 */
function print(known, versions) {
  const texts = Object.fromEntries(
    [...known].map(([part, hashes]) => [
      part,
      Object.fromEntries([...hashes].map(([hash, dialects]) => [hash, [...dialects]]))
    ])
  );
  return `${JSON.stringify({ versions, texts }, null, 2)}\n`;
}

main();
