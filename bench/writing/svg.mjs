// Charts by hand: scales, axes, bars, lines and a legend, as text.

export const COLORS = {
  js: '#c2570c',
  native: '#1d4ed8',
  bridge: '#64748b',
  goal: '#111827',
  good: '#15803d',
  bad: '#b91c1c'
};

const FONT = 'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif"';
const INK = '#1f2937';
const GRID = '#e5e7eb';

const escape = text => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const round = value => Math.round(value * 100) / 100;

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {{ size?: number, anchor?: 'start' | 'middle' | 'end', weight?: number, fill?: string, turned?: boolean }} [style]
 */
export function text(x, y, content, { size = 12, anchor = 'start', weight = 400, fill = INK, turned = false } = {}) {
  const turn = turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  return `<text x="${round(x)}" y="${round(y)}" ${FONT} font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}"${turn}>${escape(content)}</text>`;
}

export const rectangle = (x, y, width, height, fill) =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(width, 0))}" height="${round(Math.max(height, 0))}" fill="${fill}"/>`;

export const line = (x1, y1, x2, y2, stroke = GRID, width = 1, dash = '') =>
  `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="${width}"${dash && ` stroke-dasharray="${dash}"`}/>`;

/** @param {[number, number][]} points */
export const polyline = (points, stroke, width = 2) =>
  `<polyline fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linejoin="round" points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}"/>`;

export const dot = (x, y, fill) => `<circle cx="${round(x)}" cy="${round(y)}" r="3.5" fill="${fill}"/>`;

/** @param {string[]} parts */
export const document = (width, height, title, parts) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">`,
    rectangle(0, 0, width, height, '#ffffff'),
    ...parts,
    '</svg>',
    ''
  ].join('\n');

/**
 * A logarithmic scale that covers the values, with its ticks.
 *
 * @param {number[]} values Above zero.
 * @param {[number, number]} range Pixels of the least and of the greatest.
 */
export function logScale(values, [from, to]) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const steps = [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  const first = Math.max(
    ticks.findLastIndex(tick => tick <= low * 1.0001),
    0
  );
  const last = ticks.findIndex((tick, index) => index > first && tick >= high * 0.9999);
  const [least, greatest] = [ticks[first], ticks[last < 0 ? ticks.length - 1 : last]];
  const span = Math.log(greatest / least);
  const at = value => from + (Math.log(Math.max(value, least) / least) / span) * (to - from);
  const inside = ticks.filter(tick => tick >= least && tick <= greatest);
  // Over many powers of ten the steps between would run into each other.
  const shown = inside.length > 9 ? inside.filter(tick => /^1(?:e|0|$)|^0\.0*1$/.test(String(tick))) : inside;
  return { at, ticks: shown };
}

/** A linear scale from zero. */
export function linearScale(values, [from, to]) {
  const high = Math.max(...values);
  const unit = 10 ** Math.floor(Math.log10(high));
  const step = [0.2, 0.5, 1, 2].map(factor => factor * unit).find(size => high / size <= 6) ?? unit;
  const greatest = Math.ceil(high / step) * step;
  const ticks = Array.from({ length: Math.round(greatest / step) + 1 }, (_, index) => index * step);
  return { at: value => from + (value / greatest) * (to - from), ticks };
}

/** @param {[string, string][]} entries Name and colour. */
export function legend(x, y, entries) {
  let at = x;
  return entries.flatMap(([name, color]) => {
    const parts = [rectangle(at, y - 9, 12, 10, color), text(at + 17, y, name)];
    at += 17 + name.length * 6.8 + 22;
    return parts;
  });
}
