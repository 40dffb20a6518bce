/** What the gateway kept of an upload goes when the upload is over. What is left by a crash is sealed and hidden, and swept later. */
import { hiddenUploadPrefix } from '../../envelope/object/hidden-object.ts';
import { deleteHidden } from '../listing/delete-hidden.ts';
import type { GatewayContext } from '../operation.ts';
import type { OpenUpload } from './open-upload.ts';

/** Never fails, and does not end with the client's connection: the upload's own outcome is decided. */
export async function sweepUpload({ upstream, log }: GatewayContext, { bucket, objectId }: OpenUpload): Promise<void> {
  try {
    await deleteHidden({ upstream, bucket }, hiddenUploadPrefix(objectId));
  } catch (error) {
    log.warn({ err: error, bucket }, 'hidden objects of an upload could not be deleted');
  }
}
