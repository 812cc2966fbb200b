/**
 * Steps of a release, for the workflow and for people; see RELEASING.md.
 *
 *     node scripts/release.mjs set <version>       writes the version into all files, and the date into CHANGELOG.md
 *     node scripts/release.mjs collect <folder>    copies binaries from a folder to that of `npm run pack:all`
 *     node scripts/release.mjs check <tag>         fails if the tag does not agree with the versions and CHANGELOG.md
 *     node scripts/release.mjs notes <tag>         prints the section of CHANGELOG.md
 *     node scripts/release.mjs sbom <file>         writes a list of the crates in the binaries (CycloneDX)
 *     node scripts/release.mjs sbom:npm <folder>   the same for the packages in a folder of tarballs, to standard output
 *     node scripts/release.mjs publish <folder>    publishes the tarballs of this version in a folder, the main package
 *                                                  last; --dry-run publishes nothing
 */

import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { PUBLISHED, binaryName, binaryPath } from './platforms/targets.mjs';
import { log, provideCrate, run } from './platforms/tools.mjs';
import { ROOT } from './shared/root.mjs';

/** Files with the version, and where it is: between the two groups of the pattern. */
const VERSIONED = {
  'package.json': /^( {2}"version": ")[^"]*(")/m,
  'package-lock.json': /^((?: {2}| {6})"version": ")[^"]*(",\n(?: {2}"lockfileVersion"| {6}"license"))/gm,
  'Cargo.toml': /^(version = ")[^"]*(")/m,
  'Cargo.lock': /^(name = "baileys-native"\nversion = ")[^"]*(")/m,
  '__test__/fuzz/Cargo.lock': /^(name = "baileys-native"\nversion = ")[^"]*(")/m,
  'bench/core/Cargo.lock': /^(name = "baileys-native"\nversion = ")[^"]*(")/m,
  'docs/faq.md': /(baileys-native(?:-linux-x64-gnu)?-)\d[^/"`\s]*(\.tgz)/g,
  'docs/register.md': /( runs on baileys-native )\d[^`\s]*(`)/g
};

/** @param {string} path */
const read = path => readFileSync(join(ROOT, path), 'utf8');
const CARGO_CYCLONEDX = '0.5.9';
const { name: packageName, version } = JSON.parse(read('package.json'));

/**
 * @param {string} wanted
 * @param {string} [folder] The checkout; a test has another one.
 */
function setVersion(wanted, folder = ROOT) {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(wanted)) throw new Error(`${wanted} is not a version`);
  const changelog = readFileSync(join(folder, 'CHANGELOG.md'), 'utf8');
  const heading = `## ${wanted} (unreleased)`;
  if (!changelog.includes(heading)) throw new Error(`CHANGELOG.md has no heading "${heading}"`);
  for (const [path, pattern] of Object.entries(VERSIONED)) {
    const text = readFileSync(join(folder, path), 'utf8');
    if (text.search(pattern) < 0) throw new Error(`${path} has no version`);
    writeFileSync(join(folder, path), text.replace(pattern, `$1${wanted}$2`));
  }
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog.replace(heading, `## ${wanted} (${date})`));
}

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
  const section = sections.find(text => text.startsWith(`${wanted} (`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section ${wanted}`);
  return section;
}

/** @param {string} tag */
function check(tag) {
  const wanted = tag.replace(/^v/, '');
  if (wanted !== version) throw new Error(`the tag is ${tag}, and package.json has ${version}`);
  for (const [path, pattern] of Object.entries(VERSIONED)) {
    const text = read(path);
    if (text !== text.replace(pattern, `$1${version}$2`)) {
      throw new Error(`${path} has another version than ${version}; run node scripts/release.mjs set ${version}`);
    }
  }
  for (const { name } of PUBLISHED) {
    const own = JSON.parse(read(`npm/${name}/package.json`)).version;
    if (own !== version) throw new Error(`npm/${name} has ${own}, and package.json ${version}; run npm run platforms`);
  }
  if (/^\S+ \(unreleased\)/.test(notesOf(tag))) throw new Error(`CHANGELOG.md says that ${wanted} is unreleased`);
}

/**
 * Writes the crates that the binaries of all systems consist of.
 *
 * @param {string} file
 */
function sbom(file) {
  const env = {
    ...process.env,
    PATH: `${provideCrate('cargo-cyclonedx', CARGO_CYCLONEDX)}${delimiter}${process.env.PATH}`
  };
  const name = 'baileys-native-sbom';
  run('cargo', ['cyclonedx', '--format', 'json', '--no-build-deps', '--target', 'all', '--override-filename', name], {
    env
  });
  renameSync(join(ROOT, `${name}.json`), file);
}

/**
 * The published packages: the main one, and those with binaries, on which it depends. `npm sbom` does not know them,
 * because package.json of the repository does not depend on them.
 *
 * @param {string} folder The folder of the tarballs.
 */
function sbomOfPackages(folder) {
  const components = ['', ...PUBLISHED.map(({ name }) => `-${name}`)].map(suffix => {
    const name = `${packageName}${suffix}`;
    const tarball = readFileSync(join(folder, `${name}-${version}.tgz`));
    const purl = `pkg:npm/${name}@${version}`;
    const hashes = [{ alg: 'SHA-512', content: createHash('sha512').update(tarball).digest('hex') }];
    return { type: 'library', 'bom-ref': purl, name, version, purl, hashes, licenses: [{ license: { id: 'MIT' } }] };
  });
  const [component, ...binaries] = components;
  const refs = binaries.map(({ 'bom-ref': ref }) => ref);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${randomUUID()}`,
    version: 1,
    metadata: { timestamp: new Date().toISOString(), component },
    components: binaries,
    dependencies: [{ ref: component['bom-ref'], dependsOn: refs }, ...refs.map(ref => ({ ref, dependsOn: [] }))]
  };
}

/** @param {string} folder @param {string[]} flags */
function publish(folder, flags) {
  // The folder can also have tarballs of older versions.
  const tarballs = readdirSync(folder).filter(name => name.endsWith(`-${version}.tgz`));
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
if (argument === undefined)
  throw new Error('usage: release.mjs set|collect|check|notes|sbom|sbom:npm|publish <argument>');
if (step === 'set') setVersion(argument, ...flags);
else if (step === 'collect') collect(argument);
else if (step === 'check') check(argument);
else if (step === 'notes') console.log(notesOf(argument));
else if (step === 'sbom') sbom(argument);
else if (step === 'sbom:npm') console.log(JSON.stringify(sbomOfPackages(argument), null, 2));
else if (step === 'publish') publish(argument, flags);
else throw new Error(`no such step: ${step}`);
