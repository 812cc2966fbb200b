// A package without its binary, as it is where none fits: nothing dies of it that does not need it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { makeProject } from './support/project.mjs';

const require = createRequire(import.meta.url);
const { PREBUILT, PREBUILT_TEXT, unavailableMessage } = require('../../js/addon/platform.cjs');

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
  test(`${file} runs without a binary, and what needs it says so`, async t => {
    const project = makeProject(t, { addon: 'none' });
    project.write(file, head + USES);
    for (const BAILEYS_NATIVE of ['on', 'off']) {
      const result = await project.run(['--import', 'baileys-native/register', file], { BAILEYS_NATIVE });
      assert.equal(result.code, 0, result.stderr);
      const [active, registered, code, ...thrown] = JSON.parse(result.stdout);
      assert.deepEqual([active, registered, code], [false, false, 'CODE']);
      assert.equal(thrown.length, 4);
      for (const text of thrown) {
        assert.ok(text.startsWith('ERR_NATIVE_UNAVAILABLE ') && text.includes(PREBUILT_TEXT), text);
      }
      const warnings = result.stderr.match(/\[BAILEYS_NATIVE_\w+\][^\n]*/g) ?? [];
      assert.equal(warnings.length, BAILEYS_NATIVE === 'on' ? 1 : 0, result.stderr);
      for (const warning of warnings) assert.match(warning, /linux-x64-gnu \(glibc .*Reason: Cannot find module/);
      assert.doesNotMatch(result.stdout + result.stderr, /npm has a bug/);
    }
  });
}

test('a Node.js without the hooks that are needed runs Baileys on its JavaScript', async t => {
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
  assert.match(stderr, /\[BAILEYS_NATIVE_UNAVAILABLE\].*; 20\.10 has\n/);
});

const loaderError = (...messages) =>
  messages.reduceRight((cause, message) => new Error(message, { cause }), /** @type {Error | undefined} */ (undefined));

test('the text names the platform, what is prebuilt, and the cause that tells most', () => {
  const missing = 'Cannot find module x\nRequire stack:\n- y';
  const old = "libc.so.6: version `GLIBC_2.34' not found";
  const text = (on, error) =>
    unavailableMessage(error, { platform: 'linux', arch: 'x64', glibc: undefined, musl: false, ...on });
  const onOld = text({ glibc: '2.31' }, loaderError('Cannot find native binding', old, missing));
  assert.match(onOld, /linux-x64 with glibc 2\.31, .*does not fit here.*npm run build/);
  assert.ok(onOld.endsWith(`Reason: ${old}`), onOld);
  assert.match(
    text({ musl: true }, loaderError('a', missing)),
    /linux-x64 with musl, .*does not fit here.*Reason: Cannot find module x$/
  );
  assert.match(
    text({ platform: 'darwin', arch: 'arm64' }, 'a text'),
    /for darwin-arm64, .*does not fit here.*Reason: a text$/
  );
  const arm = { platform: 'linux', arch: 'arm64', glibc: '2.39' };
  assert.match(text(arm, loaderError('a')), /linux-arm64 with glibc 2\.39, .*does not fit here/);
  for (const glibc of [PREBUILT.glibc, '2.100']) {
    assert.match(text({ glibc }, loaderError('a')), /that fits here: install the package baileys-native-linux-x64-gnu/);
  }
});

test('the documentation says which glibc', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  assert.ok(readme.includes(`glibc ${PREBUILT.glibc} or later`));
});
