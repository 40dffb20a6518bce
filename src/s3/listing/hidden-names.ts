/** Names the gateway keeps in a bucket for itself (envelope/object/hidden-object.ts): clients never see, read or write them. */
import { HIDDEN_PREFIX } from '../../envelope/object/hidden-object.ts';
import { S3Error } from '../errors.ts';

export const isHiddenKey = (key: string): boolean => key.startsWith(HIDDEN_PREFIX);

/** Throws ERR_S3_ACCESS_DENIED for a key clients may not touch. */
export function refuseHiddenKey(key: string): void {
  if (isHiddenKey(key))
    throw new S3Error('ERR_S3_ACCESS_DENIED', `Keys that begin with ${HIDDEN_PREFIX} are reserved.`);
}
