/**
 * Steps of a release, for the workflow and for people; see RELEASING.md.
 *
 *     node scripts/release.mjs collect <folder>    copies binaries from a folder to that of `npm run pack:all`
 *     node scripts/release.mjs check <tag>         fails if the tag does not agree with the versions and CHANGELOG.md
 *     node scripts/release.mjs notes <tag>         prints the section of CHANGELOG.md
 *     node scripts/release.mjs publish <folder>    publishes the tarballs of a folder, the main package last;
 *                                                  --dry-run publishes nothing
 */

import { copyFileSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PUBLISHED, binaryName, binaryPath } from './platforms/targets.mjs';
import { log, run } from './platforms/tools.mjs';
import { ROOT } from './shared/root.mjs';

/** @param {string} path */
const read = path => readFileSync(join(ROOT, path), 'utf8');
const { name: packageName, version } = JSON.parse(read('package.json'));

/** @param {string} folder */
function collect(folder) {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const { name } of PUBLISHED) {
    const file = found.find(path => basename(path) === binaryName(name));
    if (file === undefined) throw new Error(`${folder} has no ${binaryName(name)}`);
    mkdirSync(dirname(binaryPath(name)), { recursive: true });
    copyFileSync(join(folder, file), binaryPath(name));
    log(`${name}: ${file}`);
  }
}

/** @param {string} tag */
function notesOf(tag) {
  const wanted = tag.replace(/^v/, '');
  const sections = read('CHANGELOG.md').split(/^## /m).slice(1);
  const section = sections.find(text => text.startsWith(wanted));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section ${wanted}`);
  return section;
}

/** @param {string} tag */
function check(tag) {
  const wanted = tag.replace(/^v/, '');
  if (wanted !== version) throw new Error(`the tag is ${tag}, and package.json has ${version}`);
  const [, crate] = /^version = "(.*)"$/m.exec(read('Cargo.toml')) ?? [];
  if (crate !== version) throw new Error(`Cargo.toml has ${crate}, and package.json ${version}`);
  for (const { name } of PUBLISHED) {
    const own = JSON.parse(read(`npm/${name}/package.json`)).version;
    if (own !== version) throw new Error(`npm/${name} has ${own}, and package.json ${version}; run npm run platforms`);
  }
  if (/^\S+ \(unreleased\)/.test(notesOf(tag))) throw new Error(`CHANGELOG.md says that ${wanted} is unreleased`);
}

/** @param {string} folder @param {string[]} flags */
function publish(folder, flags) {
  const tarballs = readdirSync(folder).filter(name => name.endsWith('.tgz'));
  const main = `${packageName}-${version}.tgz`;
  if (!tarballs.includes(main)) throw new Error(`${folder} has no ${main}`);
  // The packages with binaries must be published before the main package, which depends on them.
  for (const tarball of [...tarballs.filter(name => name !== main), main]) {
    run('npm', ['publish', join(folder, tarball), ...(version.includes('-') ? ['--tag', 'next'] : []), ...flags], {
      step: `npm publish ${tarball}`
    });
  }
}

const [step, argument, ...flags] = process.argv.slice(2);
if (argument === undefined) throw new Error('usage: release.mjs collect|check|notes|publish <argument>');
if (step === 'collect') collect(argument);
else if (step === 'check') check(argument);
else if (step === 'notes') console.log(notesOf(argument));
else if (step === 'publish') publish(argument, flags);
else throw new Error(`no such step: ${step}`);
