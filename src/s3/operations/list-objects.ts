/** ListObjects (version 1) on a bucket with sealed keys. */
import { listSealed } from '../listing/list-sealed.ts';
import type { S3Operation } from '../operation.ts';

export const listObjects: S3Operation = {
  name: 'ListObjects',
  handle: (request, gateway) => listSealed(request, gateway, 1),
};
