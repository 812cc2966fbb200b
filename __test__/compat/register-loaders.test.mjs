// register together with other loaders, with mocks, and in worker threads.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { makeProject } from './support/project.mjs';
import { ALL, OURS, assertOurs, cjsProbe, esmProbe } from './support/replaced-probe.mjs';

/** The flags of Node.js that load register before the program. */
const FLAGS = ['--import', '--require'];

describe('register together with other loaders', () => {
  test('register works with tsx loaded before and after it, for both module kinds of TypeScript', async t => {
    const project = makeProject(t);
    project.write('esm/package.json', '{ "type": "module" }');
    const source = name => `${OURS.replace('module =>', '(module: any) =>')}
      import * as index from '${name}';
      import * as client from '${name}/${FILES.client}';
      console.log(JSON.stringify([...ours(index), ...ours(client)] as string[]));`;
    // CommonJS by --require: from a file that --import tsx has made CommonJS, Node 20 can load neither JSON nor ES
    // modules.
    const runs = [
      ['--import', 'tsx', 'esm/app.ts', 'baileys'],
      ['--import', 'tsx', 'esm/app.ts', 'baileys-6.17.16'],
      ['--require', 'tsx/cjs', 'app.cts', 'baileys-6.17.16'],
      ['--require', 'tsx/cjs', 'app.cts', 'baileys-6.7.24']
    ];
    for (const [flag, tsx, app, line] of runs) {
      project.write(app, source(line));
      const ours = [flag, 'baileys-native/register'];
      assertOurs(await project.run([flag, tsx, ...ours, app]), ALL);
      assertOurs(await project.run([...ours, flag, tsx, app]), ALL);
    }
  });

  test('register works with the tsx command and the flag in NODE_OPTIONS', async t => {
    const project = makeProject(t);
    const options = { NODE_OPTIONS: '--import baileys-native/register' };
    for (const [app, line] of [
      ['app.mts', 'baileys'],
      ['app.ts', 'baileys-6.7.24'],
      ['app.ts', 'baileys-6.17.16']
    ]) {
      project.write(app, esmProbe(line).replace('module =>', '(module: any) =>'));
      assertOurs(await project.run(['node_modules/tsx/dist/cli.mjs', app], options), ALL);
    }
  });

  test('module mocks of other loaders have priority', async t => {
    const project = makeProject(t);
    // Like mock loaders: the mocked file gets a query and another source.
    project.write(
      'mocks.mjs',
      `export async function resolve(specifier, context, nextResolve) {
        const resolved = await nextResolve(specifier, context);
        return resolved.url.endsWith('/noise-handler.js') ? { ...resolved, url: resolved.url + '?mock=1' } : resolved;
      }
      export async function load(url, context, nextLoad) {
        if (!url.endsWith('?mock=1')) return nextLoad(url, context);
        return { format: 'module', source: 'export const makeNoiseHandler = "mock";', shortCircuit: true };
      }`
    );
    project.write('mock.mjs', `import { register } from 'node:module'; register('./mocks.mjs', import.meta.url);`);
    project.write(
      'app.mjs',
      `${OURS} import * as baileys from 'baileys'; console.log(baileys.makeNoiseHandler, ours(baileys).length);`
    );
    const ours = ['--import', 'baileys-native/register'];
    const mocks = ['--import', './mock.mjs'];
    for (const flags of [
      [...ours, ...mocks],
      [...mocks, ...ours]
    ]) {
      const { stdout, stderr } = await project.run([...flags, 'app.mjs']);
      assert.equal(stdout, 'mock 5\n', stderr);
    }
  });

  test('a mock in the require cache has priority', async t => {
    const project = makeProject(t);
    project.write(
      'app.cjs',
      `${OURS}
      const filename = require.resolve('baileys-6.17.16/${FILES.noiseHandler}');
      require.cache[filename] = { id: filename, filename, loaded: true, exports: { makeNoiseHandler: 'mock' } };
      const baileys = require('baileys-6.17.16');
      console.log(baileys.makeNoiseHandler, ours(baileys).length);`
    );
    const { stdout, stderr } = await project.run(['--require', 'baileys-native/register', 'app.cjs']);
    assert.equal(stdout, 'mock 5\n', stderr);
  });

  test('register can be loaded several times: by import, require() and both flags', async t => {
    const project = makeProject(t);
    project.write(
      'app.mjs',
      `import { createRequire } from 'node:module';
      import Module from 'node:module';
      const compile = Module.prototype._compile;
      const first = await import('baileys-native/register');
      const second = createRequire(import.meta.url)('baileys-native/register');
      if (!first.isActive() || !second.isActive() || compile !== Module.prototype._compile) process.exitCode = 1;
      await import('./probe.mjs');`
    );
    project.write('probe.mjs', esmProbe('baileys'));
    const flags = ['--require', 'baileys-native/register', '--import', 'baileys-native/register'];
    const result = await project.run([...flags, 'app.mjs']);
    assertOurs(result, ALL);
    assert.equal(result.stderr, '');
  });

  test('register works in worker threads, which inherit the flags', async t => {
    const project = makeProject(t);
    project.write('esm.mjs', esmProbe('baileys'));
    project.write('cjs.cjs', cjsProbe('baileys-6.17.16'));
    for (const flag of FLAGS) {
      for (const file of ['esm.mjs', 'cjs.cjs']) {
        project.write(
          'app.mjs',
          `import { once } from 'node:events';
          import { Worker } from 'node:worker_threads';
          const [code] = await once(new Worker(new URL('./${file}', import.meta.url)), 'exit');
          process.exitCode = code;`
        );
        assertOurs(await project.run([flag, 'baileys-native/register', 'app.mjs']), ALL);
      }
    }
  });
});
