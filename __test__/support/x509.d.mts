export { KeyUsageFlags } from '@peculiar/asn1-x509';

/** Purposes of an extended key usage. */
export declare const PURPOSES: Record<'server' | 'client' | 'codeSigning' | 'any', string>;

export interface Issued {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
  subject: string;
}

/** See x509.mjs. */
export declare function issue(options?: {
  subject?: string;
  keyKind?: 'p256' | 'p384' | 'p521' | 'ed25519' | 'rsa1024' | 'rsa2048' | 'pss';
  issuer?: Issued;
  version?: 1 | 3;
  isAuthority?: boolean | null;
  pathLength?: number;
  usage?: number | null;
  purposes?: string[];
  names?: string[];
  isPss?: boolean;
  to?: number;
  isTampered?: boolean;
}): Issued;
