// Secrets must not leave an inspected process: the test searches for them in the bytes on its socket.

import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import test from 'node:test';
import { temporaryDirectory } from '../support/inspected.mjs';

const { redact, SECRET_TAGS } = createRequire(import.meta.url)('../../js/inspect/redact.cjs');
const { Publisher } = createRequire(import.meta.url)('../../js/inspect/publisher.cjs');

/** Creates secrets for stanzas and collects their bytes. */
function secrets() {
  const all = [];
  const bytes = (length = 32) => {
    // Long enough, so that it is not found by chance.
    const secret = randomBytes(Math.max(length, 9));
    all.push(secret);
    return secret;
  };
  /** A secret text, for example for an attribute. It may be short, because names decide what is hidden. */
  const text = (length = 12) => bytes(length).toString('base64url');
  return { all, bytes, text };
}

/** All forms in which the bytes of a secret could be written. */
function forms(secret) {
  const hex = secret.toString('hex');
  return [
    hex,
    hex.toUpperCase(),
    secret.toString('base64').replace(/=+$/, ''),
    secret.toString('base64url'),
    [...secret].join(',')
  ];
}

const node = (tag, attrs, content) => ({ tag, attrs, content });
const bare = (tag, content) => node(tag, {}, content);

/** Stanzas of WhatsApp and Baileys, with a secret in each place of a real secret. */
const STANZAS = {
  'a message, encrypted for one device': ({ bytes }) =>
    node('message', { id: '3EB0', from: '1@s.whatsapp.net' }, [
      node('enc', { v: '2', type: 'pkmsg' }, bytes(200)),
      bare('device-identity', bytes(90)),
      node('reporting', {}, [node('reporting_token', { v: '2' }, bytes(16)), node('reporting_tag', {}, bytes(20))]),
      bare('tctoken', bytes(40))
    ]),
  'a message to many devices': ({ bytes, text }) =>
    node('message', { id: '3EB1', to: '1-2@g.us' }, [
      bare('participants', [
        node('to', { jid: '1:3@s.whatsapp.net' }, [node('enc', { v: '2', type: 'msg' }, bytes(80))])
      ]),
      node('enc', { v: '2', type: 'skmsg' }, bytes(120)),
      node('enc', { v: '2', type: 'msg' }, text(90))
    ]),
  'a message of a channel, in the clear': ({ bytes, text }) =>
    node('message', { from: '1@newsletter' }, [
      bare('plaintext', bytes(60)),
      bare('body', text(30)),
      bare('text', text())
    ]),
  'the upload of pre-keys': ({ bytes }) =>
    node('iq', { xmlns: 'encrypt', type: 'set', to: 's.whatsapp.net' }, [
      bare('registration', bytes(4)),
      bare('type', bytes(9)),
      bare('identity', bytes()),
      bare('list', [bare('key', [bare('id', bytes(3)), bare('value', bytes())])]),
      bare('skey', [bare('id', bytes(3)), bare('value', bytes()), bare('signature', bytes(64))])
    ]),
  'the keys of other devices': ({ bytes }) =>
    node('iq', { type: 'result' }, [
      bare('list', [
        node('user', { jid: '1@s.whatsapp.net' }, [
          bare('identity', bytes()),
          bare('skey', [bare('value', bytes()), bare('signature', bytes(64))]),
          bare('key', [bare('value', bytes())]),
          bare('device-identity', bytes(70))
        ])
      ])
    ]),
  'a receipt that asks for a retry': ({ bytes }) =>
    node('receipt', { type: 'retry', id: '1' }, [
      node('retry', { count: '1', v: '1' }),
      bare('registration', bytes(4)),
      bare('keys', [bare('identity', bytes()), bare('device-identity', bytes(64))])
    ]),
  'the references of QR codes': ({ bytes, text }) =>
    node('iq', { type: 'set', id: '1' }, [bare('pair-device', [bare('ref', bytes(60)), bare('ref', text(60))])]),
  'a pairing that succeeded, and its answer': ({ bytes, text }) =>
    node('iq', { type: 'set' }, [
      bare('pair-success', [
        bare('device-identity', bytes(150)),
        node('device', { jid: '1:1@s.whatsapp.net', key: text() }),
        node('biz', { name: text() }),
        node('platform', { name: text(6) })
      ]),
      bare('pair-device-sign', [node('device-identity', { 'key-index': '1' }, bytes(140))])
    ]),
  'pairing by code': ({ bytes, text }) =>
    node('iq', { xmlns: 'md' }, [
      node('link_code_companion_reg', { jid: '1@s.whatsapp.net', stage: 'companion_hello', code: text(8) }, [
        bare('link_code_pairing_wrapped_companion_ephemeral_pub', bytes(80)),
        bare('link_code_pairing_wrapped_primary_ephemeral_pub', bytes(80)),
        bare('companion_server_auth_key_pub', bytes()),
        bare('companion_platform_display', text()),
        bare('link_code_pairing_nonce', text()),
        bare('link_code_pairing_ref', bytes(50)),
        bare('link_code_pairing_wrapped_key_bundle', bytes(150)),
        bare('companion_identity_public', bytes()),
        bare('primary_identity_pub', bytes())
      ])
    ]),
  'a login': ({ bytes, text }) =>
    node(
      'success',
      { t: '1700000000', lid: '1@lid', companion_enc_static: text(32), display_name: text(), location: text() },
      [bare('edge_routing', [bare('routing_info', bytes(20))])]
    ),
  'edge routing': ({ bytes }) => node('ib', {}, [bare('edge_routing', [bare('routing_info', bytes(20))])]),
  'the media connection': ({ text }) =>
    node('iq', { type: 'result' }, [
      node('media_conn', { auth: text(60), ttl: '300', auth_ttl: '21600' }, [
        node('host', { hostname: text(), fallback_ip4: text(6) })
      ])
    ]),
  'tokens of contacts': ({ bytes, text }) =>
    node('iq', { xmlns: 'privacy' }, [
      bare('tokens', [node('token', { jid: '1@lid', t: '1', type: 'trusted_contact', value: text() }, bytes(30))])
    ]),
  'a push configuration': ({ text }) =>
    node('iq', { xmlns: 'urn:xmpp:whatsapp:push' }, [
      node('config', {
        id: `${text(20)}:${text(100)}`,
        platform: 'web',
        endpoint: text(40),
        auth: text(),
        p256dh: text(65)
      })
    ]),
  'a call': ({ bytes, text }) =>
    node('call', { from: '1@s.whatsapp.net' }, [
      node('offer', { 'call-id': 'C1' }, [
        node('enc', { type: 'msg', v: '2' }, bytes(70)),
        node('relay', { uuid: text() }, [
          node('te2', { token_id: '0' }, bytes(6)),
          bare('key', text(24)),
          bare('hbh_key', bytes(30)),
          node('token', { id: '0' }, bytes(140)),
          bare('auth_token', bytes(80))
        ]),
        bare('rte', bytes(6)),
        node('encopt', { keygen: '2' })
      ])
    ]),
  'links to calls': ({ text }) =>
    node('call', { to: '@call' }, [
      node('link_create', { media: 'video', token: text() }),
      node('link_query', { token: text() })
    ]),
  'the state of the account': ({ bytes, text }) =>
    node('iq', { xmlns: 'w:sync:app:state' }, [
      bare('sync', [
        node('collection', { name: 'regular', version: '1' }, [
          bare('patch', bytes(200)),
          bare('patches', [bare('patch', bytes(100))]),
          bare('snapshot', bytes(60)),
          bare('snapshot', text(60))
        ])
      ])
    ]),
  'a retry of media': ({ bytes }) =>
    node('receipt', { type: 'server-error' }, [
      bare('encrypt', [bare('enc_p', bytes(40)), bare('enc_iv', bytes(12))]),
      node('rmr', { jid: '1@s.whatsapp.net' })
    ]),
  'a link into a group': ({ text }) =>
    node('iq', { xmlns: 'w:g2' }, [
      node('invite', { code: text(16) }),
      node('query', { code: text(16) }),
      node('accept', { code: text(16) })
    ]),
  'pictures and other media': ({ bytes, text }) =>
    node('iq', {}, [
      node(
        'picture',
        { type: 'image', url: `https://pps.example/${text(30)}`, direct_path: `/v/${text(30)}?oh=${text(20)}` },
        bytes(99)
      )
    ]),
  'verified names and certificates': ({ bytes, text }) =>
    node('message', {}, [bare('verified_name', bytes(80)), node('vname_cert', { cert: text() }, text(40))]),
  'usernames and passwords': ({ text }) =>
    node('iq', {}, [
      node('2fa', { code: text(6), email: text() }),
      node('username', { pin: text(6), password: text(9) }),
      bare('w:auth:backup:token', text(30))
    ]),
  'privacy statistics': ({ bytes, text }) =>
    node('iq', { xmlns: 'privatestats' }, [
      node('sign_credential', { version: '1' }, [bare('blinded_credential', bytes())]),
      node('signed_credential', {}, bytes()),
      bare('acs_public_key', text(32))
    ]),
  'what looks like a key, wherever it is': ({ bytes, text }) =>
    node(
      'iq',
      {
        id: text(30),
        new_thing: text(32),
        signed: `${text(20)}.${text(20)}.${text(20)}`,
        another: bytes(32).toString('hex')
      },
      [
        bare('unknown', text(32)),
        bare('unknown', bytes()),
        node('to', { jid: text(40) }),
        bare('list', new Uint8Array(bytes()).buffer)
      ]
    ),
  'below something secret, however deep': ({ bytes, text }) =>
    bare('iq', [bare('keys', [bare('a', [node('b', { c: text() }, [bare('d', text()), bare('e', bytes())])])])])
};

for (const [what, make] of Object.entries(STANZAS)) {
  test(`inspect shows no secret: ${what}`, async t => {
    const publisher = new Publisher({ directory: temporaryDirectory(t), onError: assert.ifError });
    t.after(() => publisher.close());
    const { all, bytes, text } = secrets();
    const stanza = make({ bytes, text });
    assert.ok(all.length > 0);
    const wire = await published(publisher, stanza);
    const lower = wire.toLowerCase();
    for (const secret of all) {
      for (const form of forms(secret)) {
        assert.ok(!wire.includes(form) && !lower.includes(form.toLowerCase()), `${form} is in ${wire}`);
      }
    }
    // The structure is shown, for both directions and both kinds of connection.
    const lines = wire
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ kind }) => kind === 'node');
    assert.deepEqual(
      lines.map(({ direction, node }) => [direction, node.tag]),
      [
        ['in', stanza.tag],
        ['out', stanza.tag],
        ['in', stanza.tag],
        ['out', stanza.tag]
      ]
    );
  });
}

/** The bytes on the inspection socket when a drop-in socket and a session receive and send a stanza. */
async function published(publisher, node) {
  const socket = connect(publisher.path);
  let wire = '';
  socket.setEncoding('latin1');
  socket.on('data', data => (wire += data));
  await once(socket, 'data');
  socket.write('stream\n');
  // The first line has the metrics.
  await once(socket, 'data');
  for (const direction of ['in', 'out']) {
    channel('baileys-native:socket:node').publish({ connection: 1, direction, node });
  }
  for (const direction of ['in', 'out']) {
    channel('baileys-native:session:node').publish({ session: {}, direction, node });
  }
  channel('baileys-native:socket:connect').publish({ client: {}, url: 'wss://host/ws?ED=secret' });
  while ((wire.match(/"kind":"node"/g) ?? []).length < 4) await once(socket, 'data');
  socket.destroy();
  return wire;
}

test('inspect shows contents that are not secret', () => {
  const shown = redact({
    tag: 'iq',
    attrs: { id: '1.2-3', to: 's.whatsapp.net', type: 'get', xmlns: 'w:p', t: undefined },
    content: [
      { tag: 'ping', attrs: {} },
      { tag: 'error', attrs: { code: '404', text: 'item-not-found' }, content: 'why' },
      { tag: 'enc', attrs: { v: '2', type: 'msg', other: 'x' }, content: Buffer.alloc(7) }
    ]
  });
  assert.deepEqual(shown, {
    tag: 'iq',
    attrs: [
      ['id', '1.2-3'],
      ['to', 's.whatsapp.net'],
      ['type', 'get'],
      ['xmlns', 'w:p']
    ],
    children: [
      { tag: 'ping', attrs: [] },
      {
        tag: 'error',
        attrs: [
          ['code', '404'],
          ['text', { hidden: 14 }]
        ],
        text: 'why'
      },
      {
        tag: 'enc',
        attrs: [
          ['v', '2'],
          ['type', 'msg'],
          ['other', { hidden: 1 }]
        ],
        bytes: 7
      }
    ]
  });
});

test('the size of a shown stanza is limited', () => {
  const wide = redact({
    tag: 'a',
    attrs: { long: 'x y '.repeat(1000) },
    content: Array.from({ length: 5_000 }, () => ({ tag: 'b', attrs: {} }))
  });
  assert.ok(wide.children.length < 1_000 && wide.children.length + wide.omitted === 5_000);
  assert.ok(wide.attrs[0][1].length < 300);
  let deep = { tag: 'a', attrs: {} };
  for (let i = 0; i < 900; i++) deep = { tag: 'a', attrs: {}, content: [deep] };
  assert.ok(JSON.stringify(redact(deep)).length < 10_000);
});

test('every listed tag has a reason, and its text and attributes are shown', () => {
  for (const [reason, tags] of Object.entries(SECRET_TAGS)) {
    assert.ok(reason.length > 10);
    for (const tag of tags) {
      const shown = redact({ tag, attrs: { anything: 'ab' }, content: 'abc' });
      assert.deepEqual(shown, { tag, attrs: [['anything', { hidden: 2 }]], hidden: 3 });
    }
  }
});

test('every listed tag is documented', async () => {
  const text = await readFile(new URL('../../docs/observation.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('| hidden '));
  for (const tag of Object.values(SECRET_TAGS).flat()) assert.ok(table.includes(`\`${tag}\``), tag);
});
