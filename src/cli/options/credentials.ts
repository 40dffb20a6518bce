/** Who we are towards an upstream, from the config. */
import type { CredentialsConfig } from '../../config/config.ts';
import {
  chainCredentials,
  fixedCredentials,
  type NoCredentials,
  type UpstreamCredentials,
} from '../../sigv4/credentials.ts';

/** `none`: what the room that signs with them says where there are none. */
export function ownCredentials(credentials: CredentialsConfig, none: NoCredentials): UpstreamCredentials {
  if (credentials.type === 'default') return chainCredentials(Date.now, credentials.profile, none);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return fixedCredentials({
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
  });
}
