// The expected outcome of each hostile peer on each layer.

/**
 * The outcome on the drop-in and on a session: events, then code and message. A pattern if several outcomes are right.
 *
 * @typedef {[dropin: string | RegExp, session: string | RegExp]} Expected
 */

/** In a session, each step and the whole opening of the connection have the same time limit. Either may end it. */
const TIMED_OUT = /^408 (?:transport: WebSocket Error \(Opening handshake has timed out\)|timedOut: Timed Out)$/;

/** The client may see the RST before it has read the data that was sent before. */
const RESET =
  /^(?:open, close 1006; 428 |428 transportClosed: )Connection Terminated$|^(?:error ECONNRESET; )?408 .*(?:ECONNRESET|hang up)/;

/** The RST arrives before or after the client knows that it is connected. */
const RESET_AT_ONCE =
  /^(?:error ECONNRESET; 408|408 transport:) WebSocket Error \((?:read ECONNRESET|connect ECONNRESET 127\.0\.0\.1:<port>)\)$/;

/** The second record arrives together with the first one or after it. */
const TWICE =
  /^(?:open, close 1006; 428 |428 transportClosed: )Connection Terminated$|^(?:error EPROTO; )?408 .*cannot decrypt peer's message/;

/** One or more frames may fail before the connection is closed. */
const FRAMES_THAT_FAIL = /^logged in, open(?:, error ERR_FRAME)+; 408 WebSocket Error \(Unsupported state/;

/** The client may get the end of the server before or after it has sent ClientFinish. */
const TERMINATED = /^open(?:, close 1005)?; 428 Connection (?:Closed|Terminated)$/;

/** The beginning of V8's error message for a missing field. */
const NO_FIELD = /^open; undefined Cannot /;

/**
 * The server refuses the TLS of rustls, so the drop-in connects again with Baileys' class. A pattern, because the
 * message of OpenSSL contains a thread id.
 */
const ON_BAILEYS_CLASS =
  /^error EPROTO; 408 WebSocket Error \(write EPROTO .*SSL routines:.*:(?:(?:sslv3|ssl\/tls) alert handshake failure|tlsv1 alert protocol version|bad record type)/;

/** The same alert on a session. The message names a possible reason. */
const MAY_BE_OTHER_TLS =
  /^408 transport: WebSocket Error \(SSL routines: alert (?:handshake failure|protocol version); perhaps the server needs TLS features/;

// Outcomes of several rows.

/** @type {Expected} */
const UNDECRYPTABLE_RECORD = [
  "error EPROTO; 408 WebSocket Error (SSL routines: cannot decrypt peer's message)",
  "408 transport: WebSocket Error (SSL routines: cannot decrypt peer's message)"
];

/** @type {Expected} */
const OPENING_TIMED_OUT = [
  'error Opening handshake has timed out; 408 WebSocket Error (Opening handshake has timed out)',
  TIMED_OUT
];

/** @type {Expected} */
const CLOSED_NORMALLY = ['open, close 1000; 428 Connection Terminated', '428 transportClosed: Connection Terminated'];

/** @type {Expected} */
const HUNG_UP = [
  'error ECONNRESET; 408 WebSocket Error (socket hang up)',
  '408 transport: WebSocket Error (socket hang up)'
];

/** @type {Expected} */
const TLS_DISCONNECTED = [
  'error ECONNRESET; 408 WebSocket Error (Client network socket disconnected before secure TLS connection was established)',
  '408 transport: WebSocket Error (Client network socket disconnected before secure TLS connection was established)'
];

/** @type {Expected} */
const NOT_HTTP = [
  'error HPE_INVALID_CONSTANT; 500 WebSocket Error (Parse Error: Expected HTTP/, RTSP/ or ICE/)',
  '408 transport: WebSocket Error (Parse Error: Expected HTTP/, RTSP/ or ICE/)'
];

/** @type {Expected} */
const NOT_TLS = [
  'error EPROTO; 408 WebSocket Error (write EPROTO SSL routines: wrong version number)',
  '408 transport: WebSocket Error (write EPROTO SSL routines: wrong version number)'
];

/** @type {Expected} */
const OTHER_TLS = [ON_BAILEYS_CLASS, MAY_BE_OTHER_TLS];

/** @type {Expected} */
const CONNECTION_LOST = ['open, close 1006; 428 Connection Terminated', '428 transportClosed: Connection Terminated'];

/** @type {Expected} */
const HANDSHAKE_TIMED_OUT = ['open; 408 Timed Out', TIMED_OUT];

/** @type {Expected} */
const STAYS_OPEN = ['alive: result', 'alive: result'];

/** @type {Expected} */
const SOCKS_CLOSED = [
  'error Socket closed; 500 WebSocket Error (Socket closed)',
  '408 transport: WebSocket Error (Socket closed)'
];

// prettier-ignore
/** @type {Record<string, Expected>} */
export const EXPECTED = {
  'accept: FIN': HUNG_UP,
  'accept: RST': [RESET_AT_ONCE, RESET_AT_ONCE],
  'accept: silence': OPENING_TIMED_OUT,
  'accept: endless zeros': NOT_HTTP,
  'http proxy: FIN': ['error Proxy connection ended before receiving CONNECT response; 500 WebSocket Error (Proxy connection ended before receiving CONNECT response)', '408 transport: WebSocket Error (Proxy connection ended before receiving CONNECT response)'],
  'http proxy: RST': ['error ECONNRESET; 408 WebSocket Error (read ECONNRESET)', '408 transport: WebSocket Error (read ECONNRESET)'],
  'http proxy: silence': OPENING_TIMED_OUT,
  'http proxy: endless zeros': NOT_HTTP,
  'http proxy: an SSH banner': NOT_HTTP,
  'http proxy: an endless response head': NOT_HTTP,
  'http proxy: endless 102 responses': OPENING_TIMED_OUT,
  'http proxy: 407 with an endless body': ['response 407, error Opening handshake has timed out; 408 WebSocket Error (Opening handshake has timed out)', '407 transport: WebSocket Error (Unexpected server response: 407)'],
  'http proxy: 200, then FIN': HUNG_UP,
  'http proxy: 200, then silence': OPENING_TIMED_OUT,
  'http proxy: 200, then endless zeros': NOT_HTTP,
  'http proxy: 200, one byte at a time': HUNG_UP,
  'socks4 proxy: FIN': SOCKS_CLOSED,
  'socks4 proxy: RST': ['error read ECONNRESET; 500 WebSocket Error (read ECONNRESET)', '408 transport: WebSocket Error (read ECONNRESET)'],
  'socks4 proxy: silence': OPENING_TIMED_OUT,
  'socks4 proxy: endless zeros': ['error Socks4 Proxy rejected connection - (undefined); 500 WebSocket Error (Socks4 Proxy rejected connection - (undefined))', '408 transport: WebSocket Error (Socks4 Proxy rejected connection - (undefined))'],
  'socks4 proxy: request rejected': ['error Socks4 Proxy rejected connection - (Failed); 500 WebSocket Error (Socks4 Proxy rejected connection - (Failed))', '408 transport: WebSocket Error (Socks4 Proxy rejected connection - (Failed))'],
  'socks4 proxy: an unknown reply code': ['error Socks4 Proxy rejected connection - (undefined); 500 WebSocket Error (Socks4 Proxy rejected connection - (undefined))', '408 transport: WebSocket Error (Socks4 Proxy rejected connection - (undefined))'],
  'socks4 proxy: half of a reply, then FIN': SOCKS_CLOSED,
  'socks4 proxy: request granted, then FIN': HUNG_UP,
  'socks5 proxy: FIN': SOCKS_CLOSED,
  'socks5 proxy: RST': ['error read ECONNRESET; 500 WebSocket Error (read ECONNRESET)', '408 transport: WebSocket Error (read ECONNRESET)'],
  'socks5 proxy: silence': OPENING_TIMED_OUT,
  'socks5 proxy: endless zeros': ['error Received invalid Socks5 initial handshake (invalid socks version); 500 WebSocket Error (Received invalid Socks5 initial handshake (invalid socks version))', '408 transport: WebSocket Error (Received invalid Socks5 initial handshake (invalid socks version))'],
  'socks5 proxy: no acceptable method': ['error Received invalid Socks5 initial handshake (no accepted authentication type); 500 WebSocket Error (Received invalid Socks5 initial handshake (no accepted authentication type))', '408 transport: WebSocket Error (Received invalid Socks5 initial handshake (no accepted authentication type))'],
  'socks5 proxy: an unknown method': ['error Received invalid Socks5 initial handshake (unknown authentication type); 500 WebSocket Error (Received invalid Socks5 initial handshake (unknown authentication type))', '408 transport: WebSocket Error (Received invalid Socks5 initial handshake (unknown authentication type))'],
  'socks5 proxy: a password is required': ['error Received invalid Socks5 initial handshake (unknown authentication type); 500 WebSocket Error (Received invalid Socks5 initial handshake (unknown authentication type))', '408 transport: WebSocket Error (Received invalid Socks5 initial handshake (unknown authentication type))'],
  'socks5 proxy: a wrong version': ['error Received invalid Socks5 initial handshake (invalid socks version); 500 WebSocket Error (Received invalid Socks5 initial handshake (invalid socks version))', '408 transport: WebSocket Error (Received invalid Socks5 initial handshake (invalid socks version))'],
  'socks5 proxy: method accepted, then FIN': SOCKS_CLOSED,
  'socks5 proxy: method accepted, then silence': OPENING_TIMED_OUT,
  'socks5 proxy: connection refused': ['error Socks5 proxy rejected connection - ConnectionRefused; 500 WebSocket Error (Socks5 proxy rejected connection - ConnectionRefused)', '408 transport: WebSocket Error (Socks5 proxy rejected connection - ConnectionRefused)'],
  'socks5 proxy: an unknown reply code': ['error Socks5 proxy rejected connection - undefined; 500 WebSocket Error (Socks5 proxy rejected connection - undefined)', '408 transport: WebSocket Error (Socks5 proxy rejected connection - undefined)'],
  'socks5 proxy: an unknown address type': ['error Received invalid Socks5 final handshake response; 500 WebSocket Error (Received invalid Socks5 final handshake response)', '408 transport: WebSocket Error (Received invalid Socks5 final handshake response)'],
  'socks5 proxy: half of a reply, then FIN': SOCKS_CLOSED,
  'socks5 proxy: an incomplete bound address': OPENING_TIMED_OUT,
  'socks5 proxy: request granted, then FIN': HUNG_UP,
  'socks5 proxy: request granted, then endless zeros': NOT_HTTP,
  'tls: an HTTP response': NOT_TLS,
  'tls: FIN': TLS_DISCONNECTED,
  'tls: RST': ['error ECONNRESET; 408 WebSocket Error (read ECONNRESET)', '408 transport: WebSocket Error (read ECONNRESET)'],
  'tls: silence': OPENING_TIMED_OUT,
  'tls: alert 0': TLS_DISCONNECTED,
  'tls: alert 10': ['error ERR_SSL_SSLV3_ALERT_UNEXPECTED_MESSAGE; 408 WebSocket Error (SSL routines: alert unexpected message)', '408 transport: WebSocket Error (SSL routines: alert unexpected message)'],
  'tls: alert 40': OTHER_TLS,
  'tls: alert 70': OTHER_TLS,
  'tls: alert 80': ['error ERR_SSL_SSLV3_ALERT_INTERNAL_ERROR; 408 WebSocket Error (SSL routines: alert internal error)', '408 transport: WebSocket Error (SSL routines: alert internal error)'],
  'tls: alert 90': ['error ERR_SSL_SSLV3_ALERT_USER_CANCELED; 408 WebSocket Error (SSL routines: alert user canceled)', '408 transport: WebSocket Error (SSL routines: alert user canceled)'],
  'tls: alert 100': TLS_DISCONNECTED,
  'tls: alert 255': ['error EPROTO; 408 WebSocket Error (SSL routines: received fatal alert: AlertDescription(0xff))', '408 transport: WebSocket Error (SSL routines: received fatal alert: AlertDescription(0xff))'],
  'tls: endless warning alerts': ['error EPROTO; 408 WebSocket Error (SSL routines: peer misbehaved: TooManyWarningAlertsReceived)', '408 transport: WebSocket Error (SSL routines: peer misbehaved: TooManyWarningAlertsReceived)'],
  'tls: a record of an unknown type': NOT_TLS,
  'tls: a record that is too long': NOT_TLS,
  'tls: half of a record header': OPENING_TIMED_OUT,
  'tls: endless empty handshake records': NOT_TLS,
  'tls: application data before the handshake': ['error EPROTO; 408 WebSocket Error (SSL routines: received unexpected message: got ApplicationData when expecting Handshake)', '408 transport: WebSocket Error (SSL routines: received unexpected message: got ApplicationData when expecting Handshake)'],
  'tls: endless ChangeCipherSpec': ['error EPROTO; 408 WebSocket Error (SSL routines: received unexpected message: got ChangeCipherSpec when expecting Handshake)', '408 transport: WebSocket Error (SSL routines: received unexpected message: got ChangeCipherSpec when expecting Handshake)'],
  'tls: endless HelloRequest': ['error EPROTO; 408 WebSocket Error (SSL routines: received unexpected handshake message: got HelloRequest when expecting ServerHello or HelloRetryRequest)', '408 transport: WebSocket Error (SSL routines: received unexpected handshake message: got HelloRequest when expecting ServerHello or HelloRetryRequest)'],
  'tls: a ServerHello of 16 MiB': NOT_TLS,
  'tls: an incomplete ServerHello, one byte at a time': OPENING_TIMED_OUT,
  'tls: TLSv1.3, ServerHello: fatal alert': OTHER_TLS,
  'tls: TLSv1.3, ServerHello: closing alert': TLS_DISCONNECTED,
  'tls: TLSv1.3, ServerHello: a changed byte': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, ServerHello: half of it, then FIN': TLS_DISCONNECTED,
  'tls: TLSv1.3, ServerHello: twice': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, ServerHello: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.3, the encrypted flight: fatal alert': OTHER_TLS,
  'tls: TLSv1.3, the encrypted flight: closing alert': ['error ERR_SSL_SSLV3_ALERT_CLOSE_NOTIFY; 408 WebSocket Error (SSL routines: alert close notify)', '408 transport: WebSocket Error (SSL routines: alert close notify)'],
  'tls: TLSv1.3, the encrypted flight: a changed byte': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the encrypted flight: half of it, then FIN': TLS_DISCONNECTED,
  'tls: TLSv1.3, the encrypted flight: twice': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the encrypted flight: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.3, the first ticket: fatal alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the first ticket: closing alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the first ticket: a changed byte': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the first ticket: half of it, then FIN': HUNG_UP,
  'tls: TLSv1.3, the first ticket: twice': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, the first ticket: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.3, data: fatal alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, data: closing alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, data: a changed byte': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.3, data: half of it, then FIN': HUNG_UP,
  'tls: TLSv1.3, data: twice': [TWICE, TWICE],
  'tls: TLSv1.3, data: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.2, ServerHello: fatal alert': OTHER_TLS,
  'tls: TLSv1.2, ServerHello: closing alert': TLS_DISCONNECTED,
  'tls: TLSv1.2, ServerHello: a changed byte': NOT_TLS,
  'tls: TLSv1.2, ServerHello: half of it, then FIN': TLS_DISCONNECTED,
  'tls: TLSv1.2, ServerHello: twice': ['error EPROTO; 408 WebSocket Error (SSL routines: received unexpected handshake message: got ServerHello when expecting Certificate)', '408 transport: WebSocket Error (SSL routines: received unexpected handshake message: got ServerHello when expecting Certificate)'],
  'tls: TLSv1.2, ServerHello: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.2, the certificate: fatal alert': OTHER_TLS,
  'tls: TLSv1.2, the certificate: closing alert': TLS_DISCONNECTED,
  'tls: TLSv1.2, the certificate: a changed byte': ['error ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC; 408 WebSocket Error (SSL routines: alert bad record mac)', '408 transport: WebSocket Error (SSL routines: alert bad record mac)'],
  'tls: TLSv1.2, the certificate: half of it, then FIN': TLS_DISCONNECTED,
  'tls: TLSv1.2, the certificate: twice': ['error EPROTO; 408 WebSocket Error (SSL routines: received unexpected handshake message: got Certificate when expecting ServerKeyExchange)', '408 transport: WebSocket Error (SSL routines: received unexpected handshake message: got Certificate when expecting ServerKeyExchange)'],
  'tls: TLSv1.2, the certificate: one byte at a time': CLOSED_NORMALLY,
  'tls: TLSv1.2, data: fatal alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.2, data: closing alert': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.2, data: a changed byte': UNDECRYPTABLE_RECORD,
  'tls: TLSv1.2, data: half of it, then FIN': HUNG_UP,
  'tls: TLSv1.2, data: twice': [TWICE, TWICE],
  'tls: TLSv1.2, data: one byte at a time': CLOSED_NORMALLY,
  'tls: renegotiation (TLS 1.2)': CONNECTION_LOST,
  'tls: a chain of 100 certificates': CLOSED_NORMALLY,
  'tls: a chain of 2,000 certificates': NOT_TLS,
  'tls: 101, then FIN without close_notify': CONNECTION_LOST,
  'tls: only TLS 1.1': OTHER_TLS,
  'tls: 101, then endless data': ['open, error WS_ERR_UNEXPECTED_RSV_2_3; 500 WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)', '408 transport: WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)'],
  'tls: 101, then text without frames': ['open, error WS_ERR_UNEXPECTED_RSV_2_3; 500 WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)', '408 transport: WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)'],
  'upgrade: endless 102 responses': OPENING_TIMED_OUT,
  'upgrade: FIN': HUNG_UP,
  'upgrade: RST': ['error ECONNRESET; 408 WebSocket Error (read ECONNRESET)', '408 transport: WebSocket Error (read ECONNRESET)'],
  'upgrade: silence': OPENING_TIMED_OUT,
  'upgrade: endless zeros': NOT_HTTP,
  'upgrade: an SSH banner': NOT_HTTP,
  'upgrade: half of a response head, then FIN': HUNG_UP,
  'upgrade: an endless response head': NOT_HTTP,
  'upgrade: an endless header': ['error HPE_HEADER_OVERFLOW; 500 WebSocket Error (Parse Error: Header overflow)', '408 transport: WebSocket Error (Parse Error: Header overflow)'],
  'upgrade: 10,000 headers': ['error HPE_HEADER_OVERFLOW; 500 WebSocket Error (Parse Error: Header overflow)', '408 transport: WebSocket Error (Parse Error: Header overflow)'],
  'upgrade: 101, one byte at a time': CONNECTION_LOST,
  'upgrade: 503 with an endless body': ['response 503, error Opening handshake has timed out; 408 WebSocket Error (Opening handshake has timed out)', '503 transport: WebSocket Error (Unexpected server response: 503)'],
  'upgrade: 200': ['response 200, error Opening handshake has timed out; 408 WebSocket Error (Opening handshake has timed out)', '408 transport: WebSocket Error (Unexpected server response: 200)'],
  'upgrade: 302': ['response 302, error Opening handshake has timed out; 408 WebSocket Error (Opening handshake has timed out)', '408 transport: WebSocket Error (Unexpected server response: 302)'],
  'upgrade: a wrong Sec-WebSocket-Accept': ['error Invalid Sec-WebSocket-Accept header; 500 WebSocket Error (Invalid Sec-WebSocket-Accept header)', '408 transport: WebSocket Error (Invalid Sec-WebSocket-Accept header)'],
  'upgrade: an extension that was not requested': ['error Server sent a Sec-WebSocket-Extensions header but no extension was requested; 500 WebSocket Error (Server sent a Sec-WebSocket-Extensions header but no extension was requested)', '408 transport: WebSocket Error (Server sent a Sec-WebSocket-Extensions header but no extension was requested)'],
  'upgrade: a subprotocol that was not requested': ['error Server sent a subprotocol but none was requested; 500 WebSocket Error (Server sent a subprotocol but none was requested)', '408 transport: WebSocket Error (Server sent a subprotocol but none was requested)'],
  'upgrade: a second Sec-WebSocket-Accept': ['error Invalid Sec-WebSocket-Accept header; 500 WebSocket Error (Invalid Sec-WebSocket-Accept header)', '408 transport: WebSocket Error (Invalid Sec-WebSocket-Accept header)'],
  'upgrade: a header line that ends with a line feed alone': ['error HPE_CR_EXPECTED; 500 WebSocket Error (Parse Error: Missing expected CR after header value)', '408 transport: WebSocket Error (Parse Error: Missing expected CR after header value)'],
  'upgrade: a NUL in a header': ['error HPE_INVALID_HEADER_TOKEN; 500 WebSocket Error (Parse Error: Invalid header value char)', '408 transport: WebSocket Error (Parse Error: Invalid header value char)'],
  'upgrade: 101, then FIN': CONNECTION_LOST,
  'upgrade: 101, then RST': [RESET, RESET],
  'websocket: a reserved bit': ['open, error WS_ERR_UNEXPECTED_RSV_2_3; 500 WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)', '408 transport: WebSocket Error (Invalid WebSocket frame: RSV2 and RSV3 must be clear)'],
  'websocket: compression that was not negotiated': ['open, error WS_ERR_UNEXPECTED_RSV_1; 500 WebSocket Error (Invalid WebSocket frame: RSV1 must be clear)', '408 transport: WebSocket Error (Invalid WebSocket frame: RSV1 must be clear)'],
  'websocket: an unknown opcode': ['open, error WS_ERR_INVALID_OPCODE; 500 WebSocket Error (Invalid WebSocket frame: invalid opcode 3)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid opcode 3)'],
  'websocket: a masked frame': ['open, error WS_ERR_UNEXPECTED_MASK; 500 WebSocket Error (Invalid WebSocket frame: MASK must be clear)', '408 transport: WebSocket Error (Invalid WebSocket frame: MASK must be clear)'],
  'websocket: a continuation without a first frame': ['open, error WS_ERR_INVALID_OPCODE; 500 WebSocket Error (Invalid WebSocket frame: invalid opcode 0)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid opcode 0)'],
  'websocket: a new message inside a fragmented one': ['open, error WS_ERR_INVALID_OPCODE; 500 WebSocket Error (Invalid WebSocket frame: invalid opcode 2)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid opcode 2)'],
  'websocket: a fragmented ping': ['open, error WS_ERR_EXPECTED_FIN; 500 WebSocket Error (Invalid WebSocket frame: FIN must be set)', '408 transport: WebSocket Error (Invalid WebSocket frame: FIN must be set)'],
  'websocket: a ping of 126 bytes': ['open, error WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH; 500 WebSocket Error (Invalid WebSocket frame: invalid payload length 126)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid payload length 126)'],
  'websocket: a close frame of one byte': ['open, error WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH; 500 WebSocket Error (Invalid WebSocket frame: invalid payload length 1)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid payload length 1)'],
  'websocket: a reserved close code': ['open, error WS_ERR_INVALID_CLOSE_CODE; 500 WebSocket Error (Invalid WebSocket frame: invalid status code 1005)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid status code 1005)'],
  'websocket: a close reason that is not UTF-8': ['open, error WS_ERR_INVALID_UTF8; 500 WebSocket Error (Invalid WebSocket frame: invalid UTF-8 sequence)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid UTF-8 sequence)'],
  'websocket: a text that is not UTF-8': ['open, error WS_ERR_INVALID_UTF8; 500 WebSocket Error (Invalid WebSocket frame: invalid UTF-8 sequence)', '408 transport: WebSocket Error (Invalid WebSocket frame: invalid UTF-8 sequence)'],
  'websocket: a length of 2^63': ['open, error WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH; 500 WebSocket Error (Unsupported WebSocket frame: payload length > 2^53 - 1)', '408 transport: WebSocket Error (Unsupported WebSocket frame: payload length > 2^53 - 1)'],
  'websocket: a length of 1 GiB': ['open, error WS_ERR_UNSUPPORTED_MESSAGE_LENGTH; 500 WebSocket Error (Max payload size exceeded)', '408 transport: WebSocket Error (Max payload size exceeded)'],
  'websocket: a length of 99 MiB, then silence': HANDSHAKE_TIMED_OUT,
  'websocket: 20,000 empty fragments': ['open, error WS_ERR_TOO_MANY_BUFFERED_PARTS; 500 WebSocket Error (Too many message fragments)', '408 transport: WebSocket Error (Too many message fragments)'],
  'websocket: a close frame, then endless zeros': CLOSED_NORMALLY,
  'websocket: endless pings, and the server reads the pongs': HANDSHAKE_TIMED_OUT,
  'websocket: endless pings, and the server reads nothing': CONNECTION_LOST,
  'websocket: endless empty messages': HANDSHAKE_TIMED_OUT,
  'websocket: a close frame one byte at a time, then FIN': CLOSED_NORMALLY,
  'websocket: half of a frame, then FIN': CONNECTION_LOST,
  'websocket: half of a frame, then RST': [RESET, RESET],
  'noise: a close frame': ['open, close 1005; 428 Connection Terminated', '428 transportClosed: Connection Terminated'],
  'noise: FIN': CONNECTION_LOST,
  'noise: silence': HANDSHAKE_TIMED_OUT,
  'noise: an empty frame': [NO_FIELD, '500 handshake: invalid server hello: the field serverHello is missing'],
  'noise: bytes that are not protobuf': ['open; undefined invalid wire type 7 at offset 10', '500 handshake: invalid server hello: failed to decode Protobuf message: invalid varint'],
  'noise: ClientFinish instead of ServerHello': [NO_FIELD, '500 handshake: invalid server hello: the field serverHello is missing'],
  'noise: a text message': HANDSHAKE_TIMED_OUT,
  'noise: a frame of 16 MiB of zeros': ['open; undefined index out of range: 16777215 + 1 > 16777215', '500 handshake: invalid server hello: failed to decode Protobuf message: invalid tag value: 0'],
  'noise: a frame of 16 MiB with only 10 bytes': HANDSHAKE_TIMED_OUT,
  'noise: endless empty frames': [NO_FIELD, '500 handshake: invalid server hello: the field serverHello is missing'],
  'noise: a ServerHello without fields': ['open; undefined a Buffer or Uint8Array is required', '500 handshake: invalid server hello: the field ephemeral is missing'],
  'noise: an ephemeral key of 31 bytes': ['open; undefined a public key of 31 bytes is invalid', '500 handshake: a public key of 31 bytes is invalid'],
  'noise: an ephemeral key of zeros': ['open; undefined the public key is invalid (low order)', '500 handshake: the public key is invalid (low order)'],
  'noise: a changed ephemeral key': ['open; undefined Unsupported state or unable to authenticate data', '500 handshake: authentication failed: wrong key, wrong order or changed data'],
  'noise: a changed static key': ['open; undefined Unsupported state or unable to authenticate data', '500 handshake: authentication failed: wrong key, wrong order or changed data'],
  'noise: a changed certificate chain': ['open; undefined Unsupported state or unable to authenticate data', '500 handshake: authentication failed: wrong key, wrong order or changed data'],
  'noise: a static key of 1 MiB': ['open; undefined Unsupported state or unable to authenticate data', '500 handshake: authentication failed: wrong key, wrong order or changed data'],
  'noise: a ServerHello one byte at a time, then a close frame': [TERMINATED, '428 transportClosed: Connection Terminated'],
  'noise: ServerHello twice': ['open; 408 Connection was lost', '428 noise: authentication failed: wrong key, wrong order or changed data'],
  'noise: no answer to ClientFinish': ['open; 408 Connection was lost', '408 silence: Connection was lost'],
  'noise: a certificate chain: wrong-issuer': ['open; 400 certification match failed', '400 handshake: certification match failed'],
  'noise: a certificate chain: no-leaf': ['open; 400 invalid noise leaf certificate', '400 handshake: invalid noise leaf certificate'],
  'noise: a certificate chain: wrong-root': ['open; 400 noise intermediate certificate signature invalid', '400 handshake: noise intermediate certificate signature invalid'],
  'noise: a certificate chain: tampered-leaf': ['open; 400 noise certificate signature invalid', '400 handshake: noise certificate signature invalid'],
  'noise: a certificate chain: tampered-intermediate': ['open; 400 noise intermediate certificate signature invalid', '400 handshake: noise intermediate certificate signature invalid'],
  'noise: a certificate chain: wrong-leaf-key': ["open; 400 noise leaf certificate does not belong to the server's key", "400 handshake: noise leaf certificate does not belong to the server's key"],
  'noise: a certificate chain: expired': ['logged in', '400 handshake: noise certificate is expired or not valid yet'],
  'login: silence': ['open; 408 Connection was lost', '408 silence: Connection was lost'],
  'login: a close frame': CLOSED_NORMALLY,
  'login: FIN': CONNECTION_LOST,
  'login: a frame that cannot be decrypted': ['open, error ERR_FRAME; 408 WebSocket Error (Unsupported state or unable to authenticate data)', '428 noise: authentication failed: wrong key, wrong order or changed data'],
  'login: an empty frame': ['open, error ERR_FRAME; 408 WebSocket Error (Unsupported state or unable to authenticate data)', '428 noise: authentication failed: wrong key, wrong order or changed data'],
  'login: an empty payload': ['open; 408 Connection was lost', '408 silence: Connection was lost'],
  'login: a payload that is not a node': ['open; 408 Connection was lost', '408 silence: Connection was lost'],
  'login: failure without a reason': ['open; 500 Connection Failure', '500 failure: Connection Failure'],
  'login: failure 403': ['open; 403 Connection Failure', '403 failure: Connection Failure'],
  'login: failure with a reason that is not a number': ['open, close 1000; 428 Connection Terminated', '500 failure: Connection Failure'],
  'login: stream:error without a child': ['open; 500 Stream Errored (unknown)', '500 stream: Stream Errored (unknown)'],
  'login: stream:error 515': ['open; 515 Stream Errored (restart required)', '515 stream: Stream Errored (restart required)'],
  'login: stream:error with a code that is not a number': ['open, close 1000; 428 Connection Terminated', '500 stream: Stream Errored (unknown)'],
  'login: a compressed success of 15 MiB': ['open; 408 Connection was lost', 'logged in'],
  'stanza: a payload that is not a node': STAYS_OPEN,
  'stanza: an empty payload': STAYS_OPEN,
  'stanza: 10,000 nested nodes': STAYS_OPEN,
  'stanza: a zlib bomb of 64 MiB': STAYS_OPEN,
  'stanza: a node with 65,535 empty children': STAYS_OPEN,
  'stanza: a frame that cannot be decrypted': [FRAMES_THAT_FAIL, 'logged in, 428 noise: authentication failed: wrong key, wrong order or changed data'],
  'stanza: an empty frame': [FRAMES_THAT_FAIL, 'logged in, 428 noise: authentication failed: wrong key, wrong order or changed data'],
  'stanza: half of a frame, then a close frame': ['logged in, open, close 1000; 428 Connection Terminated', 'logged in, 428 transportClosed: Connection Terminated'],
  'stanza: a frame of 16 MiB that cannot be decrypted': [FRAMES_THAT_FAIL, 'logged in, 428 noise: authentication failed: wrong key, wrong order or changed data'],
  'stanza: repeated success': STAYS_OPEN,
  'stanza: 20,000 results without a query': STAYS_OPEN,
  'stanza: the end of the XML stream': ['logged in, open; 428 Connection Terminated by Server', 'logged in, 428 streamEnd: Connection Terminated by Server'],
  'stanza: stream:error with conflict': ['logged in, open; 440 Stream Errored (conflict)', 'logged in, 440 stream: Stream Errored (conflict)']
};
