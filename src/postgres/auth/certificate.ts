/**
 * A role that logs in with a client certificate: the certificate stands for it or it does not, and no password is asked for.
 *
 * The server knows nothing of that certificate. It lets the proxy in as the role by what it is told to trust (the proxy's own client
 * certificate with a user name map, or trust), or by SCRAM with the password that the config has for the role.
 */
import type { X509Certificate } from 'node:crypto';
import { namesOf, subjectOf } from '../../crypto/certificate-names.ts';
import { PostgresError } from '../errors.ts';
import type { CertificateLogin } from '../options.ts';
import { AUTHENTICATION, encodeAuthentication } from './authentication-message.ts';
import type { Conversation } from './conversation.ts';
import { keysOfPassword } from './scram-keys.ts';
import { offeredBy, scramUpstream } from './upstream-login.ts';

/** Throws ERR_POSTGRES_CERTIFICATE, with the server's own words for it. */
export function requireCertificate(
  certificate: X509Certificate | undefined,
  user: string,
  { names }: CertificateLogin,
): void {
  if (certificate !== undefined && namesIn(certificate).some((name) => names.has(name))) return;
  const why = certificate === undefined ? 'none was shown' : 'it does not stand for this role';
  throw new PostgresError(
    'ERR_POSTGRES_CERTIFICATE',
    `certificate authentication failed for user "${user}"`,
    { sqlstate: '28000' },
    { cause: new Error(`client certificate: ${why}`) },
  );
}

function namesIn(certificate: X509Certificate): readonly string[] {
  return [`subject:${subjectOf(certificate)}`, ...namesOf(certificate).map((name) => `name:${name}`)];
}

/** Resolves after AuthenticationOk has been sent to the client. */
export async function loginForCertificate(
  conversation: Conversation,
  user: string,
  { password }: CertificateLogin,
): Promise<void> {
  const { kind, mechanisms } = await offeredBy(conversation);
  if (kind === AUTHENTICATION.sasl && password !== undefined) {
    const keysFor = (salt: Uint8Array, iterations: number) => keysOfPassword(password, salt, iterations);
    await scramUpstream(conversation, mechanisms, keysFor, () => notLetIn(user));
  } else if (kind !== AUTHENTICATION.ok) throw notLetIn(user);
  conversation.client.socket.write(encodeAuthentication(AUTHENTICATION.ok));
}

function notLetIn(user: string): PostgresError {
  return new PostgresError('ERR_POSTGRES_AUTHENTICATION', `the server does not let the proxy in as user "${user}"`, {
    sqlstate: '28000',
    hint: 'Map the proxy’s own client certificate to the role in pg_ident.conf, or give `password` in `postgres.users` and scram-sha-256 in pg_hba.conf.',
  });
}
