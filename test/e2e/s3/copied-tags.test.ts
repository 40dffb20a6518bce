/** Tags of a copy in front of a store that does not know them: it ignores the parameter, and would put the document of tags in the object's place. */
import { CopyObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { UpstreamRequest } from '../../../src/s3/upstream/client.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { BUCKET, bytesWith, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

let setup: SealedSetup;
inFrontOf('s3rver', async (backend) => {
  setup = await startSealed(backend, undefined, undefined, {
    rules: [{ bucket: 'plain', prefix: '', rule: { type: 'pass', name: 'plain' } }],
  });
  await createBuckets(setup.clients[0], 's3rver', 'plain');
  return [setup];
});

/** As the storage hears it that has never heard of tags. */
const deaf = ({ query = new Map<string, string>(), ...request }: UpstreamRequest): UpstreamRequest => ({
  ...request,
  query: new Map([...query].filter(([name]) => name !== 'tagging')),
});

test.each([
  ['sealed', 1000],
  ['sealed', 300_000],
  ['plain', 1000],
])('a copy into %s of %i bytes is told of, and stays what it is', async (Bucket, length) => {
  const [client] = setup.clients;
  const [edge] = setup.edges;
  const Body = bytesWith('CANARY', length);
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source', Body }));
  using _deaf = hookUpstream(edge.gateway, (request, send) => send(deaf(request)));
  const Key = `copy-${length}`;
  const copy = { Bucket, Key, CopySource: `${BUCKET}/source`, TaggingDirective: 'REPLACE', Tagging: 'a=1' } as const;
  await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'NotImplemented' });
  const { Body: got } = await client.send(new GetObjectCommand({ Bucket, Key }));
  expect(Buffer.compare((await got?.transformToByteArray()) ?? new Uint8Array(), Body)).toBe(0);
  // What has none to keep is copied.
  await client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${BUCKET}/source` }));
});
