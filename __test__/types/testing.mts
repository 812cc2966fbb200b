// Compiled, never run: the declarations of `baileys-native/testing` hold for the ways that the documentation uses it.

import { MockServer, errorResult, result, sampleStanzas, trustTestRoot } from 'baileys-native/testing';
import type { BinaryNode, Connection, Device, Group, StanzaRecord } from 'baileys-native/testing';
import * as baileys from 'baileys';

export async function main(): Promise<void> {
  const server: MockServer = await MockServer.start({
    tls: true,
    baileys: 'baileys',
    preKeyCount: 50,
    routing: true,
    groupAddressing: 'pn',
    login: { offline: { count: 0 }, dirty: [{ type: 'groups', timestamp: 1 }] },
    faults: { delayMs: 5 }
  });
  const restore: () => void = trustTestRoot(baileys, server.rootKey);
  trustTestRoot(baileys.WA_CERT_DETAILS, server.rootKey)();
  const remove = server.handle({ tag: 'iq', xmlns: 'w:p' }, (node, connection) => {
    const attrs: Record<string, string> = node.attrs;
    return attrs.type === 'get' && connection.state === 'open' ? result(node) : errorResult(node, 400, 'bad-request');
  });
  server.handle(
    node => node.tag === 'message',
    () => null
  );
  server.handle('presence', async () => undefined);
  server.on('stanza', (record: StanzaRecord, connection: Connection) => [record.time, connection.id]);

  const device = await server.scanQr('', { jid: '15550001234', pushName: 'Ada' });
  const keys: number = device.preKeys.size;
  const group: Group = server.createGroup({ subject: 'Test', creator: device.jid, participants: ['15550005678'] });
  const role: 'superadmin' | 'admin' | undefined = group.participants.get(device.user);
  server.on('queued', (stanza: BinaryNode, to: Device) => [stanza.tag, to.user, role]);
  server.on('acknowledged', (_stanza, by) => server.pending(by).map(({ attrs }) => attrs.id));
  const [connection] = server.connections;
  const node: BinaryNode = { tag: 'ib', attrs: {}, content: [{ tag: 'x', attrs: {}, content: Buffer.alloc(keys) }] };
  await connection?.send(node, { compress: true });
  const flood = connection?.prepareFlood(sampleStanzas.message, 1000, { perMessage: 4 });
  await flood?.start();
  server.rotateNoiseKey();
  server.options.resumption = 'decline';
  const kind: 'XX' | 'IK' | 'XXfallback' | undefined = connection?.handshake;
  const asked: boolean | undefined = connection?.askedToResume;
  await connection?.failure(kind ?? String(asked));
  await connection?.streamError(503);
  const { node: seen } = await server.waitFor(({ direction }) => direction === 'in', { timeoutMs: 1000 });
  // A stanza of the server's can be given to Baileys' own codec.
  baileys.encodeBinaryNode(seen);
  // @ts-expect-error a fault that does not exist
  server.faults = { certificate: 'none' };
  remove();
  restore();
  await server.stop();
}
