'use strict';

// `baileys-native bench --quick`: measures Baileys on both layers in a minute. The full suites are in the repository.

const { availableParallelism, cpus } = require('node:os');
const { UsageError, readArguments, wholeNumber } = require('./arguments.cjs');
const { bars, painter, progress, table } = require('./terminal.cjs');

const USAGE = `Usage: baileys-native bench --quick [--rounds N] [--stanzas N] [--json]

Runs the Baileys of this folder on its own JavaScript and on baileys-native,
in turn, against a server on this machine, and prints medians and ratios.
Nothing is connected to WhatsApp. It measures the socket layer; the rest of a
bot (Signal, key store, events) costs the same on both. The full suites are in
the repository: npm run bench.

  --rounds N    runs of each layer (3, about a minute)
  --stanzas N   stanzas to receive in each run (20000)
  --json        prints JSON instead of the table
`;

const COUNTS = { warmUp: 3_000, stanzas: 20_000, sends: 5_000, pings: 200, codecMs: 300 };

/** @type {{ name: string, key: string, more: boolean, text: (value: number) => string }[]} */
const FIGURES = [
  { name: 'stanzas received per second', key: 'inPerSecond', more: true, text: value => value.toFixed(0) },
  { name: 'CPU time of one received stanza, µs', key: 'cpuUs', more: false, text: value => value.toFixed(1) },
  { name: 'stanzas sent per second', key: 'outPerSecond', more: true, text: value => value.toFixed(0) },
  { name: 'round trip, ms', key: 'roundTripMs', more: false, text: value => value.toFixed(3) },
  { name: 'decodeBinaryNode, µs', key: 'decodeUs', more: false, text: value => value.toFixed(2) },
  { name: 'encodeBinaryNode, µs', key: 'encodeUs', more: false, text: value => value.toFixed(2) }
];

/** @param {number[]} values */
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(args, USAGE, {
    quick: { type: 'boolean' },
    rounds: { type: 'string', default: '3' },
    stanzas: { type: 'string', default: String(COUNTS.stanzas) }
  });
  if (parsed === undefined) return;
  const { values } = parsed;
  if (!values.quick) {
    throw new UsageError('the full benchmark is only in the repository: use --quick', USAGE);
  }
  const rounds = wholeNumber(values.rounds, '--rounds', { least: 1, most: 100, usage: USAGE });
  const stanzas = wholeNumber(values.stanzas, '--stanzas', { least: 100, most: 1_000_000, usage: USAGE });
  const { LABELS, localBaileys, runBot } = require('./bot/run.cjs');
  const baileys = localBaileys();
  const counts = {
    ...COUNTS,
    stanzas,
    warmUp: Math.min(COUNTS.warmUp, stanzas),
    sends: Math.min(COUNTS.sends, stanzas)
  };
  const indicator = progress();
  /** @type {Record<'js' | 'native', any[]>} */
  const results = { js: [], native: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      /** @type {('js' | 'native')[]} */
      const order = round % 2 === 0 ? ['js', 'native'] : ['native', 'js'];
      for (const backend of order) {
        indicator.step(`${LABELS[backend]}, run ${round + 1} of ${rounds}`);
        results[backend].push((await runBot({ mode: 'bench', backend, baileys, counts })).result);
      }
    }
  } finally {
    indicator.end();
  }
  const rows = FIGURES.map(({ name, key, more, text }) => {
    const [js, native] = /** @type {const} */ (['js', 'native']).map(each =>
      median(results[each].map(run => run[key]))
    );
    return { name, key, js, native, ratio: more ? native / js : js / native, text };
  });
  if (values.json) {
    const figures = Object.fromEntries(rows.map(({ key, js, native, ratio }) => [key, { js, native, ratio }]));
    const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
    console.log(JSON.stringify({ baileys: baileys.version, machine, rounds, figures }, null, 2));
    return;
  }
  print(rows, baileys.version, rounds);
}

/** @param {any[]} rows @param {string} version @param {number} rounds */
function print(rows, version, rounds) {
  const paint = painter();
  console.log(
    `Baileys ${version}, Node.js ${process.versions.node}, ${availableParallelism()} CPUs; medians of ${rounds} run(s)\n`
  );
  const lines = table([
    ['', 'JavaScript', 'native', 'ratio'],
    ...rows.map(({ name, js, native, ratio, text }) => [name, text(js), text(native), `${ratio.toFixed(2)}x`])
  ]);
  console.log([paint('bold', lines[0]), ...lines.slice(1)].join('\n'));
  console.log(`\n${paint('bold', 'How many times better native is')}`);
  console.log(
    bars(
      rows.map(({ name, ratio }) => ({ name, value: ratio, text: `${ratio.toFixed(2)}x` })),
      36
    )
      .map(line => line.replace(/█+/, bar => paint('green', bar)))
      .join('\n')
  );
}

module.exports = { run };
