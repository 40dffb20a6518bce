import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordFrames } from './record-frames.ts';
import type { AuditEntry } from './record.ts';

/** Few of each, so that records have all and all but one in common; with what JSON escapes. */
const few = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const entry: fc.Arbitrary<AuditEntry> = fc.record(
  {
    time: few('2026-11-25T15:30:26.651Z', '+010000-01-01T00:00:00.000Z'),
    principal: few('a', 'b"', '\ud800'),
    action: few('Decrypt', 'Encrypt'),
    key: fc.option(few('k', '\\')),
    material: fc.option(few('m1', 'm2')),
    via: few('kms', 's3'),
    resource: few('r', '"\n', '\u2028'),
    context: fc.option(fc.dictionary(few('__proto__', 'toJSON', '7', 'ä"'), few('', '\u0000', 'x'))),
    decision: fc.constantFrom('allow', 'deny'),
    why: few('w', 'key policy, "s"'),
    result: few('success', 'ERR_X'),
    request: few('1', '2"'),
    detail: fc.oneof(fc.constant({ bytes: 32 }), fc.record({ a: few('"', 'b'), bytes: fc.nat(3) })),
  },
  {
    requiredKeys: [
      ...(['time', 'principal', 'action', 'key', 'material', 'via', 'resource'] as const),
      ...(['context', 'decision', 'why', 'result'] as const),
    ],
  },
);

test('What is said of a record is what JSON says of it, whatever was said of others before', () => {
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
      const frames = new RecordFrames();
      for (const each of [...entries, ...entries]) expect(`{${frames.membersOf(each)}}`).toBe(JSON.stringify(each));
    }),
    { numRuns: 500 },
  );
});

test('Records of more callers than are kept are said as well', () => {
  const frames = new RecordFrames();
  const of = (n: number): AuditEntry => ({
    ...{ time: '2026-11-25T15:30:26.651Z', principal: `user ${n}`, action: 'Decrypt', key: null, material: null },
    ...{ via: 'kms', resource: 'r', context: null, decision: 'allow', why: 'w', result: 'success' },
  });
  for (let n = 0; n < 1000; n++) {
    expect(frames.membersOf(of(n))).toContain(`"principal":"user ${n}"`);
    expect(frames.membersOf(of(n % 7))).toContain(`"principal":"user ${n % 7}"`);
  }
});
