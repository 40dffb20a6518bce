import { expect, test } from 'vitest';
import { AWS_CAPABILITIES } from './capabilities.ts';
import { withOwnChecksum } from './own-checksum.ts';

const part = (body: Uint8Array) => ({
  method: 'PUT' as const,
  bucket: 'b',
  key: 'k',
  query: new Map([
    ['partNumber', '1'],
    ['uploadId', 'u'],
  ]),
  body,
});
const BODY = Buffer.from('ciphertext');

test.each(['crc32', 'crc32c', 'crc64nvme', 'sha256'] as const)(
  'a part of an upload that names no checksum comes without %s, which S3 would refuse: with Content-MD5 where it is whole',
  async (ownChecksum) => {
    const able = { ...AWS_CAPABILITIES, ownChecksum };
    expect((await withOwnChecksum(part(BODY), able)).headers).toEqual({ 'content-md5': 'y1RhZ0j93C+2B7nrQxLuPQ==' });
    const stream = { ...part(BODY), body: { pour: () => Promise.resolve() }, contentLength: 10 };
    expect(await withOwnChecksum(stream, able)).toBe(stream);
    const { headers } = await withOwnChecksum({ ...part(BODY), query: new Map() }, able);
    expect(Object.keys(headers ?? {})).toEqual([`x-amz-checksum-${ownChecksum}`]);
  },
);

test('Content-MD5 is the matter of no upload, and goes where any is wanted', async () => {
  const { headers } = await withOwnChecksum(part(BODY), { ...AWS_CAPABILITIES, ownChecksum: 'md5' });
  expect(headers).toEqual({ 'content-md5': 'y1RhZ0j93C+2B7nrQxLuPQ==' });
  expect(await withOwnChecksum(part(BODY), { ...AWS_CAPABILITIES, ownChecksum: 'none' })).toEqual(part(BODY));
});

test('a part that was gathered brings its own, and gets no second one', async () => {
  const gathered = { ...part(BODY), headers: { 'content-md5': 'y1RhZ0j93C+2B7nrQxLuPQ==' } };
  const able = { ...AWS_CAPABILITIES, ownChecksum: 'crc32' as const };
  expect(await withOwnChecksum(gathered, able)).toBe(gathered);
});
