// Types that the files of the demo share.

export type Backend = 'js' | 'native';

/** How much of each kind of traffic is measured. */
export interface Counts {
  pings: number;
  stanzas: number;
  sends: number;
}

/** What the child needs to know. */
export interface Settings {
  backend: Backend;
  counts: Counts;
  /** JSON of Baileys' credentials for a new device. */
  creds: string;
  /** Where the child leaves its logs. */
  directory: string;
  url: string;
  /** PEM of the authority behind the server's TLS certificate. */
  ca: string;
  /** The root of the server's Noise certificates, in hex. */
  rootKey: string;
}

/** A measured phase: from its first stanza to its last, and the CPU time of all threads of the child until it was over. */
export interface Cost {
  ms: number;
  cpuUs: number;
}

/** The measurements of the child. */
export interface Measured {
  /** Milliseconds of each login. */
  logins: number[];
  /** Milliseconds of each round trip. */
  times: number[];
  /** One entry for each repetition. */
  inbound: Cost[];
  outbound: Cost[];
  peakRssKb: number;
}

/** The figures of the table. */
export interface Figures {
  connectMs: number;
  stanzasIn: number;
  stanzasOut: number;
  inPerSecond: number;
  outPerSecond: number;
  cpuUsIn: number;
  cpuUsOut: number;
  rttP50Us: number;
  rttP99Us: number;
  peakRssMb: number;
}

/** A phase that is over. */
export interface Step {
  name: string;
  ms?: number;
}

export type LogName = 'connection' | 'inbound' | 'outbound';

/** The ordered logs of one run, one line an entry. */
export type Logs = Record<LogName, string[]>;

export interface Run {
  measured: Measured;
  logs: Logs;
}

/** The first entry in which two logs differ, counted from 1; an entry is missing where its log has ended. */
export interface Difference {
  line: number;
  expected?: string;
  actual?: string;
}

/** What the child asks of its parent: what goes with the question, and the answer. */
export interface Questions {
  settings: [undefined, Settings];
  /** Plays the phone that scans the code. */
  scan: [{ qr: string }, void];
  /** Waits until the server is quiet; answers with the number of stanzas so far. */
  settle: [undefined, number];
  prepareFlood: [{ count: number }, void];
  /** Sends the prepared flood and waits for all acks that the client has to send for it. */
  startFlood: [undefined, void];
  /** Waits until the server has read so many messages in all. */
  messages: [{ total: number }, void];
  /** From now on the server only reads and counts bytes. */
  sink: [undefined, void];
  /** The client is about to send so many messages to the sink. */
  expectMessages: [{ count: number }, void];
  /** Waits until the sink has read all of them. */
  arrived: [undefined, void];
  progress: [Step, void];
  result: [Measured, void];
  failed: [{ stack: string }, void];
}

export type Services = {
  [Name in keyof Questions]: (data: Questions[Name][0]) => Questions[Name][1] | Promise<Questions[Name][1]>;
};
