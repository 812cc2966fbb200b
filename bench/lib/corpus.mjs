// Typical stanzas by name. A function creates each from a seed, with new strings that are concatenated from parts, like
// the strings of a program.

import { randomBytes, randomFrom } from './random.mjs';

const S_WHATSAPP_NET = 's.whatsapp.net';

/** Random bytes that all stanzas share: to create them is slow. */
const NOISE = randomBytes(randomFrom(1), 96 * 1024);

/**
 * @param {string} tag
 * @param {Record<string, string>} [attrs]
 * @param {any} [content]
 */
const node = (tag, attrs = {}, content = undefined) =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };

/** Creates the parts of a stanza from a seed. */
class Parts {
  constructor(seed) {
    this.next = randomFrom(seed + 1);
  }

  digits(count) {
    let text = String(1 + (this.next() % 9));
    while (text.length < count) text += String(this.next()).slice(-Math.min(9, count - text.length));
    return text;
  }

  user() {
    return `1555${this.digits(7)}@${S_WHATSAPP_NET}`;
  }

  lid() {
    return `${this.digits(15)}@lid`;
  }

  device(user = `1555${this.digits(7)}`) {
    return `${user}:${1 + (this.next() % 90)}@${S_WHATSAPP_NET}`;
  }

  group() {
    return `12036${this.digits(13)}@g.us`;
  }

  messageId() {
    const hex = () => this.next().toString(16).padStart(8, '0').toUpperCase();
    return `3EB0${hex()}${hex()}${hex().slice(0, 2)}`;
  }

  queryId() {
    return `${this.next() % 60_000}.${this.next() % 60_000}-${this.next() % 5000}`;
  }

  time() {
    return String(1_700_000_000 + (this.next() % 50_000_000));
  }

  bytes(length) {
    const start = this.next() % (NOISE.length - length + 1);
    return NOISE.subarray(start, start + length);
  }

  list(count, make) {
    return Array.from({ length: count }, (_, index) => make(index));
  }
}

const participant = (parts, index) => {
  const attrs = { jid: parts.lid(), phone_number: parts.user() };
  if (index % 40 === 0) attrs.type = index === 0 ? 'superadmin' : 'admin';
  return node('participant', attrs);
};

const group = count => parts =>
  node('iq', { from: parts.group(), type: 'result', id: parts.queryId() }, [
    node(
      'group',
      {
        id: parts.digits(18),
        creator: parts.lid(),
        creation: parts.time(),
        subject: `Neighbours of block ${parts.digits(2)}`,
        s_t: parts.time(),
        s_o: parts.lid(),
        addressing_mode: 'lid'
      },
      [...parts.list(count, index => participant(parts, index)), node('ephemeral', { expiration: '604800' })]
    )
  ]);

const devices = (parts, count) =>
  node('devices', {}, [
    node(
      'device-list',
      {},
      parts.list(count, index => node('device', { id: String(index), 'key-index': String(index + 1) }))
    )
  ]);

const MAKERS = {
  ack: parts => node('ack', { class: 'message', id: parts.messageId(), from: parts.user(), t: parts.time() }),

  receipt: parts =>
    node('receipt', { id: parts.messageId(), from: parts.device(), type: 'read', t: parts.time() }, [
      node(
        'list',
        {},
        parts.list(3, () => node('item', { id: parts.messageId() }))
      )
    ]),

  message: parts =>
    node(
      'message',
      {
        id: parts.messageId(),
        from: parts.lid(),
        sender_pn: parts.user(),
        type: 'text',
        notify: `Anna ${parts.digits(2)}`,
        t: parts.time()
      },
      [node('enc', { v: '2', type: 'msg' }, parts.bytes(160))]
    ),

  groupMessage: parts =>
    node(
      'message',
      {
        id: parts.messageId(),
        from: parts.group(),
        participant: parts.device(),
        participant_lid: parts.lid(),
        type: 'media',
        // Not latin1: the text of the tape is UTF-16.
        notify: `Žofie ${parts.digits(2)} 👋`,
        t: parts.time(),
        addressing_mode: 'lid'
      },
      [
        node('enc', { v: '2', type: 'skmsg', mediatype: 'image' }, parts.bytes(420)),
        node('enc', { v: '2', type: 'pkmsg' }, parts.bytes(280)),
        node('device-identity', {}, parts.bytes(130))
      ]
    ),

  notification: parts =>
    node(
      'notification',
      {
        id: parts.digits(10),
        from: parts.group(),
        participant: parts.lid(),
        type: 'w:gp2',
        notify: 'Jan',
        t: parts.time()
      },
      [
        node(
          'add',
          { reason: 'invite', prev_v_id: parts.time() },
          parts.list(3, index => participant(parts, index + 1))
        )
      ]
    ),

  presence: parts => node('presence', { from: parts.user(), type: 'unavailable', last: parts.time() }),

  chatstate: parts => node('chatstate', { from: parts.user() }, [node('composing', { media: 'audio' })]),

  iqResult: parts => node('iq', { from: S_WHATSAPP_NET, type: 'result', id: parts.queryId() }),

  preKeys10: parts =>
    node('iq', { from: S_WHATSAPP_NET, type: 'result', id: parts.queryId() }, [
      node(
        'list',
        {},
        parts.list(10, () =>
          node('user', { jid: parts.device(), t: parts.time() }, [
            node('registration', {}, parts.bytes(4)),
            node('type', {}, Buffer.from([5])),
            node('identity', {}, parts.bytes(32)),
            node('skey', {}, [
              node('id', {}, parts.bytes(3)),
              node('value', {}, parts.bytes(32)),
              node('signature', {}, parts.bytes(64))
            ]),
            node('key', {}, [node('id', {}, parts.bytes(3)), node('value', {}, parts.bytes(32))])
          ])
        )
      )
    ]),

  usync50: parts =>
    node('iq', { from: S_WHATSAPP_NET, type: 'result', id: parts.queryId() }, [
      node('usync', { context: 'message', mode: 'query', sid: parts.queryId(), last: 'true', index: '0' }, [
        node('result', {}, [node('devices', {}), node('lid', {})]),
        node(
          'list',
          {},
          parts.list(50, index =>
            node('user', { jid: parts.user() }, [devices(parts, 1 + (index % 4)), node('lid', { val: parts.lid() })])
          )
        )
      ])
    ]),

  group32: group(32),
  group256: group(256),
  group1024: group(1024),

  fanout256: parts =>
    node('message', { id: parts.messageId(), to: parts.group(), type: 'text', phash: `2:${parts.digits(8)}` }, [
      node(
        'participants',
        {},
        parts.list(256, () =>
          node('to', { jid: parts.device() }, [node('enc', { v: '2', type: 'msg' }, parts.bytes(170))])
        )
      ),
      node('enc', { v: '2', type: 'skmsg' }, parts.bytes(120)),
      node('device-identity', {}, parts.bytes(130))
    ]),

  history: parts =>
    node('message', { id: parts.messageId(), from: parts.user(), type: 'text', category: 'peer', t: parts.time() }, [
      node('enc', { v: '2', type: 'msg' }, parts.bytes(64 * 1024))
    ])
};

/** The names of all entries. */
export const ENTRIES = Object.keys(MAKERS);

/** The small entries that are measured in benches of connections. */
export const SMALL_ENTRIES = ['ack', 'receipt', 'message'];

/**
 * Creates a new stanza.
 *
 * @param {string} name One of {@link ENTRIES}.
 * @param {number} [seed]
 * @returns {import('baileys').BinaryNode}
 */
export const makeStanza = (name, seed = 0) => MAKERS[name](new Parts(seed));
