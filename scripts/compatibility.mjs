/**
 * Writes docs/compatibility.md from the registries of known differences that the tests go by.
 *
 * `--check` fails where the file is not what would be written.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { DIFFERENCES } from '../__test__/support/differences.mjs';
import { SOCKET_DIFFERENCES } from '../__test__/support/socket-differences.mjs';

const FILE = new URL('../docs/compatibility.md', import.meta.url);

const SUITES = [
  ['encodeBinaryNode', name => name.startsWith('encode')],
  ['makeNoiseHandler', name => name.startsWith('noise')],
  ['decodeBinaryNode and its parts', () => true]
];

const row = (...cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) =>
  [row(...head), row(...head.map(() => '---')), ...rows.map(cells => row(...cells))].join('\n');

const suiteOf = ({ properties }) => SUITES.find(([, takes]) => properties.some(takes));

const sections = SUITES.map(suite => {
  const rows = DIFFERENCES.filter(known => suiteOf(known) === suite).map(({ id, status, reason }) => [
    `\`${id}\``,
    status,
    reason
  ]);
  return `### ${suite[0]}\n\n${table(['difference', 'status', 'what and why'], rows)}`;
});

const text = `# Compatibility

<!-- Written by scripts/compatibility.mjs from the registries in __test__/support. -->

The oracle is Baileys itself, installed from npm: 7.0.0-rc14, 6.7.24 and 6.17.16. The tests give the same input to it and
to us and compare bytes, values, errors and events. Where ours differs on purpose, the difference is registered, with its
reason; a difference outside of the registry fails the tests.

\`npm test\` runs a bounded number of random inputs. \`npm run test:differential -- --minutes 10\` goes on finding things.

## Codec and noise handler

Shown by \`__test__/addon/codec.differential.test.mjs\` and \`__test__/addon/noise.differential.test.mjs\`. How often each
was met is printed on every run.

${sections.join('\n\n')}

## Socket

${table(
  ['difference', 'what and why', 'shown by'],
  SOCKET_DIFFERENCES.map(({ id, reason, test }) => [`\`${id}\``, reason, test])
)}

## Kept as Baileys has it

Where Baileys' bytes lose something that a reader could want, ours are the same all the same, since servers see them every
day: a device on a JID whose server is none of the four that have devices, an agent without a device, a device above 255.
`;

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) {
    console.error('docs/compatibility.md is not current: run `npm run docs:compatibility`.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, text);
}
