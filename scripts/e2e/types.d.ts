// Types that the files of the end-to-end run share.

export type Backend = 'js' | 'native';

/** The two clients of a run; each is told by its command line alone which socket layer it runs on. */
export type Side = 'a' | 'b';

export type Backends = Record<Side, Backend>;

export interface Counts {
  /** Texts each way. */
  texts: number;
  /** Messages to the group, half of them from each side. */
  group: number;
  /** Texts to a client that is not connected; the last one once it is back. */
  away: number;
}

/** `texts`: one to one, with connections cut in between; `group`: sender keys; `away`: through the offline queue;
 * `retry`: one that cannot be decrypted at first. */
export type Phase = 'texts' | 'group' | 'away' | 'retry';

export interface Settings {
  side: Side;
  backend: Backend;
  url: string;
  /** PEM of the authority behind the server's TLS certificate. */
  ca: string;
  /** The root of the server's Noise certificates, in hex. */
  rootKey: string;
}

/** What a client did with one of its socket's functions: its result, or its error, without what differs between runs. */
export type Answer = unknown;

/** What a client has seen. An item is one message: its text and its id are both `phase:from:index`. */
export interface Report {
  /** Every text that was handed out by `messages.upsert`, in that order, repeated ones too. */
  received: string[];
  /** Texts of its own for which it was sent a receipt that they have arrived. */
  delivered: string[];
  /** Texts of its own for which it was sent a receipt that they were read. */
  read: string[];
  /** Texts that it sent again after its connection was cut, since the server had not acknowledged them. */
  resent: string[];
  /** Messages that could not be decrypted at first. */
  undecrypted: number;
  /** Logins. */
  logins: number;
  /** Socket layer of every socket that it has made. */
  layers: Backend[];
  /** By connection, the stanzas that its socket layer handed to Baileys. */
  stanzas: string[][];
}

/** What the parent asks of a client. */
export interface ClientServices {
  pair: [Settings, void];
  login: [void, void];
  /** Queues texts, in order. */
  send: [{ phase: Phase; to: string; first: number; count: number }, void];
  /**
   * Resolves when so many different messages of a flow, `phase:from:`, were handed out, or are overdue; with the number
   * of those that were.
   */
  arrived: [{ flow: string; count: number }, number];
  /** Does what is named, see services.mjs. */
  service: [{ name: string; args: unknown[] }, Answer];
  /** Resolves when the server has acknowledged everything that was queued. */
  settle: [void, void];
  logout: [void, void];
  report: [void, Report];
}

/** What a client tells its parent. */
export interface ParentServices {
  scan: [{ qr: string }, void];
  failed: [{ stack: string }, void];
}

/** One direction of one phase. */
export interface Flow {
  phase: Phase;
  from: Side;
  sent: number;
  received: number;
  /** Items that were never handed out. */
  lost: string[];
  /** Items that were handed out more than once. */
  duplicated: string[];
  /**
   * Whether the messages arrived in order. Messages in flight at the cut of `b` are not checked, because they can be
   * sent again later.
   */
  inOrder: boolean;
  delivered: number;
  read: number;
  /** Items without a receipt that they have arrived. */
  undelivered: string[];
}

/** What a client's socket layer did with the stanzas that the server sent, on all connections. */
export interface Stanzas {
  connections: number;
  sent: number;
  /** Not handed out, although later ones were, or although the connection is still open. */
  lost: string[];
  /** Handed out twice, out of order, or never sent. */
  strange: string[];
}

export interface Result {
  backends: Backends;
  flows: Flow[];
  /** Items on their way to client `b` at the moment its connection was cut. */
  inFlight: string[];
  /** Items that `b` had to send again, since its connection was cut before they were acknowledged. */
  resent: string[];
  stanzas: Record<Side, Stanzas>;
  /** By behaviour, what else the clients did with each other and the server. */
  answers: Record<string, Answer>;
  undecrypted: number;
  retries: number;
  logins: Record<Side, number>;
  layers: Record<Side, Backend[]>;
  ms: number;
}
