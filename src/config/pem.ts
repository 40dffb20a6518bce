/**
 * Whether PEM files can be used, found out when they are read: a listener would fail to start otherwise, or trust nobody, with words of OpenSSL that
 * name no file. Nothing of their contents is repeated.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** A block as OpenSSL takes it: both of its lines whole, and of the same kind. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\n[\s\S]*?^-----END \1-----[ \t]*$/gmu;
const CERTIFICATES: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

/**
 * Whether OpenSSL finds all certificates of those to trust: at a block that it cannot read it stops, in silence, and leaves out what follows.
 * Blocks of other kinds, and words between blocks, it passes over.
 */
export function holdsCertificates(text: string): boolean {
  const blocks = [...text.replaceAll('\r', '').matchAll(BLOCK)];
  const certificates = blocks.filter(([, kind = '']) => CERTIFICATES.has(kind));
  const begun = text.split('-----BEGIN ').length - 1;
  return blocks.length === begun && certificates.length > 0 && certificates.every(([pem]) => isCertificate(pem));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Why nobody can show the certificate with this key; undefined: it can be. */
export function pairProblem(cert: string, key: string): string | undefined {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/mu.test(key))
    return 'the key is encrypted; Sealgate asks for no passphrase';
  return problemOf({ cert, key });
}

/** Why nobody can be refused by the revocation list; undefined: they can be. */
export const revocationProblem = (crl: string): string | undefined => problemOf({ crl });

function problemOf(options: SecureContextOptions): string | undefined {
  try {
    createSecureContext(options);
    return undefined;
  } catch (error) {
    // error:05800074:x509 certificate routines::key values mismatch
    return error instanceof Error ? error.message.replace(/^error:.*::/u, '') : 'unknown reason';
  }
}
