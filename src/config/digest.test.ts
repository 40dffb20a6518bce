import { expect, test } from 'vitest';
import type { Config } from './config.ts';
import { configDigest } from './digest.ts';
import { Secret } from './secret.ts';

/** What a config holds where is not looked at. */
const digest = (config: unknown): string => configDigest(config as Config);

test('A config with another secret is another one, wherever the secret is', () => {
  const of = (text: string): readonly unknown[] => [
    { password: new Secret(text) },
    { clients: [{ name: 'app', secret: new Secret(text) }] },
    { secrets: [new Secret('same'), new Secret(text)] },
  ];
  const [one, other] = [of('one').map(digest), of('other').map(digest)];
  for (const [index, each] of one.entries()) expect(each).not.toBe(other[index]);
  expect(of('one').map(digest)).toEqual(one);
});

test('A text that looks as a secret does is none', () => {
  expect(digest({ password: new Secret('one') })).not.toBe(digest({ password: '[secret]' }));
  expect(digest({ password: new Secret('one') })).not.toBe(digest({ password: 'one' }));
});
