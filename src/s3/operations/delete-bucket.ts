/** DeleteBucket: open uploads do not keep a bucket from being deleted; neither may what the gateway keeps of them. */
import { deleteOnlyHidden } from '../listing/delete-hidden.ts';
import type { S3Operation } from '../operation.ts';

export const deleteBucket: S3Operation = {
  name: 'DeleteBucket',
  async handle(request, gateway) {
    const response = await gateway.forward(request);
    if (response.status !== 409) return response;
    const { bucket } = request;
    return (await deleteOnlyHidden({ upstream: gateway.upstream, bucket })) ? gateway.forward(request) : response;
  },
};
