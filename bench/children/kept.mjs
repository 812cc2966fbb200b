// Measures the memory of a bot that keeps one small Buffer, such as a key, of some of its received stanzas.

import { setTimeout as delay } from 'node:timers/promises';
import { askServer, floodEnd, logIn, prepareBots } from '../lib/bot.mjs';
import { runMeasurement } from '../lib/client.mjs';

/** The bytes of all array buffers in use. */
async function arrayBuffers() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await delay(50); // array buffers are freed some time after the collection
  }
  return process.memoryUsage().arrayBuffers;
}

/** Content of the first node with a tag. */
function contentOf(node, tag) {
  if (node.tag === tag) return node.content;
  if (!Array.isArray(node.content)) return undefined;
  for (const child of node.content) {
    const found = contentOf(child, tag);
    if (found) return found;
  }
  return undefined;
}

await runMeasurement(async settings => {
  const { stanza, tag, count, every } = settings;
  const agent = await prepareBots(settings);
  const sock = await logIn(settings, settings.firstUser, agent);
  await askServer('quiet');
  let kept = [];
  let seen = 0;
  sock.ws.on('frame', node => {
    if (node.tag === 'iq' && seen++ % every === 0) kept.push(contentOf(node, tag));
  });
  const receive = async () => {
    await askServer('prepare', { stanza, count, perMessage: 1 });
    const ended = floodEnd(sock);
    await askServer('flood');
    await ended;
  };
  await receive();
  kept = [];
  const before = await arrayBuffers();
  await receive();
  const bytes = (await arrayBuffers()) - before;
  const lengths = new Set(kept.map(({ length }) => length));
  if (lengths.size !== 1) throw new Error(`contents of ${[...lengths].join(', ')} bytes were kept`);
  return { kept: kept.length, length: [...lengths][0], bytesEach: bytes / kept.length };
});
