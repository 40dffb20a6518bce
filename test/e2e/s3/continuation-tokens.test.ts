/** Pages of a sealed bucket whose names hold what XML cannot: any parser reads them, and each name comes once. */
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { sign, talk } from '../../support/s3/raw-s3.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const sealed = sealedOnRadosgw();
const NAMES = ['\u0001', 'a\u0001', 'a\u001f', 'a%01', 'a+b', 'a b', 'b\n', 'b\r', 'c\u007f', 'ü', '\ufffe', '😀'];

/** The document of one page, as it is sent. */
async function page(query: string): Promise<string> {
  const { port } = sealed.setup.edges[0];
  return talk(port, [sign(port, { method: 'GET', path: `/${BUCKET}`, query: `list-type=2&${query}` }).head]);
}

test('names with control characters are paged by tokens that every XML parser reads', async () => {
  const [client] = sealed.setup.clients;
  for (const Key of NAMES) await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: Key }));
  // The store's token would name it.
  await sealed.setup.direct.send(new PutObjectCommand({ Bucket: BUCKET, Key: '.sealgate/b', Body: 'x' }));
  const found: string[] = [];
  for (let token: string | undefined = ''; token !== undefined;) {
    const asked = token === '' ? '' : `&continuation-token=${token}`;
    const text = await page(`encoding-type=url&max-keys=1${asked}`);
    found.push(...[...text.matchAll(/<Key>(.*?)<\/Key>/gu)].map(([, key = '']) => decodeURIComponent(key)));
    expect(text).not.toMatch(/&#|sealgate/u);
    if (token !== '') expect(text).toContain(`<ContinuationToken>${token}</ContinuationToken>`);
    [, token] = /<NextContinuationToken>(.*?)<\/NextContinuationToken>/u.exec(text) ?? [];
    if (token !== undefined) expect(token).toMatch(/^[\w-]+$/u);
  }
  expect(found).toEqual([...NAMES].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
  await sealed.setup.direct.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: '.sealgate/b' }));
});

test.each(['nonsense', 'a', 'MQ==', '.sealgate/'])('%j, which no page gave, is refused', async (ContinuationToken) => {
  const [client] = sealed.setup.clients;
  await expect(client.send(new ListObjectsV2Command({ Bucket: BUCKET, ContinuationToken }))).rejects.toMatchObject({
    name: 'InvalidArgument',
    message: 'The continuation token provided is incorrect',
    ArgumentValue: ContinuationToken,
  });
});
