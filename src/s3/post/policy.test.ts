import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFields, checkLength, parseFormPolicy } from './policy.ts';

const NOW = Date.parse('2027-01-31T12:00:00Z');
const encoded = (document: unknown): string => Buffer.from(JSON.stringify(document)).toString('base64');
const policy = (...conditions: readonly unknown[]) =>
  parseFormPolicy(encoded({ expiration: '2027-01-31T13:00:00Z', conditions }));

function refusalOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return (error as { code?: unknown; message?: unknown }).message;
  }
  return undefined;
}
const judged = (conditions: readonly unknown[], fields: Readonly<Record<string, string>>, now = NOW): unknown =>
  refusalOf(() => checkFields(policy(...conditions), new Map(Object.entries(fields)), 'bkt', now));

test('Every condition must hold, and every field must have one', () => {
  const conditions = [{ bucket: 'bkt' }, ['starts-with', '$key', 'a/'], ['eq', '$Content-Type', 'text/plain']];
  expect(judged(conditions, { key: 'a/b', 'content-type': 'text/plain' })).toBeUndefined();
  expect(judged(conditions, { key: 'b', 'content-type': 'text/plain' })).toBe(
    'Invalid according to Policy: Policy Condition failed: ["starts-with","$key","a/"]',
  );
  expect(judged(conditions, { key: 'a/b' })).toContain('$content-type');
  expect(judged(conditions, { key: 'a/b', 'content-type': 'text/plain', acl: 'private' })).toBe(
    'Invalid according to Policy: Extra input fields: acl',
  );
  expect(judged([{ bucket: 'other' }, { key: 'k' }], { key: 'k' })).toContain('$bucket');
  expect(judged([{ key: 'k' }], { key: 'k', 'x-ignore-me': '1', policy: 'p', 'x-amz-signature': 's' })).toBeUndefined();
  expect(judged([['starts-with', '$key', '']], { key: 'anything' })).toBeUndefined();
});

test('A dollar may be escaped, which no other JSON knows, and a backslash before it is one', () => {
  const parsed = (value: string) =>
    parseFormPolicy(
      Buffer.from(`{"expiration":"2027-01-31T13:00:00Z","conditions":[["eq","$key","${value}"]]}`).toString('base64'),
    ).conditions[0]?.value;
  expect(parsed(String.raw`\$5 and \"\u00fc\"`)).toBe('$5 and "ü"');
  expect(parsed(String.raw`\\$5`)).toBe(String.raw`\$5`);
});

test('Of a list of types each must begin as the condition says', () => {
  const conditions = [['starts-with', '$Content-Type', 'image/']];
  expect(judged(conditions, { 'content-type': 'image/png,image/jpeg' })).toBeUndefined();
  expect(judged(conditions, { 'content-type': 'image/png,text/html' })).toContain('Condition failed');
});

test('After its end a policy allows nothing', () => {
  expect(judged([], {}, NOW + 3_600_000)).toBe('Invalid according to Policy: Policy expired.');
});

test('The length of the file is bounded on both sides', () => {
  const bounded = policy(['content-length-range', 2, '4']);
  expect([2, 4].map((length) => refusalOf(() => checkLength(bounded, length)))).toEqual([undefined, undefined]);
  for (const [length, code, limit] of [
    [1, 'ERR_S3_ENTITY_TOO_SMALL', { MinSizeAllowed: '2' }],
    [5, 'ERR_S3_ENTITY_TOO_LARGE', { MaxSizeAllowed: '4' }],
  ] as const)
    expect(() => checkLength(bounded, length)).toThrow(
      expect.objectContaining({ code, details: { ProposedSize: String(length), ...limit } }) as Error,
    );
});

test('What is no policy is refused with one code, whatever it is', () => {
  const strange = fc.oneof(
    fc.string().map((text) => Buffer.from(text).toString('base64')),
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64')),
    fc.jsonValue().map((conditions) => encoded({ expiration: '2027-01-31T13:00:00Z', conditions })),
    fc
      .jsonValue()
      .map((one) =>
        encoded({ expiration: '2027-01-31T13:00:00Z', conditions: [one, ['content-length-range', one, one]] }),
      ),
  );
  fc.assert(
    fc.property(strange, (text) => {
      try {
        expect(parseFormPolicy(text).expiresAt).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_S3_POLICY_DOCUMENT' });
      }
    }),
    { numRuns: 500 },
  );
  for (const document of [
    { conditions: [] },
    { expiration: 'tomorrow', conditions: [] },
    { expiration: '2027-01-31T13:00:00Z' },
  ])
    expect(() => parseFormPolicy(encoded(document))).toThrow(
      expect.objectContaining({ code: 'ERR_S3_POLICY_DOCUMENT' }) as Error,
    );
});
