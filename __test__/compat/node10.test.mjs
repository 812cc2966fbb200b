// The declarations with `moduleResolution: node`, TypeScript's default for `module: commonjs`. It does not use
// `exports`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeProject } from './support/project.mjs';

const PROGRAM = `
import native = require('baileys-native');
import * as prometheus from 'baileys-native/prometheus';
import * as register from 'baileys-native/register';
import { MockServer } from 'baileys-native/testing';
export const active: boolean = native.isActive() && register.isActive();
export const collect: () => void = () => prometheus.collectMetrics();
export const start: () => Promise<MockServer> = () => MockServer.start();
`;

test('TypeScript finds every entry and its types', async t => {
  const project = makeProject(t);
  project.write('good.ts', PROGRAM);
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--types', 'node'];
  const tsc = file =>
    project.run([
      'node_modules/typescript/bin/tsc',
      ...flags,
      '--module',
      'commonjs',
      '--moduleResolution',
      'node10',
      file
    ]);
  const good = await tsc('good.ts');
  assert.equal(good.code, 0, good.stdout);
  project.write('bad.ts', `${PROGRAM} register.nothing; prometheus.nothing; MockServer.nothing; native.nothing;`);
  assert.equal((await tsc('bad.ts')).stdout.match(/error TS2339/g)?.length, 4);
});

test(
  'require() loads baileys-native/testing if Node.js can require ES modules',
  { skip: !process.features.require_module },
  async t => {
    const project = makeProject(t);
    project.write('app.cjs', `console.log(typeof require('baileys-native/testing').MockServer.start);`);
    const { stdout, stderr } = await project.run(['app.cjs']);
    assert.equal(stdout, 'function\n', stderr);
  }
);
