/** The store that a suite's gateways stand in front of: started before its tests, ended after them. */
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { BUCKET, startBackend, startSealed, type Backend, type BackendName, type SealedSetup } from './sealed.ts';

type Closable = { close(): unknown };

/**
 * Called once, outside of tests. `begin` starts what stands in front of the store and gives what is to be closed, in that order, before it.
 * Where the store cannot be had, each test is skipped with the reason, which the run's end repeats. `isOwn`: as `startBackend` has it.
 */
export function inFrontOf(
  name: BackendName,
  begin: (backend: Backend) => Promise<readonly Closable[]>,
  isOwn = false,
): { readonly isMissing: boolean } {
  let missing: string | undefined;
  const open: Closable[] = [];
  beforeAll(async () => {
    const backend = await startBackend(name, isOwn);
    if (typeof backend === 'string') {
      missing = backend;
      return;
    }
    open.push(backend);
    open.unshift(...(await begin(backend)));
  });
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterAll(async () => {
    for (const one of open) await one.close();
  });
  return {
    get isMissing() {
      return missing !== undefined;
    },
  };
}

/** The buckets of a suite, but for the sealed one where the store has it from its start. */
export async function createBuckets(client: S3Client, name: BackendName, ...more: readonly string[]): Promise<void> {
  const buckets = name === 'radosgw' ? [BUCKET, ...more] : more;
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
}

/** A sealed bucket of two gateways in front of Ceph RGW: for stores that list uploads and parts. `prepare`: once there is the bucket. */
export function sealedOnRadosgw(prepare?: (setup: SealedSetup) => Promise<void>): { readonly setup: SealedSetup } {
  let started: SealedSetup | undefined;
  inFrontOf('radosgw', async (backend) => {
    const setup = await startSealed(backend);
    started = setup;
    await createBuckets(setup.clients[0], 'radosgw');
    await prepare?.(setup);
    return [setup];
  });
  return {
    get setup() {
      if (started === undefined) throw new Error('the suite has not begun');
      return started;
    },
  };
}
