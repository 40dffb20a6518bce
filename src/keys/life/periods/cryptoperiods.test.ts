import { expect, test } from 'vitest';
import type { MaterialState } from '../key-states.ts';
import type { MaterialRecord } from '../../records.ts';
import { keyTypeOf, periodEnds, standardPeriods } from './cryptoperiods.ts';

const at = '2026-01-01T00:00:00.000Z';

function material(state: MaterialState): MaterialRecord {
  const none = new Uint8Array();
  const made = {
    materialId: none,
    keyId: '',
    region: undefined,
    version: 1,
    createdAt: at,
    wrapped: none,
    canary: none,
  };
  const unused = { rotation: undefined, rotatedAt: undefined, validTo: undefined, description: undefined };
  const first = { to: 'active', at, by: undefined, reason: 'created', stillOpens: false } as const;
  const history = state === 'pre-activation' ? [] : [first];
  return { ...made, ...unused, state, stateSince: at, stateReason: '', history, stillOpens: false };
}

test.each([
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', '2028-01-01', '2030-12-31'],
  ['HMAC_256', 'GENERATE_VERIFY_MAC', '2028-01-01', '2030-12-31'],
  ['RSA_2048', 'ENCRYPT_DECRYPT', '2028-01-01', '2028-01-01'],
  ['ECC_NIST_P256', 'SIGN_VERIFY', '2028-12-31', undefined],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', '2028-01-01', '2028-01-01'],
] as const)('%s for %s protects until %s and processes until %s', (spec, usage, originator, recipient) => {
  const ends = periodEnds(standardPeriods(keyTypeOf(spec, usage)), material('active'));
  expect([ends.originator?.slice(0, 10), ends.recipient?.slice(0, 10)]).toEqual([originator, recipient]);
});

test('A period ends for what a material still does alone', () => {
  const ends = (state: MaterialState): readonly boolean[] => {
    const { originator, recipient } = periodEnds(standardPeriods('wrapping'), material(state));
    return [originator !== undefined, recipient !== undefined];
  };
  expect(ends('pre-activation')).toEqual([false, false]);
  expect(ends('suspended')).toEqual([true, true]);
  expect(ends('deactivated')).toEqual([false, true]);
  expect(ends('compromised')).toEqual([false, false]);
});
