// The inputs of the codec vectors: strings and nodes to encode, bytes to decode, and payloads to decompress. They are
// fixed, not random. Each has a name.

/** @typedef {{ fill: string, count: number }} Repeated A text of one repeated character. */
/**
 * A node of the vectors.
 *
 * @typedef {{ tag: any, attrs?: any, text?: string | Repeated, hex?: string, bytes?: string | Repeated, list?:
 *   Described[], repeat?: Described, count?: number }} Described
 */

/**
 * @param {string} char
 * @param {number} count
 */
const fill = (char, count) => ({ fill: char, count });
/** @param {string | Repeated} text */
export const expand = text => (typeof text === 'string' ? text : text.fill.repeat(text.count));

/** Strings for every branch of writeString and jidDecode. */
export const STRINGS = [
  ['the empty string', ''],
  ['a single-byte token', 'iq'],
  ['the last single-byte token of dictionary 3', 'multicast'],
  ['a double-byte token', 'read-self'],
  ['a token of dictionary 2', 'media-for1-1.cdn.whatsapp.net'],
  ['a token that is digits', '404'],
  ['a token in the wrong case', 'IQ'],
  ['one digit', '5'],
  ['decimal, even', '12345678'],
  ['decimal, odd', '123456789'],
  ['decimal with - and .', '1.2-3'],
  ['only -', '-'],
  ['hexadecimal, even', '3EB0A9253FA64269E11C9D'],
  ['hexadecimal, odd', 'ABCDEF0'],
  ['decimal and -, then a letter', '12-A'],
  ['hexadecimal in lower case', 'abcdef0123'],
  ['127 digits', fill('9', 127)],
  ['128 digits', fill('9', 128)],
  ['127 hexadecimal digits', fill('F', 127)],
  ['128 hexadecimal digits', fill('F', 128)],
  ['126 digits', fill('8', 126)],
  ['NUL', '\0'],
  ['digit and NUL', '1\0'],
  ['raw ASCII', 'hello, world'],
  ['raw two-byte', 'olá'],
  ['raw astral', 'a😀b'],
  ['raw with a byte order mark', '\ufeffx'],
  ['127 two-byte characters', fill('é', 127)],
  ['128 two-byte characters', fill('é', 128)],
  ['full-width digits', '１２'],
  ['raw, 255 bytes', fill('x', 255)],
  ['raw, 256 bytes', fill('x', 256)],
  ['raw, 2^20 - 1 bytes', fill('x', (1 << 20) - 1)],
  ['raw, 2^20 bytes', fill('x', 1 << 20)],
  ['only @', '@'],
  ['server alone', '@s.whatsapp.net'],
  ['server alone, no token', '@nowhere'],
  ['user alone', '123@'],
  ['phone number', '5511999998888@s.whatsapp.net'],
  ['phone number, odd', '551199999888@s.whatsapp.net'],
  ['group', '120363000000000000@g.us'],
  ['old group', '5511999998888-1600000000@g.us'],
  ['lid', '123456789012345@lid'],
  ['status', 'status@broadcast'],
  ['user of hexadecimal digits', 'ABCDEF@s.whatsapp.net'],
  ['user that is a token', 'iq@s.whatsapp.net'],
  ['user that is raw', 'some user@s.whatsapp.net'],
  ['user of 127 digits', fill('1', 127), '@g.us'],
  ['user of 128 digits', fill('1', 128), '@g.us'],
  ['server that is packed', 'x@123.4'],
  ['server that is hexadecimal', 'x@ABC'],
  ['server that is raw', '1@example.org'],
  ['server that is a double-byte token', '1@read-self'],
  ['device on a phone number', '5511999998888:7@s.whatsapp.net'],
  ['device on a lid', '123456789012345:12@lid'],
  ['device on hosted', '5511999998888:99@hosted'],
  ['device on hosted.lid', '5511999998888:99@hosted.lid'],
  ['no device on hosted', '5511999998888@hosted'],
  ['device on a group', '123:4@g.us'],
  ['device 0', '123:0@s.whatsapp.net'],
  ['device 255', '123:255@s.whatsapp.net'],
  ['device 256', '123:256@s.whatsapp.net'],
  ['device 1000', '123:1000@lid'],
  ['empty device', '123:@s.whatsapp.net'],
  ['device and another', '123:4:5@s.whatsapp.net'],
  ['empty device and another', '123::5@s.whatsapp.net'],
  ['empty user with device', ':5@s.whatsapp.net'],
  ['raw user with device', 'a b:5@s.whatsapp.net'],
  ['token user with device', 'iq:5@s.whatsapp.net'],
  ['agent', '123_1@s.whatsapp.net'],
  ['agent and device', '123_1:4@s.whatsapp.net'],
  ['agent 128 and device', '123_128:4@s.whatsapp.net'],
  ['agent 300 and device', '123_300:4@s.whatsapp.net'],
  ['agent with letters and device', '123_2x:4@s.whatsapp.net'],
  ['agent of letters and device', '123_x:4@s.whatsapp.net'],
  ['agent in hexadecimal and device', '123_0x11:4@s.whatsapp.net'],
  ['negative agent and device', '123_-1:4@s.whatsapp.net'],
  ['agent and device on a lid', '123_5:4@lid'],
  ['empty agent and device', '123_:4@s.whatsapp.net'],
  ['two agents and device', '123_4_5:6@s.whatsapp.net'],
  ['agent after the device', '123:6_4@s.whatsapp.net'],
  ['only agent', '_1@s.whatsapp.net'],
  ['large agent and device', '1_9007199254740993:4@c.us'],
  ...[
    'x',
    '1.9',
    '-1',
    '+3',
    ' 7 ',
    '1e2',
    '1e',
    '0x1F',
    '0x',
    '-0x1',
    '0b11',
    '0o17',
    '0o8',
    'Infinity',
    '.5',
    '.'
  ].map(device => [`device ${JSON.stringify(device)}`, `123:${device}@s.whatsapp.net`]),
  ...['\u00857', '\ufeff7', '\u30007', '1_0', '4294967297', '9007199254740993', '1e300', '0x20000000000003', ' '].map(
    device => [`device ${JSON.stringify(device)}`, `123:${device}@s.whatsapp.net`]
  ),
  ['two @', 'a@b@c'],
  ['three @, packed and token', '1@2@3@g.us'],
  ['@ and then a device', '1@2:3@lid'],
  ['@@', '@@'],
  ['device and @ in the server', '1:2@3@lid'],
  ['a : after the @', '1@s.whatsapp.net:5']
].map(([name, text, suffix]) => [name, suffix ? expand(text) + suffix : text]);

/** Nodes for every branch of the encoder. */
export const NODES = [
  ['tag alone', { tag: 'iq' }],
  ['tag that is raw', { tag: 'no such tag', attrs: [] }],
  [
    'keep-alive',
    {
      tag: 'iq',
      attrs: [
        ['id', '1.2-3'],
        ['to', '@s.whatsapp.net'],
        ['type', 'get'],
        ['xmlns', 'w:p']
      ],
      list: [{ tag: 'ping' }]
    }
  ],
  [
    'acknowledgement',
    {
      tag: 'ack',
      attrs: [
        ['class', 'receipt'],
        ['id', '3EB0A9253FA64269E11C9D'],
        ['from', '5511999998888@s.whatsapp.net'],
        ['t', '1700000000']
      ]
    }
  ],
  [
    'message',
    {
      tag: 'message',
      attrs: [
        ['from', '5511999998888:7@s.whatsapp.net'],
        ['type', 'text'],
        ['notify', 'Zoë'],
        ['sender_lid', '123456789012345:12@lid']
      ],
      list: [
        {
          tag: 'enc',
          attrs: [
            ['v', '2'],
            ['type', 'msg']
          ],
          hex: '0801ff'
        }
      ]
    }
  ],
  ['empty list', { tag: 'iq', attrs: [], list: [] }],
  ['empty bytes', { tag: 'iq', attrs: [], hex: '' }],
  ['empty text', { tag: 'iq', attrs: [], text: '' }],
  ['text that is a token', { tag: 'iq', attrs: [], text: 'read' }],
  ['text that is packed', { tag: 'iq', attrs: [], text: '123' }],
  ['text that is a JID', { tag: 'iq', attrs: [], text: '123@g.us' }],
  ['text that is raw', { tag: 'iq', attrs: [], text: 'hello' }],
  ['empty key', { tag: 'iq', attrs: [['', 'x']] }],
  [
    'three levels',
    {
      tag: 'a',
      attrs: [['x', '1']],
      list: [
        { tag: 'b', list: [{ tag: 'c', text: 'd' }, { tag: 'e' }] },
        { tag: 'f', hex: '00' }
      ]
    }
  ],
  ['255 children', { tag: 'list', repeat: { tag: 'item' }, count: 255 }],
  ['256 children', { tag: 'list', repeat: { tag: 'item' }, count: 256 }],
  ['127 attributes', { tag: 'iq', attrs: Array.from({ length: 127 }, (_, i) => [`k${i}`, 'v']) }],
  ['128 attributes', { tag: 'iq', attrs: Array.from({ length: 128 }, (_, i) => [`k${i}`, 'v']) }],
  ['255 bytes', { tag: 'iq', bytes: fill('\x07', 255) }],
  ['256 bytes', { tag: 'iq', bytes: fill('\x07', 256) }],
  ['2^20 - 1 bytes', { tag: 'iq', bytes: fill('\x07', (1 << 20) - 1) }],
  ['2^20 bytes', { tag: 'iq', bytes: fill('\x07', 1 << 20) }],
  ['empty tag', { tag: '' }],
  ['grandchild', { tag: 'iq', list: [{ tag: 'a', list: [{ tag: 'iq' }] }] }]
];

/**
 * @param {number} depth
 * @param {string} inner
 */
const nest = (depth, inner) => 'f80219f801'.repeat(depth) + inner;

/** The beginning of a node, up to the value of its only attribute, in hexadecimal. */
const A = 'f803' + '1904';
/** Bytes for every branch of the decoder, in hexadecimal. */
export const DECODE = [
  ['nothing', ''],
  ['list tag alone', 'f8'],
  ['LIST_16 cut', 'f900'],
  ['list tag and size', 'f801'],
  ['empty list, no tag', '00'],
  ['empty list and tag', '0019'],
  ['LIST_8 of 0 and tag', 'f80019'],
  ['LIST_8 of 0 and a bad tag', 'f800f8'],
  ['size and empty tag', 'f80100'],
  ['size and tag of no bytes', 'f801fc00'],
  ['size and tag of no packed bytes', 'f801ff00'],
  ['not a list', '19'],
  ['not a list, 255', 'ff'],
  ['tag alone', 'f80119'],
  ['bytes after the node', 'f80119aabbcc'],
  ['LIST_16 with a small size', 'f9000119'],
  ['tag of raw bytes', 'f801fc0568656c6c6f'],
  ['every reserved tag for a string: 240', 'f801f0'],
  ['241', 'f801f1'],
  ['244', 'f801f4'],
  ['list in the place of a string', 'f801f8'],
  ['LIST_16 in the place of a string', 'f801f9'],
  ['double-byte token', 'f801ec00'],
  ['double-byte token, last of all', 'f801efff'],
  ['double-byte token cut', 'f801ef'],
  ['single-byte token, last', 'f801eb'],
  ['attribute value empty', A + '00'],
  ['attribute value of no bytes', A + 'fc00'],
  ['attribute value missing', A],
  ['attribute key missing', 'f80319'],
  ['attribute twice', 'f8051904fc01610406'],
  ['attribute twice with another between', 'f8071904fc0161080804fc0162'],
  ['attribute with an empty key', 'f80319000a'],
  ['BINARY_8 cut', A + 'fc026a'],
  ['BINARY_8 without length', A + 'fc'],
  ['BINARY_20', A + 'fd0000026162'],
  ['BINARY_20 with high bits', A + 'fdf000026162'],
  ['BINARY_20 cut', A + 'fd0000'],
  ['BINARY_20 too long', A + 'fd0fffff61'],
  ['BINARY_32', A + 'fe000000026162'],
  ['BINARY_32 cut', A + 'fe000000'],
  ['BINARY_32 too long', A + 'fe7fffffff61'],
  ['invalid UTF-8: continuation', A + 'fc0380bf61'],
  ['invalid UTF-8: overlong', A + 'fc05c0afe08080'],
  ['invalid UTF-8: continuation too many', A + 'fc05e282ac8061'],
  ['invalid UTF-8: truncated sequence', A + 'fc03e28261'],
  ['invalid UTF-8: truncated four', A + 'fc04f09f9861'],
  ['invalid UTF-8: surrogate', A + 'fc03eda080'],
  ['invalid UTF-8: above the range', A + 'fc04f4908080'],
  ['invalid UTF-8: f5', A + 'fc02f541'],
  ['byte order mark', A + 'fc04efbbbf61'],
  ['astral', A + 'fc04f09f9880'],
  ['nibble even', A + 'ff021234'],
  ['nibble odd', A + 'ff82123f'],
  ['nibble all', A + 'ff060123456789ab'],
  ['nibble 15', A + 'ff021ff2'],
  ['nibble odd, last half 0', A + 'ff811a'],
  ['nibble odd, nothing', A + 'ff80'],
  ['nibble empty', A + 'ff00'],
  ['nibble 12', A + 'ff01c1'],
  ['nibble 13', A + 'ff011d'],
  ['nibble 14 in the half that is cut', A + 'ff811e'],
  ['nibble bad before the end of the stream', A + 'ff05121e'],
  ['nibble cut', A + 'ff0512'],
  ['nibble without size', A + 'ff'],
  ['nibble of 127 bytes', A + 'ff7f' + '12'.repeat(127)],
  ['hexadecimal even', A + 'fb02abcd'],
  ['hexadecimal odd', A + 'fb82abc0'],
  ['hexadecimal 15', A + 'fb01ff'],
  ['hexadecimal cut', A + 'fb02ab'],
  ['JID pair', A + 'faff82123f03'],
  ['JID pair, token user', A + 'fa0a03'],
  ['JID pair, empty user', A + 'fa0003'],
  ['JID pair, user of no bytes', A + 'fafc0003'],
  ['JID pair, raw', A + 'fafc0161fc0162'],
  ['JID pair, double-byte server', A + 'faff0112ec00'],
  ['JID pair, no server', A + 'faff011200'],
  ['JID pair, server of no bytes', A + 'faff0112fc00'],
  ['JID pair, nothing', A + 'fa0000'],
  ['JID pair, cut', A + 'fa'],
  ['JID pair, server missing', A + 'faff0112'],
  ['JID pair, bad nibble in the user', A + 'faff01c203'],
  ['JID pair, nibble cut', A + 'faff05'],
  ['JID pair, server bad', A + 'faff0112f8'],
  ['JID pair in the server', A + 'faff0112faff013403'],
  ['JID pair in the user', A + 'fafaff01120303'],
  ['JID pair in the server without a server', A + 'faff0112faff013400'],
  ['JID pair as the tag of a node', 'f801faff011203'],
  ['JID pair as an attribute key', 'f80319faff01120306'],
  ...[0, 1, 2, 127, 128, 129, 130, 255].flatMap(domain => {
    const byte = domain.toString(16).padStart(2, '0');
    return [
      [`AD_JID, domain ${domain}`, `${A}f7${byte}07ff0112`],
      [`AD_JID, domain ${domain}, device 0, raw user`, `${A}f7${byte}00fc026162`]
    ];
  }),
  ['AD_JID, device 255', A + 'f701ffff0112'],
  ['AD_JID, device 10', A + 'f7010aff8112'],
  ['AD_JID, empty user', A + 'f7000500'],
  ['AD_JID, user is a JID', A + 'f70005faff011203'],
  ['AD_JID, cut at the domain', A + 'f7'],
  ['AD_JID, cut at the device', A + 'f700'],
  ['AD_JID, cut at the user', A + 'f70005'],
  ['AD_JID, bad user', A + 'f70005f8'],
  ['AD_JID, bad nibble', A + 'f70005ff011c'],
  ['FB_JID', A + 'f6ff01120102fc036d7367'],
  ['FB_JID, device 0, token server', A + 'f6ff0112000003'],
  ['FB_JID, empty server', A + 'f6ff0112000100'],
  ['FB_JID, empty user', A + 'f600000103'],
  ['FB_JID, cut at the device', A + 'f6ff011200'],
  ['FB_JID, cut at the server', A + 'f6ff01120000'],
  ['FB_JID, bad server', A + 'f6ff01120000f0'],
  ['INTEROP_JID', A + 'f5ff011200050007fc03666f6f'],
  ['INTEROP_JID, token server', A + 'f5ff01120005000703'],
  ['INTEROP_JID, empty server', A + 'f5ff01120005000700'],
  ['INTEROP_JID, no server at the end', A + 'f5ff011200050007'],
  ['INTEROP_JID, no server, cut string', A + 'f5ff011200050007fc09'],
  ['INTEROP_JID, no server, list follows', 'f80419' + '04' + 'f5ff011200050007' + 'f801f80119'],
  ['INTEROP_JID, no server, empty list is read as one', 'f80419' + '04' + 'f5ff011200050007' + '00' + '03'],
  ['INTEROP_JID, bad nibble as server, then the same bytes', 'f80519' + '04' + 'f5ff011200050007' + 'ff01c1' + '06'],
  ['INTEROP_JID, JID pair without a server as server', 'f80419' + '04' + 'f5ff011200050007' + 'fa0a00' + '06'],
  ['INTEROP_JID in INTEROP_JID, no server', A + 'f5' + 'f5ff011200050007' + 'f800' + '0003' + '0004' + '03'],
  ['INTEROP_JID in a JID pair', A + 'fa' + 'f5ff01120005000703' + '03'],
  ['INTEROP_JID as server, no server in it', A + 'faff0112' + 'f5ff011200050007'],
  ['INTEROP_JID, cut at the integrator', A + 'f5ff0112000500'],
  ['INTEROP_JID, cut at the user', A + 'f5'],
  ['INTEROP_JID, large numbers', A + 'f5ff0112ffffffff03'],
  ['content: nothing where announced', 'f80219'],
  ['content: empty list', 'f8021900'],
  ['content: LIST_8 of 0', 'f80219f800'],
  ['content: list of one', 'f80219f801f80119'],
  ['content: LIST_16 of one', 'f80219f90001f80119'],
  ['content: list cut', 'f80219f802f80119'],
  ['content: list size cut', 'f80219f8'],
  ['content: bad child', 'f80219f801f80100'],
  ['content: child is not a list', 'f80219f80119'],
  ['content: BINARY_8', 'f80219fc03000102'],
  ['content: BINARY_8 of nothing', 'f80219fc00'],
  ['content: BINARY_8 cut', 'f80219fc0300'],
  ['content: BINARY_20', 'f80219fd000001ff'],
  ['content: BINARY_32', 'f80219fe00000001ff'],
  ['content: BINARY_32 cut', 'f80219fe00000002ff'],
  ['content: invalid UTF-8 stays bytes', 'f80219fc0280ff'],
  ['content: token', 'f8021904'],
  ['content: double-byte token', 'f80219ed05'],
  ['content: nibble', 'f80219ff0112'],
  ['content: hexadecimal', 'f80219fb01ab'],
  ['content: JID pair', 'f80219faff011203'],
  ['content: AD_JID', 'f80219f70107ff0112'],
  ['content: FB_JID', 'f80219f6ff0112000103'],
  ['content: reserved', 'f80219f0'],
  ['content after an attribute', 'f8041904060a'],
  ['large size, cut', 'f9ffff19'],
  ['siblings of several depths', 'f80219f803f80219f802f80103f80219f800f80105f8040a0407fc0101'],
  ['40 levels', nest(40, 'f80119')],
  ['a chain of 60 JID pairs', A + 'faff0112'.repeat(60) + '03'],
  ['60 JID pairs in the user', A + 'fa'.repeat(60) + '0a' + '03'.repeat(60)],
  ['60 AD_JIDs', A + 'f70001'.repeat(60) + '0a']
];

const PLAIN = Buffer.from('f80219fc03000102', 'hex');
// Compressed data as constants, because versions of zlib give different bytes.
const DEFLATED = Buffer.from('789cfbc124f98799819109000d680216', 'hex');
const STORED = Buffer.from('7801010800f7fff80219fc030001020d680216', 'hex');
const DEFLATED_NOTHING = Buffer.from('789c030000000001', 'hex');
/**
 * @param {number} flag
 * @param {...Buffer} parts
 */
const payload = (flag, ...parts) => Buffer.concat([Buffer.from([flag]), ...parts]);

/** Payloads with their flag byte, compressed and not. */
export const UNPACK = [
  ['plain', payload(0, PLAIN)],
  ['plain, flag 1', payload(1, PLAIN)],
  ['plain, flag 0xfd', payload(0xfd, PLAIN)],
  ['plain, nothing', payload(0)],
  ['compressed', payload(2, DEFLATED)],
  ['compressed, flag 0xff', payload(0xff, DEFLATED)],
  ['compressed, stored', payload(2, STORED)],
  ['compressed nothing', payload(2, DEFLATED_NOTHING)],
  ['compressed, bytes after the end', payload(2, DEFLATED, Buffer.from('abc'))],
  ['compressed, a second stream after the end', payload(2, DEFLATED, DEFLATED)],
  ['compressed, empty', payload(2)],
  ['compressed, cut', payload(2, DEFLATED.subarray(0, -1))],
  ['compressed, cut in the header', payload(2, DEFLATED.subarray(0, 1))],
  ['compressed, bad header', payload(2, Buffer.from('010203', 'hex'))],
  ['compressed, bad method', payload(2, Buffer.from('0000', 'hex'))],
  ['compressed, bad block', payload(2, Buffer.from('789c07', 'hex'))],
  ['compressed, bad stored length', payload(2, Buffer.from('789c0101000000', 'hex'))],
  ['compressed, bad distance', payload(2, Buffer.from('789c4b0442', 'hex'))],
  ['compressed, bad checksum', payload(2, DEFLATED.subarray(0, -1), Buffer.from([DEFLATED[DEFLATED.length - 1] ^ 1]))],
  ['compressed, dictionary wanted', payload(2, Buffer.from('78bb0000000103000000', 'hex'))]
];
