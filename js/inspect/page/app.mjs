// The page. It keeps a limited number of stanzas and draws at most once per animation frame.

import { parseFilter } from './filter.mjs';
import { plotHistogram, plotRates } from './plots.mjs';
import { Statistics } from './statistics.mjs';
import { make, treeOf } from './tree.mjs';

/**
 * @import { Row, Tree } from './filter.mjs'
 * @typedef {{ kind: 'state', at: number, connection: string, state: string, detail?: string, fits?: boolean, element?:
 *   undefined }} StateRow
 * @typedef {{ kind: 'answer', query: number, answer?: number, outcome: string, ms: number }} AnswerRow
 * @typedef {{ kind: 'figures', stanzas: { in: number, out: number, skipped: number }, metrics?: any, rss: number }} FiguresLine
 * @typedef {Row | StateRow | AnswerRow | FiguresLine | { kind: 'dropped', count: number } | { kind: 'hello' }} ReceivedLine
 * @typedef {{ id: string, name: string, pid: number, thread: number, busy?: boolean }} NamedProcess
 */

/** The most stanzas that are kept, and the most rows that are drawn. */
const KEPT = 2000;
const DRAWN = 300;
const PROCESSES_MS = 2000;
/** The most tags that are shown as buttons, and the most that are counted. */
const TAGS = 12;
const MAX_TAGS = 500;
/** The most sessions to choose from. */
const MAX_SESSIONS = 1000;

/** @param {string} id */
const $ = id => /** @type {any} */ (document.getElementById(id));
const view = Object.fromEntries(
  'process session session-picker status pause clear export in in-rate out out-rate queries queries-detail latency latency-detail connections connections-detail dropped dropped-detail rates rates-top histogram filter shown tags stanzas empty stanza'
    .split(' ')
    .map(id => [id, $(id)])
);

/** Stanzas and state changes, the oldest first. @type {(Row | StateRow)[]} */
let rows = [];
/** @type {Map<number, Row>} */
let byNumber = new Map();
/** @type {Map<string, number>} */
let tags = new Map();
let statistics = new Statistics();
/** Rows that are not drawn yet. If `stale` is true, the whole list must be drawn again instead. @type {(Row | StateRow)[]} */
let fresh = [];
let stale = false;
/** @type {FiguresLine | undefined} */
let figures;
let dropped = 0;
/** The number of rows that were removed because there were too many. */
let forgotten = 0;
let matches = parseFilter('');
/** The sessions and sockets of all rows, and the chosen one ('' for all). @type {Set<string>} */
let connections = new Set();
let connection = '';
let paused = false;
/** @type {Row | undefined} */
let selected;
let scheduled = false;
/** @type {EventSource | undefined} */
let stream;
let current = '';

const number = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const duration = (/** @type {number} */ ms) =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
const clock = (/** @type {number} */ at) =>
  new Date(at).toTimeString().slice(0, 8) + `.${String(Math.floor(at) % 1000).padStart(3, '0')}`;
const attr = (/** @type {Tree} */ node, /** @type {string} */ name) => {
  const value = node.attrs.find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
};

/** @param {ReceivedLine} line */
function take(line) {
  switch (line.kind) {
    case 'node':
      byNumber.set(line.n, line);
      if (tags.has(line.node.tag) || tags.size < MAX_TAGS) tags.set(line.node.tag, (tags.get(line.node.tag) ?? 0) + 1);
      statistics.stanza(line.direction, line.at);
      if (isQuestion(line)) statistics.asked.add(line.n);
      keep(line);
      break;
    case 'state':
      keep(line);
      break;
    case 'answer':
      takeAnswer(line);
      break;
    case 'figures':
      figures = line;
      break;
    case 'dropped':
      dropped = line.count;
      break;
    case 'hello':
      break;
    default:
      throw new Error(`unknown line ${JSON.stringify(line)}`);
  }
  schedule();
}

/** Whether a stanza is a query of the program. */
const isQuestion = (/** @type {Row} */ { direction, own, node }) =>
  !own && direction === 'out' && node.tag === 'iq' && ['get', 'set'].includes(attr(node, 'type') ?? '');

/** Adds a row and removes the oldest one if there are too many. @param {Row | StateRow} row */
function keep(row) {
  if (!connections.has(row.connection) && connections.size < MAX_SESSIONS) {
    connections.add(row.connection);
    drawSessions();
  }
  row.fits = fits(row);
  rows.push(row);
  if (rows.length > KEPT) {
    const oldest = rows.shift();
    if (oldest?.kind === 'node') {
      byNumber.delete(oldest.n);
      statistics.asked.delete(oldest.n);
    }
    forgotten++;
  }
  // Browsers call no animation frame for a hidden page, so `fresh` must be limited.
  if (fresh.length < KEPT) fresh.push(row);
  else stale = true;
}

/** @param {AnswerRow} line */
function takeAnswer({ query, answer: number, outcome, ms }) {
  statistics.answer(outcome, ms);
  statistics.asked.delete(query);
  const question = byNumber.get(query);
  const answer = number === undefined ? undefined : byNumber.get(number);
  if (question) question.answer = number;
  if (answer) answer.question = query;
  for (const row of [question, answer]) {
    if (row === undefined) continue;
    Object.assign(row, { ms, outcome });
    row.element?.querySelector('.took')?.replaceWith(took(row));
    const before = row.fits;
    row.fits = fits(row);
    stale ||= row.fits !== before;
    if (row === selected) showStanza(row);
  }
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

const fits = (/** @type {Row | StateRow} */ row) =>
  (connection === '' || row.connection === connection) &&
  (row.kind === 'state' ? view.filter.value.trim() === '' : matches(row));

/** Shows the choice of sessions if there is more than one. */
function drawSessions() {
  const options = [...connections].map(name => new Option(name, name, false, name === connection));
  view.session.replaceChildren(new Option(`all ${connections.size}`, '', false, connection === ''), ...options);
  view['session-picker'].hidden = connections.size < 2;
}

/** Draws the rows that match after the filter or the session has changed. */
function refilter() {
  for (const row of rows) row.fits = fits(row);
  redraw();
}

/** Saves the rows that match as lines of JSON, the oldest first. Read by `baileys-native replay`. */
function save() {
  const header = { kind: 'export', version: 1, process: view.process.selectedOptions[0]?.text, at: Date.now() };
  const own = new Set(['element', 'haystack', 'fits']);
  const lines = rows
    .filter(row => row.fits)
    .map(row => Object.fromEntries(Object.entries(row).filter(([name]) => !own.has(name))));
  const text = [header, ...lines].map(line => `${JSON.stringify(line)}\n`).join('');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/jsonl' }));
  link.download = `stanzas-${current}.jsonl`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** @param {Row} row */
function took(row) {
  const text = row.ms === undefined ? '' : duration(row.ms);
  const bad = row.outcome !== undefined && row.outcome !== 'answered';
  const element = make('span', bad ? 'took bad' : 'took', row.question === undefined ? text : `↩ ${text}`);
  if (bad) element.title = row.outcome ?? '';
  return element;
}

/** @param {Tree} node */
function about(node) {
  const words = ['type', 'xmlns', 'class'].map(name => attr(node, name)).filter(Boolean);
  const { children = [], omitted = 0 } = node;
  const more = children.length > 1 ? ` +${children.length - 1 + omitted}` : '';
  if (children.length > 0) words.push(`‹${children[0].tag}›${more}`);
  return words.join(' ');
}

/** @param {Row | StateRow} row */
function rowElement(row) {
  if (row.kind === 'state') {
    const text = `${row.connection}: ${row.state}${row.detail ? ` (${row.detail})` : ''}`;
    const note = make('li', 'note', make('time', '', clock(row.at)), make('span', '', text));
    note.setAttribute('role', 'presentation');
    return note;
  }
  const { node, direction } = row;
  const arrow = make('span', `arrow ${direction}`, direction === 'in' ? '↓' : '↑');
  arrow.title = direction === 'in' ? 'received' : 'sent';
  const element = make(
    'li',
    '',
    make('time', '', clock(row.at)),
    arrow,
    make('span', 'tag', node.tag),
    make('span', 'about', about(node)),
    make('span', 'who', attr(node, 'from') ?? attr(node, 'to') ?? ''),
    took(row)
  );
  element.id = `stanza-${row.n}`;
  element.setAttribute('role', 'option');
  element.setAttribute('aria-selected', String(row === selected));
  element.addEventListener('click', () => select(row));
  row.element = element;
  return element;
}

/** Draws the whole list: the latest rows that match, the latest first. */
function redraw() {
  [fresh, stale] = [[], false];
  for (const row of rows) row.element = undefined;
  const shown = rows
    .filter(row => row.fits)
    .slice(-DRAWN)
    .reverse();
  view.stanzas.replaceChildren(...shown.map(rowElement));
  summarize();
}

function drawList() {
  if (stale) {
    redraw();
    return;
  }
  const shown = fresh
    .filter(row => row.fits)
    .slice(-DRAWN)
    .reverse();
  fresh = [];
  view.stanzas.prepend(...shown.map(rowElement));
  while (view.stanzas.childElementCount > DRAWN) view.stanzas.lastElementChild.remove();
}

function summarize() {
  const stanzas = rows.filter(row => row.kind === 'node');
  view.shown.textContent = `${number.format(stanzas.filter(({ fits }) => fits).length)} of ${number.format(stanzas.length)}`;
  view.empty.hidden = view.stanzas.childElementCount > 0;
  view.empty.textContent = stanzas.length > 0 ? 'No stanza matches the filter.' : 'No stanzas yet.';
  drawTags();
}

/** Shows the most frequent tags as buttons. They do not change while one is pressed. */
function drawTags() {
  const most = [...tags].sort((a, b) => b[1] - a[1]).slice(0, TAGS);
  /** @type {Map<string, HTMLElement>} */
  const buttons = new Map([...view.tags.children].map(button => [button.dataset.tag, button]));
  if (most.length !== buttons.size || most.some(([tag]) => !buttons.has(tag))) {
    view.tags.replaceChildren(
      ...most.map(([tag]) => {
        const button = buttons.get(tag) ?? make('button', '', `${tag} `, make('b', ''));
        button.setAttribute('type', 'button');
        button.dataset.tag = tag;
        return button;
      })
    );
  }
  const words = view.filter.value.split(/\s+/);
  for (const button of view.tags.children) {
    const { tag } = button.dataset;
    button.lastElementChild.textContent = compact.format(tags.get(tag) ?? 0);
    button.setAttribute('aria-pressed', String(words.includes(`tag:${tag}`)));
  }
}

function drawFigures() {
  const { stanzas, metrics } = figures ?? { stanzas: { in: 0, out: 0, skipped: 0 } };
  const now = Date.now();
  const series = statistics.series(now);
  const latest = series[series.length - 1];
  view.in.textContent = compact.format(stanzas.in);
  view.out.textContent = compact.format(stanzas.out);
  view['in-rate'].textContent = `${number.format(latest.in)} per second`;
  view['out-rate'].textContent = `${number.format(latest.out)} per second`;
  view.queries.textContent = compact.format(statistics.answered);
  view['queries-detail'].textContent = `${statistics.asked.size} waiting, ${statistics.failed} failed`;
  const median = statistics.quantile(0.5);
  view.latency.textContent = median === undefined ? '–' : duration(median);
  view['latency-detail'].textContent =
    median === undefined ? 'of queries answered' : `95 % below ${duration(statistics.quantile(0.95) ?? median)}`;
  const open = (metrics?.states?.connected ?? 0) + (metrics?.sockets?.open ?? 0);
  view.connections.textContent = number.format(open);
  const stalls = metrics?.loopStalls?.count ?? 0;
  const keepAlives = metrics?.sockets?.keptAlive?.keepAlives ?? 0;
  const megabytes = figures === undefined ? 0 : Math.round(figures.rss / 1e6);
  const during = [stalls > 0 && `${stalls} stalls`, keepAlives > 0 && `${keepAlives} keep-alives during stalls`];
  view['connections-detail'].textContent = [`open; ${megabytes} MB in use`, ...during.filter(Boolean)].join(', ');
  view.dropped.textContent = compact.format(stanzas.skipped + dropped);
  view['dropped-detail'].textContent = `too fast; ${compact.format(forgotten)} older gone`;
  view['rates-top'].textContent = `${plotRates(view.rates, series)} per second`;
  plotHistogram(view.histogram, statistics.buckets);
}

function draw() {
  drawFigures();
  if (paused) return;
  drawList();
  summarize();
}

/** @param {Row} row */
function select(row) {
  selected?.element?.setAttribute('aria-selected', 'false');
  selected = row;
  row.element?.setAttribute('aria-selected', 'true');
  view.stanzas.setAttribute('aria-activedescendant', `stanza-${row.n}`);
  row.element?.scrollIntoView({ block: 'nearest' });
  showStanza(row);
}

/** @param {Row} row */
function showStanza(row) {
  const facts = make('div', 'facts');
  const fact = (/** @type {string} */ name, /** @type {string} */ value) =>
    facts.append(make('span', '', `${name} `, make('b', '', value)));
  fact(row.direction === 'in' ? 'received' : 'sent', clock(row.at));
  fact('on', row.connection);
  if (row.own) fact(row.direction === 'out' ? 'sent by' : 'answer to', 'baileys-native itself');
  if (row.ms !== undefined) fact(row.question === undefined ? `${row.outcome} in` : 'answers after', duration(row.ms));
  const otherNumber = row.answer ?? row.question;
  const other = otherNumber === undefined ? undefined : byNumber.get(otherNumber);
  if (other) {
    const link = make('button', '', row.answer === undefined ? 'Its query' : 'Its answer');
    link.addEventListener('click', () => select(other));
    facts.append(link);
  }
  view.stanza.replaceChildren(facts, treeOf(row.node));
}

function clear() {
  [rows, byNumber, tags, fresh, selected, forgotten] = [[], new Map(), new Map(), [], undefined, 0];
  statistics = new Statistics();
  [connections, connection] = [new Set(), ''];
  drawSessions();
  view.stanza.replaceChildren(make('p', 'empty', 'Choose a stanza to see what is in it.'));
  redraw();
  drawFigures();
}

/** @param {string} state @param {string} text */
function setStatus(state, text) {
  view.status.dataset.state = state;
  if (view.status.textContent !== text) view.status.textContent = text;
}

/** @param {string} id */
function watch(id) {
  stream?.close();
  current = id;
  [figures, dropped] = [undefined, 0];
  clear();
  if (id === '') return;
  const source = new EventSource(`stream/${id}`);
  stream = source;
  stream.onopen = () => setStatus('live', 'Live');
  stream.onmessage = ({ data }) => take(JSON.parse(data));
  const ended = () => {
    source.close();
    if (stream !== source) return;
    stream = undefined;
    setStatus('gone', 'The process has ended or is no longer inspected');
  };
  stream.addEventListener('gone', ended);
  stream.onerror = ended;
}

const label = (/** @type {NamedProcess} */ { name, pid, thread, busy }) =>
  busy ? `${pid} (its event loop is busy)` : `${name} – ${pid}${thread > 0 ? `, thread ${thread}` : ''}`;

async function lookForProcesses() {
  try {
    /** @type {NamedProcess[]} */
    const processes = await (await fetch('processes')).json();
    const options = processes.map(each => new Option(label(each), each.id, false, each.id === current));
    if (processes.length === 0) options.push(new Option('none', ''));
    const before = [...view.process.options].map(({ value, text }) => value + text).join();
    if (before !== options.map(({ value, text }) => value + text).join()) view.process.replaceChildren(...options);
    if (processes.length === 0 && stream === undefined) {
      setStatus('waiting', 'No process to inspect: start one with BAILEYS_NATIVE_INSPECT=1');
    }
    const isThere = processes.some(({ id }) => id === current);
    if (stream === undefined && processes.length > 0 && (current === '' || !isThere)) watch(processes[0].id);
  } catch {
    setStatus('gone', 'baileys-native inspect has ended');
  }
  setTimeout(lookForProcesses, PROCESSES_MS);
}

view.process.addEventListener('change', () => watch(view.process.value));
view.pause.addEventListener('click', () => {
  paused = !paused;
  view.pause.setAttribute('aria-pressed', String(paused));
  view.pause.textContent = paused ? 'Resume' : 'Pause';
  if (!paused) redraw();
});
view.clear.addEventListener('click', clear);
view.filter.addEventListener('input', () => {
  matches = parseFilter(view.filter.value);
  refilter();
});
view.session.addEventListener('change', () => {
  connection = view.session.value;
  refilter();
});
view.export.addEventListener('click', save);
view.tags.addEventListener('click', (/** @type {any} */ event) => {
  const tag = event.target.closest('button')?.dataset.tag;
  if (tag === undefined) return;
  const word = `tag:${tag}`;
  const words = view.filter.value.split(/\s+/).filter(Boolean);
  view.filter.value = words.includes(word)
    ? words.filter((/** @type {string} */ each) => each !== word).join(' ')
    : [...words, word].join(' ');
  view.filter.dispatchEvent(new Event('input'));
});
/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };
view.stanzas.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
  const step = STEPS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const options = [...view.stanzas.querySelectorAll('[role=option]')];
  const at = options.indexOf(selected?.element);
  const next = options[Math.max(0, Math.min(options.length - 1, at + step))];
  const row = byNumber.get(Number(next?.id.slice('stanza-'.length)));
  if (row) select(row);
});
// The rates change also while no stanza arrives.
setInterval(schedule, 1000);

drawFigures();
summarize();
lookForProcesses();
