import { expect, test } from 'vitest';
import { addressOf } from '../upstream/endpoint.ts';
import { collectHeaders, hoistQueryHeaders, isReservedName, operationHeaders } from './headers.ts';
import { bucketOfHost, locate, parseQuery, splitTarget } from './target.ts';

const codeOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

test('path style and virtual-host style name the same bucket and key', () => {
  const place = { bucket: 'bucket', key: 'a b/ü+c//d/' };
  expect(locate('/bucket/a%20b/%C3%BC+c//d/', 'x:1', ['s3.test'])).toEqual(place);
  expect(locate('/a%20b/%C3%BC+c//d/', 'Bucket.S3.test:9000', ['s3.test'])).toEqual(place);
  expect(locate('/bucket', 'x', [])).toEqual({ bucket: 'bucket', key: '' });
  expect(locate('/bucket/', 'x', [])).toEqual({ bucket: 'bucket', key: '' });
  expect(locate('/', 's3.test', ['s3.test'])).toEqual({ bucket: '', key: '' });
  expect(bucketOfHost('a.b.s3.test', ['s3.test'])).toBe('a.b');
  expect(locate('/secret/k', 'sealed.s3.test.:9000', ['s3.test'])).toEqual({ bucket: 'sealed', key: 'secret/k' });
  expect(bucketOfHost('s3.test.', ['s3.test'])).toBeUndefined();
  expect(bucketOfHost('evils3.test', ['s3.test'])).toBeUndefined();
  expect(bucketOfHost('s3.test', ['test', 's3.test'])).toBeUndefined();
  expect(bucketOfHost('a.s3.test', ['test', 's3.test'])).toBe('a');
});

test('places that a backend could read in another way are refused', () => {
  expect(codeOf(() => locate('/bucket/%ff', 'x', []))).toBe('ERR_S3_INVALID_URI');
  expect(codeOf(() => locate('/bucket/a/%2E%2e/b', 'x', []))).toBe('ERR_S3_INVALID_URI');
  expect(codeOf(() => locate('/bucket/./b', 'x', []))).toBe('ERR_S3_INVALID_URI');
  expect(codeOf(() => locate('//key', 'x', []))).toBe('ERR_S3_INVALID_BUCKET_NAME');
  expect(codeOf(() => locate('/..%2fx/key', 'x', []))).toBe('ERR_S3_INVALID_BUCKET_NAME');
  expect(codeOf(() => locate(`/bucket/${'ä'.repeat(513)}`, 'x', []))).toBe('ERR_S3_KEY_TOO_LONG');
  for (const alias of ['ap-123-s3alias', 'ap-123--ol-s3', 'x.mrap'])
    expect(codeOf(() => locate(`/${alias}/k`, 'x', []))).toBe('ERR_S3_INVALID_BUCKET_NAME');
});

test('a bucket that has to be a host upstream is spelled as hosts are', () => {
  const endpoint = { url: new URL('https://s3.example'), addressing: 'virtual' } as const;
  expect(addressOf(endpoint, { bucket: 'a.b-c', key: 'k' }).host).toBe('a.b-c.s3.example');
  for (const bucket of ['Sealed', 'SEALED', 'a_b', 'a..b', 'a.'])
    expect(codeOf(() => addressOf(endpoint, { bucket, key: 'k' }))).toBe('ERR_S3_INVALID_BUCKET_NAME');
});

test('names that some backends read as others are refused, in headers and in the query', () => {
  for (const name of ['x_amz_copy_source', 'X-Amz_Copy-Source', 'x_amz_meta_a', 'content_md5', 'transfer_encoding'])
    expect(
      codeOf(() => collectHeaders([name, 'v'])),
      name,
    ).toBe('ERR_S3_INVALID_ARGUMENT');
  expect(collectHeaders(['x-amz-meta-a_b', 'v', 'x_trace', 'w'])).toEqual({ 'x-amz-meta-a_b': 'v', x_trace: 'w' });
  for (const query of [
    'x-amz-meta-a=b%0D%0Ac%3A+d',
    'x-amz-meta-a=%00',
    'x-amz-meta-a%20b=c',
    'x-amz-copy_source=a%2Fb',
  ])
    expect(
      codeOf(() => hoistQueryHeaders(parseQuery(query), {})),
      query,
    ).toBe('ERR_S3_INVALID_ARGUMENT');
});

test('the target may be absolute, and a query has each name once', () => {
  expect(splitTarget('http://host:1/b/k?x=1?2', 'Host:1')).toEqual({ path: '/b/k', query: 'x=1?2' });
  for (const target of ['http://other:1/b/k', 'http://host/b/k', 'http://b@host:1/k', 'https://', 'http:///b/k'])
    expect(
      codeOf(() => splitTarget(target, 'host:1')),
      target,
    ).toBe('ERR_S3_INVALID_URI');
  expect([...parseQuery('acl&a=b%3D+c&=&')]).toEqual([
    ['acl', ''],
    ['a', 'b= c'],
    ['', ''],
  ]);
  expect(codeOf(() => parseQuery('a=1&a=2'))).toBe('ERR_S3_INVALID_ARGUMENT');
  expect(codeOf(() => parseQuery('a=%f'))).toBe('ERR_S3_INVALID_URI');
});

test('headers in a presigned query are headers; signature parameters and checksums are not', () => {
  const query = parseQuery(
    'X-Amz-Signature=1&X-Amz-Copy-Source=a%2Fb&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-checksum-mode=ENABLED&acl',
  );
  const hoisted = hoistQueryHeaders(query, { host: 'h' });
  expect(hoisted.headers).toEqual({ host: 'h', 'x-amz-copy-source': 'a/b', 'x-amz-checksum-mode': 'ENABLED' });
  expect([...hoisted.query.keys()]).toEqual(['acl']);
  expect(codeOf(() => hoistQueryHeaders(query, { 'x-amz-copy-source': 'c/d' }))).toBe('ERR_S3_INVALID_ARGUMENT');
});

test('an operation sees neither framing nor signature, nor what Connection names', () => {
  const seen = operationHeaders({
    authorization: 'x',
    'content-encoding': 'aws-chunked, gzip',
    'x-amz-decoded-content-length': '1',
    connection: 'x-hop, x-amz-meta-a',
    'x-hop': '1',
    'x-amz-meta-a': 'b',
    'proxy-authorization': 'x',
    'x-http-method-override': 'DELETE',
    'x-original-url': '/sealed/k',
    'x-forwarded-host': 'other',
    'x-forwarded-for': '192.0.2.1',
  });
  expect(seen).toEqual({ 'content-encoding': 'gzip', 'x-amz-meta-a': 'b', 'x-forwarded-for': '192.0.2.1' });
});

test('our metadata names are known in any spelling', () => {
  expect(['x-amz-meta-sealgate', 'X-Amz-Meta-SealGate-Envelope', 'x-amz_meta-sealgate_e'].map(isReservedName)).toEqual([
    true,
    true,
    true,
  ]);
  expect(isReservedName('x-amz-meta-seal')).toBe(false);
});
