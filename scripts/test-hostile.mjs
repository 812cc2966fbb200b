// `npm run test:hostile`: servers and proxies that misbehave in every phase. Prints the outcome, the time and the
// memory of each row on each layer. The exit code is 1 if an outcome is not the expected one, or takes too much time or
// memory.

import { parseArgs } from 'node:util';
import { ROWS } from './hostile/matrix.mjs';
import { faultOf, runRows } from './hostile/run.mjs';

const USAGE = `Usage: npm run test:hostile -- [options] [part of a row's name]…

  --layers a,b   native (the drop-in), session, js (Baileys' own layer, which is printed but not checked); default:
                 native,session
  --long         also runs the rows that take 120 s, the limit for opening a connection
`;

const { values, positionals } = parseArgs({
  options: {
    layers: { type: 'string', default: 'native,session' },
    long: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false }
  },
  allowPositionals: true
});

/** @param {{ phase: string, name: string }} row */
const nameOf = row => `${row.phase}: ${row.name}`;
const wanted = ROWS.filter(row => values.long || !row.isLong).filter(
  row => positionals.length === 0 || positionals.some(part => nameOf(row).includes(part))
);
const LABELS = { js: 'JavaScript', native: 'drop-in', session: 'session' };

async function main() {
  if (values.help) return void process.stdout.write(USAGE);
  if (wanted.length === 0) throw new TypeError(`no row has ${positionals.join(' or ')} in its name`);
  let faults = 0;
  const worst = { ms: 0, mib: 0 };
  for (const layer of /** @type {import('./hostile/run.mjs').Layer[]} */ (values.layers.split(','))) {
    if (!Object.hasOwn(LABELS, layer)) throw new RangeError(`There is no layer ${layer}.`);
    console.log(`\n${LABELS[layer]}`);
    for await (const { row, result } of runRows(layer, wanted)) {
      const wrong = layer === 'js' ? undefined : faultOf(row, layer, result);
      if (wrong) faults++;
      if (layer !== 'js' && !row.isLong) worst.ms = Math.max(worst.ms, result.ms);
      if (layer !== 'js') worst.mib = Math.max(worst.mib, result.mib ?? 0);
      const memory = result.mib === undefined ? '' : `${result.mib.toFixed(0)} MiB`.padStart(9);
      console.log(
        `  ${nameOf(row).padEnd(66)}${(result.ms / 1000).toFixed(1).padStart(6)} s${memory}  ${result.outcome}${wrong ? `  <-- ${wrong}` : ''}`
      );
    }
  }
  console.log(
    `\n${wanted.length} hostile peers; at most ${(worst.ms / 1000).toFixed(1)} s and ${worst.mib.toFixed(0)} MiB; ` +
      (faults === 0 ? 'all outcomes are as expected.' : `${faults} outcomes are wrong.`)
  );
  if (faults > 0) process.exitCode = 1;
}

await main();
process.exit(); // timers of the servers would keep the process alive
