// The plots of a report.

import { COLORS, document, dot, legend, line, linearScale, logScale, polyline, rectangle, text } from './svg.mjs';

const WIDTH = 900;
const NAMES = { js: 'JavaScript', native: 'native', bridge: 'whatsapp-rust-bridge' };

const short = value =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));

/** What a goal is about, as short as a bar's label has to be. */
const label = what =>
  what
    .replace('whatsapp-rust-bridge', 'bridge')
    .replace('geometric mean', 'mean')
    .replace(/idle TLS connection/, 'idle connection')
    .replace(/ of them$/, '');

/** Ratios of all goals as bars, each as how much better native is, with a mark where the goal is. */
export function ratioBars(rows) {
  const better = ({ sense }, value) => (sense === '>=' ? value : 1 / value);
  const bars = rows.filter(({ unit, suite }) => unit === 'x' && suite !== 'connections');
  const [left, right, top, step] = [390, 70, 78, 25];
  const height = top + bars.length * step + 44;
  const { at, ticks } = logScale(
    bars.flatMap(bar => [better(bar, bar.value), better(bar, bar.goal), 1]),
    [left, WIDTH - right]
  );
  const bottom = top + bars.length * step;
  const parts = [
    text(20, 28, 'How many times better than what it replaces, and the goals', { size: 17, weight: 600 }),
    ...legend(20, 54, [
      ['goal met', COLORS.good],
      ['goal not met', COLORS.bad],
      ['goal (mark)', COLORS.goal]
    ]),
    ...ticks.flatMap(tick => [
      line(at(tick), top - 6, at(tick), bottom, tick === 1 ? '#9ca3af' : undefined),
      text(at(tick), bottom + 16, `${short(tick)}x`, { anchor: 'middle', size: 11 })
    ]),
    ...bars.flatMap((bar, index) => {
      const y = top + index * step;
      const value = better(bar, bar.value);
      const [start, end] = [at(1), at(value)].sort((a, b) => a - b);
      const goal = at(better(bar, bar.goal));
      return [
        text(left - 10, y + 14, label(bar.what), {
          anchor: 'end',
          size: 11.5
        }),
        rectangle(start, y + 3, Math.max(end - start, 1), step - 9, bar.met ? COLORS.good : COLORS.bad),
        line(goal, y, goal, y + step - 3, COLORS.goal, 3),
        text(Math.max(end, goal) + 7, y + 14, `${value.toFixed(value < 10 ? 2 : 1)}x`, { size: 11.5, weight: 600 })
      ];
    }),
    text((left + WIDTH - right) / 2, height - 10, 'ratio (logarithmic; the inverse where less is better)', {
      anchor: 'middle'
    })
  ];
  return document(WIDTH, height, 'Ratios and goals', parts);
}

/** Time of each entry of the corpus, operation by operation. */
export function corpusBars({ baileys, bridge }) {
  const operations = { decode: 'decode', encode: 'encode', seal: 'encode and seal', open: 'open and decode' };
  const names = baileys.decode.entries.map(({ name }) => name);
  const [left, panelTop, panelHeight, gap] = [70, 70, 190, 62];
  const plotWidth = WIDTH - left - 20;
  const parts = [
    text(20, 28, 'Time per stanza, synchronous calls', { size: 17, weight: 600 }),
    ...legend(
      20,
      52,
      Object.entries(NAMES).map(([key, name]) => [name, COLORS[key]])
    )
  ];
  Object.entries(operations).forEach(([operation, title], panel) => {
    const top = panelTop + panel * (panelHeight + gap) + 20;
    const bottom = top + panelHeight;
    const values = names.map((_, index) => {
      const { js, native } = baileys[operation].entries[index];
      return { js: js.median, bridge: bridge[operation].entries[index].js.median, native: native.median };
    });
    const { at, ticks } = logScale(values.flatMap(Object.values), [bottom, top]);
    const step = plotWidth / names.length;
    parts.push(
      text(left, top - 8, title, { weight: 600, size: 13 }),
      text(18, (top + bottom) / 2, 'time (log)', { anchor: 'middle', turned: true, size: 11 }),
      ...ticks.flatMap(tick => [
        line(left, at(tick), WIDTH - 20, at(tick)),
        text(left - 6, at(tick) + 4, duration(tick), { anchor: 'end', size: 11 })
      ]),
      ...values.flatMap((value, index) => {
        const x = left + index * step + step * 0.1;
        const width = (step * 0.8) / 3;
        return [
          ...['js', 'bridge', 'native'].map((side, place) =>
            rectangle(x + place * width, at(value[side]), width - 1, bottom - at(value[side]), COLORS[side])
          ),
          text(x + width * 1.5, bottom + 14 + (index % 2) * 12, names[index], { anchor: 'middle', size: 10.5 })
        ];
      })
    );
  });
  const height = panelTop + 4 * (panelHeight + gap) + 10;
  return document(WIDTH, height, 'Time per stanza', parts);
}

const duration = nanoseconds =>
  nanoseconds >= 1e6
    ? `${short(nanoseconds / 1e6)} ms`
    : nanoseconds >= 1000
      ? `${short(nanoseconds / 1000)} µs`
      : `${short(nanoseconds)} ns`;

/** Two lines over a logarithmic number of connections. */
function lines({ title, xTitle, yTitle, series, show }) {
  const [left, right, top, bottom, height] = [90, 30, 76, 370, 430];
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const x = logScale(xs, [left, WIDTH - right]);
  const y = linearScale(
    series.flatMap(({ points }) => points.map(([, value]) => value)),
    [bottom, top]
  );
  return document(WIDTH, height, title, [
    text(20, 28, title, { size: 17, weight: 600 }),
    ...legend(
      20,
      54,
      series.map(({ name, color }) => [name, color])
    ),
    ...y.ticks.flatMap(tick => [
      line(left, y.at(tick), WIDTH - right, y.at(tick)),
      text(left - 8, y.at(tick) + 4, show(tick), { anchor: 'end', size: 11 })
    ]),
    ...[...new Set(xs)].map(value =>
      text(x.at(value), bottom + 18, value.toLocaleString('en-US'), { anchor: 'middle', size: 11 })
    ),
    line(left, bottom, WIDTH - right, bottom, '#9ca3af'),
    text((left + WIDTH - right) / 2, height - 14, xTitle, { anchor: 'middle' }),
    text(22, (top + bottom) / 2, yTitle, { anchor: 'middle', turned: true }),
    ...series.flatMap(({ points, color }) => {
      const places = points.map(([px, py]) => [x.at(px), y.at(py)]);
      return [polyline(places, color), ...places.map(([px, py]) => dot(px, py, color))];
    })
  ]);
}

const both = figure => ['js', 'native'].map(side => ({ name: NAMES[side], color: COLORS[side], points: figure(side) }));

export const throughput = ({ points, count }) =>
  lines({
    title: `Stanzas a second into makeSocket, ${count.toLocaleString('en-US')} messages over all connections (wss)`,
    xTitle: 'connections of one process (logarithmic)',
    yTitle: 'stanzas a second',
    series: both(side => points.map(({ connections, perSecond }) => [connections, perSecond[side].median])),
    show: short
  });

export const memoryOverConnections = results =>
  lines({
    title: 'Memory of an idle TLS connection, bare client',
    xTitle: 'connections of one process (logarithmic)',
    yTitle: 'RSS per connection',
    series: both(side => results[side].steps.map(({ count, rssEach }) => [count, Math.max(rssEach, 0) / 1024])),
    show: value => `${short(value)} KB`
  });

/** Cumulative distributions of round trips: idle to the left, under the burst to the right. */
export function latencyDistribution({ idle, burst, count }) {
  const [left, right, top, bottom, height] = [70, 30, 76, 390, 450];
  const sets = [
    ['idle', idle, 1.5],
    ['burst', burst, 3]
  ];
  const all = sets.flatMap(([, { distribution }]) => [...distribution.js.ms, ...distribution.native.ms]);
  const x = logScale(all, [left, WIDTH - right]);
  const y = share => bottom - share * (bottom - top);
  return document(WIDTH, height, 'Query round trips', [
    text(20, 28, `Query round trips: idle (thin) and while ${count.toLocaleString('en-US')} stanzas arrive (thick)`, {
      size: 17,
      weight: 600
    }),
    ...legend(
      20,
      54,
      ['js', 'native'].map(side => [NAMES[side], COLORS[side]])
    ),
    ...[0, 0.25, 0.5, 0.75, 0.99].flatMap(share => [
      line(left, y(share), WIDTH - right, y(share)),
      text(left - 8, y(share) + 4, `${Math.round(share * 100)}%`, { anchor: 'end', size: 11 })
    ]),
    ...x.ticks.flatMap(tick => [
      line(x.at(tick), top, x.at(tick), bottom),
      text(x.at(tick), bottom + 18, `${short(tick)} ms`, { anchor: 'middle', size: 11 })
    ]),
    text((left + WIDTH - right) / 2, height - 14, 'round trip (logarithmic)', { anchor: 'middle' }),
    text(20, (top + bottom) / 2, 'share of queries answered by then', { anchor: 'middle', turned: true }),
    ...sets.flatMap(([, { distribution }, width]) =>
      ['js', 'native'].map(side => {
        const { ms } = distribution[side];
        const points = ms.map((value, index) => [x.at(value), y(index / (ms.length - 1))]);
        return polyline(points, COLORS[side], width);
      })
    )
  ]);
}

/**
 * All plots that the results allow, by file name.
 *
 * @param {Record<string, any>} results By suite.
 * @param {import('../goals.mjs').Row[]} rows
 * @returns {Record<string, { title: string, svg: string }>}
 */
export function plots(results, rows) {
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
