// Draws the plots of a report as SVG by ECharts, without a browser.

import * as echarts from 'echarts';

const WIDTH = 900;
const NAMES = { js: 'JavaScript', bridge: 'whatsapp-rust-bridge', native: 'native' };
const COLORS = {
  js: '#c2570c',
  bridge: '#64748b',
  native: '#1d4ed8',
  goal: '#111827',
  good: '#15803d',
  bad: '#b91c1c'
};
const TEXT = { fontFamily: 'system-ui, Segoe UI, Helvetica, Arial, sans-serif' };

const digits = value => String(Number(value.toPrecision(3)));

const short = value =>
  value >= 1e6 ? `${digits(value / 1e6)}M` : value >= 1000 ? `${digits(value / 1000)}k` : digits(value);

const duration = nanoseconds =>
  nanoseconds >= 1e6
    ? `${short(nanoseconds / 1e6)} ms`
    : nanoseconds >= 1000
      ? `${short(nanoseconds / 1000)} µs`
      : `${short(nanoseconds)} ns`;

/** @param {string} title @param {number} height @param {import('echarts').EChartsOption} option */
function draw(title, height, option) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: TEXT,
    title: { text: title, left: 20, top: 10, textStyle: { fontSize: 17 } },
    // Without a browser ECharts estimates the width of texts, and the estimate is too small.
    legend: { left: 20, top: 40, itemGap: 30 },
    ...option
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

/** The width of labels in a plot of ratios, in pixels. */
const LABEL_WIDTH = 430;

/** The ratios of all goals as bars: the factor by which native is better, with a mark at the goal. */
function ratioBars(rows) {
  const better = ({ sense }, value) => Math.log10(Math.max(sense === '>=' ? value : 1 / value, 1e-3));
  const bars = rows.filter(({ unit, suite }) => unit === 'x' && suite !== 'connections');
  const times = exponent => `${short(10 ** exponent)}x`;
  return draw('Factor by which native is better, and the goals', 110 + bars.length * 24, {
    grid: { left: LABEL_WIDTH, right: 80, top: 70, bottom: 40 },
    xAxis: { type: 'value', interval: 1, axisLabel: { formatter: times } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ what }) => what),
      axisLabel: { fontSize: 11, width: LABEL_WIDTH - 20, overflow: 'truncate' },
      axisLine: { onZero: false }
    },
    series: [
      ...['good', 'bad'].map(side => ({
        name: side === 'good' ? 'goal met' : 'goal not met',
        type: /** @type {const} */ ('bar'),
        stack: 'value',
        color: COLORS[side],
        data: bars.map(row => (row.met === (side === 'good') ? better(row, row.value) : undefined)),
        label: {
          show: true,
          position: /** @type {const} */ ('right'),
          formatter: ({ value }) => (value === undefined ? '' : times(value))
        }
      })),
      {
        name: 'goal',
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [3, 18],
        color: COLORS.goal,
        z: 3,
        data: bars.map(row => better(row, row.goal))
      }
    ]
  });
}

/** The time of each entry of the corpus, for each operation. */
function corpusBars({ baileys, bridge }) {
  const operations = { decode: 'decode', encode: 'encode', seal: 'encode and seal', open: 'open and decode' };
  const names = baileys.decode.entries.map(({ name }) => name);
  const panels = Object.keys(operations);
  const panel = index => ({ left: 70, right: 20, top: 90 + index * 230, height: 160 });
  const values = operation => ({
    js: baileys[operation].entries.map(({ js }) => js.median),
    bridge: bridge[operation].entries.map(({ js }) => js.median),
    native: baileys[operation].entries.map(({ native }) => native.median)
  });
  return draw('Time per stanza (logarithmic)', 100 + panels.length * 230, {
    grid: panels.map((_, index) => panel(index)),
    xAxis: panels.map((_, gridIndex) => ({
      type: /** @type {const} */ ('category'),
      gridIndex,
      data: names,
      axisLabel: { rotate: 30, fontSize: 10 }
    })),
    yAxis: panels.map((operation, gridIndex) => ({
      type: /** @type {const} */ ('log'),
      gridIndex,
      min: 10,
      name: operations[operation],
      nameTextStyle: { align: /** @type {const} */ ('left') },
      axisLabel: { formatter: duration }
    })),
    series: panels.flatMap((operation, index) =>
      Object.entries(values(operation)).map(([side, data]) => ({
        name: NAMES[side],
        type: /** @type {const} */ ('bar'),
        color: COLORS[side],
        xAxisIndex: index,
        yAxisIndex: index,
        data
      }))
    )
  });
}

/** One line for each side over a logarithmic number of connections. */
const overConnections = ({ title, yTitle, points, show }) =>
  draw(title, 430, {
    grid: { left: 90, right: 40, top: 100, bottom: 60 },
    xAxis: {
      type: 'log',
      name: 'connections of one process (logarithmic)',
      nameLocation: 'middle',
      nameGap: 30,
      min: 'dataMin',
      max: 'dataMax'
    },
    yAxis: { type: 'value', name: yTitle, axisLabel: { formatter: show } },
    series: ['js', 'native'].map(side => ({
      name: NAMES[side],
      type: /** @type {const} */ ('line'),
      color: COLORS[side],
      data: points(side)
    }))
  });

const throughput = ({ points, count }) =>
  overConnections({
    title: `Stanzas per second into makeSocket, ${count.toLocaleString('en-US')} messages over all connections (wss)`,
    yTitle: 'stanzas per second',
    points: side => points.map(({ connections, perSecond }) => [connections, perSecond[side].median]),
    show: short
  });

const memoryOverConnections = results =>
  overConnections({
    title: 'Memory of an idle TLS connection, bare client',
    yTitle: 'RSS per connection',
    points: side => results[side].steps.map(({ count, rssEach }) => [count, Math.max(rssEach, 0) / 1024]),
    show: value => `${short(value)} KB`
  });

/** Cumulative distributions of round trips, on an idle connection and under a burst. */
function latencyDistribution({ idle, burst, count }) {
  const sets = { idle: idle, 'under a burst': burst };
  return draw(`Query round trips: idle and while ${count.toLocaleString('en-US')} stanzas arrive`, 450, {
    grid: { left: 70, right: 40, top: 100, bottom: 60 },
    xAxis: {
      type: 'log',
      name: 'round trip (logarithmic)',
      nameLocation: 'middle',
      nameGap: 30,
      axisLabel: { formatter: value => `${short(value)} ms` }
    },
    yAxis: {
      type: 'value',
      max: 1,
      name: 'share of answers',
      axisLabel: { formatter: share => `${Math.round(share * 100)}%` }
    },
    series: Object.entries(sets).flatMap(([name, { distribution }]) =>
      ['js', 'native'].map(side => ({
        name: `${NAMES[side]}, ${name}`,
        type: /** @type {const} */ ('line'),
        symbol: 'none',
        color: COLORS[side],
        lineStyle: { width: name === 'idle' ? 1.5 : 3 },
        data: distribution[side].ms.map((ms, index, all) => [ms, index / (all.length - 1)])
      }))
    )
  });
}

/**
 * All plots for which there are results, by file name.
 *
 * @param {Record<string, any>} results By suite.
 * @param {import('../goals.mjs').GoalRow[]} rows
 * @returns {Record<string, { title: string, svg: string }>}
 */
export function plots(results, rows) {
  /** @type {Record<string, { title: string, svg: string }>} */
  const made = {};
  const add = (file, title, svg) => (made[file] = { title, svg });
  if (rows.some(({ unit, suite }) => unit === 'x' && suite !== 'connections'))
    add('ratios.svg', 'Ratios and goals', ratioBars(rows));
  if (results.codec) add('corpus.svg', 'Time per stanza of the corpus', corpusBars(results.codec));
  if (results.spread) add('throughput.svg', 'Throughput against the number of connections', throughput(results.spread));
  if (results.latency)
    add('latency.svg', 'Latency distribution, idle and under a burst', latencyDistribution(results.latency));
  if (results.connections)
    add('memory.svg', 'Memory against the number of connections', memoryOverConnections(results.connections));
  return made;
}
