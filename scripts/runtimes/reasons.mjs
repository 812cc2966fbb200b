/** Reasons that several files share. */
const BUN_WS =
  'The tests compare with Baileys on the package `ws`. Bun replaces `ws` and `http` by its own, with other headers, errors and events';
const BUN_TLS = "Bun's TLS library (BoringSSL) does not have the ciphers, groups or keys of the test servers";
const BUN_RESET = 'Bun cannot reset a connection of its HTTP server (`resetAndDestroy`), which the test server does';
const DENO_FLAGS = 'The tests start child processes with flags of Node.js (`--input-type`, `--expose-gc`, `--import`)';
const DENO_TLS = "The tests compare with Baileys on Node.js; Deno's `tls` reports other errors";
const DENO_TICKETS =
  "Deno's `tls` reports other errors. Its servers share ticket keys, so a native connection resumes the TLS session of another test server";
const DENO_HTTP = "The tests compare with Baileys on Node.js; Deno's `http` and `net` have other events and properties";
const DENO_ORDER =
  "The tests compare with Baileys on Node.js; on Deno, Baileys' own client calls back in another order";
const DENO_REGISTER =
  'The tests start bots with `--import baileys-native/register`; on Deno it is `--preload` with a path';

/**
 * Why tests fail on Bun and Deno, by runtime and file. The names of the tests are in failures.json, which
 * `npm run test:runtimes -- --record` writes. A file with `run: false` is not run there.
 *
 * @type {Record<string, Record<string, { why: string, run?: false }>>}
 */
export const REASONS = {
  bun: {
    'hostile-peers': { why: BUN_TLS },
    'mock-server-linking': {
      why: 'The test records connections by `net.Socket.prototype.connect`, which Bun does not call'
    },
    'mock-server-traffic': { why: BUN_RESET },
    observation: { why: 'On a busy machine, a test that blocks the event loop does not always see the stall on Bun' },
    proxy: { why: BUN_WS },
    'proxy-agents': { why: "Bun's `https.Agent` throws after a test has replaced `http.Agent` for a moment" },
    'proxy-failures': { why: BUN_WS },
    'proxy-process': { why: BUN_WS },
    'session-errors': { why: 'The error of `dns.lookup` in Bun does not name the host' },
    sessions: {
      why: 'Bun does not run `--preload` in workers, so Baileys runs on JavaScript there; its stack traces have another form'
    },
    soak: { why: BUN_RESET },
    'keep-alive-while-blocked': {
      why: "The tests depend on the order of timers and promises in Node.js; Bun's order is another"
    },
    strings: { why: 'The test counts calls of a replaced `globalThis.Function`, which Bun does not call' },
    'promise-timeout.differential': {
      why: 'Stack traces of JavaScriptCore, and mock timers of Bun, differ from those of Node.js'
    },
    websocket: { why: BUN_WS },
    'websocket-certificates': { why: BUN_TLS },
    'websocket-closing': { why: 'All tests pass; a hook that fills the accept queue of a server process fails on Bun' },
    'websocket-incompatible': { why: BUN_TLS },
    'websocket-listeners': {
      why: 'The tests catch exceptions of listeners; the test runner of Bun makes each one a failure'
    },
    'websocket-refused': { why: BUN_RESET },
    'websocket-socket': { why: BUN_WS },
    'websocket-tcp': { why: "The tests compare `_socket` with that of the package `ws`; Bun's own `ws` has none" },
    'websocket-tls': { why: BUN_WS }
  },
  deno: {
    'event-pump': {
      why: 'While `node:test` mocks `setImmediate` in Deno, callbacks of the original function are not called either'
    },
    'hostile-peers': {
      why: "The expected errors are those of TLS servers of Node.js; Deno's servers end connections in other ways"
    },
    inspect: { why: DENO_REGISTER },
    'inspect-page': { why: DENO_REGISTER },
    'mock-server': { why: DENO_FLAGS },
    'mock-server-linking': { why: 'The mocks of `node:test` in Deno cannot replace `setTimeout`' },
    'mock-server-pairing-code': { why: DENO_FLAGS },
    'no-descriptors': { why: DENO_FLAGS },
    'noise-lifetime': { why: DENO_FLAGS },
    'noise.differential': {
      why: "The tests compare errors with those of Baileys; Deno's `crypto` throws a TypeError where Node.js throws an Error"
    },
    'proxy-failures': { why: DENO_TLS },
    'session-lifetime': {
      why: 'Deno does not tell an addon that a worker is terminated: the sessions of the worker stay open. End them before'
    },
    sessions: { why: `${DENO_REGISTER}. Its stack traces have another form` },
    soak: { why: DENO_REGISTER },
    strings: { why: DENO_FLAGS },
    'websocket-certificates': { why: DENO_TICKETS },
    'websocket-incompatible': {
      why: "The tests wait until their time limit: Deno's TLS library has no servers with these ciphers",
      run: false
    },
    'websocket-listeners': {
      why: 'The tests catch exceptions of listeners; the test runner of Deno makes some of them failures, and Deno prints them in another form'
    },
    'websocket-messages': { why: DENO_ORDER },
    'websocket-order': { why: DENO_ORDER },
    'websocket-refused': { why: DENO_HTTP },
    'websocket-tls': { why: DENO_TICKETS }
  }
};
