import { expect, test } from 'vitest';
import { decodeKey, encodeKey, formatListPage, parseListPage, type ListRequest } from './list-page.ts';

const REQUEST: ListRequest = {
  version: 2,
  bucket: 'bucket',
  prefix: 'a b/',
  delimiter: undefined,
  maxKeys: 1000,
  marker: undefined,
  continuationToken: undefined,
  startAfter: undefined,
  encodeKeys: true,
};

const PAGE = {
  rows: [
    { key: 'a b/\u0001+ü(1).txt', lastModified: 't', etag: '"e"', size: 5, storageClass: 'STANDARD', owner: undefined },
  ],
  commonPrefixes: ['a b/c d/'],
  isTruncated: true,
  nextContinuationToken: 'token',
};

test.each([true, false])('a page reads back as it was written, keys encoded: %s', (encodeKeys) => {
  const written = formatListPage({ ...REQUEST, encodeKeys }, PAGE);
  expect(parseListPage(Buffer.from(written).toString())).toEqual(PAGE);
});

test('keys are encoded as S3 does and decoded in both its ways', () => {
  expect(encodeKey("a/b c+d'(1)")).toBe('a/b%20c%2Bd%27%281%29');
  expect(decodeKey('a/b+c%2Bd%20e')).toBe('a/b c+d e');
});

test.each(['', '<Error/>', '<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>'])(
  'what is no listing (%s) is refused',
  (text) => {
    expect(() => parseListPage(text)).toThrow(expect.objectContaining({ code: 'ERR_S3_UPSTREAM_PROTOCOL' }));
  },
);
