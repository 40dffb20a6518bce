/** What `sealgate check` finds out about a store: tried on real ones, and nothing is left behind. */
import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { probeCapabilities } from '../../../src/s3/check.ts';
import { probeServices } from '../../../src/s3/check-services.ts';
import { BUCKET, startBackend, startSealed } from '../../support/s3/sealed.ts';

describe.each([
  [
    's3rver',
    { versioning: false },
    { listsParts: false, completesWithSomeParts: true },
    { ownershipControls: false, lifecycle: false },
  ],
  [
    'radosgw',
    { tagging: true, versioning: true },
    { listsParts: true, completesWithSomeParts: false },
    { ownershipControls: false, accelerate: false, lifecycle: true, cors: true, 'object-lock': true, policy: true },
  ],
] as const)('%s', (name, able, parts, settings) => {
  test('is described as it is', async ({ skip }) => {
    const backend = await startBackend(name);
    if (typeof backend === 'string') return skip(`SKIPPED: ${backend}`);
    const setup = await startSealed(backend);
    try {
      if (name === 'radosgw') await setup.clients[0].send(new CreateBucketCommand({ Bucket: BUCKET }));
      const found = await probeServices(setup.edges[0].gateway.upstream, BUCKET, randomBytes);
      expect(found).toMatchObject({ ...able, settings });
      const { upstream } = setup.edges[0].gateway;
      expect(await probeCapabilities(upstream, BUCKET, randomBytes)).toMatchObject({ multipart: true, ...parts });
      const left = await upstream.send({ method: 'GET', bucket: BUCKET });
      expect(await left.body.text(100_000)).not.toContain('<Key>');
      const open = await upstream.send({ method: 'GET', bucket: BUCKET, query: new Map([['uploads', '']]) });
      expect(await open.body.text(100_000)).not.toContain('<Upload>');
    } finally {
      await setup.close();
      await backend.close();
    }
  });
});
