/** Who we are towards an upstream, from the config. */
import type { CredentialsConfig } from '../../config/config.ts';
import {
  chainCredentials,
  fixedCredentials,
  type NoCredentials,
  type UpstreamCredentials,
} from '../../sigv4/credentials.ts';

/** Signing for `region`. `none`: what the room that signs with them says where there are none. */
export function ownCredentials(
  credentials: CredentialsConfig,
  region: string,
  none: NoCredentials,
): UpstreamCredentials {
  if (credentials.type === 'default') return chainCredentials(Date.now, { profile: credentials.profile, region }, none);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return fixedCredentials({
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
  });
}
