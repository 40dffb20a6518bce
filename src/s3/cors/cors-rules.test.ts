import { describe, expect, test } from 'vitest';
import { corsAnswer, parseCorsRules } from './cors-rules.ts';

const rule = (content: string): string => `<CORSRule>${content}</CORSRule>`;
const rules = (...found: readonly string[]) =>
  parseCorsRules(
    `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${found.join('')}</CORSConfiguration>`,
  ) ?? [];

const PAGE = rule(
  '<AllowedOrigin>https://localhost:4200</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod>' +
    '<AllowedHeader>x-AMZ-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><ExposeHeader>x-amz-id-2</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds>',
);
const ANYONE = rule('<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>');
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

describe('What S3 answers', () => {
  test('to an origin that a rule names: itself, credentials, all of the rule', () => {
    const asked = { origin: 'https://localhost:4200', method: 'PUT', headers: ['X-Amz-Date', 'x-amz-meta-a'] };
    expect(corsAnswer(rules(ANYONE, PAGE), asked)).toEqual({
      'access-control-allow-origin': 'https://localhost:4200',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-amz-date, x-amz-meta-a',
      'access-control-expose-headers': 'ETag, x-amz-id-2',
      'access-control-max-age': '3000',
      vary: VARY,
    });
  });

  test('to any origin, where a rule allows all: a star, without credentials', () => {
    expect(corsAnswer(rules(ANYONE), { origin: 'https://a', method: 'GET', headers: [] })).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      vary: VARY,
    });
  });

  test.each([
    ['another origin', { origin: 'https://localhost:4201', method: 'GET', headers: [] }],
    ['an origin that only begins alike', { origin: 'https://localhost:42000', method: 'GET', headers: [] }],
    ['another method', { origin: 'https://localhost:4200', method: 'DELETE', headers: [] }],
    [
      'a header that is not allowed',
      { origin: 'https://localhost:4200', method: 'GET', headers: ['x-amz-a', 'range'] },
    ],
  ])('nothing to %s', (_what, asked) => {
    expect(corsAnswer(rules(PAGE), asked)).toBeUndefined();
  });

  test.each([
    ['http://*.example.com', 'http://a.example.com', true],
    ['http://*.example.com', 'http://example.com', false],
    ['http://a*a', 'http://a', false],
    ['http://*', 'http://anything', true],
    ['https://a.b', 'https://aXb', false],
  ])('the pattern %s and the origin %s', (pattern, origin, isAllowed) => {
    const one = rules(rule(`<AllowedOrigin>${pattern}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>`));
    expect(corsAnswer(one, { origin, method: 'GET', headers: [] }) !== undefined).toBe(isAllowed);
  });
});

test('what is no configuration has no rules', () => {
  expect(parseCorsRules('<ListBucketResult/>')).toBeUndefined();
  expect(rules()).toEqual([]);
});
