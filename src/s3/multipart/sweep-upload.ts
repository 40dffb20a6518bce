/** What the gateway kept of an upload goes when the upload is over. What is left by a crash is sealed, hidden, and small. */
import { hiddenUploadPrefix } from '../../envelope/object/hidden-object.ts';
import { deleteHidden, listHidden } from '../listing/delete-hidden.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import type { OpenUpload } from './open-upload.ts';

/** Never fails: the upload's own outcome is decided. */
export async function sweepUpload(request: S3Request, gateway: GatewayContext, upload: OpenUpload): Promise<void> {
  try {
    const rows = await listHidden(request, gateway, hiddenUploadPrefix(upload.objectId));
    await mapBounded(rows, SIZE_LOOKUPS_AT_ONCE, (row) => deleteHidden(request, gateway, row.key));
  } catch (error) {
    gateway.log.warn({ err: error, bucket: upload.bucket }, 'hidden objects of an upload could not be deleted');
  }
}
