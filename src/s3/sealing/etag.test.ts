import { expect, test } from 'vitest';
import { clientEtag, partsInEtag, upstreamEtag, upstreamEtagList } from './etag.ts';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

test('a bare MD5 is marked, and the mark is undone on the way back', () => {
  expect(clientEtag(`"${MD5}"`)).toBe(`"${MD5}-0"`);
  expect(upstreamEtag(clientEtag(`"${MD5}"`))).toBe(MD5);
});

test.each([`"${MD5}-3"`, '"opaque"', `"${MD5}-10000"`])('%s is no MD5 and stays as it is', (etag) => {
  expect(clientEtag(etag)).toBe(etag);
  expect(`"${upstreamEtag(clientEtag(etag))}"`).toBe(etag);
});

test('a bare MD5 from a client matches nothing: no such ETag was ever given', () => {
  expect(upstreamEtag(MD5)).not.toBe(MD5);
});

test('lists and weak ETags are undone one by one, the star stays', () => {
  expect(upstreamEtagList(`"${MD5}-0", W/"x"`)).toBe(`"${MD5}", "x"`);
  expect(upstreamEtagList(' * ')).toBe('*');
});

test('the number of parts is read from the end', () => {
  expect(partsInEtag(`"${MD5}-12"`)).toBe(12);
  expect(partsInEtag(`"${MD5}"`)).toBeUndefined();
  expect(partsInEtag(`"${MD5}-0"`)).toBeUndefined();
});
