/** A sealed bucket of two gateways in front of Ceph RGW, for all tests of a file: of stores that list uploads and parts. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { BUCKET, startBackend, startSealed, type Backend, type SealedSetup } from './s3-sealed.ts';

/** Called once, outside of tests. Where there is no Ceph, each test is skipped with a line that says why. */
export function sealedOnRadosgw(): { readonly setup: SealedSetup } {
  let started: string | { readonly backend: Backend; readonly setup: SealedSetup } = 'not started';
  beforeAll(async () => {
    const backend = await startBackend('radosgw');
    if (typeof backend === 'string') {
      started = `SKIPPED: ${backend}`;
      console.warn(started);
      return;
    }
    const setup = await startSealed(backend);
    started = { backend, setup };
    await setup.clients[0].send(new CreateBucketCommand({ Bucket: BUCKET }));
  });
  beforeEach(({ skip }) => {
    if (typeof started === 'string') skip(started);
  });
  afterAll(async () => {
    if (typeof started === 'string') return;
    await started.setup.close();
    await started.backend.close();
  });
  return {
    get setup() {
      if (typeof started === 'string') throw new Error(started);
      return started.setup;
    },
  };
}
