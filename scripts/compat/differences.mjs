/** The part of docs/compatibility.md about known differences. Its data are the registries that the tests use. */

import { DECLARATION_DIFFERENCES } from '../../__test__/support/declarations.mjs';
import { DIFFERENCES } from '../../__test__/support/differences.mjs';
import { SOCKET_DIFFERENCES } from '../../__test__/support/socket-differences.mjs';
import { EXPORTS, NOISE_HANDLER, WEB_SOCKET_CLIENT } from '../../__test__/support/surface.mjs';
import { table } from './markdown.mjs';

/** @type {[string, (property: string) => boolean][]} */
const SUITES = [
  ['encodeBinaryNode', name => name.startsWith('encode')],
  ['makeNoiseHandler', name => name.startsWith('noise')],
  ['decodeBinaryNode and its parts', () => true]
];

/** @param {{ properties: string[] }} difference */
const suiteOf = ({ properties }) => SUITES.find(([, takes]) => properties.some(takes));

const suites = SUITES.map(suite => {
  const rows = DIFFERENCES.filter(known => suiteOf(known) === suite).map(({ id, status, reason }) => [
    `\`${id}\``,
    status,
    reason
  ]);
  return `### ${suite[0]}\n\n${table(['difference', 'status', 'description and reason'], rows)}`;
});

const names = Object.entries({ ...EXPORTS, ...NOISE_HANDLER, ...WEB_SOCKET_CLIENT });
const notCompared = names.flatMap(([name, entry]) => ('excuse' in entry ? [[`\`${name}\``, entry.excuse]] : []));

export const differencesText = `## Known differences

The differential tests of the codec and the noise handler allow only these differences. Each run prints how often each one has
occurred. The rows of the socket above name the differences of \`WebSocketClient\`.

${suites.join('\n\n')}

### WebSocketClient

${table(
  ['difference', 'description and reason', 'test'],
  SOCKET_DIFFERENCES.map(({ id, reason, test }) => [`\`${id}\``, reason, test])
)}

### Declarations

${table(
  ['difference', 'description and reason', 'test'],
  DECLARATION_DIFFERENCES.map(({ id, reason, test }) => [`\`${id}\``, reason, test])
)}

### Exports that no test compares

A test (\`__test__/addon/surface.test.mjs\`) compares every other export and method that Baileys also has.

${table(['name', 'reason'], notCompared)}

## Losses of Baileys' encoder that are kept

Baileys' encoder loses parts of some JIDs. Ours writes the same bytes, because servers get them from Baileys: a device of a JID
with a server other than the four that have devices, an agent without a device, a device above 255.
`;
