/** From the config's `keys.remote` to the client that speaks to it. */
import type { KeysConfig } from '../../config/config.ts';
import { KeysError } from '../../keys/errors.ts';
import type { KeyPorts } from '../../keys/options.ts';
import { ownCredentials } from './credentials.ts';
import { asRead, type TlsNow } from './peer-tls.ts';

/** What `openKeyManager` is given besides; closed with the manager. */
export async function remotePorts({ remote }: KeysConfig, tlsNow: TlsNow = asRead): Promise<Pick<KeyPorts, 'remote'>> {
  if (remote === undefined) return {};
  // Loaded where it is wanted.
  const { KmsClient } = await import('../../kms/client/kms-client.ts');
  const { endpoint, region, credentials, tls, timeoutSeconds } = remote;
  return {
    remote: new KmsClient({
      endpoint: new URL(endpoint),
      region,
      ...(credentials === undefined ? {} : { credentials: ownCredentials(credentials, region, noCredentials) }),
      tls: tlsNow(tls),
      timeoutMs: timeoutSeconds * 1000,
      now: Date.now,
    }),
  };
}

const noCredentials = (cause: unknown): KeysError =>
  new KeysError('ERR_KEYS_REMOTE_REFUSED', 'no credentials for the remote key manager were found', { cause });
