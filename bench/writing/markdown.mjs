// Writes a report as text and tables.

import { PATTERNS, isCoreGoal } from '../goals.mjs';

const digits = value =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
const whole = value => Math.round(value).toLocaleString('en-US');
const ratio = value => `${value < 1 ? value.toFixed(3) : digits(value)}x`;
const kilobytes = value => `${(value / 1024).toFixed(1)} KB`;
const megabytes = value => `${(value / 2 ** 20).toFixed(1)} MB`;

const time = nanoseconds =>
  nanoseconds >= 1e6
    ? `${digits(nanoseconds / 1e6)} ms`
    : nanoseconds >= 1000
      ? `${digits(nanoseconds / 1000)} µs`
      : `${nanoseconds.toFixed(0)} ns`;

/** The parts of a whole bot that this package replaces. */
const REPLACED_PARTS = ['socket layer', 'timeouts'];

/** @param {number[]} values */
const sum = values => values.reduce((total, value) => total + value, 0);

/**
 * The share of the time that a whole bot spends in the parts that this package does not replace.
 *
 * @param {Record<string, number>} parts
 */
const shareOfOthers = parts => 1 - sum(REPLACED_PARTS.map(name => parts[name])) / sum(Object.values(parts));

/** @param {Record<string, number>} parts */
const withTotal = parts => ({ ...parts, all: sum(Object.values(parts)) });

/** How the counts of stanzas differ between the sides. Older reports have no factor. */
const onNativeSide = factor => (factor ? `, ${factor} times as many on the native side` : '');

/** A median and, if there were several rounds, the median absolute deviation. */
const spread = ({ median, mad, count }, show) => (count > 1 ? `${show(median)} ± ${show(mad)}` : show(median));

/**
 * @param {string[]} head The first column is text, the others are numbers.
 * @param {string[][]} rows
 */
function table(head, rows) {
  const line = cells => `| ${cells.map(cell => String(cell).replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** The head of a table of floods, with the names of both sides. */
const floodHead = (js, native) => [
  '',
  ...['stanzas/s', 'CPU each', 'thread'].flatMap(what => [`${what}, ${js}`, native, 'ratio'])
];

/** A row of that table without its name: stanzas per second, then CPU time and thread time of one stanza. */
const floodCells = ({ perSecond, cpuUs, threadUs }) => [
  spread(perSecond.js, whole),
  spread(perSecond.native, whole),
  ratio(perSecond.ratio.median),
  ...[cpuUs, threadUs].flatMap(cost => [
    `${digits(cost.js.median)} µs`,
    `${digits(cost.native.median)} µs`,
    ratio(1 / cost.ratio.median)
  ])
];

/** @param {object} [other] A report of another version of Node, shown beside it. */
function goalTable(rows, other) {
  const show = (row, value) => (row.unit === 'x' ? ratio(value) : row.goal < 10 ? digits(value) : whole(value));
  const beside = ({ id }) => {
    const row = other.goals.find(goal => goal.id === id);
    return row === undefined ? '' : show(row, row.value);
  };
  return table(
    [
      'what',
      'goal',
      'measured',
      'quartiles',
      '',
      ...(other ? [`Node ${Number.parseInt(other.machine.node, 10)}`] : []),
      'note'
    ],
    rows.map(row => [
      row.what,
      `${row.sense === '>=' ? 'at least' : 'at most'} ${show(row, row.goal)}`,
      `**${show(row, row.value)}**`,
      row.spread ? `${show(row, row.spread.q1)}–${show(row, row.spread.q3)}` : '',
      row.met ? 'met' : '**not met**',
      ...(other ? [beside(row)] : []),
      row.note ?? ''
    ])
  );
}

const majorOf = ({ machine }) => Number.parseInt(machine.node, 10);

/**
 * The number of goals that are met, and the reasons why the others are not, with the attempts.
 *
 * @param {object} report
 * @param {Record<string, Record<string, string>>} reasons From `bench/reasons.json`. A version of Node without a reason
 *   has that of the latest version.
 * @param {Set<string>} [explained] Goals whose reasons are not repeated.
 */
function reasonList(report, reasons, explained = new Set()) {
  const missed = report.goals.filter(({ met }) => !met);
  const texts = { ...Object.values(reasons).at(-1), ...reasons[majorOf(report)] };
  return [
    `Met on Node ${majorOf(report)}: ${report.goals.length - missed.length} of ${report.goals.length}.`,
    ...missed.filter(({ id }) => texts[id] && !explained.has(id)).map(({ id, what }) => `- **${what}:** ${texts[id]}`)
  ];
}

function corpusTable({ entries }, sizes, other) {
  return table(
    ['stanza', 'bytes', other, 'native', 'ratio'],
    entries.map(({ name, js, native, ratio: times }) => [
      name,
      sizes?.[name] === undefined ? '' : whole(sizes[name]),
      spread(js, time),
      spread(native, time),
      ratio(times.median)
    ])
  );
}

const DETAILS = {
  codec({ baileys, bridge, sizes, compared }) {
    const titles = {
      decode: 'decode',
      encode: 'encode',
      seal: 'encodeBinaryNode and encodeFrame, sealed',
      open: 'decodeFrame of a sealed frame'
    };
    return [
      '## Codec and sealing, synchronous calls',
      `Time per stanza. Before the measurement, each process encoded, decoded, sealed and opened ${compared} stanzas and compared the results with those of Baileys.`,
      ...Object.entries(titles).flatMap(([operation, title]) => [
        `### ${title}`,
        corpusTable(baileys[operation], sizes, 'Baileys'),
        `Against whatsapp-rust-bridge: geometric mean ${ratio(bridge[operation].mean.median)}, worst ${ratio(bridge[operation].worst.ratio.median)} (${bridge[operation].worst.name}).`
      ])
    ];
  },

  'read-ahead': ({ hydrate, withHandOver }) => [
    '## Frames decoded by the read-ahead',
    "The time of the JavaScript thread for a frame that the threads of the addon have already opened and decoded: `decodeFrame`, compared with Baileys' synchronous decoding of the same bytes.",
    corpusTable(hydrate, undefined, 'Baileys'),
    `With the hand-over (messages and tapes are copied into memory of JavaScript), compared with Baileys' \`decodeFrame\`: geometric mean ${ratio(withHandOver.mean.median)}, worst ${ratio(withHandOver.worst.ratio.median)} (${withHandOver.worst.name}).`
  ],

  stanzas: ({ cells, count, nativeFactor, headroom }) => [
    '## Stanzas into `makeSocket`',
    `Floods of ${whole(count)} stanzas into an unmodified \`makeSocket\`${onNativeSide(nativeFactor)}; on the native side under \`baileys-native/register\`. The server is another process and has encrypted all stanzas in advance. Alone it is at least ${digits(headroom.least)} times as fast as the faster side.`,
    table(
      floodHead('JavaScript', 'native'),
      cells.map(cell => [`${cell.protocol}, ${cell.stanza}, ${cell.perMessage} a message`, ...floodCells(cell)])
    )
  ],

  outbound: ({ cells, counts, nativeFactor, headroom }) => [
    '## Stanzas out',
    `${Object.entries(counts)
      .map(([stanza, count]) => `${whole(count)} ${stanza}`)
      .join(
        ', '
      )} out of an unmodified \`makeSocket\` (native: under \`baileys-native/register\`) and out of a \`NativeSession\`${onNativeSide(nativeFactor)}. The server is another process that only reads and counts bytes. Alone it is at least ${digits(headroom.least)} times as fast as the fastest client. The time ends when every send has resolved and the server has read everything. Ratios are relative to JavaScript.`,
    table(
      [
        '',
        'stanzas/s, JavaScript',
        'native',
        'ratio',
        'session',
        'CPU each, JavaScript',
        'native',
        'ratio',
        'session',
        'thread, native',
        'session',
        'writes each, JavaScript',
        'native',
        'session'
      ],
      cells.map(({ protocol, stanza, sockets, pattern, jsWrites, native, session }) => [
        `${protocol}, ${stanza}, ${PATTERNS[pattern]}, ${sockets === 1 ? '1 socket' : `${sockets} sockets`}`,
        spread(native.perSecond.js, whole),
        spread(native.perSecond.native, whole),
        ratio(native.perSecond.ratio.median),
        ratio(session.perSecond.ratio.median),
        `${digits(native.cpuUs.js.median)} µs`,
        `${digits(native.cpuUs.native.median)} µs`,
        ratio(1 / native.cpuUs.ratio.median),
        ratio(1 / session.cpuUs.ratio.median),
        ratio(1 / native.threadUs.ratio.median),
        ratio(1 / session.threadUs.ratio.median),
        ...[jsWrites, native.writes, session.writes].map(({ median }) => median.toFixed(3))
      ])
    )
  ],

  bot: ({ texts, turns, in: into, out, alternate, delayMs, rss, peakRss, parts }) => [
    '## Whole bots',
    `Two unmodified \`makeWASocket\` exchange encrypted texts over the mock server: ${whole(texts)} in each direction in waves of ten, and ${whole(turns)} times one out and one in. A wave ends with the delivery receipts of its texts. One bot is measured, with its receipts and acks. The other bot runs on JavaScript in the process of the server.`,
    table(
      ['', 'JavaScript', 'native', 'ratio'],
      [
        ['CPU per text in', into.cpuUs, us => `${whole(us)} µs`],
        ['CPU per text out', out.cpuUs, us => `${whole(us)} µs`],
        ['CPU for one out and one in, alternately', alternate.cpuUs, us => `${whole(us)} µs`],
        ['JavaScript thread per text in', into.threadUs, us => `${whole(us)} µs`],
        ['JavaScript thread per text out', out.threadUs, us => `${whole(us)} µs`],
        ['p99 delay of the event loop, texts in', delayMs.in, ms => time(ms * 1e6)],
        ['p99 delay of the event loop, texts out', delayMs.out, ms => time(ms * 1e6)],
        ['RSS in the end', rss, megabytes],
        ['peak RSS', peakRss, megabytes]
      ].map(([name, { js, native, ratio: times }, show]) => [
        name,
        spread(js, show),
        spread(native, show),
        ratio(1 / times.median)
      ])
    ),
    `The time of the JavaScript thread by part, in µs per text, from one profiled run of each side. The time of Node counts for the part that has called it. This package only replaces ${REPLACED_PARTS.map(name => `"${name}"`).join(' and ')}. If they took no time, the thread would take ${ratio(shareOfOthers(parts.js.in))} (in) and ${ratio(shareOfOthers(parts.js.out))} (out) of its time on JavaScript.`,
    table(
      ['part', 'in, JavaScript', 'native', 'out, JavaScript', 'native'],
      Object.keys(withTotal(parts.js.in)).map(name => [
        name,
        ...['in', 'out'].flatMap(way => ['js', 'native'].map(side => whole(withTotal(parts[side][way])[name])))
      ])
    )
  ],

  spread: ({ points, count, nativeFactor }) => [
    '## Many connections',
    `${whole(count)} messages over all connections of a process at the same time${onNativeSide(nativeFactor)}.`,
    table(
      ['connections', 'stanzas/s, JavaScript', 'native', 'ratio', 'CPU each, JavaScript', 'native'],
      points.map(({ connections, perSecond, cpuUs }) => [
        connections,
        whole(perSecond.js.median),
        whole(perSecond.native.median),
        ratio(perSecond.ratio.median),
        `${digits(cpuUs.js.median)} µs`,
        `${digits(cpuUs.native.median)} µs`
      ])
    )
  ],

  latency: ({ idle, burst, count, intervalMs }) => [
    '## Query round trips',
    `During a burst of ${whole(count)} messages a query is due every ${intervalMs} ms. Its latency counts from the time at which it was due. The server sends an answer after all stanzas that it has sent before, so these latencies include that queue.`,
    table(
      ['', 'JavaScript', 'native', 'ratio'],
      [
        ['idle, p50', idle.p50],
        ['idle, p99', idle.p99],
        ['burst, p50', burst.p50],
        ['burst, p99', burst.p99]
      ].map(([name, { js, native, ratio: times }]) => [
        name,
        spread(js, ms => time(ms * 1e6)),
        spread(native, ms => time(ms * 1e6)),
        ratio(1 / times.median)
      ])
    )
  ],

  session: ({ cells, counts, rtt, memory, connections }) => [
    '## NativeSession',
    `Floods over TLS, of ${whole(counts.native)} stanzas into a \`NativeSession\` and of ${whole(counts.js)} into an unmodified \`makeSocket\`, each with one listener for the stanza or without a listener. The time starts with the request for the flood.`,
    table(
      floodHead('Baileys', 'session'),
      cells.map(cell => [
        `${cell.stanza}, ${cell.perMessage} a message, ${cell.asked ? 'with a listener' : 'without a listener'}`,
        ...floodCells(cell)
      ])
    ),
    table(
      ['query round trip, idle', 'drop-in', 'session', 'ratio'],
      [
        ['p50', rtt.p50],
        ['p99', rtt.p99]
      ].map(([name, { js, native, ratio: times }]) => [
        name,
        spread(js, ms => time(ms * 1e6)),
        spread(native, ms => time(ms * 1e6)),
        ratio(1 / times.median)
      ])
    ),
    table(
      [
        `idle TLS connections, ${whole(connections.js)} and ${whole(connections.native)}`,
        'Baileys',
        'session',
        'ratio'
      ],
      [
        ['RSS each', memory.rss, kilobytes],
        ['CPU to connect one', memory.loginCpuUs, us => `${whole(us)} µs`]
      ].map(([name, { js, native, ratio: times }, show]) => [
        name,
        spread(js, show),
        spread(native, show),
        ratio(1 / times.median)
      ])
    )
  ],

  memory: ({ connections, base, bare, bots, kept, grown, messageBytes, keptBuffer, start }) => [
    '## Memory',
    `Resident memory after garbage collection. For a connection: without that of the same process with ${base.bare} connections (bots: ${base.bots}).`,
    table(
      ['', 'JavaScript', 'native', 'ratio'],
      [
        [`connection, idle, bare client (${whole(connections.bare)})`, bare],
        [`connection, idle, makeSocket (${whole(connections.bots)})`, bots],
        [`connection of a bare client after one message of ${whole(messageBytes)} bytes`, kept],
        ['of that, grown by the message', grown],
        ...(keptBuffer ? [['memory that one kept key of 32 bytes keeps alive', keptBuffer.bytes]] : []),
        ...(start ? [['a process that has loaded Baileys, without connections', start.native, megabytes]] : []),
        ...(start ? [['the same, native: only a module hook of Node.js that does nothing', start.hook, megabytes]] : [])
      ].map(([name, { js, native, ratio: times }, show = kilobytes]) => [
        name,
        spread(js, show),
        spread(native, show),
        ratio(1 / times.median)
      ])
    )
  ],

  connections: ({ js, native }) => [
    '## Thousands of connections',
    table(
      [
        'connections',
        'RSS each, JavaScript',
        'native',
        'connected/s, JavaScript',
        'native',
        'CPU to connect, JavaScript',
        'native'
      ],
      native.steps.map((step, index) => [
        whole(step.count),
        kilobytes(js.steps[index].rssEach),
        kilobytes(step.rssEach),
        whole(js.steps[index].connectedPerSecond),
        whole(step.connectedPerSecond),
        `${whole(js.steps[index].connectCpuUs)} µs`,
        `${whole(step.connectCpuUs)} µs`
      ])
    ),
    `A ping to all connections at the same time: JavaScript answered ${whole(js.ping.answered)} of ${whole(js.ping.asked)} (the last after ${whole(js.ping.ms)} ms), native ${whole(native.ping.answered)} of ${whole(native.ping.asked)} (${whole(native.ping.ms)} ms).`
  ],

  core: ({ rows }) => [
    '## The Rust core',
    'Medians of divan, compared with `wacore-binary` and `wacore-noise` 0.7, built by the same compiler. Two groups have no goal: `decode_owned`, with nodes that own their strings, which the addon does not use; and nodes of the other crate with JIDs that were parsed before the measurement, which a program with strings would have to do first.',
    table(
      ['', 'theirs', 'ours', 'ratio', 'goal'],
      rows.map(entry => [
        `${entry.group} ${entry.entry}`.trim() + (entry.against === 'wacore' ? '' : ' (their JIDs parsed)'),
        time(entry.theirs.median),
        time(entry.ours.median),
        ratio(entry.ratio.median),
        isCoreGoal(entry) ? 'yes' : ''
      ])
    )
  ]
};

/** Describes the machine in a sentence. */
export function machineLine({ machine, finished }) {
  const { cpu, cores, memoryGiB, system, node, rustc, baileys, ws, commit, load } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${system}; Node ${node}; ${rustc ?? 'no rustc'}; Baileys ${baileys} with ws ${ws}; commit ${commit ?? 'unknown'}; load average ${load} before, ${finished.load} after.`;
}

const missedGoals = ({ goals }) => new Set(goals.filter(({ met }) => !met).map(({ id }) => id));

/**
 * @param {object} report The content of report.json.
 * @param {Record<string, { title: string }>} plots By file name.
 * @param {{ heading: string, folder: string, reasons: Record<string, Record<string, string>>, other?: object }} options
 *   `folder`: path from the document to the plots. `other`: a report of another version of Node.
 */
export function writeMarkdown(report, plots, { heading, folder, reasons, other }) {
  const picture = file => (plots[file] ? [`![${plots[file].title}](${folder}${file})`] : []);
  const level = report.level === 'quick' ? ' This was a quick run. Its figures are not reliable.' : '';
  const parts = [
    `# ${heading}`,
    `Measured ${report.started.slice(0, 10)} in ${Math.round(report.finished.seconds)} s by \`npm run bench\` on: ${machineLine(report)}${level}`,
    '## Goals',
    'Ratios are medians over rounds. In a round both sides run in turn, each in its own process. "At least 6x": native is six times as fast. "At most 0.2x": native takes a fifth.',
    ...(other ? [`Column "Node ${majorOf(other)}": the same goals on ${machineLine(other)}`] : []),
    goalTable(report.goals, other),
    ...reasonList(report, reasons),
    ...(other ? reasonList(other, reasons, missedGoals(report)) : []),
    ...picture('ratios.svg')
  ];
  const pictures = { codec: 'corpus.svg', spread: 'throughput.svg', latency: 'latency.svg', connections: 'memory.svg' };
  for (const [suite, details] of Object.entries(DETAILS)) {
    if (!report.results[suite]) continue;
    parts.push(...details(report.results[suite]));
    if (pictures[suite]) parts.push(...picture(pictures[suite]));
  }
  return parts.join('\n\n') + '\n';
}
