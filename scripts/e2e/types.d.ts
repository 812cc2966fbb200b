// Types that the files of the end-to-end run share.

import type { Backend } from '../shared/bot.mjs';

/** The two clients of a run. */
export type Side = 'a' | 'b';

export type Backends = Record<Side, Backend>;

export interface MessageCounts {
  /** Texts in each direction. */
  texts: number;
  /** Messages to the group, half of them from each side. */
  group: number;
  /** Texts to a client that is not connected. The last one is sent after it has connected again. */
  away: number;
}

/**
 * `texts`: between the two users, while connections are cut. `group`: to a group, with sender keys. `away`: through the
 * offline queue. `retry`: one text that cannot be decrypted at first.
 */
export type Phase = 'texts' | 'group' | 'away' | 'retry';

export interface ClientSettings {
  side: Side;
  url: string;
  /** PEM of the authority that has issued the TLS certificate of the server. */
  ca: string;
  /** The public key that signs the Noise certificates of the server, in hex. */
  rootKey: string;
}

/** The result or the error of an action, without the parts that differ between runs. */
export type ActionResult = unknown;

/** What a client has received. An item is one message: its text and its id are both `phase:from:index`. */
export interface Report {
  /** Every text of a `messages.upsert` event, in order, also repeated ones. */
  received: string[];
  /** Its own texts for which it has got a delivery receipt. */
  delivered: string[];
  /** Its own texts for which it has got a read receipt. */
  read: string[];
  /** Texts that it has sent again after a cut, because the server had not acknowledged them. */
  resent: string[];
  /** Messages that could not be decrypted at first. */
  undecrypted: number;
  logins: number;
  /** The socket layer of each of its sockets. */
  layers: Backend[];
  /** For each connection: the names of the stanzas that its socket layer has delivered to Baileys. */
  stanzas: string[][];
}

/** The functions of a client that the parent may call: the data and the result of each. */
export interface ClientServices {
  pair: [ClientSettings, void];
  login: [void, void];
  /** Queues texts, in order. */
  send: [{ phase: Phase; to: string; first: number; count: number }, void];
  /**
   * Waits until Baileys has delivered this number of different messages of a flow, or for a limited time. Resolves with
   * the number of delivered messages. A flow is the prefix of its items: `phase:from:`.
   */
  arrived: [{ flow: string; count: number }, number];
  /** Runs an action of actions.mjs. */
  act: [{ name: string; args: unknown[] }, ActionResult];
  /** Resolves when the server has acknowledged everything that was queued. */
  settle: [void, void];
  logout: [void, void];
  report: [void, Report];
}

/** The functions of the parent that a client may call. */
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
  /** Items that were never delivered. */
  lost: string[];
  /** Items that were delivered more than once. */
  duplicated: string[];
  /**
   * Whether the messages arrived in order. Messages in flight at the cut of `b` are not checked, because they can be
   * sent again later.
   */
  inOrder: boolean;
  delivered: number;
  read: number;
  /** Items without a delivery receipt. */
  undelivered: string[];
}

/** How the socket layer of a client has delivered the stanzas of the server, on all connections. */
export interface Stanzas {
  connections: number;
  sent: number;
  /** Not delivered, although later ones were delivered or the connection is still open. */
  lost: string[];
  /** Delivered twice or out of order, or never sent. */
  unexpected: string[];
}

export interface RunResult {
  backends: Backends;
  flows: Flow[];
  /** For each lost item: the stanzas with its id that the server has received (`in`) and sent (`out`). */
  histories: Record<string, string>;
  /** Items that were being sent to client `b` when its connection was cut. */
  inFlight: string[];
  /** Items that `b` had to send again, because its connection was cut before they were acknowledged. */
  resent: string[];
  stanzas: Record<Side, Stanzas>;
  /** The results of the other behaviours, see behaviours.mjs. */
  behaviours: Record<string, ActionResult>;
  undecrypted: number;
  retries: number;
  logins: Record<Side, number>;
  layers: Record<Side, Backend[]>;
  ms: number;
}
