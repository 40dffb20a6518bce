import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readToken, tokenFor } from './continuation-token.ts';

test('tokens hold whatever a store gives, in letters that XML and URLs have', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(tokenFor(text)).toMatch(/^[\w-]+$/u);
      expect(readToken(tokenFor(text))).toBe(text);
    }),
  );
});

test.each(['', 'nonsense', 'a', '!', 'MQ==', Buffer.from('2x').toString('base64url'), ` ${tokenFor('x')}`, 'MQ\n'])(
  '%j is none',
  (token) => {
    expect(() => readToken(token)).toThrow(
      expect.objectContaining({
        code: 'ERR_S3_INVALID_ARGUMENT',
        details: { ArgumentName: 'continuation-token', ArgumentValue: token },
      }),
    );
  },
);

test('what was made for something else, or in another form, is not read as it', () => {
  const token = tokenFor('.sealgate/x');
  for (const changed of [token.slice(1), token.toLowerCase(), `${token}=`, `${token}\n`])
    expect(() => readToken(changed)).toThrow();
});
