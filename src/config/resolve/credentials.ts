/** Our own credentials towards an upstream: secrets read. */
import type { z } from 'zod';
import type { CredentialsConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import type { ConfigPath } from '../problem.ts';
import type { credentials as credentialsSchema } from '../schema/credentials.ts';
import { Secret } from '../secret.ts';

export async function resolveCredentials(
  credentials: z.infer<typeof credentialsSchema>,
  files: ConfigFiles,
  at: ConfigPath,
): Promise<CredentialsConfig> {
  if (credentials.type === 'default') return { type: 'default', profile: credentials.profile };
  const { accessKeyId, sessionToken } = credentials;
  const secret = await files.secretOf(credentials, 'secretAccessKey', at);
  return {
    type: 'static',
    accessKeyId,
    secretAccessKey: secret ?? new Secret(''),
    sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
  };
}
