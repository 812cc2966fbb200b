// The goals, and whether the results meet them: one row for each goal.

/**
 * @typedef {object} GoalRow
 * @property {string} id
 * @property {string} suite
 * @property {string} what
 * @property {'>=' | '<='} sense Whether the value must be at least or at most the goal.
 * @property {number} goal
 * @property {number} value
 * @property {{ q1: number, q3: number }} [spread] Quartiles over the rounds, if there is more than one.
 * @property {string} unit `x`: a ratio. Otherwise the name of the unit.
 * @property {boolean} met
 * @property {string} [note] The name of the entry, or the absolute values.
 */

import { geometricMean } from './lib/statistics.mjs';

const thousands = value => Math.round(value).toLocaleString('en-US');
const kilobytes = value => `${(value / 1024).toFixed(1)} KB`;
const milliseconds = value => `${value.toFixed(value < 10 ? 3 : 0)} ms`;

/**
 * @param {string} id
 * @param {string} suite
 * @param {string} what
 * @param {GoalRow['sense']} sense
 * @param {number} goal
 * @param {{ value: number, spread?: GoalRow['spread'], unit?: string, note?: string }} measured
 * @returns {GoalRow}
 */
function row(id, suite, what, sense, goal, { value, spread, unit = 'x', note }) {
  const met = sense === '>=' ? value >= goal : value <= goal;
  return { id, suite, what, sense, goal, value, spread, unit, met, note };
}

const spreadOf = ({ q1, q3, count }) => (count > 1 ? { q1, q3 } : undefined);
const ofSummary = (summary, note) => ({ value: summary.median, spread: spreadOf(summary), note });
/** The ratio of costs: the inverse of the factor by which native is better. */
const inverse = ({ median, q1, q3, count }, note) =>
  ofSummary({ median: 1 / median, q1: 1 / q3, q3: 1 / q1, count }, note);

/**
 * Geometric mean and worst entry of a comparison over the corpus.
 *
 * @param {string} id
 * @param {string} suite
 * @param {string} what
 * @param {any} comparison
 * @param {[mean: number, worst?: number]} goals
 * @returns {GoalRow[]}
 */
function corpusRows(id, suite, what, { mean, worst }, [meanGoal, worstGoal]) {
  const rows = [
    row(
      `${id}-mean`,
      suite,
      `${what}, geometric mean`,
      '>=',
      meanGoal,
      ofSummary(mean, `worst: ${worst.name} ${worst.ratio.median.toFixed(1)}x`)
    )
  ];
  if (worstGoal)
    rows.push(row(`${id}-worst`, suite, `${what}, worst entry`, '>=', worstGoal, ofSummary(worst.ratio, worst.name)));
  return rows;
}

function codecRows({ baileys, bridge }) {
  return [
    ...corpusRows('decode', 'codec', 'decode, synchronous', baileys.decode, [6, 4]),
    ...corpusRows('encode', 'codec', 'encode, synchronous', baileys.encode, [10, 6]),
    ...corpusRows('seal', 'codec', 'encodeBinaryNode and encodeFrame, sealed', baileys.seal, [6]),
    ...corpusRows('open', 'codec', 'decodeFrame of sealed frames', baileys.open, [5]),
    ...corpusRows('bridge-encode', 'codec', 'whatsapp-rust-bridge: encodeNode', bridge.encode, [4]),
    ...corpusRows('bridge-decode', 'codec', 'whatsapp-rust-bridge: decodeNode, read', bridge.decode, [4]),
    ...corpusRows('bridge-seal', 'codec', 'whatsapp-rust-bridge: NoiseSession.encodeFrame', bridge.seal, [4]),
    ...corpusRows('bridge-open', 'codec', 'whatsapp-rust-bridge: NoiseSession.decodeFrame, read', bridge.open, [4])
  ];
}

const readAheadRows = ({ hydrate }) =>
  corpusRows('read-ahead', 'read-ahead', 'decode, JavaScript thread, frames decoded by the read-ahead', hydrate, [9]);

/** The cell with the worst ratio of a value, and the geometric mean of all cells. */
function worstCell(cells, name) {
  const least = cells.reduce((worst, cell) => (cell[name].ratio.median < worst[name].ratio.median ? cell : worst));
  const mean = geometricMean(cells.map(cell => cell[name].ratio.median));
  return { least, mean, where: `worst of ${cells.length}: ${least.protocol} ${least.stanza} by ${least.perMessage}` };
}

function stanzaRows({ cells }) {
  const rate = worstCell(cells, 'perSecond');
  const rows = [
    row(
      'stanzas-per-second',
      'stanzas',
      'stanzas/s into makeSocket',
      '>=',
      7.5,
      ofSummary(rate.least.perSecond.ratio, `${rate.where}; geometric mean ${rate.mean.toFixed(1)}x`)
    )
  ];
  for (const [id, name, what, goal] of /** @type {[string, string, string, number][]} */ ([
    ['stanzas-cpu', 'cpuUs', 'CPU per stanza, whole process', 0.14],
    ['stanzas-thread', 'threadUs', 'CPU per stanza, JavaScript thread', 1 / 6]
  ])) {
    const { least, mean, where } = worstCell(cells, name);
    // Some systems do not have the CPU time of a thread.
    if (!Number.isFinite(least[name].ratio.median)) continue;
    rows.push(
      row(
        id,
        'stanzas',
        what,
        '<=',
        goal,
        inverse(least[name].ratio, `${where}; geometric mean ${(1 / mean).toFixed(3)}x`)
      )
    );
  }
  return rows;
}

/** Names of the patterns of the suite `outbound`. */
export const PATTERNS = { turn: 'in turn', hundred: '100 at once', all: 'all at once' };

/** Small stanzas: their cost is mostly that of the connection, not that of the codec. */
const SMALL = ['ack', 'message'];

function outboundRows({ cells }) {
  const rows = [];
  /** Adds a row: the worst cell of a pattern with a small stanza, and the geometric mean of all such cells. */
  const add = (id, what, sense, goal, client, figure, pattern) => {
    const small = cells.filter(cell => cell.pattern === pattern && SMALL.includes(cell.stanza));
    const least = small.reduce((worst, cell) =>
      cell[client][figure].ratio.median < worst[client][figure].ratio.median ? cell : worst
    );
    // Some systems do not have the CPU time of a thread.
    if (!Number.isFinite(least[client][figure].ratio.median)) return;
    const mean = geometricMean(small.map(cell => cell[client][figure].ratio.median));
    const shown = sense === '>=' ? `${mean.toFixed(1)}x` : `${(1 / mean).toFixed(3)}x`;
    const where = `${least.protocol} ${least.stanza}, ${least.sockets} ${least.sockets === 1 ? 'socket' : 'sockets'}`;
    const note = `worst of ${small.length}: ${where}; geometric mean ${shown}`;
    const value = (sense === '>=' ? ofSummary : inverse)(least[client][figure].ratio, note);
    rows.push(row(id, 'outbound', `${what}, ${PATTERNS[pattern]}`, sense, goal, value));
  };
  for (const pattern of ['hundred', 'turn']) {
    add(`outbound-rate-${pattern}`, 'stanzas/s out of makeSocket', '>=', 6, 'native', 'perSecond', pattern);
    add(`outbound-cpu-${pattern}`, 'CPU per stanza out, whole process', '<=', 0.18, 'native', 'cpuUs', pattern);
  }
  const what = 'NativeSession: JavaScript thread, each sendNode';
  add('outbound-session', what, '<=', 0.06, 'session', 'threadUs', 'hundred');
  const counted = cells.filter(cell => cell.pattern === 'hundred' && cell.sockets === 1 && SMALL.includes(cell.stanza));
  // There are no numbers of writes if the machine cannot count them.
  if (counted.every(({ native }) => Number.isFinite(native.writes.median))) {
    const most = counted.reduce((worst, cell) =>
      cell.native.writes.median > worst.native.writes.median ? cell : worst
    );
    rows.push(
      row('outbound-writes', 'outbound', 'writes per message out of makeSocket, 100 at once', '<=', 0.05, {
        value: most.native.writes.median,
        unit: 'writes',
        note: `most of ${counted.length}: ${most.protocol} ${most.stanza}; JavaScript ${most.jsWrites.median.toFixed(3)}`
      })
    );
  }
  return rows;
}

function botRows({ in: into, out, peakRss, delayMs }) {
  const each = ({ js, native }) => `${Math.round(js.median)} us to ${Math.round(native.median)} us`;
  const megabytes = ({ median }) => `${(median / 2 ** 20).toFixed(0)} MB`;
  const cpu = (id, direction, goal, { cpuUs }, delay) =>
    row(
      id,
      'bot',
      `CPU per text of a whole bot, ${direction}`,
      '<=',
      goal,
      inverse(
        cpuUs.ratio,
        `${each(cpuUs)}; p99 delay of the loop ${milliseconds(delay.js.median)} to ${milliseconds(delay.native.median)}`
      )
    );
  return [
    cpu('bot-in', 'in', 0.62, into, delayMs.in),
    cpu('bot-out', 'out', 0.55, out, delayMs.out),
    row(
      'bot-rss',
      'bot',
      'peak RSS of a whole bot',
      '<=',
      1,
      inverse(peakRss.ratio, `${megabytes(peakRss.js)} to ${megabytes(peakRss.native)}`)
    )
  ];
}

function latencyRows({ idle, burst, count }) {
  const times = ({ js, native }) => `${milliseconds(js.median)} to ${milliseconds(native.median)}`;
  return [
    row('rtt-idle', 'latency', 'query round trip, p50, idle', '<=', 0.55, inverse(idle.p50.ratio, times(idle.p50))),
    row(
      'rtt-burst',
      'latency',
      `query round trip, p99, during ${thousands(count)} stanzas`,
      '<=',
      0.15,
      inverse(burst.p99.ratio, times(burst.p99))
    )
  ];
}

/** The worst of the cells that match. */
function worstOf(cells, name, matches) {
  const { least, mean } = worstCell(cells.filter(matches), name);
  const note = `worst: ${least.stanza} by ${least.perMessage}; geometric mean ${mean.toFixed(1)}x`;
  return { ratio: least[name].ratio, note };
}

function sessionRows({ cells, rtt, memory, connections }) {
  const rate = (stanza, goal) => {
    const { ratio, note } = worstOf(cells, 'perSecond', cell => cell.asked && cell.stanza === stanza);
    return row(
      `session-${stanza}`,
      'session',
      `NativeSession: ${stanza} stanzas/s`,
      '>=',
      goal,
      ofSummary(ratio, note)
    );
  };
  const thread = (id, what, asked, goal) => {
    const { ratio, note } = worstOf(cells, 'threadUs', cell => cell.asked === asked);
    // Some systems do not have the CPU time of a thread.
    if (!Number.isFinite(ratio.median)) return [];
    return [row(id, 'session', `NativeSession: JavaScript thread, ${what}`, '<=', goal, inverse(ratio, note))];
  };
  const { js, native, ratio } = memory.rss;
  return [
    rate('ack', 20),
    rate('message', 18),
    ...thread('session-thread', 'each stanza', true, 1 / 12),
    ...thread('session-unasked', 'stanzas without a listener', false, 1 / 50),
    row(
      'session-rtt',
      'session',
      'NativeSession: query round trip, p50, compared with the drop-in',
      '<=',
      1,
      inverse(rtt.p50.ratio, `${milliseconds(rtt.p50.js.median)} to ${milliseconds(rtt.p50.native.median)}`)
    ),
    row(
      'session-rss',
      'session',
      `NativeSession: KB of RSS per idle TLS session, ${thousands(connections.native)} of them`,
      '<=',
      45,
      {
        value: native.median / 1024,
        unit: 'KB',
        note: `Baileys ${kilobytes(js.median)}: ${ratio.median.toFixed(1)} times as much`
      }
    )
  ];
}

function memoryRows({ bare, bots, kept, keptBuffer, connections, messageBytes }) {
  const each = ({ js, native }) => `${kilobytes(js.median)} to ${kilobytes(native.median)}`;
  return [
    row(
      'rss-bare',
      'memory',
      `RSS of an idle TLS connection, bare client, ${thousands(connections.bare)} of them`,
      '<=',
      0.45,
      inverse(bare.ratio, each(bare))
    ),
    row(
      'rss-bots',
      'memory',
      `RSS of an idle TLS connection, makeSocket, ${thousands(connections.bots)} of them`,
      '<=',
      0.6,
      inverse(bots.ratio, each(bots))
    ),
    row(
      'rss-kept',
      'memory',
      `RSS of a connection of a bare client after a stanza of ${kilobytes(messageBytes)}`,
      '<=',
      0.2,
      inverse(kept.ratio, each(kept))
    ),
    // Older reports do not have this value.
    ...(keptBuffer === undefined
      ? []
      : [
          row(
            'rss-kept-buffer',
            'memory',
            `KB per Buffer that a program keeps: a key of ${keptBuffer.length} bytes from every ${keptBuffer.every}th stanza`,
            '<=',
            1,
            inverse(keptBuffer.bytes.ratio, each(keptBuffer.bytes))
          )
        ])
  ];
}

/** The cost of a connection counts as constant if it grows by at most these factors. */
const MAX_GROWTH = { memory: 1.15, cpu: 1.25 };

function connectionRows({ wanted, pingWithinMs, native }) {
  const first = native.steps[0];
  const rise = name => Math.max(...native.steps.map(step => step[name])) / first[name];
  const steps = show => native.steps.map(step => `${thousands(step.count)}: ${show(step)}`).join(', ');
  const { answered, ms } = native.ping;
  return [
    row('connections-open', 'connections', 'connections in one process', '>=', wanted, {
      value: native.open,
      unit: 'connections'
    }),
    row(
      'connections-ping',
      'connections',
      `connections that answer a ping within ${pingWithinMs / 1000} s`,
      '>=',
      wanted,
      {
        value: answered,
        unit: 'connections',
        note: `the last after ${milliseconds(ms)}`
      }
    ),
    row(
      'connections-memory',
      'connections',
      `RSS per connection: maximum, compared with ${thousands(first.count)} connections`,
      '<=',
      MAX_GROWTH.memory,
      { value: rise('rssEach'), note: steps(step => kilobytes(step.rssEach)) }
    ),
    row(
      'connections-cpu',
      'connections',
      `CPU to connect one: maximum, compared with the first ${thousands(first.count)}`,
      '<=',
      MAX_GROWTH.cpu,
      { value: rise('connectCpuUs'), note: steps(step => `${thousands(step.connectCpuUs)} us`) }
    )
  ];
}

/** The groups of the core's benches that have a goal. The others are reported for comparison. */
const CORE_GROUPS = ['decode', 'encode', 'seal', 'open', 'handshake', 'frames_64'];

export const isCoreGoal = ({ group, against }) => CORE_GROUPS.includes(group) && against === 'wacore';

function coreRows({ rows }) {
  const name = { codec: 'codec against wacore-binary 0.7', noise: 'noise and frames against wacore-noise 0.7' };
  const groups = { codec: ['decode', 'encode'], noise: ['seal', 'open', 'handshake', 'frames_64'] };
  return Object.keys(groups).map(part => {
    const entries = rows.filter(entry => isCoreGoal(entry) && groups[part].includes(entry.group));
    const worst = entries.reduce((least, entry) => (entry.ratio.median < least.ratio.median ? entry : least));
    const slower = entries.filter(({ ratio }) => ratio.median < 1).length;
    const note = `${worst.group} ${worst.entry}`.trim() + `; slower on ${slower} of ${entries.length}`;
    return row(`core-${part}`, 'core', `Rust ${name[part]}, worst entry`, '>=', 1, ofSummary(worst.ratio, note));
  });
}

const ROWS = {
  codec: codecRows,
  'read-ahead': readAheadRows,
  stanzas: stanzaRows,
  outbound: outboundRows,
  bot: botRows,
  latency: latencyRows,
  session: sessionRows,
  memory: memoryRows,
  connections: connectionRows,
  core: coreRows
};

/**
 * The goals for which there are results.
 *
 * @param {Record<string, any>} results By suite.
 * @returns {GoalRow[]}
 */
export function goalRows(results) {
  return Object.entries(ROWS).flatMap(([suite, rows]) => (results[suite] ? rows(results[suite]) : []));
}
