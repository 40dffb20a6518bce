/** Frozen certificates (`test/vectors/client-certificates.json`): a server, and clients that are good or wrong in one way each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type CertificatePair = { readonly cert: string; readonly key: string };
type Name =
  | 'server'
  | 'app'
  | 'backup'
  | 'nobody'
  | 'twofold'
  | 'revoked'
  | 'wrong-purpose'
  | 'foreign'
  | 'expired'
  | 'future'
  | 'soon';

// Written once, by openssl.
const file = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/client-certificates.json'), 'utf8')) as {
  readonly ca: string;
  readonly crl: string;
  readonly certificates: Readonly<Record<Name, CertificatePair>>;
};

export const CLIENT_CA = file.ca;
export const CLIENT_CRL = file.crl;
export const certificate = (name: Name): CertificatePair => file.certificates[name];
