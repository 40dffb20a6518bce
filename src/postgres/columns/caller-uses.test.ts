import { expect, test } from 'vitest';
import { MAX_KEY_USES } from '../limits.ts';
import { CallerUses } from './caller-uses.ts';

const principal = 'arn:aws:iam::000000000000:user/app';

test('One frozen object for the same caller and column, and another for whatever differs', () => {
  const uses = new CallerUses();
  const use = uses.of({ principal }, 'shop.public.t.a');
  expect(use).toEqual({ principal, via: 'postgres', resource: 'shop.public.t.a' });
  expect(Object.isFrozen(use)).toBe(true);
  expect(uses.of({ principal, via: 'postgres' }, 'shop.public.t.a')).toBe(use);
  expect(uses.of({ principal }, 'shop.public.t.b').resource).toBe('shop.public.t.b');
  expect(uses.of({ principal: `${principal}2` }, 'shop.public.t.a').principal).toBe(`${principal}2`);
  expect(uses.of({ principal, via: 'cli' }, 'shop.public.t.a').via).toBe('cli');
  expect(uses.of({ principal }, 'shop.public.t.a')).toEqual(use);
});

test('However many callers come, no more objects are kept than the limit', () => {
  const uses = new CallerUses();
  const first = uses.of({ principal: 'role 0' }, 'c');
  for (let n = 1; n < MAX_KEY_USES; n++) uses.of({ principal: `role ${n}` }, 'c');
  expect(uses.of({ principal: 'role 0' }, 'c')).toBe(first);
  uses.of({ principal: 'one more' }, 'c');
  expect(uses.of({ principal: 'role 0' }, 'c')).not.toBe(first);
  expect(uses.of({ principal: 'role 0' }, 'c')).toEqual(first);
});
