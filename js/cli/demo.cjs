'use strict';

// `baileys-native demo`: runs one bot on both layers against the mock server and compares the stanzas that it sends.

const { readArguments, wholeNumber } = require('./arguments.cjs');
const { painter, progress, table } = require('./terminal.cjs');

const USAGE = `Usage: baileys-native demo [--stanzas N] [--json]

Runs the Baileys of this folder twice, on its own JavaScript and on
baileys-native: links a new device by QR code, logs in, exchanges stanzas. The
server is a mock server on this machine. Prints the time of each step, and
whether the server has received the same stanzas.

  --stanzas N   stanzas to receive (10000)
  --json        prints JSON instead of the table

Exit code: 0 the same, 1 not the same.
`;

const COUNTS = { pings: 100, stanzas: 10_000, sends: 2_000 };

/**
 * A stanza of the bot without its random parts: ids, times and bytes. Even the lengths of some bytes vary.
 *
 * @param {any} node
 * @returns {unknown}
 */
function shapeOf({ tag, attrs, content }) {
  const { id, t, ...rest } = attrs;
  const children = Array.isArray(content) ? content.map(shapeOf) : content === undefined ? 'none' : 'bytes or text';
  return [tag, Object.entries(rest).sort(), id !== undefined, t !== undefined, children];
}

/** @param {any[]} stanzas The record of the server. */
const sent = stanzas =>
  stanzas.filter(({ direction }) => direction === 'in').map(({ node }) => JSON.stringify(shapeOf(node)));

/**
 * The first stanza that only one of the two has sent. The order is ignored, because Baileys sends some stanzas
 * concurrently at its start.
 *
 * @param {string[]} js
 * @param {string[]} native
 */
function difference(js, native) {
  const rest = [...native].sort();
  const expected = [...js].sort();
  const index = expected.findIndex((shape, i) => shape !== rest[i]);
  if (index < 0 && expected.length === rest.length) return undefined;
  const at = index < 0 ? expected.length : index;
  return { js: expected[at], native: rest[at] };
}

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(args, USAGE, { stanzas: { type: 'string', default: String(COUNTS.stanzas) } });
  if (parsed === undefined) return;
  const stanzas = wholeNumber(parsed.values.stanzas, '--stanzas', { least: 100, most: 1_000_000, usage: USAGE });
  const counts = { ...COUNTS, stanzas, sends: Math.min(COUNTS.sends, stanzas) };
  const { LABELS, localBaileys, runBot } = require('./bot/run.cjs');
  const baileys = localBaileys();
  const indicator = progress();
  /** @type {Record<string, { steps: { name: string, ms: number }[], inbound: string, sent: string[] }>} */
  const runs = {};
  try {
    for (const backend of /** @type {const} */ (['js', 'native'])) {
      indicator.step(`the bot on ${LABELS[backend]}`);
      const { result, stanzas: record } = await runBot({ mode: 'demo', backend, baileys, counts });
      runs[backend] = { ...result, sent: sent(record) };
    }
  } finally {
    indicator.end();
  }
  const { js, native } = runs;
  const differs = difference(js.sent, native.sent);
  const same = differs === undefined && js.inbound === native.inbound;
  if (parsed.values.json) {
    const steps = js.steps.map(({ name, ms }, index) => ({ name, js: ms, native: native.steps[index].ms }));
    console.log(JSON.stringify({ baileys: baileys.version, steps, sent: js.sent.length, same, differs }, null, 2));
    return same ? 0 : 1;
  }
  const paint = painter();
  console.log(`Baileys ${baileys.version}, unmodified, on Node.js ${process.versions.node}; server on loopback, TLS\n`);
  const rows = js.steps.map(({ name, ms }, index) => [
    name,
    `${ms.toFixed(0)} ms`,
    `${native.steps[index].ms.toFixed(0)} ms`
  ]);
  console.log(table([['', 'JavaScript', 'native'], ...rows]).join('\n'));
  if (same) {
    console.log(paint('green', `\nThe same: ${js.sent.length} stanzas sent, and every stanza received, in order.`));
    return 0;
  }
  console.log(paint('red', '\nNot the same.'));
  if (differs) console.log(`  JavaScript sent ${differs.js}\n  native sent     ${differs.native}`);
  else console.log('  The stanzas received differ.');
  return 1;
}

module.exports = { run };
