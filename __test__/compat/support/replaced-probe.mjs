// Programs that print which exports of Baileys are ours, and the expected names.

import assert from 'node:assert/strict';
import { FILES, RELEASES } from '../../../scripts/shared/baileys.mjs';
import { REPLACED } from './replaced-names.mjs';

/** The names of the installed packages: one of each release line of Baileys. */
export const LINES = RELEASES.map(release => release.packageName);

/** The replaced exports of the index. The index does not export the socket class. */
export const FROM_INDEX = REPLACED.filter(name => name !== 'WebSocketClient');

/** All replaced exports, in the order in which the programs print them. */
export const ALL = [...FROM_INDEX, 'WebSocketClient'];

/** Source of a function that names the replaced exports among those of a module. */
export const OURS = `const ours = module => Object.keys(module).filter(name => module[name]?.[Symbol.for('baileys-native')] === true).sort();
`;

/**
 * Prints which exports of a package are ours: of its index, and the socket class, which the index does not export.
 *
 * @param {string} name
 */
export const esmProbe = name => `${OURS}
import * as index from '${name}';
import * as client from '${name}/${FILES.client}';
console.log(JSON.stringify([...ours(index), ...ours(client)]));
`;

/** @param {string} name */
export const cjsProbe = name => `${OURS}
console.log(JSON.stringify([...ours(require('${name}')), ...ours(require('${name}/${FILES.client}'))]));
`;

/**
 * @param {{ code: unknown, stdout: string, stderr: string }} result
 * @param {string[]} expected
 */
export function assertOurs(result, expected) {
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), expected, result.stderr);
}
