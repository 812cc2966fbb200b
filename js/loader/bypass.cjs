'use strict';

/** Warns if Baileys opens a WebSocket with its own class although register is active. */

const diagnostics = require('node:diagnostics_channel');
const { fileURLToPath } = require('node:url');
const { DEFAULT_ORIGIN } = require('../connect/plan.cjs');
const { causeOfBypass } = require('./causes.cjs');
const { isLeftToBaileys } = require('../shared/left-to-baileys.cjs');
const { warnOnce } = require('../shared/warn-once.cjs');
const { state } = require('./state.cjs');
const { findTarget } = require('./targets.cjs');

/** The number of stack frames that are read. Baileys is at most a dozen frames below `ws` and Node. */
const FRAMES = 40;

/** @type {WeakMap<object, string | undefined>} The file that made a request. */
const callers = new WeakMap();

/** @typedef {{ request: import('node:http').ClientRequest }} Message */

/** Starts to watch the requests of this thread. */
function watchForBypass() {
  // Since Node 22.12. Published while the caller is on the stack; the other channel is published later.
  diagnostics.subscribe('http.client.request.created', message => {
    const { request } = /** @type {Message} */ (message);
    if (isOfBaileys(request)) callers.set(request, callerOf());
  });
  diagnostics.subscribe('http.client.request.start', message => {
    const { request } = /** @type {Message} */ (message);
    if (isOfBaileys(request) && !isLeftToBaileys(request)) warnOfBypass(callers.get(request));
  });
}

/** @param {string | undefined} file the file that made the request, if it is known */
function warnOfBypass(file) {
  const target = file === undefined ? undefined : findTarget(file);
  // There was already a warning for a copy that is not replaced.
  const hasWarning = file === undefined ? state.notReplaced.size > 0 : state.notReplaced.has(target?.copy.root ?? '');
  if (hasWarning) return;
  const copy = target === undefined ? 'Baileys' : `${target.copy.name} ${target.copy.version} at ${target.copy.root}`;
  const text = `${copy} opened a connection without baileys-native: ${causeOfBypass(file, target)}`;
  warnOnce('BAILEYS_NATIVE_BYPASSED', text);
}

/** @param {import('node:http').ClientRequest} request */
function isOfBaileys(request) {
  return (
    String(request.getHeader('upgrade')).toLowerCase() === 'websocket' && request.getHeader('origin') === DEFAULT_ORIGIN
  );
}

/** The file that opened the connection: the first stack frame outside Node, this file and the package `ws`. */
function callerOf() {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = FRAMES;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = /** @type {NodeJS.CallSite[]} */ (/** @type {unknown} */ (new Error().stack));
    const files = sites.map(site => String(site.getFileName() ?? ''));
    const paths = files.map(file => (file.startsWith('file:') ? fileURLToPath(file) : file));
    return paths.find(
      path =>
        path !== '' && path !== __filename && !path.startsWith('node:') && !/[\\/]node_modules[\\/]ws[\\/]/.test(path)
    );
  } catch {
    return undefined;
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}

module.exports = { watchForBypass };
