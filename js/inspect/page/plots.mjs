// The two SVG plots.

import { BOUNDS } from './statistics.mjs';

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} name @param {Record<string, string | number>} attrs @param {string} [text] */
function element(name, attrs, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attrs)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The next round number: 1, 2 or 5 times a power of ten. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value) ?? value;
}

/** @param {SVGSVGElement} svg @param {{ in: number, out: number }[]} series @returns {number} the end of the axis */
export function plotRates(svg, series) {
  const [width, height] = [600, 130];
  const top = roundUp(Math.max(1, ...series.flatMap(rate => [rate.in, rate.out])));
  const points = (/** @type {'in' | 'out'} */ direction) =>
    series
      .map((rate, i) => `${(i * width) / (series.length - 1)},${height - 4 - (rate[direction] / top) * (height - 12)}`)
      .join(' ');
  const grid = [4, height / 2, height - 4].map(y => element('line', { class: 'grid', x1: 0, x2: width, y1: y, y2: y }));
  const lines = /** @type {const} */ (['out', 'in']).map(direction =>
    element('polyline', { class: direction, points: points(direction) })
  );
  svg.replaceChildren(...grid, ...lines);
  const { in: received, out: sent } = series[series.length - 1];
  svg.setAttribute(
    'aria-label',
    `${received} received and ${sent} sent in the last second, at most ${top} in a minute`
  );
  return top;
}

/** @param {number} ms */
const bound = ms => (ms < 1000 ? `${ms}` : `${Math.round(ms / 1000)}s`);

/** @param {SVGSVGElement} svg @param {number[]} buckets */
export function plotHistogram(svg, buckets) {
  const [width, height] = [600, 118];
  const step = width / buckets.length;
  const most = Math.max(1, ...buckets);
  const parts = [element('line', { class: 'grid', x1: 0, x2: width, y1: height, y2: height })];
  buckets.forEach((count, i) => {
    const tall = (count / most) * (height - 26);
    const middle = (i + 0.5) * step;
    if (count > 0) {
      parts.push(
        element('rect', { class: 'bar', x: i * step + 5, y: height - tall, width: step - 10, height: tall, rx: 3 })
      );
      parts.push(element('text', { x: middle, y: height - tall - 5 }, String(count)));
    }
    const label = i === buckets.length - 1 ? `≥ ${bound(BOUNDS[i - 1])}` : `< ${bound(BOUNDS[i])}`;
    parts.push(element('text', { class: i % 2 === 1 ? 'odd' : '', x: middle, y: height + 20 }, label));
  });
  svg.replaceChildren(...parts);
  const total = buckets.reduce((sum, count) => sum + count, 0);
  svg.setAttribute('aria-label', `Histogram of ${total} latencies, in milliseconds`);
}
