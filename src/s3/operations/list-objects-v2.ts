/** ListObjectsV2 on a bucket with sealed keys. */
import { listSealed } from '../listing/list-sealed.ts';
import type { S3Operation } from '../operation.ts';

export const listObjectsV2: S3Operation = {
  name: 'ListObjectsV2',
  handle: (request, gateway) => listSealed(request, gateway, 2),
};
