// What waits for one device: everything that it was sent and has not acknowledged. A stanza leaves the mailbox when the
// client says that it has it, not when it was written to a socket, so that a cut connection loses nothing.

const OFFLINE_TAGS = ['message', 'receipt', 'notification', 'call'];

/** Whether a client's `ack` is for this stanza. Baileys leaves `type` out of some acks of messages. */
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
  #entries = [];
  #backlog = 0;
  #sequence = 0;

  /** The connection that the device reads from, once it has gone active. */
  connection;

  get stanzas() {
    return this.#entries.map(({ node }) => node);
  }

  /**
   * Takes a stanza in; returns it as it has to be sent now, or undefined while nobody reads.
   *
   * As long as the device works off what had waited for it, what follows is marked `offline` as well: it stands in the
   * same queue, and Baileys keeps its order only within that queue.
   */
  put(node) {
    const entry = { node, offline: this.connection !== undefined && this.#backlog > 0 };
    this.#entries.push(entry);
    if (!this.connection) return undefined;
    if (!entry.offline) return node;
    this.#backlog += 1;
    return this.#asOffline(node);
  }

  /** Starts to read: everything that waits, marked `offline`, and how many of each kind there are. */
  open(connection) {
    this.connection = connection;
    this.#backlog = this.#entries.length;
    for (const entry of this.#entries) entry.offline = true;
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

  /** Stops reading, unless another connection reads by now. */
  close(connection) {
    if (this.connection === connection) this.connection = undefined;
  }

  /** The stanza that an `ack` with these attributes is for leaves the mailbox. */
  acknowledge(attrs) {
    return this.#remove(node => answers(attrs, node));
  }

  /** Messages that a receipt is for leave the mailbox. */
  received(ids) {
    return ids.map(id => this.#remove(node => node.tag === 'message' && node.attrs.id === id)).filter(Boolean);
  }

  #remove(matches) {
    const index = this.#entries.findIndex(({ node }) => matches(node));
    if (index === -1) return undefined;
    const [{ node, offline }] = this.#entries.splice(index, 1);
    if (offline) this.#backlog -= 1;
    return node;
  }

  #asOffline(node) {
    this.#sequence += 1;
    return { ...node, attrs: { ...node.attrs, offline: String(this.#sequence) } };
  }
}
