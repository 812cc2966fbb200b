// `baileys-native inspect`: the command, the web server, and the inspected processes. The page is tested in
// inspect-page.test.mjs, hidden values in inspect-redaction.test.mjs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inspect } from 'baileys-native';
import { request, startBot, startInspect, temporaryDirectory } from '../support/inspected.mjs';
import { EVENT_TIMEOUT_MS, iq, numbered, openSession, startServer, until } from '../support/native-session.mjs';
import { closeAfter } from '../support/resources.mjs';

const require = createRequire(import.meta.url);
const { Publisher, KEPT } = require('../../js/inspect/publisher.cjs');
const { Inspector } = require('../../js/inspect/server.cjs');
const { lineSplitter } = require('../../js/inspect/processes.cjs');
const { Ring } = require('../../js/inspect/ring.cjs');

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../js/cli/main.cjs', import.meta.url));
const options = { timeout: 60_000 };

function publish(t, directory = temporaryDirectory(t)) {
  const publisher = new Publisher({ directory, name: 'here', onError: assert.ifError });
  t.after(() => publisher.close());
  return publisher;
}

/** The connection of a viewer. `lines` are the received lines. */
async function view(t, path) {
  const socket = connect(path);
  t.after(() => socket.destroy());
  const lines = [];
  socket.on(
    'data',
    lineSplitter(line => lines.push(JSON.parse(line)), assert.fail)
  );
  await until(() => lines.length > 0);
  socket.write('stream\n');
  await until(() => lines.some(({ kind }) => kind === 'figures'));
  return { socket, lines };
}

async function startInspector(t, directory) {
  const inspector = new Inspector(directory);
  t.after(() => inspector.close());
  return inspector.listen(0);
}

/** The response of the server to raw request text. */
async function raw(port, text) {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const stanza = n => ({ tag: 'message', attrs: { n: String(n) } });
const emit = (n, direction = 'in') =>
  channel('baileys-native:socket:node').publish({ connection: 1, direction, node: stanza(n) });

test('the page needs the token and the right Host header, and allows only reading', options, async t => {
  const url = await startInspector(t, temporaryDirectory(t));
  const { host, port, pathname } = new URL(url);
  assert.equal(new URL(url).hostname, '127.0.0.1');
  const token = pathname.split('/')[1];
  assert.ok(token.length >= 32);
  assert.notEqual(await startInspector(t, temporaryDirectory(t)), url);

  const page = await request(url);
  assert.equal(page.status, 200);
  assert.match(page.body, /<title>/);
  const { headers } = page;
  assert.match(headers['content-security-policy'], /default-src 'none'/);
  assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
  assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*|http/);
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['access-control-allow-origin'], undefined);

  const wrong = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  for (const path of [
    '/',
    '/processes',
    '/style.css',
    `/${wrong}/`,
    `/${token.slice(1)}/`,
    `/?${token}`,
    `//${token}/`,
    '/stream/1-0'
  ]) {
    const { status, body } = await request(url, { path });
    assert.deepEqual([path, status], [path, 403]);
    assert.ok(!body.includes(token));
  }
  for (const name of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${Number(port) + 1}`,
    `${host}.evil.example`
  ]) {
    const { status } = await request(url, { headers: { host: name } });
    assert.deepEqual([name, status], [name, 403]);
  }
  assert.match(await raw(port, `GET ${pathname} HTTP/1.0\r\n\r\n`), /^HTTP\/1.1 403/);
  assert.equal((await request(url, { headers: { host: `localhost:${port}` } })).status, 200);
  assert.equal((await request(url, { method: 'POST' })).status, 405);
  for (const path of [
    'nothing',
    '../cli.cjs',
    '..%2fcli.cjs',
    'style.css/x',
    'constructor',
    'stream/../../x',
    'stream/1-0/x'
  ]) {
    assert.equal((await request(url, { path: `${pathname}${path}` })).status, 404, path);
  }
});

test('the page uses only its own files, and the server has all of them', options, async t => {
  const url = await startInspector(t, temporaryDirectory(t));
  const folder = fileURLToPath(new URL('../../js/inspect/page/', import.meta.url));
  for (const file of readdirSync(folder)) {
    const { status, body } = await request(url, { path: new URL(file === 'index.html' ? '.' : file, url).pathname });
    assert.deepEqual([file, status], [file, 200]);
    assert.doesNotMatch(body.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|\/\/[a-z]+\./);
    assert.doesNotMatch(body, /innerHTML|insertAdjacentHTML|document\.write|\beval\(/);
  }
});

test('a process is not inspectable by default', options, async t => {
  const directory = temporaryDirectory(t);
  const source = `require(${JSON.stringify(require.resolve('../../js/index.cjs'))});
    console.log(JSON.stringify(Object.keys(require.cache).filter(path => /inspect/.test(path))));`;
  for (const value of [undefined, '', '0', 'off', 'OFF', 'false', 'no']) {
    const env = { ...process.env, BAILEYS_NATIVE_INSPECT_DIR: directory, BAILEYS_NATIVE_INSPECT: value };
    if (value === undefined) delete env.BAILEYS_NATIVE_INSPECT;
    const { stdout } = await run(process.execPath, ['-e', source], { env, timeout: EVENT_TIMEOUT_MS });
    assert.deepEqual([value, JSON.parse(stdout), readdirSync(directory)], [value, [], []]);
  }
});

test('an inspectable process exits by itself and removes its socket file', options, async t => {
  const directory = temporaryDirectory(t);
  const source = `require(${JSON.stringify(require.resolve('../../js/index.cjs'))});
    console.log(require('node:fs').readdirSync(${JSON.stringify(directory)}).length);`;
  const env = { ...process.env, BAILEYS_NATIVE_INSPECT_DIR: directory, BAILEYS_NATIVE_INSPECT: 'bot' };
  const { stdout } = await run(process.execPath, ['-e', source], { env, timeout: EVENT_TIMEOUT_MS });
  assert.deepEqual([stdout.trim(), readdirSync(directory)], ['1', []]);
});

test('inspect refuses a directory that other users can access; a bot only warns', options, async t => {
  const directory = temporaryDirectory(t);
  const open = join(directory, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  const link = join(directory, 'link');
  symlinkSync(directory, link);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  for (const path of [open, link, file]) {
    assert.throws(() => new Publisher({ directory: path, onError: assert.ifError }), /must be a directory|EEXIST/);
  }
  assert.throws(() => inspect({ directory: join(directory, 'x'.repeat(120)) }), /too long/);
  const made = join(directory, 'a', 'b');
  publish(t, made);
  assert.equal(statSync(made).mode & 0o777, 0o700);

  const source = `require(${JSON.stringify(require.resolve('../../js/index.cjs'))}); console.log('alive');`;
  const env = { ...process.env, BAILEYS_NATIVE_INSPECT_DIR: open, BAILEYS_NATIVE_INSPECT: '1' };
  const { stdout, stderr } = await run(process.execPath, ['-e', source], { env, timeout: EVENT_TIMEOUT_MS });
  assert.equal(stdout.trim(), 'alive');
  assert.match(stderr, /BAILEYS_NATIVE_INSPECT.*cannot be inspected/);
});

test('processes are listed; stale socket files are removed', options, async t => {
  const directory = temporaryDirectory(t);
  publish(t, directory);
  // A socket whose process died.
  const dead = join(directory, '999999-0.sock');
  const server = createServer().listen(dead);
  await once(server, 'listening');
  const closed = once(server, 'close');
  server.close();
  await closed;
  writeFileSync(join(directory, 'readme.txt'), '');
  // Node removes the socket file of a server that is closed, but not if the process is killed.
  const orphan = `require('node:net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'));`;
  await run(process.execPath, ['-e', orphan]).catch(() => {});
  assert.ok(existsSync(dead));
  const url = await startInspector(t, directory);
  const { body, headers } = await request(url, { path: `${new URL(url).pathname}processes` });
  assert.match(headers['content-type'], /json/);
  const [{ id, pid, name, node }, ...rest] = JSON.parse(body);
  assert.deepEqual([id, pid, name, node, rest.length], [`${process.pid}-0`, process.pid, 'here', process.version, 0]);
  assert.ok(!existsSync(dead));
});

test('a new viewer gets the history, then new lines, until the process ends', options, async t => {
  const directory = temporaryDirectory(t);
  const publisher = publish(t, directory);
  emit(1);
  const url = await startInspector(t, directory);
  const controller = new AbortController();
  const response = await fetch(new URL(`stream/${process.pid}-0`, url), { signal: controller.signal });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  })();
  await until(() => text.includes('"figures"'));
  emit(2);
  await until(() => text.includes('["n","2"]'));
  await publisher.close();
  await reading;
  assert.ok(text.endsWith('event: gone\ndata:\n\n'));
  const numbers = [...text.matchAll(/\["n","(\d)"\]/g)].map(([, n]) => n);
  assert.deepEqual(numbers, ['1', '2']);
  const gone = await fetch(new URL(`stream/${process.pid}-0`, url));
  assert.match(await gone.text(), /event: gone/);
});

test('a slow viewer loses lines and gets their number; other viewers lose none', options, async t => {
  const publisher = publish(t);
  const slow = await view(t, publisher.path);
  const fast = await view(t, publisher.path);
  slow.socket.pause();
  const big = {
    tag: 'iq',
    attrs: {},
    content: Array.from({ length: 400 }, (_, n) => ({ tag: 'user', attrs: { n: `number ${n} of many` } }))
  };
  const before = slow.lines.length;
  const COUNT = 600;
  const nodes = lines => lines.filter(({ kind }) => kind === 'node').length;
  for (let n = 0; n < COUNT; n++) {
    channel('baileys-native:socket:node').publish({ connection: 1, direction: 'in', node: big });
    if (n % 10 === 9) await until(() => nodes(fast.lines) === n + 1, { every: 1 });
  }
  assert.ok(!fast.lines.some(({ kind }) => kind === 'dropped'));
  slow.socket.resume();
  const told = () => slow.lines.filter(({ kind }) => kind === 'dropped').at(-1)?.count ?? 0;
  await until(() => nodes(slow.lines) + told() >= COUNT);
  assert.ok(told() > 0 && nodes(slow.lines) < COUNT && slow.lines.length > before);
});

test('memory is limited: for the history, for one second, for one line', options, async t => {
  const ring = new Ring({ lines: 3, bytes: 100 });
  for (let n = 0; n < 50; n++) ring.push(Buffer.from(`line ${n}`));
  assert.deepEqual([...ring].map(String), ['line 47', 'line 48', 'line 49']);
  ring.push(Buffer.alloc(90));
  assert.deepEqual([ring.length, ring.bytes], [2, 97]);
  ring.push(Buffer.alloc(200));
  assert.deepEqual([ring.length, ring.bytes], [0, 0]);

  const publisher = publish(t);
  for (let n = 0; n < 20_000; n++) emit(n);
  const { lines } = await view(t, publisher.path);
  const { stanzas } = await until(() => lines.find(({ kind }) => kind === 'figures'));
  assert.ok(stanzas.in === 20_000 && stanzas.skipped >= 10_000, JSON.stringify(stanzas));
  assert.ok(lines.filter(({ kind }) => kind === 'node').length <= KEPT.lines);

  let tooLong = 0;
  const split = lineSplitter(assert.fail, () => tooLong++);
  for (let i = 0; i < 9 && tooLong === 0; i++) split(Buffer.alloc(1024 * 1024, 'x'));
  assert.equal(tooLong, 1);
});

test('a client with a wrong request is disconnected; unreadable stanzas do no harm', options, async t => {
  const publisher = publish(t);
  for (const request of ['GET / HTTP/1.1\r\n', 'stream\nstream\n', 'x']) {
    const socket = connect(publisher.path);
    const closed = once(socket, 'close');
    socket.resume();
    socket.write(request);
    await closed;
  }
  const hostile = {
    tag: 'iq',
    get attrs() {
      throw new Error('not for you');
    }
  };
  channel('baileys-native:socket:node').publish({ connection: 1, direction: 'in', node: hostile });
  channel('baileys-native:socket:node').publish({
    connection: 1,
    direction: 'in',
    node: { tag: 'a', content: [null, 1] }
  });
  emit(3);
  const { lines } = await view(t, publisher.path);
  const nodes = lines.filter(({ kind }) => kind === 'node').map(({ node }) => node);
  assert.deepEqual(nodes.at(-1).attrs, [['n', '3']]);
});

test('inspect() shows the stanzas that Rust sends by itself, and their answers', options, async t => {
  const inspection = inspect({ directory: temporaryDirectory(t) });
  t.after(() => inspection.close());
  const { lines } = await view(t, inspection.path);
  const { session, server } = await openSession(t, { keepAliveIntervalMs: 50 });
  const own = xmlns =>
    lines.filter(({ kind, own, node }) => kind === 'node' && own && Object.fromEntries(node.attrs).xmlns === xmlns);
  const [activation] = await until(() => own('passive').length > 0 && own('passive'));
  // After the login: before it, the server answers no query.
  const keepAlive = await until(() => own('w:p').find(({ n }) => n > activation.n));
  assert.deepEqual([activation.direction, activation.node.children[0].tag], ['out', 'active']);
  assert.deepEqual([keepAlive.direction, keepAlive.node.children[0].tag], ['out', 'ping']);
  for (const { node } of [activation, keepAlive]) {
    const { id } = Object.fromEntries(node.attrs);
    assert.ok(server.stanzas.some(({ direction, node }) => direction === 'in' && node.attrs.id === id));
    const answer = await until(() =>
      lines.find(({ own, direction, node }) => own && direction === 'in' && Object.fromEntries(node.attrs).id === id)
    );
    assert.equal(Object.fromEntries(answer.node.attrs).type, 'result');
  }
  // They are not queries of the program.
  assert.equal(lines.filter(({ kind }) => kind === 'answer').length, 0);
  await inspection.close();
  await session.query(iq());
  const seen = [];
  const record = ({ own }) => own && seen.push(own);
  channel('baileys-native:session:node').subscribe(record);
  t.after(() => channel('baileys-native:session:node').unsubscribe(record));
  const { pings } = session.metrics();
  await until(() => session.metrics().pings >= pings + 3);
  await session.query(iq());
  assert.deepEqual(seen, [], 'nothing is reported without the live view');
});

test('inspect() of a session shows every stanza, with or without a listener, until it is closed', options, async t => {
  const { session, connection } = await openSession(t);
  const before = session.metrics().stanzasDelivered;
  const inspection = inspect({ directory: temporaryDirectory(t), name: 'by hand' });
  t.after(() => inspection.close());
  assert.equal(inspect(), inspection);
  const { lines } = await view(t, inspection.path);
  assert.equal(lines[0].name, 'by hand');
  await connection.send(numbered(7));
  await session.query(iq({ id: 'Q1' }));
  const answer = await until(() => lines.find(({ kind }) => kind === 'answer'));
  const ids = ['M7', 'Q1'];
  const seen = lines.filter(
    ({ kind, node }) => kind === 'node' && node.attrs.some(([name, id]) => name === 'id' && ids.includes(id))
  );
  const [question, reply] = seen.filter(({ node }) => node.tag === 'iq');
  const [message] = seen.filter(({ node }) => node.tag === 'message');
  assert.equal(seen.length, 3);
  assert.deepEqual([question.direction, reply.direction, message.direction], ['out', 'in', 'in']);
  assert.ok(seen.every(({ connection }) => connection === 'session 1'));
  assert.deepEqual([answer.outcome, answer.query, answer.answer], ['answered', question.n, reply.n]);
  assert.ok(answer.ms > 0);
  await inspection.close();
  const { stanzasDelivered } = session.metrics();
  assert.ok(stanzasDelivered > before);
  await connection.send(numbered(8));
  await session.query(iq());
  assert.equal(session.metrics().stanzasDelivered, stanzasDelivered + 1, 'the unwanted one is not built any more');
});

for (const mode of ['baileys', 'session']) {
  test(`the command shows a real process: ${mode}`, options, async t => {
    const directory = temporaryDirectory(t);
    const server = await startServer(t, { acceptUnknown: true });
    const bot = await startBot(t, { server, directory, mode });
    const { url, child } = await startInspect(t, directory);
    const processes = JSON.parse((await request(url, { path: `${new URL(url).pathname}processes` })).body);
    assert.deepEqual(
      processes.map(({ pid, name }) => [pid, name]),
      [[bot.pid, 'test bot']]
    );
    const controller = new AbortController();
    t.after(() => controller.abort());
    const response = await fetch(new URL(`stream/${processes[0].id}`, url), { signal: controller.signal });
    const lines = [];
    const reading = (async () => {
      const split = lineSplitter(
        line => line.startsWith('data: {') && lines.push(JSON.parse(line.slice(6))),
        assert.fail
      );
      for await (const chunk of response.body) split(Buffer.from(chunk));
    })().catch(() => {});
    const secret = Buffer.from('this must not be seen by anybody');
    await server.connections.at(-1).send({
      tag: 'message',
      attrs: { id: 'M1', from: '15550000009@s.whatsapp.net', type: 'text', t: '1700000000' },
      content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: secret }]
    });
    assert.equal(await bot.ask('query', iq({ id: 'Q1' })), 'iq');
    const answered = await until(() => {
      const query = lines.find(
        ({ kind, direction, node }) =>
          kind === 'node' && direction === 'out' && node.attrs.some(([, value]) => value === 'Q1')
      );
      return query && lines.find(({ kind, query: n }) => kind === 'answer' && n === query.n);
    });
    assert.ok(answered.ms > 0 && answered.outcome === 'answered');
    const message = await until(() =>
      lines.find(({ node }) => node?.tag === 'message' && node.attrs.some(([, value]) => value === 'M1'))
    );
    assert.deepEqual(message.node.children, [
      {
        tag: 'enc',
        attrs: [
          ['v', '2'],
          ['type', 'msg']
        ],
        bytes: secret.length
      }
    ]);
    assert.ok(!JSON.stringify(lines).includes('this must'));
    await bot.ask('close');
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await Promise.all([reading, exited]);
    assert.deepEqual(await exited, [0, null]);
    assert.deepEqual((await bot.exited)[0], 0);
    assert.deepEqual(readdirSync(directory), []);
  });
}

test('the inspect command reports errors with messages and exit codes', options, async t => {
  const fails = async args => {
    const error = await run(process.execPath, [CLI, ...args], { timeout: EVENT_TIMEOUT_MS }).then(
      assert.fail,
      error => error
    );
    return [error.code, error.stderr.split('\n')[0]];
  };
  assert.deepEqual(await fails(['inspect', '--port', '70000']), [
    2,
    'baileys-native: --port takes a whole number from 0 to 65535'
  ]);
  assert.match((await fails(['inspect', '--nonsense']))[1], /--nonsense/);
  const taken = closeAfter(t, createServer().listen(0, '127.0.0.1'));
  await once(taken, 'listening');
  const { port } = taken.address();
  const [code, message] = await fails(['inspect', '--port', String(port)]);
  assert.deepEqual([code, message], [2, `baileys-native: port ${port} is in use; choose another one with --port`]);
  const { stdout } = await run(process.execPath, [CLI, 'inspect', '--help'], { timeout: EVENT_TIMEOUT_MS });
  assert.match(stdout, /^Usage: baileys-native inspect \[--port N\]/);
  const { stdout: version } = await run(process.execPath, [CLI, '--version'], { timeout: EVENT_TIMEOUT_MS });
  assert.equal(version.trim(), require('../../package.json').version);
});
