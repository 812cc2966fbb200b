// Presence: online state, subscriptions and chat states. They are not stored for clients that are offline.

import { defined, firstChild, seconds } from './nodes.mjs';
import { accountJid, addressingOf } from './registry.mjs';

/** @import { Groups } from './groups.mjs' */
/** @import { Device } from './index.cjs' */
/** @import { Registry } from './registry.mjs' */
/** @import { Linked, Stanza } from './types.d.ts' */

export class Presence {
  #registry;
  #groups;
  #push;
  /** Connections that have sent `available`. */
  #available = new Set();
  /** The subscribers of each user, and the JID that each has used. */
  #subscribers = new Map();
  #lastSeen = new Map();

  /** @param {{ registry: Registry, groups: Groups, push: (device: Device, node: Stanza) => void }} parts */
  constructor({ registry, groups, push }) {
    this.#registry = registry;
    this.#groups = groups;
    this.#push = push;
  }

  /**
   * Handles a client's `presence`.
   *
   * @param {Stanza} node
   * @param {Linked} connection
   */
  receive({ attrs }, connection) {
    const { device } = connection;
    if (attrs.type === 'subscribe') {
      const account = this.#registry.accountOf(attrs.to);
      if (!account) return;
      const subscribers = this.#subscribers.get(account.user) ?? new Map();
      this.#subscribers.set(account.user, subscribers.set(device, accountJid(account, addressingOf(attrs.to))));
      this.#notify(device, account.user);
      return;
    }
    if (attrs.name) device.pushName = attrs.name;
    if (attrs.type === 'available' || attrs.type === 'unavailable') {
      this.update(connection, attrs.type === 'available');
    }
  }

  /**
   * Tells the subscribers that the user of this connection is online or offline.
   *
   * @param {Linked} connection
   * @param {boolean} available
   */
  update(connection, available) {
    const { user } = connection.device;
    const before = this.#isAvailable(user);
    if (available) this.#available.add(connection);
    else this.#available.delete(connection);
    if (before === this.#isAvailable(user)) return;
    if (before) this.#lastSeen.set(user, seconds());
    for (const device of this.#subscribers.get(user)?.keys() ?? []) this.#notify(device, user);
  }

  /**
   * Sends a client's `chatstate` to the chat.
   *
   * @param {Stanza} node
   * @param {Device} device
   */
  chatState(node, device) {
    const { to } = node.attrs;
    const group = this.#groups.get(to);
    const self = this.#registry.account(device.user);
    const users = group ? [...group.participants.keys()] : [this.#registry.accountOf(to)?.user];
    if (!firstChild(node) || (group && !group.participants.has(device.user))) return;
    /** @type {Stanza['attrs']} */
    const attrs = group
      ? { from: group.id, participant: accountJid(self, group.addressingMode) }
      : { from: accountJid(self, addressingOf(to)) };
    for (const user of users) {
      if (user === undefined || user === device.user) continue;
      for (const target of this.#registry.devicesOf(user)) this.#push(target, { ...node, attrs });
    }
  }

  /** @param {string} user */
  #isAvailable(user) {
    return [...this.#available].some(({ device }) => device.user === user);
  }

  /**
   * @param {Device} device
   * @param {string} user
   */
  #notify(device, user) {
    const from = this.#subscribers.get(user).get(device);
    const away = { type: 'unavailable', last: this.#lastSeen.get(user) };
    this.#push(device, { tag: 'presence', attrs: defined({ from, ...(this.#isAvailable(user) ? {} : away) }) });
  }
}
