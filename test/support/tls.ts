/** A self-made certificate for loopback tests, by the `openssl` command; undefined where there is none. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts. The certificate signs itself, so it is its own CA. */
export type TestCertificate = { readonly cert: string; readonly key: string };

let made: TestCertificate | undefined;

/** Valid for localhost, *.localhost, s3.test, *.s3.test and 127.0.0.1, for a day. Made once per process. */
export function selfSignedCertificate(): TestCertificate | undefined {
  made ??= makeCertificate();
  return made;
}

function makeCertificate(): TestCertificate | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'sealgate-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = 'subjectAltName=DNS:localhost,DNS:*.localhost,DNS:s3.test,DNS:*.s3.test,IP:127.0.0.1';
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-addext',
        names,
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch {
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
