// Measures the speed of the server: a client logs in and then only counts received bytes. If the result of another
// client is close to this one, it shows the speed of the server and not that of the client.

import { once } from 'node:events';
import { Agent } from 'node:https';
import * as baileys from 'baileys';
import { WebSocket } from 'ws';
import { trustTestRoot } from 'baileys-native/testing';
import { askServer, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { performHandshake } from '../lib/session.mjs';

await runMeasurement(async ({ url, ca, rootKey, firstUser, stanzas, perMessage, count }) => {
  trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  const ws = new WebSocket(url, { agent: ca === undefined ? undefined : new Agent({ ca }) });
  await once(ws, 'open');
  await performHandshake({ ws, makeNoiseHandler: baileys.makeNoiseHandler, user: firstUser });
  await askServer('quiet');
  // From now on only this listener gets the bytes.
  const socket = ws._socket;
  socket.removeAllListeners('data');

  const results = [];
  for (const stanza of stanzas) {
    for (const number of perMessage) {
      const { bytes } = await askServer('prepare', { stanza, count, perMessage: number });
      let stop;
      let received = 0;
      const ended = new Promise(resolve => {
        const onData = data => {
          stop ??= stopwatch();
          received += data.length;
          if (received < bytes) return;
          socket.off('data', onData);
          resolve(stop());
        };
        socket.on('data', onData);
      });
      const sent = askServer('flood');
      const { ms } = await ended;
      await sent;
      await askServer('quiet');
      results.push({ stanza, perMessage: number, ms, perSecond: (count / ms) * 1000 });
    }
  }
  return { results };
});
