import { createSecretKey, randomBytes } from 'node:crypto';
import type { SQLOutputValue } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from '../../crypto/hmac.ts';
import { RowSet, rowMac } from './row-mac.ts';
import { RowReader } from './row-reader.ts';

const key = createSecretKey(randomBytes(32));
const plain = (bytes: Uint8Array | undefined): Uint8Array => Uint8Array.from(bytes ?? []);

const value: fc.Arbitrary<SQLOutputValue> = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('€'.repeat(5000)),
  fc.maxSafeNat(),
  fc.uint8Array({ maxLength: 50 }),
);
const rows = fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,8}$/), { minLength: 1, maxLength: 8 }).chain((names) =>
  fc.record({
    names: fc.constant(names),
    rows: fc.array(fc.array(value, { minLength: 8, maxLength: 8 }), { maxLength: 4 }),
  }),
);

test('A row read with many others has the MAC that it has by itself', () => {
  const run = fc.property(rows, ({ names, rows: all }) => {
    const reader = new RowReader('keys', names);
    for (const values of all) {
      const row = Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
      expect(plain(hmacSha256(key, reader.message(values)))).toEqual(plain(rowMac('keys', row, key)));
      expect(reader.row(values)).toEqual(row);
      const { mac } = row;
      expect(reader.mac(values)).toBe(mac instanceof Uint8Array ? mac : undefined);
    }
  });
  fc.assert(run, { numRuns: 300 });
});

test('The sum over a set of rows is that of whole numbers of 256 bits', () => {
  const macs = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 20 });
  const run = fc.property(macs, fc.nat(), (all, pick) => {
    const set = new RowSet(key);
    for (const mac of all) set.addMac(mac);
    const removed = all[pick % all.length];
    set.remove({ mac: removed ?? null });
    const term = (mac: Uint8Array): bigint => BigInt(`0x${Buffer.from(hmacSha256(key, mac)).toString('hex')}`);
    const sum = all.reduce((total, mac) => total + term(mac), 0n) - term(removed ?? new Uint8Array());
    const expected = BigInt.asUintN(256, sum).toString(16).padStart(64, '0');
    expect(
      set.fields().map((field) => (field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field)),
    ).toEqual([all.length - 1, expected]);
  });
  fc.assert(run, { numRuns: 200 });
});
