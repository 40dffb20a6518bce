import { expect, test } from 'vitest';
import { askedFor, codeFor, errorDetails } from './error-details.ts';

const place = {
  method: 'GET',
  bucket: 'b',
  key: 'k',
  query: new Map([
    ['versionId', 'v'],
    ['uploadId', 'u'],
  ]),
};
const asked = askedFor(place, {});

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

test.each([
  ['if-match', 'If-Match'],
  ['if-unmodified-since', 'If-Unmodified-Since'],
  ['x-amz-copy-source-if-none-match', 'x-amz-copy-source-If-None-Match'],
])('%s is named where it failed', (name, Condition) => {
  const conditional = { ...(name.startsWith('if') ? {} : { 'x-amz-copy-source': '/b/k' }), [name]: '"e"' };
  expect(errorDetails('PreconditionFailed', {}, askedFor(place, conditional))).toEqual({ Condition });
  const two = { ...conditional, 'if-none-match': '*', 'if-match': '"e"' };
  expect(errorDetails('PreconditionFailed', {}, askedFor(place, two))).toEqual({});
});

test('a version that is not there is no key that is not there', () => {
  const unversioned = { ...place, query: new Map<string, string>() };
  const codeOf = (where: typeof place, headers = {}): string => codeFor('NoSuchKey', {}, askedFor(where, headers));
  expect([codeOf(place), codeOf(unversioned), codeFor('NoSuchKey', {}, undefined)]).toEqual([
    ...['NoSuchVersion', 'NoSuchKey', 'NoSuchKey'],
  ]);
  expect(codeOf(unversioned, { 'x-amz-copy-source': '/b/k?versionId=v' })).toBe('NoSuchVersion');
  expect(codeFor('AccessDenied', {}, asked)).toBe('AccessDenied');
  expect(codeFor('NoSuchKey', { Key: 'the destination' }, asked)).toBe('NoSuchKey');
});

test('a method is refused for what is there: an object, a delete marker, a bucket, or the service', () => {
  const typeOf = (headers: Record<string, string>, more: object): unknown =>
    errorDetails('MethodNotAllowed', headers, { ...asked, ...more })['ResourceType'];
  expect(typeOf({ 'x-amz-delete-marker': 'true' }, {})).toBe('DeleteMarker');
  expect(typeOf({}, { key: '' })).toBe('BUCKET');
  expect(typeOf({}, { key: '', bucket: '' })).toBe('SERVICE');
});
