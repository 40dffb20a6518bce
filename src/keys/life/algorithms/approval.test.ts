import { expect, test } from 'vitest';
import { algorithmsOf, isKeySpec, kindOf } from '../../key-kinds.ts';
import { algorithmTable, APPROVALS, type Ruling } from './algorithm-table.ts';
import { approvals, strengthBits } from './approval.ts';

const table = algorithmTable();
const TODAY = '2026-11-25';
const rulings: readonly (readonly [string, Ruling])[] = [
  ...Object.entries(table.algorithms),
  ...Object.entries(table.specs),
  ...table.strengths.map(({ fromBits, ...ruling }) => [String(fromBits), ruling] as const),
];

test('The table is of its schema, and speaks of every kind of key and every algorithm that there is, and of no other', () => {
  const specs = Object.keys(table.strengthBits);
  expect(specs.filter((spec) => !isKeySpec(spec))).toEqual([]);
  const all = specs.filter(isKeySpec).flatMap((spec) =>
    kindOf(spec).usages.flatMap((usage) => {
      const { encryption = [], signing = [], mac = [], agreement = [], encapsulation = [] } = algorithmsOf(spec, usage);
      return [...encryption, ...signing, ...mac, ...agreement, ...encapsulation];
    }),
  );
  expect(Object.keys(table.algorithms).sort()).toEqual([...new Set<string>(all)].sort());
  expect(Object.keys(table.specs).filter((spec) => !isKeySpec(spec))).toEqual([]);
});

test.each(rulings)(
  '%s: its periods follow each other, nothing becomes better, and protecting is never freer',
  (_, ruling) => {
    for (const periods of [ruling.protect, ruling.process]) {
      const days = periods.map(({ from }) => from);
      expect(days).toEqual([...new Set(days)].sort());
      const worse = periods.map(({ status }) => APPROVALS.indexOf(status));
      expect(worse).toEqual([...worse].sort((a, b) => a - b));
    }
    const last = (periods: Ruling['protect']): number => APPROVALS.indexOf(periods.at(-1)?.status ?? 'acceptable');
    expect(last(ruling.protect)).toBeGreaterThanOrEqual(last(ruling.process));
  },
);

test('Strengths are those of SP 800-57, from weak to strong', () => {
  expect(table.strengths.map(({ fromBits }) => fromBits)).toEqual([0, 112, 128]);
  expect([strengthBits('RSA_2048'), strengthBits('RSA_4096'), strengthBits('ECC_NIST_P384')]).toEqual([112, 128, 192]);
});

test('RSA of 2048 bits is acceptable until the end of 2030, and then opens and verifies alone', () => {
  const [found] = approvals('RSA_2048', 'ENCRYPT_DECRYPT', TODAY).slice(-1);
  expect(found).toEqual({
    algorithm: 'RSAES_OAEP_SHA_256',
    protect: 'acceptable',
    process: 'acceptable',
    changes: [{ at: '2031-01-01', protect: 'disallowed', process: 'legacy-use' }],
  });
  expect(approvals('RSA_2048', 'SIGN_VERIFY', '2030-12-31')[0]).toMatchObject({ protect: 'acceptable' });
  expect(approvals('RSA_2048', 'SIGN_VERIFY', '2031-01-01')[0]).toMatchObject({
    protect: 'disallowed',
    process: 'legacy-use',
    changes: [],
  });
});

test('An algorithm is as good as the worst that is said of it, of the strength and of the kind of key', () => {
  expect(approvals('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', '2099-01-01')).toEqual([
    { algorithm: 'SYMMETRIC_DEFAULT', protect: 'acceptable', process: 'acceptable', changes: [] },
  ]);
  const sha1 = approvals('RSA_4096', 'ENCRYPT_DECRYPT', '2031-01-01');
  expect(sha1.map(({ algorithm, protect }) => [algorithm, protect])).toEqual([
    ['RSAES_OAEP_SHA_1', 'disallowed'],
    ['RSAES_OAEP_SHA_256', 'acceptable'],
  ]);
  expect(approvals('ECC_SECG_P256K1', 'SIGN_VERIFY', TODAY)).toMatchObject([{ protect: 'disallowed' }]);
  expect(approvals('ECC_NIST_P256', 'SIGN_VERIFY', TODAY)).toMatchObject([{ protect: 'acceptable' }]);
});
