// What the files of the end-to-end run hand to each other.

export type Backend = 'js' | 'native';

/** The two clients of a run; each is told by its command line alone which socket layer it runs on. */
export type Side = 'a' | 'b';

export type Backends = Record<Side, Backend>;

export interface Counts {
  /** Texts each way. */
  texts: number;
  /** Messages to the group, half of them from each side. */
  group: number;
  /** Texts to a client that is not connected. */
  away: number;
  /** Whether connections are cut amid the texts; they are where absent. */
  cuts?: boolean;
}

/** `texts`: one to one, with connections cut in between; `group`: sender keys; `away`: through the offline queue. */
export type Phase = 'texts' | 'group' | 'away';

export interface Settings {
  side: Side;
  backend: Backend;
  url: string;
  /** PEM of the authority behind the server's TLS certificate. */
  ca: string;
  /** The root of the server's Noise certificates, in hex. */
  rootKey: string;
}

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
}

/** What the parent asks of a client. */
export interface ClientServices {
  pair: [Settings, void];
  login: [void, void];
  /** Queues texts, in order. */
  send: [{ phase: Phase; to: string; first: number; count: number }, void];
  createGroup: [{ subject: string; participants: string[] }, string];
  /** Resolves when so many different messages of a flow, `phase:from:`, were handed out, or are overdue. */
  arrived: [{ flow: string; count: number }, void];
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
  /** Apart from what was in flight when the connection of `b` was cut: what is sent again may be overtaken. */
  inOrder: boolean;
  delivered: number;
  read: number;
}

export interface Result {
  backends: Backends;
  flows: Flow[];
  /** Items on their way to client `b` at the moment its connection was cut. */
  inFlight: string[];
  /** Items that `b` had to send again, since its connection was cut before they were acknowledged. */
  resent: string[];
  undecrypted: number;
  retries: number;
  logins: Record<Side, number>;
  layers: Record<Side, Backend[]>;
  ms: number;
}
