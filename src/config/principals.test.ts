import fc from 'fast-check';
import { expect, test } from 'vitest';
import { postgresPrincipal } from './principals.ts';

test('No two pairs of database and role give the same principal, and none holds a character that policies read otherwise', () => {
  const name = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F', '*', '?', '$', '{', ':') }),
  );
  const account = '000000000000';
  fc.assert(
    fc.property(name, name, name, name, (a, b, c, d) => {
      const one = postgresPrincipal(account, a, b);
      expect(one).toMatch(/^arn:aws:iam::000000000000:user\/postgres\/[\w.~%-]*\/[\w.~%-]*$/);
      expect(one === postgresPrincipal(account, c, d)).toBe(a === c && b === d);
    }),
    { numRuns: 2000 },
  );
});
