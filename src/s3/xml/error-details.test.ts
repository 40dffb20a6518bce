import { expect, test } from 'vitest';
import { errorDetails } from './error-details.ts';

const asked = {
  method: 'GET',
  bucket: 'b',
  key: 'k',
  query: new Map([
    ['versionId', 'v'],
    ['uploadId', 'u'],
  ]),
  isCopy: false,
};

test.each([
  ['NoSuchKey', { Key: 'k' }],
  ['NoSuchVersion', { Key: 'k', VersionId: 'v' }],
  ['NoSuchBucket', { BucketName: 'b' }],
  ['NoSuchUpload', { UploadId: 'u' }],
  ['InvalidPart', { UploadId: 'u' }],
  ['MethodNotAllowed', { Method: 'GET', ResourceType: 'OBJECT' }],
  ['AccessDenied', {}],
])('%s says what was named', (code, details) => {
  expect(errorDetails(code, {}, asked)).toEqual(details);
});

test('what the request did not name is not said, and not of copies, which name two objects', () => {
  const ofService = { ...asked, bucket: '', key: '', query: new Map<string, string>() };
  for (const code of ['NoSuchKey', 'NoSuchVersion', 'NoSuchBucket', 'NoSuchUpload'])
    expect(errorDetails(code, {}, ofService)).toEqual({});
  for (const code of ['NoSuchKey', 'NoSuchVersion', 'NoSuchBucket'])
    expect(errorDetails(code, {}, { ...asked, isCopy: true })).toEqual({});
});

test('a method is refused for what is there: an object, a delete marker, a bucket, or the service', () => {
  const typeOf = (headers: Record<string, string>, more: object): unknown =>
    errorDetails('MethodNotAllowed', headers, { ...asked, ...more })['ResourceType'];
  expect(typeOf({ 'x-amz-delete-marker': 'true' }, {})).toBe('DeleteMarker');
  expect(typeOf({}, { key: '' })).toBe('BUCKET');
  expect(typeOf({}, { key: '', bucket: '' })).toBe('SERVICE');
});
