// A package without a binary, as on an unsupported platform: everything that does not need the binary works.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { makeProject } from './support/project.mjs';

const require = createRequire(import.meta.url);
const { PUBLISHED_TEXT, unavailableMessage } = require('../../js/addon/platform.cjs');
const { GLIBC } = require('../../js/addon/targets.cjs');

const PROGRAMS = {
  'app.mjs': `import { NativeSession, SessionError, encodeBinaryNode, inspect, isActive, metrics } from 'baileys-native';
    import { collectMetrics } from 'baileys-native/prometheus';
    import * as register from 'baileys-native/register';`,
  'app.cjs': `const { NativeSession, SessionError, encodeBinaryNode, inspect, isActive, metrics } = require('baileys-native');
    const { collectMetrics } = require('baileys-native/prometheus');
    const register = require('baileys-native/register');`
};
const USES = `
  const thrown = use => { try { return String(use()); } catch ({ code, message }) { return code + ' ' + message; } };
  class Bot extends NativeSession {}
  const uses = [() => new Bot({}), () => encodeBinaryNode({ tag: 'a', attrs: {} }), metrics, collectMetrics];
  inspect({ directory: process.cwd() + '/inspected' }).close();
  const error = new SessionError('', 'CODE');
  console.log(JSON.stringify([isActive(), register.isActive(), error.code, ...uses.map(thrown)]));`;

for (const [file, head] of Object.entries(PROGRAMS)) {
  test(`${file} runs without a binary; functions that need it throw an error`, async t => {
    const project = makeProject(t, { addon: 'none' });
    project.write(file, head + USES);
    for (const BAILEYS_NATIVE of ['on', 'off']) {
      const result = await project.run(['--import', 'baileys-native/register', file], { BAILEYS_NATIVE });
      assert.equal(result.code, 0, result.stderr);
      const [active, registered, code, ...thrown] = JSON.parse(result.stdout);
      assert.deepEqual([active, registered, code], [false, false, 'CODE']);
      assert.equal(thrown.length, 4);
      for (const text of thrown) {
        assert.ok(text.startsWith('ERR_NATIVE_UNAVAILABLE ') && text.includes(PUBLISHED_TEXT), text);
      }
      const warnings = result.stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [];
      assert.equal(warnings.length, BAILEYS_NATIVE === 'on' ? 1 : 0, result.stderr);
      for (const warning of warnings) assert.match(warning, /linux-x64-gnu, .*\(glibc .*Reason: Cannot find module/);
      assert.doesNotMatch(result.stdout + result.stderr, /npm has a bug/);
    }
  });
}

test('on a Node.js without the needed hooks Baileys runs on its own JavaScript', async t => {
  const project = makeProject(t);
  project.write('old.cjs', `Object.assign(require('node:module'), { register: undefined, registerHooks: undefined });`);
  project.write(
    'app.mjs',
    `import { isActive } from 'baileys-native';
    import { makeNoiseHandler } from 'baileys';
    console.log(isActive(), makeNoiseHandler[Symbol.for('baileys-native')]);`
  );
  const flags = ['--require', './old.cjs', '--import', 'baileys-native/register'];
  const { stdout, stderr } = await project.run([...flags, 'app.mjs']);
  assert.equal(stdout, 'false undefined\n', stderr);
  assert.match(stderr, /\[BAILEYS_NATIVE_UNAVAILABLE\].* Node\.js 20\.10 or later is required: /);
});

test('the error names the platform, the prebuilt platforms, the remedy and the reason', () => {
  const text = on => unavailableMessage('the reason', { platform: 'linux', arch: 'x64', musl: false, ...on });
  assert.match(
    text({ glibc: '2.12' }),
    /linux-x64 with glibc 2\.12, .*None of them works on this system.*npm run build.*Reason: the reason$/
  );
  assert.match(text({ platform: 'freebsd' }), /for freebsd-x64, .*None of them works on this system/);
  assert.match(
    text({ arch: 'riscv64', glibc: '2.39' }),
    /linux-riscv64 with glibc 2\.39, .*None of them works on this system/
  );
  for (const [on, name] of [
    [{ glibc: GLIBC }, 'linux-x64-gnu'],
    [{ glibc: '2.100' }, 'linux-x64-gnu'],
    [{ musl: true }, 'linux-x64-musl'],
    [{ musl: true, arch: 'arm64' }, 'linux-arm64-musl'],
    [{ platform: 'darwin', arch: 'arm64' }, 'darwin-arm64'],
    [{ platform: 'win32' }, 'win32-x64-msvc']
  ]) {
    assert.ok(
      text(on).includes(
        `The package baileys-native-${name} (an optional dependency) is missing, damaged or of another version: install it.`
      ),
      text(on)
    );
  }
});

test('README.md has the list of platforms', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    .replaceAll('`', '')
    .replace(/\s+/g, ' ');
  assert.ok(readme.includes(PUBLISHED_TEXT));
});
