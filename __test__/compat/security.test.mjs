// docs/security.md: each bound is that of the sources, and each limit of the sources is on the page.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_CONNECTION_CONFIG } from 'baileys';
import { LONG_ROW_MS, ROW_MIB, ROW_MS } from '../../scripts/hostile/run.mjs';
import { ROOT } from '../../scripts/shared/root.mjs';

const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

/** The expressions of all constants of src, by `file: NAME`. Tests are left out. */
const expressions = new Map(
  readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.rs') && !/tests?\.rs$|(?:^|\/)tests\//.test(name))
    .flatMap(name => {
      const [source] = readFileSync(join(ROOT, 'src', name), 'utf8').split(/^#\[cfg\(test\)\]$/m);
      const found = source.matchAll(/^\s*(?:pub(?:\([\w:]+\))? )?const ([A-Z]\w*): (?!&)[^=;]+ = ([^;]+);/gm);
      return Array.from(found, ([, constant, expression]) => [`${name}: ${constant}`, expression]);
    })
);

/** The value of a constant. Times are in milliseconds. */
function valueOf(name) {
  const [file] = name.split(': ');
  const expression = expressions.get(name);
  assert.ok(expression !== undefined, `${name} is not in the sources`);
  const plain = expression
    .replace(/NonZero::new\((\w+)\)\.unwrap\(\)/, '$1')
    .replace(/Duration::from_secs\(([^)]+)\)/, '1000 * ($1)')
    .replace(/Duration::from_millis\(([^)]+)\)/, '$1')
    .replace(/(\d)_(?=\d)/g, '$1')
    .replace(/\b(?:\w+::)*([A-Z][A-Z_]+)\b/g, (_, other) => {
      const own = `${file}: ${other}`;
      const [known] = expressions.has(own) ? [own] : [...expressions.keys()].filter(key => key.endsWith(`: ${other}`));
      return `(${valueOf(known)})`;
    });
  assert.match(plain, /^[\d\s()*+<-]+$/, name);
  return Function(`return ${plain}`)();
}

/** The default of an option in `Config::default` of the session. */
function sessionDefault(name) {
  const [, value] = new RegExp(`^ +${name}: (?:Some\\()?([\\d_]+|\\d+ << \\d+)\\)?,$`, 'm').exec(
    readFileSync(join(ROOT, 'src/session/config.rs'), 'utf8')
  );
  return Function(`return ${value.replaceAll('_', '')}`)();
}

const UNITS = { '': 1, bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, s: 1000 };

/** The number that a cell of the page says: `16 MiB - 1`, `1,048,576`, `120 s`. */
function numberIn(cell) {
  const [, number, unit = '', less = '0'] = /^([\d,]+)(?: (bytes|[KM]iB|s))?(?: - (\d+))?\b/.exec(cell) ?? [];
  assert.ok(number, `no number in ${cell}`);
  return Number(number.replaceAll(',', '')) * UNITS[unit] - Number(less);
}

/** The rows of the tables below a heading that have a header with these cells. */
function rowsOf(heading, first, column) {
  const section = page.split(`## ${heading}\n`)[1].split('\n## ')[0];
  const tables = section.match(/(?:^\|.*\n)+/gm).map(table =>
    table
      .trim()
      .split('\n')
      .map(line =>
        line
          .slice(1, -1)
          .split('|')
          .map(cell => cell.trim())
      )
  );
  const [header, , ...rows] = tables.find(([cells]) => cells[0] === first);
  const at = header.indexOf(column);
  assert.ok(at > 0, `${heading} has no column ${column}`);
  return Object.fromEntries(rows.map(cells => [cells[0], cells[at]]));
}

const constant = (...names) => ({ names, value: () => names.map(valueOf) });
const option = (...names) => ({ names: [], value: () => names.map(sessionDefault) });
const { connectTimeoutMs, keepAliveIntervalMs, defaultQueryTimeoutMs } = DEFAULT_CONNECTION_CONFIG;

/** A row without a number, with the reason. */
const words = () => ({ names: [], value: () => [] });

/** For each table: its heading, its first column, the column of the bounds, and the sources of each row. */
const TABLES = [
  {
    heading: 'Bounds of time',
    first: 'phase',
    column: 'default',
    rows: {
      'a step of an opening, on the drop-in': { names: [], value: () => [connectTimeoutMs] },
      'the whole opening, on the drop-in': constant('transport/task.rs: MAX_OPENING'),
      'the whole opening, on `NativeSession`': option('connect_timeout'),
      'a closing handshake': constant('transport/websocket.rs: CLOSE_TIMEOUT'),
      'silence of the server': {
        names: ['session/config.rs: DEFAULT_KEEP_ALIVE'],
        value: () => {
          assert.equal(valueOf('session/config.rs: DEFAULT_KEEP_ALIVE'), keepAliveIntervalMs);
          return [keepAliveIntervalMs + sessionDefault('keep_alive_grace')];
        }
      },
      'a query': { names: [], value: () => [defaultQueryTimeoutMs, sessionDefault('query_timeout')] }
    }
  },
  {
    heading: 'Bounds of size before a stanza is decoded',
    first: 'what',
    column: 'bound',
    rows: {
      'the head of an HTTP answer': constant('transport/http.rs: MAX_RESPONSE_HEAD'),
      'its header lines': constant('transport/http.rs: MAX_HEADERS'),
      'a WebSocket message, over all fragments': constant('transport/frame_check.rs: MAX_MESSAGE'),
      'the fragments of a message': constant('transport/frame_check.rs: MAX_FRAGMENTS'),
      'a ping, pong or close frame': constant('transport/frame_check.rs: MAX_CONTROL_PAYLOAD'),
      'pongs that the peer does not read': constant('transport/writer.rs: MAX_PENDING_PONGS'),
      // rustls: MAX_HANDSHAKE_SIZE.
      'a message of the TLS handshake': { names: [], value: () => [64 * 1024] },
      'received and not yet taken by JavaScript': constant('dropin/flow.rs: HIGH_WATER'),
      'received and not yet taken from a session': words(),
      'given to a socket and not yet written': words(),
      'given to a session and not yet written': words(),
      "the user's queries without an answer": option('max_queries')
    }
  },
  {
    heading: 'Memory for one received frame',
    first: 'bound',
    column: 'value',
    rows: {
      'a frame (the 3-byte length)': constant('frame/length.rs: MAX_FRAME_LEN'),
      'a compressed stanza, inflated': constant('binary/inflate.rs: MAX_INFLATED'),
      'JIDs and packed strings of a stanza': constant('binary/decode.rs: MAX_COMPOSED'),
      'nodes and attributes of a stanza': constant('binary/decode.rs: MAX_ELEMENTS'),
      'depth of nested nodes': constant('binary/decode.rs: MAX_DEPTH'),
      'depth of nested JIDs': constant('binary/jid.rs: MAX_JID_DEPTH'),
      'the part of a stanza that a session reads': constant('session/dispatch.rs: MAX_REACTION'),
      'tapes of one WebSocket message (read ahead)': constant('read_ahead/mod.rs: MAX_TAPES'),
      'its decompressed payloads (read ahead)': constant('read_ahead/mod.rs: MAX_PAYLOADS')
    }
  },
  {
    heading: 'What a session keeps from a server',
    first: 'what',
    column: 'bound',
    rows: {
      'routing info, which is sent with each connection': constant('session/dispatch.rs: MAX_ROUTING_INFO'),
      'references for QR codes': constant('session/pairing.rs: MAX_REFERENCES'),
      'each of them': constant('session/pairing.rs: MAX_REFERENCE'),
      'answers to one pairing code, each of which derives a key': constant('session/dispatch.rs: MAX_CODE_ANSWERS'),
      'an answer to a query of the session, for `inspect`': constant('session/dispatch.rs: MAX_OWN_ANSWER'),
      'the text of a reason': constant('session/end_reason.rs: MAX_REASON'),
      'log entries that wait for JavaScript': constant('driver/log_queue.rs: MOST'),
      'a text in a log entry': constant('session/log.rs: MAX_TEXT'),
      "failures of the session's task (panics)": constant('driver/task.rs: MAX_DEFECTS')
    }
  }
];

for (const { heading, first, column, rows } of TABLES) {
  test(`the table in "${heading}" has the bounds of the sources`, () => {
    const cells = rowsOf(heading, first, column);
    assert.deepEqual(Object.keys(cells).sort(), Object.keys(rows).sort());
    for (const [row, { value }] of Object.entries(rows)) {
      for (const expected of value()) assert.equal(numberIn(cells[row]), expected, row);
    }
  });
}

test('the sentences of the page have the bounds of the sources', () => {
  const says = text => assert.ok(page.replace(/\s+/g, ' ').includes(text), text);
  const kibibytes = name => valueOf(name) / 1024;
  says(`${sessionDefault('stanzas').toLocaleString('en')} stanzas or ${sessionDefault('bytes') / 2 ** 20} MiB`);
  says(`refuses a stanza above ${sessionDefault('limit') / 2 ** 20} MiB`);
  says(`a connection keeps at most ${kibibytes('wire/mod.rs: KEEP_PER_CONNECTION')} KiB of each buffer`);
  says(`a thread ${kibibytes('wire/mod.rs: KEEP_PER_THREAD')} KiB`);
  says(`on \`NativeSession\` ${sessionDefault('close_timeout') / 1000} s`);
  assert.equal(valueOf('transport/task.rs: STEPS'), 6);
  says('or six times `connectTimeoutMs` if that is longer');
  says(`was read for ${valueOf('transport/websocket.rs: BURST_TIME')} ms yields`);
  says(`in ${kibibytes('driver/sink.rs: PART')} KiB of a message to a session`);
  says(`the rest of the message is handled for at most ${valueOf('driver/sink.rs: END_TIME') / 1000} s`);
  says(`above ${ROW_MS / 1000} s or ${ROW_MIB} MiB`);
  says(`the bound of the whole opening ends may take ${LONG_ROW_MS / 1000} s`);
});

/** Limits that no peer can reach, with the reason. */
const NOT_OF_A_PEER = {
  'driver/endpoint.rs: ANSWER_TIMEOUT': 'waits for JavaScript, not for a peer',
  'transport/tcp.rs: ATTEMPT_TIMEOUT': "Node's time for one of several addresses",
  'noise/cipher.rs: MAX_MESSAGE_LEN': 'above the length of a frame',
  'read_ahead/keep_alive_replies.rs: MAX_TEXT': 'decides where an id is searched for',
  'shared_sender/mod.rs: MAX_UNSENT': 'frames that JavaScript has sealed',
  'shared_sender/mod.rs: MIN_INTERVAL': 'an option of the user',
  'transport/send_queue.rs: HIGH_WATER': 'messages that the program sends',
  'transport/send_queue.rs: MAX_WRITE': 'messages that the program sends',
  'transport/send_queue.rs: MAX_HEADER': 'the size of a header',
  'transport/proxy/socks.rs: MAX_ANSWER': 'the longest reply of the protocol, 257 bytes',
  'transport/tls.rs: MAX_CONFIGURATIONS': "options of the program's agents",
  'transport/frame_check.rs: MAX_SAFE_INTEGER': 'above the length of a message',
  'wire/mod.rs: MAX_PAYLOAD': 'the length of a frame without its tag',
  'bindings/raw/call.rs: MAX_ARGS': 'the number of arguments of a function',
  'session/stanzas.rs: MOST': 'the stanzas of one event',
  'dropin/flow.rs: LOW_WATER': 'half of HIGH_WATER'
};

test('each limit in the sources is on the page, or has a reason why it is not', () => {
  const isLimit = name => /: (?:MAX_|MOST$|MIN_|\w*_TIMEOUT$|HIGH_WATER$|LOW_WATER$)/.test(name);
  const onPage = TABLES.flatMap(({ rows }) => Object.values(rows).flatMap(({ names }) => names));
  const known = [...onPage.filter(isLimit), ...Object.keys(NOT_OF_A_PEER)];
  assert.deepEqual([...expressions.keys()].filter(isLimit).sort(), known.sort());
});
