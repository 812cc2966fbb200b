// The values of switches in the environment. Their effects are tested elsewhere.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';

const { environmentSwitch } = createRequire(import.meta.url)('../../js/shared/environment.cjs');
const NAME = 'BAILEYS_NATIVE_TEST_SWITCH';

test('environmentSwitch() reads true, false, other text, and an unset variable', t => {
  t.after(() => delete process.env[NAME]);
  assert.equal(environmentSwitch(NAME), undefined);
  for (const [expected, values] of [
    [undefined, ['', ' ']],
    [false, ['0', 'off', 'false', 'no', 'OFF', 'False', ' no']],
    [true, ['1', 'on', 'true', 'yes', 'ON', 'Yes ']],
    ['My bot', ['My bot', ' My bot']],
    ['00', ['00']]
  ]) {
    for (const value of values) {
      process.env[NAME] = value;
      assert.equal(environmentSwitch(NAME), expected, JSON.stringify(value));
    }
  }
});
