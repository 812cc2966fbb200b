// `npm run test:hostile`: servers and proxies that misbehave in every phase. Prints how each layer ends, in what time and with
// how much memory. An outcome that is not the expected one, or is above a bound, ends the command with 1.

import { parseArgs } from 'node:util';
import { ROWS } from './hostile/matrix.mjs';
import { fault, runRows } from './hostile/run.mjs';

const USAGE = `Usage: npm run test:hostile -- [options] [part of a row's name]…

  --layers a,b   native (the drop-in), session, js (Baileys' own layer, printed and not checked); default native,session
  --long         the rows that take the total bound of an opening, 120 s, as well
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
  let faults = 0;
  const worst = { ms: 0, mib: 0 };
  for (const layer of /** @type {import('./hostile/run.mjs').Layer[]} */ (values.layers.split(','))) {
    if (!Object.hasOwn(LABELS, layer)) throw new RangeError(`There is no layer ${layer}.`);
    console.log(`\n${LABELS[layer]}`);
    for await (const { row, result } of runRows(layer, wanted)) {
      const wrong = layer === 'js' ? undefined : fault(row, layer, result);
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
process.exit(); // the clients' and servers' timers
