// The binary must have the version of the package, and the generated files for the platforms must be current.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { builtBinary, stageMain, stagePlatform, unfitReason } from '../../scripts/platforms/packages.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';
import { makeProject } from './support/project.mjs';

const require = createRequire(import.meta.url);
const { currentPlatform, nameOf } = require('../../js/addon/platform.cjs');
const NAME = nameOf(currentPlatform());
const { version } = require('../../package.json');

/** Prints the text of the error that using the package throws, or `works`. */
const PROGRAM = `const { encodeBinaryNode } = require('baileys-native');
try { encodeBinaryNode({ tag: 'a', attrs: {} }); console.log('works'); }
catch ({ code, message }) { console.log(code, message); }`;

let binary;
before(() => {
  binary = builtBinary(NAME);
  assert.ok(binary, 'the addon has been built');
});

/** Creates a project with both published packages. */
function installed(t, change = () => {}) {
  const project = makeProject(t, { addon: 'none' });
  const modules = join(project.directory, 'node_modules');
  rmSync(join(modules, 'baileys-native'), { recursive: true, force: true });
  stageMain(join(modules, 'baileys-native'), [NAME]);
  const platform = join(modules, `baileys-native-${NAME}`);
  rmSync(platform, { recursive: true, force: true });
  stagePlatform(NAME, platform, binary);
  change(platform, join(modules, 'baileys-native'));
  project.write('app.cjs', PROGRAM);
  return project.run(['app.cjs']);
}

const manifestOf = (folder, change) => {
  const file = join(folder, 'package.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
};

test('packages of the same version work together', async t => {
  assert.equal((await installed(t)).stdout, 'works\n');
});

test('a binary package of another version is refused with an error message', async t => {
  const { code, stdout } = await installed(t, platform => manifestOf(platform, { version: '9.9.9' }));
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^ERR_NATIVE_UNAVAILABLE .*Reason: baileys-native-\S+ has version 9\.9\.9, but baileys-native has version \d/
  );
});

test('a binary of another version than its package is refused with an error message', async t => {
  const { code, stdout } = await installed(t, (platform, main) => {
    for (const folder of [platform, main]) manifestOf(folder, { version: '9.9.9' });
  });
  assert.equal(code, 0);
  assert.ok(
    stdout.includes(`Reason: baileys-native-${NAME} has version ${version}, but baileys-native has version 9.9.9`),
    stdout
  );
});

test('a binary that was built for another version is refused, and the error names the command that builds it', async t => {
  const { code, stdout } = await installed(t, (platform, main) => {
    const [file] = readdirSync(platform).filter(name => name.endsWith('.node'));
    copyFileSync(join(platform, file), join(main, 'js/addon', file));
    manifestOf(main, { version: '9.9.9' });
  });
  assert.equal(code, 0);
  const reason = `The binary in js/addon has version ${version}, but baileys-native has version 9.9.9. Run npm run build`;
  assert.ok(stdout.trim().endsWith(`Reason: ${reason}`), stdout);
});

test('a truncated binary is refused before it is loaded, because loading it would end the process', async t => {
  const { code, stdout } = await installed(t, platform => {
    const [file] = readdirSync(platform).filter(name => name.endsWith('.node'));
    truncateSync(join(platform, file), 200_000);
  });
  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /^ERR_NATIVE_UNAVAILABLE .*Reason: \S+\.node is damaged: it has 200000 bytes instead of \d+; install/
  );
});

test('a binary for another platform is not published', t => {
  const folder = mkdtempSync(join(tmpdir(), 'baileys-native-binaries-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file.node');
  const reasonOf = (name, parts) => {
    const bytes = Buffer.alloc(256);
    for (const [at, part] of parts) bytes.set(Buffer.from(part, 'latin1'), at);
    writeFileSync(file, bytes);
    return unfitReason(name, file)?.replace(file, 'it');
  };
  const elf = (processor, text = '') => [
    [0, '\x7fELF'],
    [18, processor],
    [64, text]
  ];
  const windows = [
    [0, 'MZ'],
    [0x3c, '\x80'],
    [0x84, '\x64\xaa']
  ];
  const mac = [[0, '\xcf\xfa\xed\xfe\x0c\0\0\x01']];
  assert.equal(reasonOf('linux-x64-gnu', elf('\x3e', '\0GLIBC_2.2.5\0GLIBC_2.17\0')), undefined);
  assert.equal(reasonOf('linux-arm64-gnu', elf('\x3e')), 'it is for linux-x64');
  assert.match(
    reasonOf('linux-x64-gnu', elf('\x3e', '\0GLIBC_2.34\0')),
    /^it needs glibc 2\.34, and README\.md says 2\.17/
  );
  assert.equal(reasonOf('linux-arm64-musl', elf('\xb7')), undefined);
  assert.equal(reasonOf('linux-arm64-musl', elf('\xb7', '\0GLIBC_2.17\0')), 'it needs glibc');
  assert.equal(reasonOf('win32-arm64-msvc', windows), undefined);
  assert.equal(reasonOf('win32-x64-msvc', windows), 'it is for win32-arm64');
  assert.equal(reasonOf('darwin-arm64', mac), undefined);
  assert.equal(reasonOf('darwin-x64', mac), 'it is for darwin-arm64');
  assert.equal(reasonOf('darwin-x64', []), 'it is for unknown');
});

test('the crate, the package and the platform packages have the same version', () => {
  const [, crate] = /^version = "(.*)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8')) ?? [];
  assert.equal(crate, version);
});

test('the files generated from napi.targets are up to date', t => {
  // @napi-rs/cli only writes below the package.
  mkdirSync(join(ROOT, 'target'), { recursive: true });
  const out = mkdtempSync(join(ROOT, 'target/generated-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  execFileSync(process.execPath, [join(ROOT, 'scripts/platforms/generate.mjs'), out], { stdio: 'ignore' });
  for (const folder of ['npm', 'js/addon']) {
    const files = readdirSync(join(out, folder), { recursive: true, withFileTypes: true }).filter(entry =>
      entry.isFile()
    );
    assert.ok(files.length > 0);
    for (const { name, parentPath, path } of files) {
      const file = join(parentPath ?? path, name);
      assert.equal(readFileSync(join(ROOT, file.slice(out.length)), 'utf8'), readFileSync(file, 'utf8'), file);
    }
  }
  assert.deepEqual(readdirSync(join(ROOT, 'npm')).sort(), readdirSync(join(out, 'npm')).sort());
});
