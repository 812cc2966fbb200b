// Computes self time by function and by area from V8's CPU profiles.

import { fileURLToPath } from 'node:url';
import sharedMemory from '../../js/addon/shared-memory.cjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const ADDON = 'our addon';

/**
 * All functions of the addon are called through one function of Node, and V8 names it after one of them. The callers
 * distinguish them.
 */
const ADDON_FUNCTIONS = new Set(Object.getOwnPropertyNames(sharedMemory.core));

const NO_CALLER = { url: '', functionName: '' };

const isIn = (url, folder) => url.startsWith(`file://${ROOT}${folder}`) || url.startsWith(`${ROOT}${folder}`);
const isOurs = ({ url }) => isIn(url, 'js/');

/**
 * The areas. A frame belongs to the first area that matches.
 *
 * @type {[string, (frame: any, caller: any) => boolean][]}
 */
const AREAS = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['garbage collection', ({ functionName }) => functionName === '(garbage collector)'],
  [ADDON, ({ url, functionName }, caller) => url === '' && isOurs(caller) && ADDON_FUNCTIONS.has(functionName)],
  ['V8 and Node, native', ({ url }) => url === ''],
  ['our JavaScript', isOurs],
  ['bench', ({ url }) => isIn(url, 'bench/') || isIn(url, 'scripts/')],
  ['ws', ({ url }) => url.includes('/node_modules/ws/')],
  ['Baileys', ({ url }) => /\/node_modules\/(baileys|@whiskeysockets)\//.test(url)],
  ['Node, JavaScript', ({ url }) => url.startsWith('node:')]
];

const areaOf = (frame, caller) => AREAS.find(([, matches]) => matches(frame, caller))?.[0] ?? 'other packages';

function place({ url, lineNumber }) {
  if (url === '') return '';
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${path.replace(ROOT, '').replace('node_modules/', '')}:${lineNumber + 1}`;
}

/** The function and area of a sample. */
function describe(frame, caller) {
  const area = areaOf(frame, caller);
  if (area === ADDON) return { area, name: `called by ${caller.functionName}`, place: place(caller) };
  return { area, name: frame.functionName || '(anonymous)', place: place(frame) };
}

/**
 * @param {import('node:inspector').Profiler.Profile[]} profiles
 * @returns {{ busyUs: number, areas: { name: string, us: number }[], functions: { name: string, place: string, area:
 *   string, us: number }[] }} Self time, without idle time.
 */
export function selfTimes(profiles) {
  const functions = new Map();
  for (const { nodes, samples = [], timeDeltas = [] } of profiles) {
    const frames = new Map(nodes.map(node => [node.id, node.callFrame]));
    const callers = new Map(nodes.flatMap(({ children = [], callFrame }) => children.map(id => [id, callFrame])));
    samples.forEach((id, index) => {
      if (index === 0) return; // the start of the profiler
      const described = describe(frames.get(id), callers.get(id) ?? NO_CALLER);
      const key = JSON.stringify(described);
      const entry = functions.get(key) ?? { ...described, us: 0 };
      entry.us += timeDeltas[index];
      functions.set(key, entry);
    });
  }
  const busy = [...functions.values()].filter(({ area }) => area !== 'idle').sort((a, b) => b.us - a.us);
  const areas = new Map();
  for (const { area, us } of busy) areas.set(area, (areas.get(area) ?? 0) + us);
  return {
    busyUs: busy.reduce((sum, { us }) => sum + us, 0),
    areas: [...areas].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us),
    functions: busy
  };
}

/**
 * The parts of a whole bot. A frame belongs to the first part that matches.
 *
 * @type {[string, (frame: any) => boolean][]}
 */
const PARTS = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['garbage collection', ({ functionName }) => functionName === '(garbage collector)'],
  ['bench', ({ url }) => isIn(url, 'bench/')],
  [
    'key store',
    ({ url }) => /scripts\/shared\/bot|Utils\/(auth-utils|pre-key-manager)|async-mutex|p-queue|lru-cache/.test(url)
  ],
  ['Signal', ({ url }) => /libsignal|curve25519|whatsapp-rust-bridge|\/lib\/Signal\/|Utils\/crypto\.js/.test(url)],
  ['protobuf', ({ url }) => /protobufjs|WAProto|\/long\//.test(url)],
  ['event buffer', ({ url }) => url.includes('Utils/event-buffer')],
  ['timeouts', ({ url, functionName }) => url.includes('@hapi/boom') || isTimeout(url, functionName)],
  ['socket layer', ({ url }) => isOurs({ url }) || SOCKET_LAYER.test(url)],
  ["Baileys' other code", ({ url }) => /\/node_modules\/(baileys|@whiskeysockets)\//.test(url)]
];

const SOCKET_LAYER =
  /\/node_modules\/ws\/|Utils\/noise-handler|WABinary\/|Socket\/Client\/|^node:(net|tls|_tls|stream|internal\/(streams|stream_base))/;

/** Whether a frame is `promiseTimeout`, of Baileys or of this package. */
const isTimeout = (url, name) =>
  (/Utils\/generics\.js/.test(url) && /^(promiseTimeout|delay|delayCancellable|)$/.test(name)) ||
  /js\/baileys\/promise-timeout/.test(url);

/** All other frames: Node itself, and code that is not called by any of the parts. */
const OTHER = 'rest';

/**
 * Self time by part of a bot. A frame without a part, such as one of Node, counts for its nearest caller with a part.
 *
 * @param {import('node:inspector').Profiler.Profile[]} profiles
 * @returns {Record<string, number>} Microseconds, without idle time.
 */
export function partTimes(profiles) {
  const times = Object.fromEntries([...PARTS.map(([name]) => name), OTHER].map(name => [name, 0]));
  for (const { nodes, samples = [], timeDeltas = [] } of profiles) {
    const partOf = new Map();
    const byId = new Map(nodes.map(node => [node.id, node]));
    const visit = (id, inherited) => {
      const { callFrame, children = [] } = /** @type {any} */ (byId.get(id));
      const part = PARTS.find(([, matches]) => matches(callFrame))?.[0] ?? inherited;
      partOf.set(id, part);
      for (const child of children) visit(child, part);
    };
    visit(nodes[0].id, OTHER);
    samples.forEach((id, index) => {
      if (index > 0) times[partOf.get(id)] += timeDeltas[index];
    });
  }
  delete times.idle;
  return times;
}
