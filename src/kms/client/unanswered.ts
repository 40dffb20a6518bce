/** Why a key manager elsewhere gave no answer: in words, since TLS alone has a dozen reasons that look alike to a client. */
import { KeysError } from '../../keys/errors.ts';

/** What OpenSSL and Node say of chains, names, times and revocation lists. */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_|ERR_TLS_CERT_)/u;

/** ERR_KEYS_REMOTE_REFUSED where the other end ended the handshake over our certificate, else ERR_KEYS_REMOTE_UNAVAILABLE. */
export function unanswered(error: unknown, signal: AbortSignal): KeysError {
  const options = { cause: error };
  if (signal.aborted)
    return new KeysError('ERR_KEYS_REMOTE_UNAVAILABLE', 'the remote key manager did not answer in time', options);
  const code = codeOf(error);
  if (CERTIFICATE.test(code))
    return new KeysError(
      'ERR_KEYS_REMOTE_UNAVAILABLE',
      `the remote key manager’s certificate is not accepted (${code})`,
      options,
    );
  if (/^ERR_SSL_.*ALERT/u.test(code))
    return new KeysError(
      'ERR_KEYS_REMOTE_REFUSED',
      `the remote key manager refuses the TLS handshake (${code})`,
      options,
    );
  return new KeysError('ERR_KEYS_REMOTE_UNAVAILABLE', `the remote key manager cannot be reached (${code})`, options);
}

/** The innermost: undici wraps what the socket said. */
function codeOf(error: unknown): string {
  let code = 'no reason given';
  for (let current = error; current instanceof Error; current = current.cause)
    if ('code' in current && typeof current.code === 'string') code = current.code;
  return code;
}
