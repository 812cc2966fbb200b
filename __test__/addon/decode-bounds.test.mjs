// The limits for one stanza, and the memory and CPU time of the objects of the largest allowed stanza.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { decodeBinaryNode, makeNoiseHandler } from '../../js/index.mjs';
import { silentLogger } from '../support/baileys-client.mjs';
import { framed, keyPairOf, NoisePeer } from '../support/noise-peer.mjs';

/** The bound, as in src/binary/decode.rs. */
const MAX_ELEMENTS = 1_048_576;
const MEBIBYTE = 1024 * 1024;

/** The payload of a stanza with lists of `count` nodes of 3 bytes each. */
function manyNodes(count) {
  const sizes = [];
  for (let left = count; left > 0; left -= 60_000) sizes.push(Math.min(left, 60_000));
  const lists = sizes.map(size =>
    Buffer.concat([Buffer.from([248, 2, 25, 249, size >> 8, size & 255]), Buffer.alloc(3 * size, '+AEZ', 'base64')])
  );
  return compressed(Buffer.concat([Buffer.from([248, 2, 25, 248, sizes.length]), ...lists]));
}

const compressed = node => Buffer.concat([Buffer.from([2]), deflateSync(node, { level: 9 })]);

function count(node) {
  return 1 + (Array.isArray(node.content) ? node.content.reduce((sum, child) => sum + count(child), 0) : 0);
}

if (process.argv.includes('--measure')) {
  const payload = manyNodes(MAX_ELEMENTS - 100);
  globalThis.gc();
  const before = process.memoryUsage();
  const cpuBefore = process.cpuUsage();
  const node = await decodeBinaryNode(payload);
  const { user, system } = process.cpuUsage(cpuBefore);
  globalThis.gc();
  const after = process.memoryUsage();
  const held = after.heapUsed + after.external - before.heapUsed - before.external;
  process.stdout.write(
    JSON.stringify({ payload: payload.length, nodes: count(node), held, cpuMs: (user + system) / 1000 })
  );
} else {
  test('a stanza with as many nodes as allowed takes less than 160 MiB as objects, and 3 s of CPU time', t => {
    const out = execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), '--measure']);
    const { payload, nodes, held, cpuMs } = JSON.parse(out.toString());
    t.diagnostic(`${payload} bytes: ${(held / MEBIBYTE).toFixed(0)} MiB, ${cpuMs.toFixed(0)} ms of CPU time`);
    assert.ok(nodes > MAX_ELEMENTS - 100, `${nodes}`);
    assert.ok(held < 160 * MEBIBYTE, `${held / MEBIBYTE} MiB for ${payload} bytes`);
    assert.ok(cpuMs < 3000, `${cpuMs} ms for ${payload} bytes`);
  });

  test('more nodes than allowed are refused by the codec and by the noise handler', async () => {
    const payload = manyNodes(MAX_ELEMENTS);
    await assert.rejects(decodeBinaryNode(payload), { message: 'too many nodes and attributes' });
    const header = Buffer.from([87, 65, 6, 3]);
    const keyPair = keyPairOf(Buffer.alloc(32, 7));
    const handler = makeNoiseHandler({ keyPair, NOISE_HEADER: header, logger: silentLogger() });
    const peer = new NoisePeer({ header, publicKey: keyPair.public });
    await handler.finishInit();
    peer.finishInit();
    const seal = payload => framed(peer.seal(payload));
    const frames = [];
    await assert.rejects(
      handler.decodeFrame(seal(payload), frame => frames.push(frame)),
      { message: 'too many nodes and attributes' }
    );
    await handler.decodeFrame(seal(Buffer.from([0, 248, 1, 25])), frame => frames.push(frame));
    assert.equal(frames.length, 1);
  });

  test('a stanza that inflates to more than 16 MiB is refused', async () => {
    const payload = compressed(Buffer.alloc(16 * MEBIBYTE + 1));
    await assert.rejects(decodeBinaryNode(payload), { code: 'ERR_BUFFER_TOO_LARGE' });
  });
}
