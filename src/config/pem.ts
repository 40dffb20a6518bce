/**
 * Whether PEM files can be used, found out when they are read: a listener would fail to start otherwise, or trust nobody, with words of OpenSSL that
 * name no file. Nothing of their contents is repeated.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** As OpenSSL takes them. */
const BEGIN_CERTIFICATE = /(?=-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----)/u;

/** Certificates to trust: OpenSSL leaves out what it cannot read of them, and would trust nobody, or others than are meant. */
export function holdsCertificates(text: string): boolean {
  const blocks = text.split(BEGIN_CERTIFICATE).filter((block) => block.startsWith('-----BEGIN'));
  return blocks.length > 0 && blocks.every(isCertificate);
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
