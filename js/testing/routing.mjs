// Routes messages, receipts and acks between clients, through the mailbox of each device.

import { acknowledge, child, children, defined, seconds, S_WHATSAPP_NET } from './nodes.mjs';
import { Mailbox } from './mailbox.mjs';
import { Presence } from './presence.mjs';
import { accountJid, addressingOf, deviceJid, otherAddressing } from './registry.mjs';

/** @import { Connection } from './connection.mjs' */
/** @import { Device } from './index.cjs' */
/** @import { Account, Addressing, Linked, Stanza } from './types.d.ts' */

const STATUS_BROADCAST = 'status@broadcast';
/** Children of a sent message that are only for the server. */
const FOR_THE_SERVER = ['participants', 'enc', 'tctoken'];
/**
 * Receipts that do not confirm the arrival of a message, so it stays in the mailbox. After a cut connection the message
 * is sent again. It is removed when the client confirms that it has arrived, or that it cannot be decrypted.
 */
const UNCONFIRMING_RECEIPTS = ['retry', 'read', 'read-self', 'played'];
/** Receipts that are only sent to devices of the same user. */
const OWN_RECEIPTS = ['sender', 'peer_msg', 'hist_sync'];

/** @param {string | undefined} jid */
const isGroup = jid => String(jid).endsWith('@g.us');
/**
 * Whether a JID names a linked device, not a phone.
 *
 * @param {string | undefined} jid
 */
const namesDevice = jid => /:[1-9]\d*@/.test(String(jid));

/**
 * The attributes with the user's other JID: the phone number if the stanza uses the LID, and vice versa.
 *
 * @param {string} prefix
 * @param {Account} account
 * @param {Addressing} addressing
 */
function alternative(prefix, account, addressing) {
  const other = otherAddressing(addressing);
  return { [`${prefix}_${other}`]: accountJid(account, other) };
}

export class Router {
  #registry;
  #groups;
  #write;
  #emit;
  #mailboxes = new WeakMap();
  #sequence = 0;

  /**
   * @param {object} parts
   * @param {import('./registry.mjs').Registry} parts.registry
   * @param {import('./groups.mjs').Groups} parts.groups
   * @param {(connection: any, nodes: Stanza[]) => void} parts.write
   * @param {(event: string, ...args: unknown[]) => void} parts.emit
   */
  constructor({ registry, groups, write, emit }) {
    this.#registry = registry;
    this.#groups = groups;
    this.#write = write;
    this.#emit = emit;
    this.presence = new Presence({ registry, groups, push: (device, node) => this.#push(device, node) });
    groups.onChange = (device, node) => this.deliver(device, { ...node, attrs: { ...node.attrs, id: this.nextId() } });
  }

  /** A new id for a stanza of the server. */
  nextId() {
    this.#sequence += 1;
    return `MOCK${String(this.#sequence).padStart(8, '0')}`;
  }

  /**
   * The stanzas for a device that it has not acknowledged.
   *
   * @param {Device} device
   */
  pending(device) {
    return this.#mailbox(device).stanzas;
  }

  /**
   * The device of this connection has sent `active`. Returns the stanzas that wait, ready to be sent.
   *
   * @param {Linked} connection
   */
  open(connection) {
    return this.#mailbox(connection.device).open(connection);
  }

  /**
   * The connection has ended.
   *
   * @param {Connection} connection
   */
  close(connection) {
    if (!connection.device) return;
    this.#mailbox(connection.device).close(connection);
    this.presence.update(/** @type {Linked} */ (connection), false);
  }

  /**
   * Puts a stanza into the mailbox of a device, and sends it if the device is connected.
   *
   * @param {Device} device
   * @param {Stanza} node
   */
  deliver(device, node) {
    const mailbox = this.#mailbox(device);
    const stanza = mailbox.put(node);
    if (stanza) this.#write(mailbox.connection, [stanza]);
    else this.#emit('queued', node, device);
  }

  /**
   * Handles a client's `message`: each device gets the part that was encrypted for it. Returns the `ack`.
   *
   * @param {Stanza} node
   * @param {Device} sender
   */
  message(node, sender) {
    const { to } = node.attrs;
    if (isGroup(to)) return this.#toGroup(node, sender);
    const addressing = addressingOf(to);
    if (to === STATUS_BROADCAST) {
      const envelope = { from: to, participant: sender.jid, ...this.#sender('participant', sender, addressing) };
      const shared = children(node, 'enc');
      for (const [device, encs] of this.#encrypted(node))
        this.#post(node, sender, device, envelope, [...encs, ...shared]);
      return acknowledge(node);
    }
    const account = this.#registry.accountOf(to);
    if (!account) return acknowledge(node);
    const from = { from: deviceJid(sender, addressing), addressing_mode: addressing };
    const toOthers = { ...from, ...this.#sender('sender', sender, addressing) };
    const chat = this.#registry.accountOf(node.attrs.recipient ?? to) ?? account;
    const toOwn = {
      ...from,
      recipient: accountJid(chat, addressing),
      ...alternative('peer_recipient', chat, addressing)
    };
    for (const [device, encs] of this.#encrypted(node)) {
      const own = device.user === sender.user && node.attrs.category !== 'peer';
      this.#post(node, sender, device, own ? toOwn : toOthers, encs);
    }
    return acknowledge(node);
  }

  /**
   * Handles a client's `receipt`: updates its mailbox and tells the senders of the messages. Returns the `ack`.
   *
   * @param {Stanza} node
   * @param {Device} device
   */
  receipt(node, device) {
    const { to, type, participant } = node.attrs;
    const items = children(child(node, 'list'), 'item').map(({ attrs }) => attrs.id);
    if (!UNCONFIRMING_RECEIPTS.includes(type)) {
      this.#settled(device, this.#mailbox(device).received([node.attrs.id, ...items]));
    }
    const wanted = isGroup(to) || to === STATUS_BROADCAST ? participant : to;
    const account = wanted && wanted !== S_WHATSAPP_NET ? this.#registry.accountOf(wanted) : undefined;
    if (!account) return acknowledge(node);
    const addressing = addressingOf(wanted);
    const own = account.user === device.user;
    const attrs =
      type === 'read-self'
        ? { from: deviceJid(device, addressing), recipient: accountJid(account, addressing) }
        : isGroup(to) || to === STATUS_BROADCAST
          ? { from: to, participant: deviceJid(device, addressing) }
          : { from: deviceJid(device, addressing), recipient: node.attrs.recipient };
    const stanza = { ...node, attrs: defined({ id: node.attrs.id, type, t: node.attrs.t ?? seconds(), ...attrs }) };
    for (const target of this.#readers(wanted, account, device, { type, own })) this.deliver(target, stanza);
    return acknowledge(node);
  }

  /**
   * Handles a client's `ack`.
   *
   * @param {Stanza} node
   * @param {Device} device
   */
  ack({ attrs }, device) {
    const stanza = this.#mailbox(device).acknowledge(attrs);
    if (stanza) this.#settled(device, [stanza]);
  }

  /** @param {Device} device */
  #mailbox(device) {
    let mailbox = this.#mailboxes.get(device);
    if (!mailbox) this.#mailboxes.set(device, (mailbox = new Mailbox()));
    return mailbox;
  }

  /**
   * @param {Device} device
   * @param {Stanza[]} stanzas
   */
  #settled(device, stanzas) {
    for (const stanza of stanzas) this.#emit('acknowledged', stanza, device);
  }

  /**
   * Sends a stanza only if the device is connected. It is not stored.
   *
   * @param {Device} device
   * @param {Stanza} node
   */
  #push(device, node) {
    const { connection } = this.#mailbox(device);
    if (connection) this.#write(connection, [node]);
  }

  /**
   * The devices that get a receipt: only the named one if no other device can use it, otherwise all of the account.
   *
   * @param {string} jid
   * @param {Account} account
   * @param {Device} device
   * @param {{ type: string | undefined, own: boolean }} receipt
   */
  #readers(jid, account, device, { type, own }) {
    if (type === 'retry' || OWN_RECEIPTS.includes(type ?? '')) {
      const named = this.#registry.deviceOf(jid);
      return named && named !== device ? [named] : [];
    }
    const readers = type === 'read-self' || own ? device.user : account.user;
    return this.#registry.devicesOf(readers).filter(item => item !== device);
  }

  /**
   * @param {Stanza} node
   * @param {Device} sender
   */
  #toGroup(node, sender) {
    const group = this.#groups.get(node.attrs.to);
    if (!group) return acknowledge(node, 404);
    if (!group.participants.has(sender.user)) return acknowledge(node, 403);
    const { addressingMode } = group;
    const envelope = {
      from: group.id,
      participant: deviceJid(sender, addressingMode),
      addressing_mode: addressingMode,
      ...this.#sender('participant', sender, addressingMode)
    };
    if (namesDevice(node.attrs.participant)) {
      const device = this.#registry.deviceOf(node.attrs.participant);
      if (device) this.#post(node, sender, device, envelope, children(node, 'enc'));
      return acknowledge(node);
    }
    const own = new Map(this.#encrypted(node));
    const shared = children(node, 'enc');
    for (const user of group.participants.keys()) {
      for (const device of this.#registry.devicesOf(user)) {
        this.#post(node, sender, device, envelope, [...(own.get(device) ?? []), ...shared]);
      }
    }
    return acknowledge(node);
  }

  /**
   * @param {string} prefix
   * @param {Device} device
   * @param {Addressing} addressing
   */
  #sender(prefix, { user }, addressing) {
    return alternative(prefix, this.#registry.account(user), addressing);
  }

  /**
   * The linked devices that a message was encrypted for, each with its `enc` nodes.
   *
   * @param {Stanza} node
   * @returns {[Device, Stanza[]][]}
   */
  #encrypted(node) {
    const participants = child(node, 'participants');
    /** @type {[string, Stanza[]][]} */
    const targets = participants
      ? children(participants, 'to').map(to => [to.attrs.jid, children(to, 'enc')])
      : [[node.attrs.to, children(node, 'enc')]];
    return targets.flatMap(([jid, encs]) => {
      const device = this.#registry.deviceOf(jid);
      return device ? [/** @type {[Device, Stanza[]]} */ ([device, encs])] : [];
    });
  }

  /**
   * @param {Stanza} node
   * @param {Device} sender
   * @param {Device} device
   * @param {Record<string, string | undefined>} envelope
   * @param {Stanza[]} encs
   */
  #post(node, sender, device, envelope, encs) {
    if (device === sender || encs.length === 0) return;
    const { id, type, category, edit } = node.attrs;
    const withIdentity = encs.some(({ attrs }) => attrs.type === 'pkmsg');
    const rest = node.content.filter(
      (/** @type {Stanza} */ { tag }) => !FOR_THE_SERVER.includes(tag) && (tag !== 'device-identity' || withIdentity)
    );
    const attrs = defined({ id, type, category, edit, ...envelope, t: seconds(), notify: sender.pushName });
    this.deliver(device, { tag: 'message', attrs, content: [...encs, ...rest] });
  }
}
