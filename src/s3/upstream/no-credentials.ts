/** What the gateway answers where it finds no identity of its own. */
import { S3Error } from '../errors.ts';

export const noUpstreamCredentials = (cause: unknown): S3Error =>
  new S3Error('ERR_S3_UPSTREAM_CREDENTIALS', 'No credentials for the storage were found.', { cause });
