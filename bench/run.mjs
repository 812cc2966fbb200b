// `npm run bench`: measures, and writes the report. See docs/benchmarks.md.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { isVersion, runOnNode } from '../scripts/shared/node-binary.mjs';
import { ROOT } from '../scripts/shared/root.mjs';
import { goalRows } from './goals.mjs';
import { describeMachine, loadAverage } from './lib/machine.mjs';
import { PLACES, withFigures } from './writing/figures.mjs';
import { machineLine, writeMarkdown } from './writing/markdown.mjs';
import { plots } from './writing/plots.mjs';

const SUITES = [
  'codec',
  'read-ahead',
  'core',
  'stanzas',
  'outbound',
  'bot',
  'spread',
  'latency',
  'session',
  'memory',
  'connections'
];

/** A complete run writes to the folder of its version of Node below this one. Any other run writes to SCRATCH. */
const REPORTS = 'bench/report';
const SCRATCH = 'target/bench-report';

const MAJOR = Number.parseInt(process.versions.node, 10);

/** docs/performance.md shows the results on the first version of Node, and the goals also on the second one. */
const PUBLISHED = [24, 20];

const USAGE = `Usage: npm run bench -- [options]

  --quick         fewer and shorter rounds, for a first look
  --only <name>   only this suite; can be repeated: ${SUITES.join(', ')}
  --node <major>  runs on this version of Node, from the npm registry
  --out <folder>  the folder for the report (default: ${REPORTS}/node-${MAJOR} and docs/performance.md for a complete run,
                  otherwise ${SCRATCH})
  --write         measures nothing; writes docs/performance.md and the figures of other documents from the reports
  --check         measures nothing; fails if these documents differ from the reports
`;

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      node: { type: 'string' },
      out: { type: 'string' },
      write: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  const unknown = values.only?.find(name => !SUITES.includes(name));
  if (unknown !== undefined) throw new TypeError(`there is no suite ${unknown}; there are ${SUITES.join(', ')}`);
  if (values.node !== undefined && !isVersion(values.node)) throw new TypeError('--node takes a version, such as 24');
  const complete = !values.quick && values.only === undefined;
  return {
    help: values.help,
    node: values.node,
    write: values.write,
    check: values.check,
    level: values.quick ? 'quick' : 'full',
    suites: SUITES.filter(name => values.only?.includes(name) ?? true),
    publish: complete && values.out === undefined,
    folder: resolve(ROOT, values.out ?? (complete ? `${REPORTS}/node-${MAJOR}` : SCRATCH))
  };
}

async function measure({ level, suites }) {
  const started = new Date();
  const machine = describeMachine();
  const results = {};
  for (const name of suites) {
    const { default: suite } = await import(`./suites/${name}.mjs`);
    const start = performance.now();
    process.stderr.write(`${suite.title} … `);
    results[name] = await suite.run(level);
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
  const finished = { seconds: (Date.now() - started.getTime()) / 1000, load: loadAverage() };
  return { level, started: started.toISOString(), machine, finished, goals: goalRows(results), results };
}

async function formatted(path, content) {
  return path.endsWith('.svg') ? content : format(content, { ...(await resolveConfig(path)), filepath: path });
}

async function write(path, content) {
  writeFileSync(path, await formatted(path, content));
}

/** The reasons why goals are not met, by version of Node and goal. */
const reasonTexts = () => JSON.parse(readFileSync(join(ROOT, 'bench/reasons.json'), 'utf8'));

async function writeReport(report, folder) {
  const made = plots(report.results, report.goals);
  mkdirSync(folder, { recursive: true });
  await write(join(folder, 'report.json'), JSON.stringify(report));
  const options = { heading: 'Report', folder: '', reasons: reasonTexts() };
  await write(join(folder, 'report.md'), writeMarkdown(report, made, options));
  for (const [file, { svg }] of Object.entries(made)) await write(join(folder, file), svg);
}

/**
 * The documents with figures, made from the reports of the published versions of Node: docs/performance.md, and other
 * documents with some figures of the first report.
 *
 * @returns {Promise<Record<string, string>>} The texts by path.
 */
async function documents() {
  const path = major => join(ROOT, REPORTS, `node-${major}`, 'report.json');
  const majors = PUBLISHED.filter(major => existsSync(path(major)));
  const [report, other] = majors.map(major => JSON.parse(readFileSync(path(major), 'utf8')));
  if (report === undefined) throw new Error(`there is no report of Node ${PUBLISHED.join(' or ')}`);
  // Uses the current goals, also for reports that were measured with older goals.
  for (const each of [report, other]) if (each) each.goals = goalRows(each.results);
  const made = plots(report.results, report.goals);
  const folder = `../${REPORTS}/node-${majors[0]}/`;
  const options = { heading: 'Performance', folder, reasons: reasonTexts(), other };
  const note = '<!-- Written by `npm run bench`; see docs/benchmarks.md for how to read it. -->\n\n';
  const texts = { 'docs/performance.md': note + writeMarkdown(report, made, options) };
  for (const [name, places] of Object.entries(PLACES)) {
    texts[name] = withFigures(readFileSync(join(ROOT, name), 'utf8'), places, report.goals);
  }
  for (const name of Object.keys(texts)) texts[name] = await formatted(join(ROOT, name), texts[name]);
  return texts;
}

async function publish() {
  for (const [name, text] of Object.entries(await documents())) writeFileSync(join(ROOT, name), text);
}

/** Throws if a document differs from the reports. */
async function check() {
  const texts = Object.entries(await documents());
  const stale = texts.filter(([name, text]) => readFileSync(join(ROOT, name), 'utf8') !== text).map(([name]) => name);
  if (stale.length > 0) throw new Error(`${stale.join(', ')}: not as the reports say; run npm run bench -- --write`);
}

function summary({ goals }) {
  const show = ({ unit, goal }, value) =>
    unit === 'x' ? `${value.toFixed(value < 1 ? 3 : 2)}x` : value.toFixed(goal < 10 ? 3 : 0);
  const width = Math.max(...goals.map(({ what }) => what.length));
  return goals.map(row => {
    const goal = `${row.sense} ${show(row, row.goal)}`;
    return `${row.met ? 'met    ' : 'NOT MET'}  ${row.what.padEnd(width)}  ${show(row, row.value).padStart(9)}  (${goal})`;
  });
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (options.write || options.check) {
    await (options.write ? publish() : check());
    return;
  }
  if (options.node !== undefined && Number.parseInt(options.node, 10) !== MAJOR) {
    process.exitCode = runOnNode(options.node, process.argv.slice(1));
    return;
  }
  const report = await measure(options);
  await writeReport(report, options.folder);
  if (options.publish) await publish();
  console.log(`\n${machineLine(report)}\n`);
  console.log(summary(report).join('\n'));
  console.log(
    `\nThe report is in ${relative(ROOT, options.folder) || '.'}${options.publish ? ' and docs/performance.md' : ''}.`
  );
}

try {
  await main();
} catch (error) {
  console.error(`\nThe bench failed. ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
