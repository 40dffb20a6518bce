import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { PART_OVERHEAD } from '../../envelope/object/sizes.ts';
import { sourceOf } from '../bodies/byte-source.ts';
import { MAX_WHOLE_PART_BYTES } from '../limits.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { ByteGovernor } from '../sealing/governor.ts';
import { AWS_CAPABILITIES } from '../upstream/capabilities.ts';
import type { UpstreamRequest } from '../upstream/client.ts';
import { WholeBody } from '../upstream/upstream-body.ts';
import { ObjectLocks } from './object-locks.ts';
import { refuseUnlessHoldable, sendingPart } from './whole-part.ts';

const LOCKED = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';
const GOVERNED = { maxBytes: 1_000_000, maxWaiting: 10, maxWaitMs: 1_000, patienceMs: 1_000 };
// What is asked of it.
const REQUEST = { bucket: 'b', signal: new AbortController().signal } as unknown as S3Request;

/** Of a bucket with Object Lock, at a store that breaks down over that question so often first. */
function lockedBucket(failures = 0) {
  let left = failures;
  const upstream = {
    storeOf: () => ({ capabilities: { ...AWS_CAPABILITIES, ownChecksum: 'crc32' } }),
    send: () => {
      const status = left > 0 ? 503 : 200;
      left -= 1;
      return Promise.resolve({ status, headers: {}, body: new WholeBody(Buffer.from(status === 200 ? LOCKED : '')) });
    },
  };
  const wholeParts = new ByteGovernor(GOVERNED);
  const parts = { upstream, wholeParts, caches: { objectLocks: new ObjectLocks() }, log: { warn: () => undefined } };
  // Likewise.
  return { gateway: parts as unknown as GatewayContext, wholeParts };
}

/** Sends it, and tells what was sent. */
async function sent(gateway: GatewayContext, content: Pick<UpstreamRequest, 'body' | 'contentLength'>) {
  const requests: Parameters<Parameters<typeof sendingPart>[3]>[0][] = [];
  await sendingPart(REQUEST, gateway, content, (request) => Promise.resolve(requests.push(request)));
  return requests;
}

test('a part is held within its share, and sent with its digests on the lane that no waiting copy holds', async () => {
  const { gateway, wholeParts } = lockedBucket();
  const bytes = randomBytes(400_000);
  const source = sourceOf([Uint8Array.from(bytes)]);
  const used: number[] = [];
  const body = {
    pour: (take: Parameters<typeof source.pour>[0]) => {
      used.push(wholeParts.usedBytes);
      return source.pour(take);
    },
  };
  const requests = await sent(gateway, { body, contentLength: bytes.length });
  expect(requests).toMatchObject([
    {
      contentLength: bytes.length,
      headers: { 'content-md5': createHash('md5').update(bytes).digest('base64') },
      bodySha256: createHash('sha256').update(bytes).digest('hex'),
      lane: 'copy',
    },
  ]);
  expect([used, wholeParts.usedBytes]).toEqual([[bytes.length], 0]);
});

test('a part that was let in before the bucket was known to have Object Lock is refused unread where it is too long', async () => {
  const { gateway, wholeParts } = lockedBucket(1);
  await refuseUnlessHoldable(REQUEST, gateway, MAX_WHOLE_PART_BYTES + 1);
  const body = { pour: () => Promise.reject(new Error('it was read')) };
  const contentLength = MAX_WHOLE_PART_BYTES + 1 + PART_OVERHEAD;
  await expect(sent(gateway, { body, contentLength })).rejects.toMatchObject({
    code: 'ERR_S3_ENTITY_TOO_LARGE',
    details: { ProposedSize: String(MAX_WHOLE_PART_BYTES + 1), MaxSizeAllowed: String(MAX_WHOLE_PART_BYTES) },
  });
  expect(wholeParts.usedBytes).toBe(0);
  // The longest that may be is read.
  await expect(sent(gateway, { body, contentLength: contentLength - 1 })).rejects.toThrow('it was read');
  await expect(refuseUnlessHoldable(REQUEST, gateway, MAX_WHOLE_PART_BYTES + 1)).rejects.toMatchObject({
    code: 'ERR_S3_ENTITY_TOO_LARGE',
  });
});
