/** The socket, event by event: close(), connect() and send() at odd moments. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { after, before } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { event, rawServer, state, wsServer } from '../support/socket-log.mjs';
import { answers, closeEvent, opensWith, same, shut, untilClosed } from '../support/socket-scenarios.mjs';

const quiet = () => wsServer(() => {});

// --- close

same('close() before connect()', quiet, async ({ client, note }) => {
  note('closed', await client.close(), client.socket, state(client));
  note('sent', client.send('x'));
});

same('close() twice while open', quiet, async ({ client, note }) => {
  client.connect();
  await event(client, 'open');
  const gone = closeEvent(client);
  const both = [client.close(), client.close()];
  note('closing', state(client));
  note('closed', await Promise.all(both), client.socket);
  await gone;
});

same('close() right after connect(), before anything is sent', quiet, async ({ client }) => {
  client.connect();
  const gone = closeEvent(client);
  await Promise.all([client.close(), gone]);
});

for (const [name, start] of [
  ['open', quiet],
  ['a server that refuses', answers('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')]
]) {
  same(
    `a second socket after close(): ${name}`,
    start,
    async ({ client, note }) => {
      for (let round = 0; round < 2; round++) {
        client.connect();
        const gone = closeEvent(client);
        if (name === 'open') await event(client, 'open');
        else await gone;
        if (name === 'open') await shut(client);
        else client.socket = null;
        note('round', round, state(client));
      }
    },
    { config: { connectTimeoutMs: 300 } }
  );
}

same(
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

same(
  'close() in a listener of error, the connection being open',
  opensWith([0x82, 1, 1, 0xc2, 0], s => s.once('data', () => s.end())),
  async ({ client, note }) => {
    let closing;
    client.once('error', () => (closing = client.close()));
    client.connect();
    await closeEvent(client);
    await closing;
    note('closed', client.socket, state(client));
  }
);

same(
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

same(
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

same(
  'close() with much to be sent',
  ({ note }) => {
    let bytes = 0;
    return wsServer(s => {
      s.on('message', data => (bytes += data.length));
      s.on('close', code => note('server', bytes, code));
    });
  },
  async ({ client, log }) => {
    client.connect();
    await event(client, 'open');
    for (let i = 0; i < 8; i++) client.send(Buffer.alloc(1 << 20, i));
    await shut(client);
    while (!log.some(([what]) => what === 'server')) await turn();
    log.sort(([a], [b]) => (a === 'server') - (b === 'server'));
  }
);

same(
  'both sides close at once',
  () => wsServer(s => s.on('message', () => s.close(4000, 'server'))),
  async ({ client, log }) => {
    client.connect();
    await event(client, 'open');
    client.send('x');
    await shut(client);
    // Either close frame may arrive first.
    log.splice(0, log.length, ...log.map(([what, ...rest]) => (what === 'close' ? [what] : [what, ...rest])));
  }
);

same(
  'messages that come after close()',
  () =>
    wsServer(s =>
      s.on('message', () => {
        for (let i = 0; i < 3; i++) s.send(`late ${i}`);
      })
    ),
  async ({ client }) => {
    client.connect();
    await event(client, 'open');
    client.send('x');
    await shut(client);
  }
);

// --- connect

same('connect() twice at once', quiet, async ({ client, note }) => {
  client.connect();
  const { socket } = client;
  client.connect();
  note('one socket', client.socket === socket);
  await event(client, 'open');
  await shut(client);
});

for (const name of ['open', 'error', 'close']) {
  same(
    `connect() in a listener of ${name}`,
    name === 'error' ? () => rawServer(s => s.resetAndDestroy()) : () => wsServer(s => s.close(1001)),
    async ({ client, note }) => {
      client.on(name, () => {
        const { socket } = client;
        client.connect();
        note('same socket', client.socket === socket, state(client));
      });
      await untilClosed({ client });
    }
  );
}

// --- drops

for (const [name, bytes] of [
  ['a frame header', [0x82]],
  ['an extended length', [0x82, 126, 0]],
  ['a payload', [0x82, 5, 1, 2]],
  ['a fragmented message', [0x02, 1, 1]],
  ['a control frame', [0x89, 3, 1]],
  ['a close frame', [0x88, 2, 3]]
]) {
  same(
    `the connection ends amid ${name}`,
    opensWith(bytes, s => s.end()),
    untilClosed
  );
  same(
    `the connection is reset amid ${name}`,
    // After the client has read the earlier data.
    opensWith(bytes, s => s.once('data', () => s.resetAndDestroy())),
    async ({ client }) => {
      client.once('open', () => client.send('x'));
      await untilClosed({ client });
    }
  );
}

same(
  'the connection is reset while the handshake is under way',
  () =>
    rawServer(s => {
      s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n');
      // After the client has read that.
      setTimeout(() => s.resetAndDestroy(), 30);
    }),
  untilClosed
);

same(
  'a close frame, and the connection stays',
  opensWith([0x88, 2, 3, 0xe8], s => s.once('data', () => setTimeout(() => s.end(), 50))),
  untilClosed
);

same(
  'frames behind a close frame',
  opensWith([0x82, 1, 1, 0x88, 2, 3, 0xe8, 0x82, 1, 2, 0x89, 0], s => s.once('data', () => s.end())),
  untilClosed
);

same(
  'half-closed by the server, without a close frame',
  opensWith([0x82, 1, 1], s => s.end()),
  async ({ client, note }) => {
    client.once('close', () => note('sent', client.send('x')));
    await untilClosed({ client });
  }
);

// --- a port that accepts no connections

/** Listens with the shortest queue and never accepts a connection from it. */
const FULL = `
  const net = require('node:net');
  const server = net.createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    console.log(server.address().port);
    setTimeout(() => process.kill(process.pid, 'SIGSTOP'), 0);
  });
`;
const full = { port: 0, sockets: [] };
before(async () => {
  full.child = spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  full.port = Number(String((await once(full.child.stdout, 'data'))[0]));
  // One more than the queue can hold, and some because the server may accept a few before it stops.
  let queued;
  do {
    const socket = net.connect(full.port, '127.0.0.1');
    socket.on('error', () => {});
    full.sockets.push(socket);
    queued = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise(resolve => setTimeout(resolve, 300, false))
    ]);
  } while (queued && full.sockets.length < 20);
  assert.equal(queued, false, 'the queue is full');
});
after(() => {
  for (const socket of full.sockets) socket.destroy();
  full.child.kill('SIGKILL');
});

same('a port that takes no connection: the timeout', async () => ({ port: full.port, close: () => {} }), untilClosed, {
  config: { connectTimeoutMs: 300 }
});
same(
  'a port that takes no connection: close()',
  async () => ({ port: full.port, close: () => {} }),
  async ({ client }) => {
    client.connect();
    const gone = closeEvent(client);
    await turn();
    await Promise.all([client.close(), gone]);
  }
);
