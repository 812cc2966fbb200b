// `npm run bench:profile`: profiles the JavaScript thread while an unmodified `makeSocket` receives floods.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../scripts/shared/options.mjs';
import { ROOT } from '../scripts/shared/root.mjs';
import { ENTRIES } from './lib/corpus.mjs';
import { runClient, startServer } from './lib/process.mjs';
import { selfTimes } from './lib/profile.mjs';

const USAGE = `Usage: npm run bench:profile -- [options]

  --backend <native|js>   which socket layer (default: native)
  --stanza <name>         kind of stanza: ${ENTRIES.join(', ')} (default: message)
  --per-message <n>       stanzas in one WebSocket message (default: 1)
  --count <n>             stanzas in one flood (default: 50000)
  --floods <n>            floods that are profiled (default: 6)
  --top <n>               functions to show (default: 30)
  --plain                 ws instead of wss
`;

const FOLDER = join(ROOT, 'target/bench-report');

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      backend: { type: 'string', default: 'native' },
      stanza: { type: 'string', default: 'message' },
      'per-message': { type: 'string', default: '1' },
      count: { type: 'string', default: '50000' },
      floods: { type: 'string', default: '6' },
      top: { type: 'string', default: '30' },
      plain: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  const number = name => wholeNumber(values, name, 1);
  if (!['js', 'native'].includes(values.backend)) throw new TypeError('--backend takes native or js');
  if (!ENTRIES.includes(values.stanza)) throw new TypeError(`--stanza takes one of ${ENTRIES.join(', ')}`);
  const flood = {
    stanza: values.stanza,
    perMessage: number('per-message'),
    count: number('count'),
    floods: number('floods')
  };
  const backend = /** @type {'js' | 'native'} */ (values.backend);
  return { help: values.help, backend, tls: !values.plain, top: number('top'), flood };
}

/** @param {string[][]} rows The last column is text, the others are numbers. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  const last = widths.length - 1;
  return rows.map(row => row.map((cell, at) => (at < last ? cell.padStart(widths[at]) : cell)).join('  '));
}

function tables({ busyUs, areas, functions }, stanzas, top) {
  const share = us => `${((100 * us) / busyUs).toFixed(1)}%`;
  const each = us => ((1000 * us) / stanzas).toFixed(0);
  return [
    ...columns([
      ['share', 'ns each', 'area'],
      ...areas.map(({ name, us }) => [share(us), each(us), name]),
      ['100%', each(busyUs), 'JavaScript thread, without idle']
    ]),
    '',
    ...columns([
      ['self', 'ns each', 'area', 'function'],
      ...functions
        .slice(0, top)
        .map(({ name, place, area, us }) => [share(us), each(us), area, `${name} ${place}`.trim()])
    ])
  ];
}

async function main() {
  const { help, backend, tls, top, flood } = readOptions(process.argv.slice(2));
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = await startServer({ tls });
  try {
    const { costs, profiles } = await runClient('profiled.mjs', { flood }, { backend, server });
    const stanzas = flood.count * flood.floods;
    const total = name => costs.reduce((sum, cost) => sum + cost[name], 0);
    mkdirSync(FOLDER, { recursive: true });
    const file = join(FOLDER, `${backend}-${flood.stanza}.cpuprofile`);
    writeFileSync(file, JSON.stringify(profiles.at(-1)));
    console.log(
      `${stanzas.toLocaleString('en-US')} stanzas (${flood.stanza}, ${flood.perMessage} a message, ${tls ? 'wss' : 'ws'}) into makeSocket, ${backend}: ` +
        `${Math.round((stanzas / total('ms')) * 1000).toLocaleString('en-US')}/s, ` +
        `${(total('cpuUs') / stanzas).toFixed(2)} us of CPU each in all threads, ${(total('threadUs') / stanzas).toFixed(2)} us in the JavaScript thread, with the profiler.\n`
    );
    console.log(tables(selfTimes(profiles), stanzas, top).join('\n'));
    console.log(`\nProfile of the last flood, for the performance panel of a browser: ${relative(ROOT, file)}`);
  } finally {
    await server.stop();
  }
}

try {
  await main();
} catch (error) {
  console.error(`The profile failed. ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
