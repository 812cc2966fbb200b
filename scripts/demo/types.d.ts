// Types that the files of the demo share.

import type { Backend } from '../shared/bot.mjs';

/** How much of each kind of traffic is measured. */
export interface TrafficCounts {
  pings: number;
  stanzas: number;
  sends: number;
}

/** What the child needs to know. */
export interface DemoSettings {
  backend: Backend;
  counts: TrafficCounts;
  /** JSON of Baileys' credentials for a new device. */
  creds: string;
  /** The folder for the logs of the child. */
  directory: string;
  url: string;
  /** PEM of the authority that has issued the TLS certificate of the server. */
  ca: string;
  /** The public key that signs the Noise certificates of the server, in hex. */
  rootKey: string;
}

/** A measured phase: the time from its first stanza to its last, and the CPU time of all threads of the child. */
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

/** A finished phase, for the progress output. */
export interface Step {
  name: string;
  ms?: number;
}

export type LogName = 'connection' | 'inbound' | 'outbound';

/** The ordered logs of one run. Each entry is one line. */
export type Logs = Record<LogName, string[]>;

export interface DemoRun {
  measured: Measured;
  logs: Logs;
}

/** The first entry in which two logs differ. `line` counts from 1. An entry is undefined if its log is shorter. */
export interface FirstDifference {
  line: number;
  expected?: string;
  actual?: string;
}

/** The functions of the parent that the child may call: the data and the result of each. */
export interface ParentFunctions {
  /** Acts as the phone that scans the QR code. */
  scan: [{ qr: string }, void];
  /** Waits until the server is idle; resolves with the number of stanzas so far. */
  settle: [undefined, number];
  prepareFlood: [{ count: number }, void];
  /** Sends the prepared flood and waits for all acks that the client has to send for it. */
  startFlood: [undefined, void];
  /** Waits until the server has received this total number of messages. */
  messages: [{ total: number }, void];
  /** From now on the server only reads and counts bytes. */
  sink: [undefined, void];
  /** Announces the number of messages that the client will send to the sink. */
  expectMessages: [{ count: number }, void];
  /** Waits until the sink has read all of them. */
  arrived: [undefined, void];
  progress: [Step, void];
}

export type DemoParentServices = {
  [Name in keyof ParentFunctions]: (
    data: ParentFunctions[Name][0]
  ) => ParentFunctions[Name][1] | Promise<ParentFunctions[Name][1]>;
};

/** Calls a function of the parent. */
export type Ask = <Name extends keyof ParentFunctions>(
  what: Name,
  data?: ParentFunctions[Name][0]
) => Promise<ParentFunctions[Name][1]>;
