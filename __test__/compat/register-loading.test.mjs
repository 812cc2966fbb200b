// Loads every release line of Baileys in every way that programs use, with and without register.

import assert from 'node:assert/strict';
import { appendFileSync, rmSync, symlinkSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { record } from '../support/record.mjs';
import { makeProject } from './support/project.mjs';
import { REPLACED } from './support/replaced-names.mjs';

/** An export that is not replaced if an ES module was required, and if Node.js calls no hooks for such a module. */
const PROMISE_TIMEOUT = 'promiseTimeout';

/** Uses the codec and prints whether our functions ran. `index` and `client` are modules of Baileys. */
const PROBE = `
  const all = { ...client, ...index };
  const ours = Object.keys(all).filter(name => all[name]?.[Symbol.for('baileys-native')] === true).sort();
  const node = { tag: 'iq', attrs: { to: '1:2@s.whatsapp.net', id: 'x' }, content: [{ tag: 'ping', attrs: {} }] };
  const bytes = index.encodeBinaryNode(node);
  Promise.resolve(index.decodeBinaryNode(bytes)).then(decoded =>
    console.log(JSON.stringify({ ours, bytes: bytes.toString('hex'), decoded, noise: typeof index.makeNoiseHandler }))
  );`;
const esm = name => `
  import * as index from '${name}';
  import * as client from '${name}/${FILES.client}';${PROBE}`;
const cjs = name => `
  const index = require('${name}');
  const client = require('${name}/${FILES.client}');${PROBE}`;

const canRequire = line => line === '6.17' || process.features.require_module === true;

/** Functions by name. Each writes a program into a project and returns the arguments that run it, with the flag. */
const LOADERS = {
  'an ES module, by --import': (project, name, flag) => {
    project.write('app.mjs', esm(name));
    return [...flag('--import'), 'app.mjs'];
  },
  'an ES module, by --require': (project, name, flag) => {
    project.write('app.mjs', esm(name));
    return [...flag('--require'), 'app.mjs'];
  },
  'a CommonJS module, by --import': (project, name, flag) => {
    project.write('app.cjs', cjs(name));
    return [...flag('--import'), 'app.cjs'];
  },
  'a CommonJS module, by --require': (project, name, flag) => {
    project.write('app.cjs', cjs(name));
    return [...flag('--require'), 'app.cjs'];
  },
  'as @whiskeysockets/baileys': (project, name, flag) => {
    // This is a link to the installed packages.
    rmSync(join(project.directory, 'node_modules/@whiskeysockets'), { recursive: true, force: true });
    project.copyPackage(name, 'node_modules/@whiskeysockets/baileys', { name: '@whiskeysockets/baileys' });
    project.write('app.mjs', esm('@whiskeysockets/baileys'));
    return [...flag('--import'), 'app.mjs'];
  },
  'a copy below another package': (project, name, flag) => {
    project.copyPackage(name, 'node_modules/bot/node_modules/baileys', { name: 'baileys' });
    project.write('node_modules/bot/index.mjs', esm('baileys'));
    return [...flag('--import'), 'node_modules/bot/index.mjs'];
  },
  'a pnpm layout of symbolic links': (project, name, flag) => {
    const real = project.copyPackage(name, 'node_modules/.pnpm/baileys@0/node_modules/baileys', { name: 'baileys' });
    rmSync(join(project.directory, 'node_modules/baileys'));
    symlinkSync(real, join(project.directory, 'node_modules/baileys'));
    project.write('app.mjs', esm('baileys'));
    return [...flag('--import'), 'app.mjs'];
  },
  'a fork with another name': (project, name, flag) => {
    project.copyPackage(name, 'node_modules/fork', { name: 'fork', version: '9.1.0' });
    project.write('app.mjs', esm('fork'));
    return [...flag('--import'), 'app.mjs'];
  },
  'a patched file, which is not replaced': (project, name, flag) => {
    const root = project.copyPackage(name, 'node_modules/baileys', { name: 'baileys' });
    appendFileSync(join(root, FILES.noiseHandler), '\n// patched\n');
    project.write('app.mjs', esm('baileys'));
    return [...flag('--import'), 'app.mjs'];
  },
  'TypeScript, by tsx': (project, name, flag) => {
    project.write('app.mts', `// @ts-nocheck\n${esm(name)}`);
    return ['--import', 'tsx', ...flag('--import'), 'app.mts'];
  },
  'a module mock, which is not replaced': (project, name, flag) => {
    project.write(
      'mocks.mjs',
      `const MOCK = 'noise-handler.js';
      export async function resolve(specifier, context, nextResolve) {
        const resolved = await nextResolve(specifier, context);
        return resolved.url.endsWith('/' + MOCK) ? { ...resolved, url: resolved.url + '?mock=1' } : resolved;
      }
      export async function load(url, context, nextLoad) {
        if (!url.endsWith('?mock=1')) return nextLoad(url, context);
        return { format: 'module', source: 'export const makeNoiseHandler = "mock";', shortCircuit: true };
      }`
    );
    // The CommonJS release requires its files, so its mock is in the require cache.
    project.write(
      'mock.mjs',
      `import { createRequire, register } from 'node:module';
      const require = createRequire(import.meta.url);
      if (${JSON.stringify(name)} === 'baileys-6.17.16') {
        const filename = require.resolve('${name}/${FILES.noiseHandler}');
        require.cache[filename] = { id: filename, filename, loaded: true, exports: { makeNoiseHandler: 'mock' } };
      } else register('./mocks.mjs', import.meta.url);`
    );
    project.write('app.mjs', esm(name));
    return [...flag('--import'), '--import', './mock.mjs', 'app.mjs'];
  }
};

/** The exports that must be ours. */
const expected = (way, line) => {
  const hasHooks = Module.registerHooks !== undefined || line === '6.17' || !way.includes('CommonJS');
  const left = [...(/mock|patched/.test(way) ? ['makeNoiseHandler'] : []), ...(hasHooks ? [] : [PROMISE_TIMEOUT])];
  return REPLACED.filter(name => !left.includes(name));
};

for (const [way, prepare] of Object.entries(LOADERS)) {
  test(`register with ${way}`, { concurrency: true }, t =>
    Promise.all(
      LINE_NAMES.map(line =>
        t.test(`line ${line}: ${way}`, async t => {
          const result = { section: 'lines', behaviour: `register: ${way}`, line };
          if (way.includes('CommonJS') && !canRequire(line)) {
            record({ ...result, javascript: 'no such Node', native: 'no such Node' });
            return;
          }
          const project = makeProject(t);
          const run = async flag => {
            const { code, stdout, stderr } = await project.run(prepare(project, packageOf(line), flag));
            assert.equal(code, 0, stderr);
            return JSON.parse(stdout);
          };
          const javascript = await run(() => []);
          let native = 'DIFFERS';
          try {
            const { ours, ...rest } = await run(flag => [flag, 'baileys-native/register']);
            assert.deepEqual(javascript.ours, []);
            assert.deepEqual({ ours: [], ...rest }, javascript);
            assert.deepEqual(ours, expected(way, line));
            native = `same, ${ours.filter(name => name !== PROMISE_TIMEOUT).length} replaced`;
          } finally {
            record({ ...result, javascript: `${javascript.bytes.length / 2} bytes, 0 replaced`, native });
          }
        })
      )
    )
  );
}
