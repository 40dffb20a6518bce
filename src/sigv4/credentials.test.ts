import { expect, test } from 'vitest';
import { RenewedCredentials, type ProvidedKey } from './credentials.ts';

const MINUTE = 60_000;

/** A provider that counts, and a clock that stands until told. */
function world(keys: readonly (ProvidedKey | Error)[]) {
  const state = { now: 0, asked: 0 };
  const credentials = new RenewedCredentials(
    () => {
      const next = keys[Math.min(state.asked, keys.length - 1)];
      state.asked += 1;
      return next instanceof Error || next === undefined
        ? Promise.reject(next ?? new Error('none'))
        : Promise.resolve(next);
    },
    () => state.now,
    (cause) => new Error('no credentials', { cause }),
  );
  return { state, credentials };
}

const key = (accessKeyId: string, expiresAt?: number): ProvidedKey => ({
  accessKeyId,
  secretAccessKey: 's',
  ...(expiresAt === undefined ? {} : { expiration: new Date(expiresAt) }),
});
const idOf = async (credentials: RenewedCredentials): Promise<string> => (await credentials.get()).accessKeyId;

test('credentials are renewed five minutes before they expire, and once for all who ask at the same time', async () => {
  const { state, credentials } = world([key('A', 60 * MINUTE), key('B', 120 * MINUTE)]);
  expect(await Promise.all([idOf(credentials), idOf(credentials)])).toEqual(['A', 'A']);
  state.now = 54 * MINUTE;
  expect(await idOf(credentials)).toBe('A');
  state.now = 55 * MINUTE;
  expect(await Promise.all([idOf(credentials), idOf(credentials)])).toEqual(['B', 'B']);
  expect(state.asked).toBe(2);
});

test('credentials without expiry are read again after five minutes, and at once when the upstream refused them', async () => {
  const { state, credentials } = world([key('A'), key('B'), key('C')]);
  expect(await idOf(credentials)).toBe('A');
  state.now = 5 * MINUTE;
  expect(await idOf(credentials)).toBe('B');
  credentials.invalidate();
  expect(await idOf(credentials)).toBe('C');
});

test('a failing provider leaves good credentials in use, is not asked for each request, and ends in an error when they expire', async () => {
  const { state, credentials } = world([key('A', 60 * MINUTE), new Error('metadata service is away')]);
  await credentials.get();
  state.now = 56 * MINUTE;
  expect([await idOf(credentials), await idOf(credentials)]).toEqual(['A', 'A']);
  expect(state.asked).toBe(2);
  state.now = 61 * MINUTE;
  await expect(credentials.get()).rejects.toThrow('no credentials');
});

test('a refusal that does not say why looks for other credentials, once in a while', async () => {
  const { state, credentials } = world([key('A'), key('A'), key('B')]);
  const used = await credentials.get();
  expect([await credentials.replacing(used), state.asked]).toEqual([undefined, 2]);
  const again = await credentials.get();
  expect([await credentials.replacing(again), state.asked]).toEqual([undefined, 2]);
  state.now = MINUTE;
  expect((await credentials.replacing(again))?.accessKeyId).toBe('B');
  // Whose request was under way meanwhile is told of them without asking.
  expect([(await credentials.replacing(again))?.accessKeyId, state.asked]).toEqual(['B', 3]);
});
