/** Runs the JavaScript tests on another version of Node: `npm run test:node -- 24 [parts of names]`. */

import { isVersion, runOnNode } from './shared/node-binary.mjs';

const [version, ...names] = process.argv.slice(2);
if (isVersion(version)) {
  process.exitCode = runOnNode(version, ['scripts/test.mjs', ...names]);
} else {
  console.error('Which version of Node? For example: npm run test:node -- 24 websocket');
  process.exitCode = 1;
}
