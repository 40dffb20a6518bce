import { describe, expect, test } from 'vitest';
import { BUCKET_OPERATIONS, OBJECT_OPERATIONS, SERVICE_OPERATIONS } from './operation-names.ts';
import { parseQuery } from './request/target.ts';
import { routeOperation } from './router.ts';
import { BUCKET_ROUTES, OBJECT_ROUTES, SERVICE_ROUTES } from './routes.ts';

const route = (method: string, path: string, query = '', headers: Record<string, string> = {}): string => {
  const [bucket = '', key = ''] = path.split('/');
  return routeOperation({ method, bucket, key, query: parseQuery(query), headers });
};

const KNOWN: ReadonlySet<string> = new Set([...SERVICE_OPERATIONS, ...BUCKET_OPERATIONS, ...OBJECT_OPERATIONS]);
const ROUTED: ReadonlySet<string> = new Set(
  [...SERVICE_ROUTES, ...BUCKET_ROUTES, ...OBJECT_ROUTES].map((row) => row.operation),
);
/** On endpoints of their own that the gateway does not have. */
const ELSEWHERE: ReadonlySet<string> = new Set(['ListDirectoryBuckets', 'WriteGetObjectResponse']);

test('every row names an operation of S3, and every operation has a row', () => {
  expect([...ROUTED].filter((name) => !KNOWN.has(name))).toEqual([]);
  expect([...KNOWN].filter((name) => !ROUTED.has(name) && !ELSEWHERE.has(name))).toEqual([]);
});

describe('an operation is found by method, path and query', () => {
  test.each([
    ['GET', '', 'x-id=ListBuckets', 'ListBuckets'],
    ['GET', 'b', '', 'ListObjects'],
    ['GET', 'b', 'list-type=2&prefix=a', 'ListObjectsV2'],
    ['GET', 'b', 'list-type=1', 'ListObjects'],
    ['GET', 'b', 'location', 'GetBucketLocation'],
    ['POST', 'b', 'delete', 'DeleteObjects'],
    ['GET', 'b', 'inventory&id=1', 'GetBucketInventoryConfiguration'],
    ['GET', 'b', 'inventory', 'ListBucketInventoryConfigurations'],
    ['PUT', 'b', 'policy', 'PutBucketPolicy'],
    ['GET', 'b/k', 'versionId=1&partNumber=2&response-content-type=a', 'GetObject'],
    ['PUT', 'b/k', 'partNumber=1&uploadId=2', 'UploadPart'],
    ['POST', 'b/k', 'uploads', 'CreateMultipartUpload'],
    ['GET', 'b/k', 'uploadId=2&max-parts=3', 'ListParts'],
    ['POST', 'b/k', 'uploadId=2', 'CompleteMultipartUpload'],
    ['DELETE', 'b/k', 'uploadId=2', 'AbortMultipartUpload'],
    ['DELETE', 'b/k', 'versionId=2', 'DeleteObject'],
  ])('%s %s?%s is %s', (method, path, query, operation) => {
    expect(route(method, path, query)).toBe(operation);
  });

  test('a copy by its header', () => {
    const headers = { 'x-amz-copy-source': 'a/b' };
    expect(route('PUT', 'b/k', '', headers)).toBe('CopyObject');
    expect(route('PUT', 'b/k', 'partNumber=1&uploadId=2', headers)).toBe('UploadPartCopy');
  });
});

describe('what a backend might take for something else is Unknown', () => {
  test.each([
    ['PUT', 'b/k', 'torrent'],
    ['PUT', 'b/k', 'uploads'],
    ['POST', 'b/k', 'append&position=0'],
    ['GET', 'b', 'list-type=2&acl-of-tomorrow'],
    ['DELETE', 'b', 'acl'],
    ['GET', 'b/k', 'acl&tagging'],
    ['POST', 'b/k', ''],
    ['PUT', 'b/k', 'uploadId=2'],
    ['PUT', 'b/k', 'partNumber=1'],
    ['GET', 'b', 'list-type=2&acl'],
    ['GET', 'b', 'list-type=3'],
    ['GET', 'b/k', 'uploadId=2&partNumber=1'],
    ['HEAD', 'b/k', 'uploadId=2'],
    ['DELETE', '', ''],
    ['OPTIONS', 'b/k', ''],
  ])('%s %s?%s', (method, path, query) => {
    expect(route(method, path, query)).toBe('Unknown');
  });
});
