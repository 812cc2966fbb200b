// Measures the speed of the sink of the suite `outbound`: a client writes prepared WebSocket messages in chunks.

import { once } from 'node:events';
import { Agent } from 'node:https';
import { randomBytes } from 'node:crypto';
import * as baileys from 'baileys';
import { WebSocket } from 'ws';
import { trustTestRoot } from 'baileys-native/testing';
import { askServer, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { performHandshake } from '../lib/session.mjs';

/** The number of bytes that the measured clients write at a time. */
const CHUNK_BYTES = 16 * 1024;

/** `count` masked binary messages of equal length, with `bytes` bytes in total. */
function messages(bytes, count) {
  const parts = [];
  for (let index = 0; index < count; index++) {
    const length = Math.floor((bytes * (index + 1)) / count) - Math.floor((bytes * index) / count);
    const header = length < 126 ? [0x82, 0x80 | length] : [0x82, 0xfe, length >> 8, length & 0xff];
    parts.push(Buffer.from(header), randomBytes(4), Buffer.alloc(length, 0x5a));
  }
  return Buffer.concat(parts);
}

await runMeasurement(async ({ url, ca, rootKey, firstUser, counts }) => {
  trustTestRoot(baileys, Buffer.from(rootKey, 'hex'));
  const ws = new WebSocket(url, { agent: ca === undefined ? undefined : new Agent({ ca }) });
  await once(ws, 'open');
  await performHandshake({ ws, makeNoiseHandler: baileys.makeNoiseHandler, user: firstUser });
  await askServer('quiet');
  await askServer('sink');
  const socket = ws._socket;
  const perSecond = {};
  for (const [stanza, count] of Object.entries(counts)) {
    const bytes = messages(await askServer('expect', { stanza, count }), count);
    const stop = stopwatch();
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      if (!socket.write(bytes.subarray(at, at + CHUNK_BYTES))) await once(socket, 'drain');
    }
    await askServer('arrived');
    perSecond[stanza] = (count / stop().ms) * 1000;
  }
  return { perSecond };
});
