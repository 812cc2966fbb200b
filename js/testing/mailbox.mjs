// The stanzas for one device that it has not acknowledged. A stanza is removed when the client acknowledges it, not
// when it is written to a socket. So a cut connection loses nothing.

/** @import { Connection } from './connection.mjs' */
/** @import { Stanza } from './types.d.ts' */

const OFFLINE_TAGS = ['message', 'receipt', 'notification', 'call'];

/**
 * Whether a client's `ack` is for this stanza. Baileys omits `type` in some acks of messages.
 *
 * @param {Stanza['attrs']} attrs
 * @param {Stanza} stanza
 */
function answers(attrs, stanza) {
  return (
    stanza.tag === attrs.class &&
    stanza.attrs.id === attrs.id &&
    stanza.attrs.from === attrs.to &&
    (stanza.attrs.participant ?? '') === (attrs.participant ?? '') &&
    (stanza.tag !== 'receipt' || (stanza.attrs.type ?? '') === (attrs.type ?? ''))
  );
}

export class Mailbox {
  /** @type {{ node: Stanza, offline: boolean }[]} */
  #entries = [];
  #backlog = 0;
  #sequence = 0;

  /**
   * The connection of the device after it has sent `active`.
   *
   * @type {Connection | undefined}
   */
  connection;

  get stanzas() {
    return this.#entries.map(({ node }) => node);
  }

  /**
   * Adds a stanza. Returns the stanza to send now, or undefined if the device is not connected.
   *
   * While older stanzas of the offline queue are unacknowledged, new stanzas are also marked `offline`: Baileys keeps
   * the order only among stanzas with this mark.
   *
   * @param {Stanza} node
   */
  put(node) {
    const entry = { node, offline: this.connection !== undefined && this.#backlog > 0 };
    this.#entries.push(entry);
    if (!this.connection) return undefined;
    if (!entry.offline) return node;
    this.#backlog += 1;
    return this.#asOffline(node);
  }

  /**
   * The device has connected. Returns the stanzas that wait, marked `offline`, and their numbers by kind.
   *
   * @param {Connection} connection
   */
  open(connection) {
    this.connection = connection;
    this.#backlog = this.#entries.length;
    for (const entry of this.#entries) entry.offline = true;
    /** @param {string} tag */
    const count = tag => this.#entries.filter(({ node }) => node.tag === tag).length;
    return {
      nodes: this.#entries.map(({ node }) => this.#asOffline(node)),
      counts: {
        count: this.#entries.length,
        ...Object.fromEntries(OFFLINE_TAGS.map(tag => [tag, count(tag)])),
        appdata: 0
      }
    };
  }

  /**
   * The connection has ended. Does nothing if the device already has another connection.
   *
   * @param {Connection} connection
   */
  close(connection) {
    if (this.connection === connection) this.connection = undefined;
  }

  /**
   * Removes the stanza that an `ack` with these attributes is for.
   *
   * @param {Stanza['attrs']} attrs
   */
  acknowledge(attrs) {
    return this.#remove(node => answers(attrs, node));
  }

  /**
   * Removes the messages that a receipt is for.
   *
   * @param {string[]} ids
   */
  received(ids) {
    return ids
      .map((/** @type {string} */ id) => this.#remove(node => node.tag === 'message' && node.attrs.id === id))
      .filter(Boolean);
  }

  /** @param {(node: Stanza) => boolean} matches */
  #remove(matches) {
    const index = this.#entries.findIndex(({ node }) => matches(node));
    if (index === -1) return undefined;
    const [{ node, offline }] = this.#entries.splice(index, 1);
    if (offline) this.#backlog -= 1;
    return node;
  }

  /** @param {Stanza} node */
  #asOffline(node) {
    this.#sequence += 1;
    return { ...node, attrs: { ...node.attrs, offline: String(this.#sequence) } };
  }
}
