/** Frozen certificates (`test/vectors/server-certificates.json`) of servers that are good, or wrong in one way each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificatePair } from './client-certificates.ts';

export type ServerName =
  'good' | 'revoked' | 'expired' | 'future' | 'other-host' | 'wrong-purpose' | 'foreign' | 'self-signed';

// Written once, by openssl.
const file = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/server-certificates.json'), 'utf8')) as {
  readonly ca: string;
  readonly crl: string;
  readonly certificates: Readonly<Record<ServerName, CertificatePair>>;
};

export const SERVER_CA = file.ca;
export const SERVER_CRL = file.crl;
export const serverCertificate = (name: ServerName): CertificatePair => file.certificates[name];
