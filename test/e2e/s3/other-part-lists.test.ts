/** Completions of one upload that name other parts: whoever is told of success has an object of the parts it named. */
import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { hookUpstream } from '../../support/s3/hooked-upstream.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;

describe.each(['s3rver', 'radosgw'] as const)('An upload in front of %s', (name) => {
  let setup: SealedSetup;
  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    await createBuckets(setup.clients[0], name);
    return [setup];
  });

  type Upload = { readonly Key: string; readonly UploadId: string };
  const create = async (Key: string): Promise<Upload> => {
    const { UploadId = '' } = await setup.clients[0].send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    return { Key, UploadId };
  };
  const part = async (upload: Upload, PartNumber: number, Body: Uint8Array, by: 0 | 1): Promise<CompletedPart> => {
    const input = { Bucket: BUCKET, ...upload, PartNumber, Body };
    const { ETag } = await setup.clients[by].send(new UploadPartCommand(input));
    return { PartNumber, ETag };
  };
  const complete = (upload: Upload, parts: readonly CompletedPart[], by: 0 | 1): Promise<string> =>
    setup.clients[by]
      .send(new CompleteMultipartUploadCommand({ Bucket: BUCKET, ...upload, MultipartUpload: { Parts: [...parts] } }))
      .then(
        () => 'ok',
        (error: { name: string }) => error.name,
      );
  const read = async (Key: string): Promise<Buffer> => {
    const { Body } = await setup.clients[0].send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };

  test.each([
    ['a short last part', 1000],
    ['a long last part', 5 * MIB],
  ])('that has %s is completed again with the same parts only', async (_what, end) => {
    const upload = await create(`again-${end}`);
    const bodies = [randomBytes(5 * MIB), randomBytes(end)] as const;
    const parts = [await part(upload, 1, bodies[0], 0), await part(upload, 2, bodies[1], 0)] as const;
    const [one, two] = parts;
    const three = { ...two, PartNumber: 3 };
    expect(await complete(upload, parts, 0)).toBe('ok');
    for (const by of [0, 1] as const) {
      expect(await complete(upload, parts, by)).toBe('ok');
      for (const others of [[one], [two], [one, three], [one, two, three]])
        expect(await complete(upload, others, by), JSON.stringify(others)).toBe('NoSuchUpload');
    }
    expect((await read(upload.Key)).equals(Buffer.concat(bodies))).toBe(true);
  });

  test('is not said to be completed with a part that was uploaded once more', async () => {
    const upload = await create('attempts');
    const bodies = [randomBytes(5 * MIB), randomBytes(6 * MIB), randomBytes(5 * MIB), randomBytes(5 * MIB)] as const;
    const first = await part(upload, 1, bodies[0], 0);
    const longer = await part(upload, 1, bodies[1], 0);
    const again = await part(upload, 1, bodies[2], 0);
    const last = await part(upload, 2, bodies[3], 0);
    expect(await complete(upload, [again, last], 0)).toBe('ok');
    expect(await complete(upload, [first, last], 0)).toBe('NoSuchUpload');
    expect(await complete(upload, [longer, last], 0)).toBe('NoSuchUpload');
    expect(await complete(upload, [again, last], 1)).toBe('ok');
    expect((await read(upload.Key)).equals(Buffer.concat([bodies[2], bodies[3]]))).toBe(true);
  });

  test('that another gateway completes meanwhile with another attempt of a part is over for the first', async ({
    skip,
  }) => {
    skip(name === 's3rver', 's3rver lists no parts: one process serves such a store');
    const upload = await create('meanwhile');
    const bodies = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(1000)] as const;
    const first = await part(upload, 1, bodies[0], 0);
    const last = await part(upload, 2, bodies[2], 0);
    const outcomes: string[] = [];
    // Ceph RGW tells the second of success too, or of a failure of its own: it was this upload that it completed last.
    using _hooked = hookUpstream(setup.edges[0].gateway, async (request, send) => {
      if (request.method === 'POST' && request.key === upload.Key && outcomes.length === 0) {
        outcomes.push('…');
        const again = await part(upload, 1, bodies[1], 1);
        outcomes.push(await complete(upload, [again, last], 1));
      }
      return send(request);
    });
    expect(await complete(upload, [first, last], 0)).toBe('NoSuchUpload');
    expect(outcomes).toEqual(['…', 'ok']);
    expect((await read(upload.Key)).equals(Buffer.concat([bodies[1], bodies[2]]))).toBe(true);
  });
});
