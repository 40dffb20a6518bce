/**
 * Conditions on completions, copies and deletions, in front of a store that decides on them: they reach it in its own terms, and who lost the
 * race that the gateway's look cannot see is told so. The stores of these tests decide on none of them: what one would answer is put in between.
 */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { ProbedCapabilities } from '../../../src/s3/check.ts';
import type { UpstreamRequest } from '../../../src/s3/upstream/client.ts';
import { WholeBody } from '../../../src/s3/upstream/upstream-body.ts';
import { hookUpstream, isServerCopy } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { createUpload, MIB, outcomeOf, readObject, sendPart } from '../../support/s3/uploads.ts';

let setup: SealedSetup;
let client: S3Client;
inFrontOf('radosgw', async (backend) => {
  setup = await startSealed(backend);
  [client] = setup.clients;
  await createBuckets(client, 'radosgw');
  const { gateway } = setup.edges[0];
  const found = await gateway.caches.backend.learn(gateway, BUCKET);
  // The store's other properties are its own.
  const decides = { conditionalCompletions: true, conditionalCopyWrites: true, conditionalDeletions: true };
  const told = { ...found, ...decides } as ProbedCapabilities;
  gateway.caches.backend.learn = () => Promise.resolve(told);
  gateway.caches.backend.learnConditions = () => Promise.resolve(told);
  return [setup];
});

type Conditions = { readonly IfMatch?: string; readonly IfNoneMatch?: '*' };
/** A write of this key under a condition, and the request of the store that does it. */
type Act = {
  readonly write: (Key: string, conditions: Conditions) => Promise<() => Promise<unknown>>;
  readonly is: (request: UpstreamRequest) => boolean;
};
const ACTS: Readonly<Record<string, Act>> = {
  completion: {
    write: async (Key, conditions) => {
      const upload = await createUpload(setup, Key);
      const Parts = [
        await sendPart(setup, upload, 1, randomBytes(5 * MIB)),
        await sendPart(setup, upload, 2, randomBytes(9)),
      ];
      const asked = { Bucket: BUCKET, ...upload, MultipartUpload: { Parts }, ...conditions };
      return () => client.send(new CompleteMultipartUploadCommand(asked));
    },
    is: ({ method, query }) => method === 'POST' && query?.has('uploadId') === true,
  },
  copy: {
    write: async (Key, conditions) => {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source', Body: randomBytes(1000) }));
      return () =>
        client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `${BUCKET}/source`, ...conditions }));
    },
    is: isServerCopy,
  },
  deletion: {
    write: (Key, { IfMatch }) =>
      Promise.resolve(() => client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key, IfMatch }))),
    is: ({ method, key }) => method === 'DELETE' && key?.startsWith('.sealgate/') !== true,
  },
};

test.each(Object.entries(ACTS))('a %s is decided by the store', async (name, { write, is }) => {
  const Key = `decided-${name}`;
  for (const ifNew of name === 'deletion' ? [false] : [true, false]) {
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    const put = new PutObjectCommand({ Bucket: BUCKET, Key, Body: randomBytes(2000) });
    const { ETag = '' } = ifNew ? {} : await client.send(put);
    if (!ifNew) expect(ETag).toMatch(/^"[0-9a-f]{32}-0"$/u);
    const act = await write(Key, ifNew ? { IfNoneMatch: '*' } : { IfMatch: ETag });
    const sent = ifNew ? { 'if-none-match': '*' } : { 'if-match': ETag.replace('-0', '') };
    const asked: object[] = [];
    const others = randomBytes(3000);
    {
      using _lost = hookUpstream(setup.edges[0].gateway, async (request, send) => {
        if (!is(request)) return send(request);
        asked.push(request.headers ?? {});
        // Another writer comes after the look, and before the store decides.
        await setup.clients[1].send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: others }));
        const text = '<Error><Code>PreconditionFailed</Code><Message>too late</Message></Error>';
        return { status: 412, headers: {}, body: new WholeBody(Buffer.from(text)) };
      });
      expect(await outcomeOf(act())).toBe('PreconditionFailed');
    }
    expect(asked).toEqual([expect.objectContaining(sent)]);
    expect((await readObject(setup, Key)).equals(others)).toBe(true);
  }
});

test.each(Object.entries(ACTS))('a %s that cannot hold does not reach the store', async (name, { write, is }) => {
  const Key = `looked-${name}`;
  const { ETag = '' } = await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' }));
  const wrong: readonly Conditions[] = [
    // The MD5 that the store would take for the object's.
    { IfMatch: ETag.replace('-0', '') },
    { IfMatch: '"other"' },
    ...(name === 'deletion' ? [] : [{ IfNoneMatch: '*' } as const]),
  ];
  for (const conditions of wrong) {
    const act = await write(Key, conditions);
    using _none = hookUpstream(setup.edges[0].gateway, (request, send) => {
      if (is(request)) throw new Error('it reached the store');
      return send(request);
    });
    expect(await outcomeOf(act()), JSON.stringify(conditions)).toBe('PreconditionFailed');
  }
  expect((await readObject(setup, Key)).toString()).toBe('x');
});
