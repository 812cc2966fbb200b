/** Compares Baileys' promiseTimeout with ours: the same executor has the same outcome in the same microtask. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { FILES } from '../../scripts/shared/baileys.mjs';
import dropIn from '../../js/baileys/promise-timeout.cjs';
import targets from '../../js/loader/targets.cjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { record } from '../support/record.mjs';

const require = createRequire(import.meta.url);
const RUNS = process.env.COMPAT_COUNTS === 'full' ? 3_000 : 300;

/** More microtasks than any wait needs to settle. */
const SETTLED = 30;

/** Both functions of a release line, by layer. */
async function load(name) {
  const root = dirname(require.resolve(`${packageOf(name)}/package.json`));
  await import(packageOf(name));
  const generics = await import(pathToFileURL(join(root, FILES.generics)).href);
  const { Boom } = createRequire(join(root, 'package.json'))('@hapi/boom');
  const ours = dropIn.createPromiseTimeout({ boom: () => Boom, location: () => targets.locationOfTimeout(root) });
  return { theirs: generics.promiseTimeout, ours };
}

/** An error or value for the comparison, without the stack of the error. */
function described(value) {
  if (!(value instanceof Error)) return value;
  const names = Object.getOwnPropertyNames(value).filter(name => name !== 'stack');
  return {
    class: value.constructor.name,
    prototype: Object.getPrototypeOf(value),
    properties: names.map(name => [name, value[name], Object.getOwnPropertyDescriptor(value, name)?.enumerable])
  };
}

/**
 * Runs one executor. Returns the events with the number of the microtask of each.
 *
 * @param {Function} promiseTimeout
 * @param {object} scenario
 * @param {unknown} scenario.ms
 * @param {(tools: { resolve: Function, reject: Function, note: (what: unknown) => void, defer: Function }) => unknown}
 *   scenario.executor
 * @param {number[]} [scenario.ticks] milliseconds by which the clock is moved, one after another
 * @param {import('node:test').MockTimers} clock
 */
async function observe(promiseTimeout, { ms, executor, ticks = [] }, clock) {
  // Started from the event loop, so that the stack traces of both runs are the same.
  await turn();
  clock.enable({ apis: ['setTimeout'] });
  const log = [];
  let count = 0;
  let phase = 0;
  const note = what => log.push([phase, count, what]);
  const settle = async () => {
    for (count = 0; count < SETTLED; count++) await undefined;
    phase++;
  };
  try {
    const promise = promiseTimeout(ms, (resolve, reject) => executor({ resolve, reject, note, defer: setTimeout }));
    note(['returned', promise instanceof Promise]);
    promise.then(
      value => note(['resolved', described(value)]),
      error => note(['rejected', described(error)])
    );
    await settle();
    for (const tick of ticks) {
      clock.tick(tick);
      await settle();
    }
  } catch (error) {
    note(['thrown', described(error)]);
  } finally {
    clock.reset();
  }
  return log;
}

/** A rejected promise that Node does not report as unhandled. */
function rejected(message) {
  const promise = Promise.reject(new Error(message));
  promise.catch(() => {});
  return promise;
}

/** Executors of programs. */
const SCENARIOS = {
  'resolved at once': { ms: 10, executor: ({ resolve }) => resolve(1) },
  'resolved with a promise': { ms: 10, executor: ({ resolve }) => resolve(Promise.resolve(1)) },
  'resolved with a promise that is rejected': {
    ms: 10,
    executor: ({ resolve }) => resolve(rejected('a'))
  },
  'resolved with a thenable': { ms: 10, executor: ({ resolve }) => resolve({ then: done => done(1) }) },
  'resolved by a microtask': { ms: 10, executor: ({ resolve }) => void Promise.resolve(1).then(resolve) },
  'resolved by an async executor': { ms: 10, executor: async ({ resolve }) => resolve(await 1) },
  'resolved twice': { ms: 10, executor: ({ resolve }) => (resolve(1), resolve(2)) },
  'rejected at once': { ms: 10, executor: ({ reject }) => reject(new TypeError('no')) },
  'rejected without a reason': { ms: 10, executor: ({ reject }) => reject() },
  'rejected after it was resolved': {
    ms: 10,
    executor: ({ resolve, reject }) => (resolve(1), reject(new Error('late')))
  },
  'a throwing executor': {
    ms: 10,
    executor: () => {
      throw new RangeError('thrown');
    }
  },
  'an executor that throws after it resolved': {
    ms: 10,
    executor: ({ resolve }) => {
      resolve(1);
      throw new RangeError('thrown');
    }
  },
  'no time limit': { ms: undefined, executor: ({ resolve, defer }) => defer(() => resolve(1), 1000), ticks: [1000] },
  'a limit of 0': { ms: 0, executor: ({ reject }) => reject(new Error('no')) },
  'a limit of 0, a throwing executor': {
    ms: 0,
    executor: () => {
      throw new RangeError('thrown');
    }
  },
  'out of time': { ms: 10, executor: () => {}, ticks: [9, 1] },
  'resolved too late': { ms: 10, executor: ({ resolve, defer }) => defer(() => resolve(1), 20), ticks: [10, 10] },
  'resolved in time': { ms: 10, executor: ({ resolve, defer }) => defer(() => resolve(1), 5), ticks: [5, 5] },
  'resolved by a timer of the same moment': {
    ms: 10,
    executor: ({ resolve, defer }) => defer(() => resolve(1), 10),
    ticks: [10]
  },
  'rejected by a timer of the same moment': {
    ms: 10,
    executor: ({ reject, defer }) => defer(() => reject(1), 10),
    ticks: [10]
  },
  'resolved in the microtask after the time': {
    ms: 10,
    executor: ({ resolve, defer }) => defer(() => queueMicrotask(() => resolve(1)), 10),
    ticks: [10]
  },
  'resolved with a promise that outlives the time': {
    ms: 10,
    executor: ({ resolve, defer }) => resolve(new Promise(done => defer(() => done(1), 20))),
    ticks: [10, 10]
  },
  'a limit that is a string': { ms: '10', executor: () => {}, ticks: [10] }
};

for (const name of LINE_NAMES) {
  describe(`promiseTimeout of ${packageOf(name)}`, async () => {
    const { theirs, ours } = await load(name);
    const results = { failed: false };
    after(() => {
      const native = results.failed ? 'DIFFERS' : 'same';
      const common = { section: 'codec', line: name, native };
      record({ ...common, behaviour: 'promiseTimeout: outcomes and their microtasks', javascript: 'compared' });
    });

    for (const [title, scenario] of Object.entries(SCENARIOS)) {
      test(title, async t => {
        const logs = [];
        for (const each of [theirs, ours]) logs.push(await observe(each, scenario, t.mock.timers));
        results.failed ||= JSON.stringify(logs[0]) !== JSON.stringify(logs[1]);
        assert.deepEqual(logs[1], logs[0]);
        assert.ok(logs[0].length > 0);
      });
    }

    test('random executors have the same result as in Baileys', async t => {
      const action = fc.record({
        at: fc.integer({ min: 0, max: 12 }),
        microtasks: fc.integer({ min: 0, max: 4 }),
        what: fc.constantFrom('resolve', 'reject', 'resolve promise', 'resolve rejected')
      });
      const act = ({ what }, { resolve, reject }) => {
        if (what === 'resolve') resolve(1);
        else if (what === 'reject') reject(new Error('given'));
        else if (what === 'resolve promise') resolve(Promise.resolve(2));
        else resolve(rejected('of a promise'));
      };
      const after = async (microtasks, run) => {
        for (let i = 0; i < microtasks; i++) await undefined;
        run();
      };
      const scenarios = fc.record({
        ms: fc.integer({ min: 0, max: 8 }),
        actions: fc.array(action, { maxLength: 4 }),
        throws: fc.boolean(),
        ticks: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 })
      });
      const property = fc.asyncProperty(scenarios, async ({ ms, actions, throws, ticks }) => {
        const executor = tools => {
          for (const each of actions) {
            if (each.at === 0 && each.microtasks === 0) act(each, tools);
            else tools.defer(() => void after(each.microtasks, () => act(each, tools)), each.at);
          }
          if (throws) throw new Error('thrown');
        };
        const logs = [];
        for (const each of [theirs, ours]) logs.push(await observe(each, { ms, executor, ticks }, t.mock.timers));
        assert.deepEqual(logs[1], logs[0]);
      });
      try {
        await fc.assert(property, { numRuns: RUNS });
      } catch (error) {
        results.failed = true;
        throw error;
      }
    });

    test('invalid arguments, the name and the length are the same as in Baileys', async () => {
      const outcome = async (each, ...args) => {
        await turn();
        try {
          return await each(...args);
        } catch (error) {
          return described(error);
        }
      };
      for (const args of [[], [10], [10, {}], [-1, () => {}], [NaN, done => done(1)]]) {
        const outcomes = [];
        for (const each of [theirs, ours]) outcomes.push(await outcome(each, ...args));
        assert.deepEqual(outcomes[1], outcomes[0]);
      }
      assert.deepEqual([ours.name, ours.length], [theirs.name, theirs.length]);
      assert.equal(Object.getPrototypeOf(ours), Object.getPrototypeOf(theirs));
    });

    test('the stack in `data` is the same, with other stack limits and a formatter of the program', async () => {
      const { prepareStackTrace, stackTraceLimit } = Error;
      const stackOf = async each => {
        await turn();
        try {
          await each(1, () => {});
          assert.fail('not out of time');
        } catch (error) {
          return error.data.stack;
        }
      };
      try {
        for (const limit of [10, 1, 0, 50]) {
          Error.stackTraceLimit = limit;
          const stacks = [];
          for (const each of [theirs, ours]) stacks.push(await stackOf(each));
          assert.equal(stacks[1], stacks[0]);
        }
        Error.prepareStackTrace = (_, frames) => frames.length;
        const counts = [];
        for (const each of [theirs, ours]) counts.push(await stackOf(each));
        assert.equal(counts[1], counts[0]);
      } finally {
        Object.assign(Error, { prepareStackTrace, stackTraceLimit });
      }
    });

    test('no timer remains after a wait', async () => {
      const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
      for (const each of [theirs, ours]) {
        const before = timers();
        const pending = each(60_000, resolve => setImmediate(resolve, 'done'));
        assert.equal(timers(), before + 1);
        assert.equal(await pending, 'done');
        await assert.rejects(each(60_000, (_, reject) => reject(new Error('no'))));
        assert.equal(timers(), before);
      }
    });

    test('unhandled rejections are the same, in order', async () => {
      const program = `
        import targets from ${JSON.stringify(new URL('../../js/loader/targets.cjs', import.meta.url).href)};
        import dropIn from ${JSON.stringify(new URL('../../js/baileys/promise-timeout.cjs', import.meta.url).href)};
        const baileys = await import(${JSON.stringify(packageOf(name))});
        const { Boom } = await import('@hapi/boom');
        const promiseTimeout = process.argv[1] === 'ours'
          ? dropIn.createPromiseTimeout({ boom: () => Boom, location: () => undefined })
          : baileys.promiseTimeout;
        const log = [];
        for (const event of ['unhandledRejection', 'rejectionHandled', 'uncaughtException'])
          process.on(event, reason => log.push([event, reason?.message, reason?.output?.statusCode]));
        promiseTimeout(5, () => {});
        promiseTimeout(1000, (_, reject) => reject(new Error('nobody listens')));
        promiseTimeout(1000, () => { throw new Error('thrown'); });
        promiseTimeout(1000, async resolve => { resolve(); throw new Error('of the executor'); });
        promiseTimeout(1000, async () => { throw new Error('of an executor that goes on'); }).catch(() => log.push('timed out'));
        const late = promiseTimeout(1000, (_, reject) => reject(new Error('handled late')));
        setTimeout(() => late.catch(() => log.push('caught')), 20);
        process.on('exit', () => console.log(JSON.stringify(log)));`;
      const outputs = [];
      for (const layer of ['theirs', 'ours']) {
        const args = ['--input-type=module', '-e', program, layer];
        const cwd = fileURLToPath(new URL('../..', import.meta.url));
        outputs.push((await promisify(execFile)(process.execPath, args, { cwd, timeout: 60_000 })).stdout);
      }
      assert.equal(outputs[1], outputs[0]);
      assert.equal(JSON.parse(outputs[0]).filter(([event]) => event === 'unhandledRejection').length, 6);
    });
  });
}
