// The part of proxies.mjs that the scripts use.

import type { Socket } from 'node:net';

/** A proxy on loopback. */
export interface Proxy {
  port: number;
  /** The requests of clients, in order. */
  requests: string[];
  /** The local ports of its connections to targets. */
  ports: Set<number>;
  /** The number of bytes from and to targets. */
  bytes(): number;
  close(): void;
}

export declare function httpProxy(options?: {
  tls?: { cert: string; key: string };
  credentials?: string;
  host?: string;
  answer?: (socket: Socket) => void;
}): Promise<Proxy>;

export declare function socksProxy(options?: { credentials?: string }): Promise<Proxy>;
