/** `?versionId=` where it names nothing, or where there is nothing to name: refused in S3's words, and nothing is read, written or deleted. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { inFrontOf } from '../../support/s3/in-front-of.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

let setup: SealedSetup;
inFrontOf('s3rver', async (backend) => {
  setup = await startSealed(backend);
  return [setup];
});

async function said(method: string, query: string, headers: Record<string, string> = {}) {
  const { port } = setup.edges[0];
  const request = sign(port, { method, path: `/${BUCKET}/k`, query, headers: { 'content-length': '0', ...headers } });
  const answer = await talk(port, [request.head], (text) => text.includes('\r\n\r\n') && /<\/Error>|^HEAD/u.test(text));
  const [, code] = /<Code>(.*?)<\/Code>/u.exec(answer) ?? [];
  const [, message] = /<Message>(.*?)<\/Message>/u.exec(answer) ?? [];
  const [, name, value] =
    /<ArgumentName>(.*?)<\/ArgumentName><ArgumentValue>(.*?)<\/ArgumentValue>/u.exec(answer) ?? [];
  return [statusIn(answer), code, message, name, value];
}

test('an empty version is none, and does not stand for the newest', async () => {
  await setup.clients[0].send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'kept' }));
  const refused = [400, 'InvalidArgument', 'Version id cannot be the empty string', 'versionId', ''];
  for (const query of ['versionId=', 'versionId', 'versionId=&partNumber=1', 'tagging&versionId=', 'acl=&versionId='])
    expect([query, await said('GET', query)]).toEqual([query, refused]);
  for (const query of ['versionId=', 'tagging&versionId=']) expect(await said('DELETE', query)).toEqual(refused);
  expect(await said('PUT', 'tagging&versionId=')).toEqual(refused);
  expect(await said('GET', 'attributes&versionId=', { 'x-amz-object-attributes': 'ETag' })).toEqual(refused);
  for (const query of ['', 'partNumber=1&uploadId=x'])
    expect(await said('PUT', query, { 'x-amz-copy-source': `/${BUCKET}/k?versionId=` })).toEqual(
      refused.with(3, 'x-amz-copy-source'),
    );
  const kept = await setup.clients[0].send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
  expect(await kept.Body?.transformToString()).toBe('kept');
});

test.each(['', 'x', 'null'])(
  'what makes an object, or is about an upload, takes no version (%j)',
  async (versionId) => {
    await setup.clients[0].send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'kept' }));
    const refused = [400, 'InvalidArgument', 'This operation does not accept a version-id.', 'versionId', versionId];
    const version = `versionId=${versionId}`;
    expect(await said('PUT', version)).toEqual(refused);
    expect(await said('PUT', version, { 'x-amz-copy-source': `/${BUCKET}/k` })).toEqual(refused);
    for (const [method, query] of [
      ['POST', 'uploads='],
      ['PUT', 'partNumber=1&uploadId=x'],
      ['POST', 'uploadId=x'],
      ['GET', 'uploadId=x'],
      ['DELETE', 'uploadId=x'],
    ] as const)
      expect([method, query, await said(method, `${query}&${version}`)]).toEqual([method, query, refused]);
    const kept = await setup.clients[0].send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    expect(await kept.Body?.transformToString()).toBe('kept');
  },
);
