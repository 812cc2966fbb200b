/** The part of docs/compatibility.md about known differences, from the registries that the tests use. */

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
  return `### ${suite[0]}\n\n${table(['difference', 'status', 'what and why'], rows)}`;
});

const names = Object.entries({ ...EXPORTS, ...NOISE_HANDLER, ...WEB_SOCKET_CLIENT });
const excused = names.flatMap(([name, entry]) => ('excuse' in entry ? [[`\`${name}\``, entry.excuse]] : []));

export const differencesText = `## Known differences

Those of the codec and the noise handler are what its differential tests go by; how often each was met is printed on every
run. Those of the socket are named by the rows above.

${suites.join('\n\n')}

### WebSocketClient

${table(
  ['difference', 'what and why', 'shown by'],
  SOCKET_DIFFERENCES.map(({ id, reason, test }) => [`\`${id}\``, reason, test])
)}

### Declarations

${table(
  ['difference', 'what and why', 'shown by'],
  DECLARATION_DIFFERENCES.map(({ id, reason, test }) => [`\`${id}\``, reason, test])
)}

### Names that nothing compares

Every other export and method of ours that Baileys has is compared by a test (\`__test__/addon/surface.test.mjs\`).

${table(['name', 'why not'], excused)}

## Kept as Baileys has it

Where Baileys' bytes lose something that a reader could want, ours are the same all the same, since servers see them every
day: a device on a JID whose server is none of the four that have devices, an agent without a device, a device above 255.
`;
