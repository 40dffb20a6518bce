import { expect, test } from 'vitest';
import { errorDocument } from './upstream-errors.ts';

const said = (content: string, status = 404) => {
  const { s3Code, message, status: shown } = errorDocument(`<Error>${content}</Error>`, { status, headers: {} });
  return [shown, s3Code, message];
};

test('a backend that says no more than a code is given the words that S3 has for it', () => {
  expect(said('<Code>NoSuchBucket</Code><Message></Message>')).toEqual([
    404,
    'NoSuchBucket',
    'The specified bucket does not exist',
  ]);
  expect(said('<Code>NoSuchTagSet</Code>')).toEqual([404, 'NoSuchTagSet', 'The TagSet does not exist']);
  expect(said('<Code>NoSuchKey</Code>')).toEqual([404, 'NoSuchKey', 'The specified key does not exist.']);
});

test.each([
  [404, 'NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  [400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema.'],
  [400, 'InvalidArgument', 'Invalid Argument'],
])('never the words of a status that stand for another code: %i %s', (status, code, words) => {
  expect(said(`<Code>${code}</Code><Message/>`, status)).toEqual([status, code, words]);
});

test('its own words stand, and what nobody has words for gets those of its status', () => {
  expect(said('<Code>NoSuchBucket</Code><Message>gone fishing</Message>')).toEqual([
    404,
    'NoSuchBucket',
    'gone fishing',
  ]);
  expect(said('<Code>constructor</Code>', 409)).toEqual([
    409,
    'constructor',
    'The request conflicts with another. Please try again.',
  ]);
});
