// Types that the files of the mock server share. The public types are in index.d.cts.

import type { Device, Group, MockServerOptions, StanzaRecord } from './index.cjs';
import type { Connection } from './connection.mjs';
import type { Handshake } from './handshake.mjs';
import type { Groups } from './groups.mjs';
import type { Registry } from './registry.mjs';
import type { Router } from './routing.mjs';

/** A stanza. The type of its content is known only from its tag. */
export interface Stanza {
  tag: string;
  attrs: Record<string, string>;
  content?: any;
}

export interface RawKeyPair {
  private: Uint8Array;
  public: Uint8Array;
}

/** Baileys' `Curve`. */
export interface Curve {
  generateKeyPair(): RawKeyPair;
  sharedKey(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
}

/** The parts of Baileys that the server uses. `proto` and `WebSocketServer` have no types here. */
export interface Baileys {
  encode(node: Stanza): Uint8Array;
  decode(bytes: Uint8Array): Promise<Stanza>;
  proto: any;
  curve: Curve;
  dictionaryVersion: number;
  WebSocketServer: any;
}

/** The keys of a new device, and the secret that seals its identity. */
export interface PairingKeys {
  noiseKey: Buffer;
  identityKey: Buffer;
  advSecret: Buffer;
}

export type Addressing = 'lid' | 'pn';

/** The keys by which others encrypt for a device. */
export interface DeviceKeys {
  identityKey?: Buffer;
  registrationId?: number;
  signedPreKey?: { id: number; key: Buffer; signature: Buffer };
  preKeys: Map<number, Buffer>;
}

/** A phone number with its LID, and the key that signs its devices. */
export interface Account {
  user: string;
  lidUser: string;
  keyPair: RawKeyPair;
  /** The highest number of its devices. */
  devices: number;
  phone?: DeviceKeys;
}

/** A group with the fields that the public type does not have. Here they can be changed. */
export interface StoredGroup extends Omit<Group, 'subject'> {
  subject: string;
  subjectOwner: string;
  subjectTime: string;
  creation: string;
  owner: string;
  settings: Record<'announcement' | 'locked', boolean>;
  description?: { id: string; text: Buffer; owner: string; time: string };
  ephemeral?: string;
}

/** A connection after its handshake. */
export type Finished = Connection & { noiseKey: Buffer; payload: Record<string, any> };

/** A connection of a linked device. */
export type Linked = Connection & { device: Device };

/** What a default answer can use. */
export interface Context {
  connection: Linked;
  device: Device;
  server: { options: MockServerOptions & { groupAddressing: Addressing }; forget(device: Device): void };
  registry: Registry;
  router: Router;
  groups: Groups;
}

/** The functions of the server that a connection uses. */
export interface Host {
  baileys: Baileys;
  startHandshake(connection: Connection): Handshake;
  tcpSocket(socket: import('node:net').Socket): import('node:net').Socket;
  wantsRecords(): boolean | undefined;
  record(connection: Connection, direction: StanzaRecord['direction'], node: Stanza): void;
  handshakeDone(connection: Connection): void;
  stanza(connection: Connection, node: Stanza): void;
  fail(connection: Connection, error: Error): void;
  closed(connection: Connection, code: number, reason: string): void;
}
