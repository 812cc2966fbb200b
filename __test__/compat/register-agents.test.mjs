/** Under register, only sockets with an unsupported agent run on Baileys' own class. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FILES } from '../../scripts/shared/baileys.mjs';
import { LINE_NAMES, packageOf } from '../support/baileys-lines.mjs';
import { httpProxy } from '../support/proxies.mjs';
import { greetingServer } from '../support/proxy-scenarios.mjs';
import { record } from '../support/record.mjs';
import { makeProject } from './support/project.mjs';

/**
 * Connects twice through a custom agent and twice through a supported one, and prints the results.
 *
 * @param {string} loadClient Source of an expression that gives the class.
 */
const program = loadClient => `
const run = async (http, events, net) => {
  const { WebSocketClient } = await ${loadClient};
  const [proxyPort, targetPort] = process.argv.slice(2).map(Number);
  class Tunnel extends http.Agent {
    createConnection(options, done) {
      const socket = net.connect(proxyPort, '127.0.0.1', () => {
        socket.write('CONNECT 127.0.0.1:' + targetPort + ' HTTP/1.1\\r\\nHost: own\\r\\n\\r\\n');
        socket.once('data', () => done(null, socket));
      });
    }
  }
  const report = [];
  for (const agent of [new Tunnel(), new Tunnel(), undefined]) {
    const client = new WebSocketClient(new URL('ws://127.0.0.1:' + targetPort + '/'), { connectTimeoutMs: 30_000, agent });
    const seen = [];
    for (const event of ['upgrade', 'open', 'message', 'close', 'error']) client.on(event, () => seen.push(event));
    const message = events.once(client, 'message');
    const pending = client.connect();
    seen.push(String(pending), client.isConnecting);
    await message;
    const echo = events.once(client, 'message');
    // The callback and the echo can come in either order.
    let result;
    const sent = new Promise(resolve => (result = client.send(Buffer.from('x'), error => resolve('sent ' + error))));
    seen.push(client.isOpen, result, String((await echo)[0]), await sent);
    const closed = events.once(client, 'close');
    await client.close();
    await closed;
    seen.push(client.isClosed, client.socket);
    report.push(seen);
  }
  console.log(JSON.stringify(report));
};
`;
const WITH_IMPORT = "run(await import('node:http'), await import('node:events'), await import('node:net'));";
const WITH_REQUIRE = "run(require('node:http'), require('node:events'), require('node:net'));";
const FILE = FILES.webSocketClient;

/**
 * Runs the program in a project. Resolves with its report, its warnings, and the requests to the proxy and the target.
 */
async function runProgram(project, args) {
  const proxy = await httpProxy();
  const target = await greetingServer();
  try {
    const { code, stdout, stderr } = await project.run([...args, String(proxy.port), String(target.port)]);
    assert.equal(code, 0, stderr);
    const proxied = target.ports.map(port => proxy.ports.has(port));
    return { report: JSON.parse(stdout), warnings: stderr.match(/BAILEYS_NATIVE_\w+/g) ?? [], proxied };
  } finally {
    proxy.close();
    target.close();
  }
}

/** Compares the program with the same program without register. Returns a short text of the result. */
async function assertSame(project, name, flag) {
  const plain = await runProgram(project, [name]);
  const under = await runProgram(project, [flag, 'baileys-native/register', name]);
  assert.deepEqual(under.report, plain.report);
  assert.deepEqual(under.proxied, [true, true, false]);
  assert.deepEqual(plain.proxied, under.proxied);
  assert.deepEqual(under.warnings, ['BAILEYS_NATIVE_AGENT']);
  const count = proxied => plain.proxied.filter(each => each === proxied).length;
  return `${plain.report.length} connections, ${count(true)} by the agent, ${count(false)} without one`;
}

describe('an unsupported agent', () => {
  for (const name of LINE_NAMES) {
    const line = packageOf(name);
    test(`an unsupported agent is used under register: ${line}, imported`, async t => {
      const project = makeProject(t);
      project.write('app.mjs', program(`import('${line}/${FILE}')`) + WITH_IMPORT);
      const result = { section: 'proxies', line: name };
      for (const flag of ['--import', '--require']) {
        const behaviour = `an agent with its own createConnection(), under register by ${flag}`;
        try {
          const javascript = await assertSame(project, 'app.mjs', flag);
          record({ ...result, behaviour, javascript, native: "same, by Baileys' own class" });
        } catch (error) {
          record({ ...result, behaviour, javascript: 'not compared', native: 'DIFFERS' });
          throw error;
        }
      }
    });

    const canRequire = line === 'baileys-6.17.16' || process.features.require_module;
    test(`an unsupported agent is used under register: ${line}, required`, { skip: !canRequire }, async t => {
      const project = makeProject(t);
      project.write('app.cjs', program(`require('${line}/${FILE}')`) + WITH_REQUIRE);
      for (const flag of ['--import', '--require']) await assertSame(project, 'app.cjs', flag);
    });
  }

  test('an unsupported agent opens no connection without register', async t => {
    const project = makeProject(t);
    project.write(
      'app.cjs',
      `const { WebSocketClient } = require('baileys-native');
      const http = require('node:http');
      class Own extends http.Agent { createConnection() { throw new Error('not to be called'); } }
      const client = new WebSocketClient('ws://127.0.0.1:' + process.argv[3], { agent: new Own() });
      client.on('error', error => console.log(JSON.stringify([error.code])));
      client.connect();`
    );
    const { report, proxied } = await runProgram(project, ['app.cjs']);
    assert.deepEqual([report, proxied], [['ERR_AGENT_UNSUPPORTED'], []]);
  });
});
