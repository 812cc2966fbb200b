// A failed assertion must end its test file at once: no server, session or socket of the test may keep the process alive.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { ROOT } from '../../scripts/shared/root.mjs';

/** Tests with each kind of resource. All of them fail. */
const PROGRAM = `
  import assert from 'node:assert/strict';
  import { before, describe, test } from 'node:test';
  import { loggedInClient } from './__test__/support/drop-in-client.mjs';
  import { logInDevice, trustRoot } from './__test__/support/mock-clients.mjs';
  import { openSession } from './__test__/support/native-session.mjs';
  import { httpProxy } from './__test__/support/proxies.mjs';
  import { closeAfter, suiteResources } from './__test__/support/resources.mjs';
  import { wsServer } from './__test__/support/socket-log.mjs';

  trustRoot();
  const fail = () => assert.fail('deliberate');
  test('a mock server with a client of Baileys', async t => fail(await logInDevice(t)));
  test('a mock server with a session', async t => fail(await openSession(t)));
  test('a socket of the drop-in', async t => fail(await loggedInClient(t)));
  test('a server and a proxy', async t => {
    closeAfter(t, await wsServer(() => {}));
    closeAfter(t, await httpProxy());
    fail();
  });
  describe('a suite', () => {
    const resources = suiteResources();
    before(() => logInDevice(resources));
    test('a test with the resources of its suite', fail);
  });
`;

test('a failed assertion ends its test file, with each kind of resource', { timeout: 600_000 }, async t => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => (output += text));
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(540_000) });
  assert.equal(code, 1, output);
  assert.match(output, /^. fail 5$/m);
  assert.doesNotMatch(output, /generated asynchronous activity/);
});
