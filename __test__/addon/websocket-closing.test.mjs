/** The events of both clients for close() and connect() in every state, and for connections that end. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { after, before } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nextEvent, rawServer, state, wsServer } from '../support/socket-log.mjs';
import {
  serverAnswering,
  closeEvent,
  serverSending,
  testSameLog,
  closeAndWait,
  connectUntilClosed
} from '../support/socket-scenarios.mjs';
import { until } from '../support/until.mjs';

const quiet = () => wsServer(() => {});

// --- close

testSameLog('close() before connect()', quiet, async ({ client, note }) => {
  note('closed', await client.close(), client.socket, state(client));
  note('sent', client.send('x'));
});

testSameLog('close() twice while open', quiet, async ({ client, note }) => {
  client.connect();
  await nextEvent(client, 'open');
  const gone = closeEvent(client);
  const both = [client.close(), client.close()];
  note('closing', state(client));
  note('closed', await Promise.all(both), client.socket);
  await gone;
});

testSameLog('close() right after connect(), before anything is sent', quiet, async ({ client }) => {
  client.connect();
  const gone = closeEvent(client);
  await Promise.all([client.close(), gone]);
});

for (const [name, start] of [
  ['of an open connection', quiet],
  ['of a refused connection', serverAnswering('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')]
]) {
  testSameLog(
    `a second connection after the end ${name}`,
    start,
    async ({ client, note }) => {
      for (let round = 0; round < 2; round++) {
        client.connect();
        const gone = closeEvent(client);
        const isOpen = name === 'of an open connection';
        if (isOpen) await nextEvent(client, 'open');
        else await gone;
        if (isOpen) await closeAndWait(client);
        else client.socket = null;
        note('round', round, state(client));
      }
    },
    name === 'of a refused connection'
      ? {
          // Baileys reports a refused connection only after this time.
          config: { connectTimeoutMs: 1_000 },
          isInTime: log => log.filter(([what]) => what === 'unexpected-response').length === 2
        }
      : {}
  );
}

testSameLog(
  'close() in a listener of error',
  () => rawServer(s => s.resetAndDestroy()),
  async ({ client, note }) => {
    let closing;
    client.once('error', () => {
      note('before', state(client));
      closing = client.close();
      note('after', state(client));
    });
    client.connect();
    await closeEvent(client);
    await closing;
    note('closed', client.socket, state(client));
  }
);

testSameLog(
  'close() in a listener of error while the connection is open',
  serverSending([0x82, 1, 1, 0xc2, 0], s => s.once('data', () => s.end())),
  async ({ client, note }) => {
    let closing;
    client.once('error', () => (closing = client.close()));
    client.connect();
    await closeEvent(client);
    await closing;
    note('closed', client.socket, state(client));
  }
);

testSameLog(
  'close() in a listener of close',
  () => wsServer(s => s.close(1000, 'done')),
  async ({ client, note }) => {
    client.once('close', () => {
      note('before', client.socket === null, state(client));
      client.close().then(() => note('resolved'));
    });
    client.connect();
    await closeEvent(client);
    for (let i = 0; i < 5; i++) await turn();
    note('later', client.socket === null, state(client));
  },
  {
    differs: {
      id: 'close-after-close',
      lines: ['7'],
      ours: log => [...log.slice(0, -1), ['resolved'], ['later', true, 'isClosed isClosing']]
    }
  }
);

testSameLog(
  'close() after the server has closed',
  () => wsServer(s => s.close(1000)),
  async ({ client, note }) => {
    client.connect();
    await closeEvent(client);
    client.close().then(() => note('resolved'));
    for (let i = 0; i < 5; i++) await turn();
    note('later', client.socket === null, state(client));
  },
  {
    differs: {
      id: 'close-after-close',
      lines: ['7'],
      ours: log => [...log.slice(0, -1), ['resolved'], ['later', true, 'isClosed isClosing']]
    }
  }
);

testSameLog(
  'close() while 8 MiB wait to be sent',
  ({ note }) => {
    let bytes = 0;
    return wsServer(s => {
      s.on('message', data => (bytes += data.length));
      s.on('close', code => note('server', bytes, code));
    });
  },
  async ({ client, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    for (let i = 0; i < 8; i++) client.send(Buffer.alloc(1 << 20, i));
    await closeAndWait(client);
    await until(() => log.some(([what]) => what === 'server'), { every: 1 });
    log.sort(([a], [b]) => (a === 'server') - (b === 'server'));
  }
);

testSameLog(
  'both sides close at the same time',
  () => wsServer(s => s.on('message', () => s.close(4000, 'server'))),
  async ({ client, log }) => {
    client.connect();
    await nextEvent(client, 'open');
    client.send('x');
    await closeAndWait(client);
    // Either close frame may arrive first.
    log.splice(0, log.length, ...log.map(([what, ...rest]) => (what === 'close' ? [what] : [what, ...rest])));
  }
);

testSameLog(
  'messages that arrive after close()',
  () =>
    wsServer(s =>
      s.on('message', () => {
        for (let i = 0; i < 3; i++) s.send(`late ${i}`);
      })
    ),
  async ({ client }) => {
    client.connect();
    await nextEvent(client, 'open');
    client.send('x');
    await closeAndWait(client);
  }
);

// --- connect

testSameLog('connect() twice at once', quiet, async ({ client, note }) => {
  client.connect();
  const { socket } = client;
  client.connect();
  note('one socket', client.socket === socket);
  await nextEvent(client, 'open');
  await closeAndWait(client);
});

for (const name of ['open', 'error', 'close']) {
  testSameLog(
    `connect() in a listener of ${name}`,
    name === 'error' ? () => rawServer(s => s.resetAndDestroy()) : () => wsServer(s => s.close(1001)),
    async ({ client, note }) => {
      client.on(name, () => {
        const { socket } = client;
        client.connect();
        note('same socket', client.socket === socket, state(client));
      });
      await connectUntilClosed({ client });
    }
  );
}

// --- connections that end

for (const [name, bytes] of [
  ['a frame header', [0x82]],
  ['an extended length', [0x82, 126, 0]],
  ['a payload', [0x82, 5, 1, 2]],
  ['a fragmented message', [0x02, 1, 1]],
  ['a control frame', [0x89, 3, 1]],
  ['a close frame', [0x88, 2, 3]]
]) {
  testSameLog(
    `the connection ends in the middle of ${name}`,
    serverSending(bytes, s => s.end()),
    connectUntilClosed
  );
  testSameLog(
    `the connection is reset in the middle of ${name}`,
    // The reset follows when the client has read the earlier data.
    serverSending(bytes, s => s.once('data', () => s.resetAndDestroy())),
    async ({ client }) => {
      client.once('open', () => client.send('x'));
      await connectUntilClosed({ client });
    }
  );
}

testSameLog(
  'the connection is reset during the handshake',
  () =>
    rawServer(s => {
      s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n');
      // The client reads the line before the reset.
      setTimeout(() => s.resetAndDestroy(), 30);
    }),
  connectUntilClosed
);

testSameLog(
  'a close frame on a connection that stays open',
  serverSending([0x88, 2, 3, 0xe8], s => s.once('data', () => setTimeout(() => s.end(), 50))),
  connectUntilClosed
);

testSameLog(
  'frames after a close frame',
  serverSending([0x82, 1, 1, 0x88, 2, 3, 0xe8, 0x82, 1, 2, 0x89, 0], s => s.once('data', () => s.end())),
  connectUntilClosed
);

testSameLog(
  'the server half-closes the connection without a close frame',
  serverSending([0x82, 1, 1], s => s.end()),
  async ({ client, note }) => {
    client.once('close', () => note('sent', client.send('x')));
    await connectUntilClosed({ client });
  }
);

// --- a port that accepts no connections

/** Listens with the shortest queue and never accepts a connection from it: it stops before it could do that. */
const FULL = `
  const net = require('node:net');
  const server = net.createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    process.kill(process.pid, 'SIGSTOP');
  });
`;
const full = { port: 0, sockets: [] };
before(async () => {
  full.child = spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  full.port = Number(String((await once(full.child.stdout, 'data'))[0]));
  // One more than the queue can hold.
  let queued;
  do {
    const socket = net.connect(full.port, '127.0.0.1');
    socket.on('error', () => {});
    full.sockets.push(socket);
    queued = await Promise.race([
      once(socket, 'connect').then(() => true),
      // A late `connect` event is emitted between the timer and the immediate.
      new Promise(resolve => setTimeout(setImmediate, 300, resolve, false))
    ]);
  } while (queued && full.sockets.length < 20);
  assert.equal(queued, false, 'the queue is full');
});
after(() => {
  for (const socket of full.sockets) socket.destroy();
  full.child.kill('SIGKILL');
});

testSameLog(
  'a port that accepts no connection: the timeout',
  async () => ({ port: full.port, close: () => {} }),
  connectUntilClosed,
  {
    config: { connectTimeoutMs: 300 }
  }
);
testSameLog(
  'a port that accepts no connection: close()',
  async () => ({ port: full.port, close: () => {} }),
  async ({ client }) => {
    client.connect();
    const gone = closeEvent(client);
    await turn();
    await Promise.all([client.close(), gone]);
  }
);
