/** Runs the JavaScript tests on another version of Node: `npm run test:node -- 24 [parts of names]`. */

import { isVersion, runOnNode } from './shared/node-binary.mjs';

const [version, ...names] = process.argv.slice(2);
if (isVersion(version)) {
  process.exitCode = runOnNode(version, ['scripts/test.mjs', ...names]);
} else {
  console.error(
    'Usage: npm run test:node -- <version of Node> [part of a file name]…, for example: npm run test:node -- 24 websocket'
  );
  process.exitCode = 1;
}
