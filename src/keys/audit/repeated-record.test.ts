import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Chained, endOf, LineBuffer } from './chained.ts';
import type { AuditIdentity } from './identity.ts';
import { EMPTY_HEAD, openRecord, sayingOf, type AuditEntry } from './record.ts';

const identity: AuditIdentity = {
  storeId: randomBytes(16),
  key: createSecretKey(randomBytes(32)),
  signer: generateKeyPairSync('ed25519').privateKey,
};

/** Whatever UTF-16 has, halves of surrogate pairs and line ends included; now and then longer than the buffer's first size. */
const odd = ['"', '\\', '\n', '\r', '\0', '\u007f', '\u2028', '\ud800', '\udc00', '\u{1f600}', 'ä', '\uffff'];
const text = fc.oneof(
  { weight: 10, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 10, arbitrary: fc.string({ unit: fc.constantFrom(...odd), maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constant('\u{1f600}'.repeat(6000)) },
);
const instant = fc
  .date({ min: new Date('-009999-01-01T00:00:00Z'), max: new Date('+275760-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const pairs = fc.array(fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', '7', 'time', 'seq')), text), {
  maxLength: 4,
});
const entry: fc.Arbitrary<AuditEntry> = fc.record(
  {
    ...{ time: instant, principal: text, action: text, key: fc.option(text), material: fc.option(text), via: text },
    resource: text,
    context: fc.option(pairs.map((all) => Object.fromEntries(all))),
    decision: fc.constantFrom('allow', 'deny'),
    ...{ why: text, result: text, request: text },
    detail: fc.dictionary(text, fc.oneof(text, fc.integer()), { maxKeys: 3 }),
  },
  {
    requiredKeys: [
      ...(['time', 'principal', 'action', 'key', 'material', 'via', 'resource'] as const),
      ...(['context', 'decision', 'why', 'result'] as const),
    ],
  },
);

test('A repeated entry’s line is to the byte the one of the entry that says the same, wherever it is in a chain', () => {
  const start = fc.constantFrom(0, 1, 998, 2 ** 31, Number.MAX_SAFE_INTEGER - 10);
  const run = fc.property(
    start,
    fc.array(fc.tuple(entry, fc.boolean()), { minLength: 1, maxLength: 5 }),
    (seq, all) => {
      const chained = () => new Chained(identity, endOf({ ...EMPTY_HEAD, seq }), new LineBuffer());
      const [plain, mixed] = [chained(), chained()];
      for (const [each, repeats] of all) {
        plain.add(each);
        mixed.add(repeats ? { time: each.time, saying: sayingOf(each) } : each);
      }
      expect(Buffer.compare(mixed.bytes, plain.bytes)).toBe(0);
      expect(mixed.end).toEqual(plain.end);
      const lines = Buffer.from(mixed.bytes).toString('utf8').split('\n');
      expect(lines.pop()).toBe('');
      expect(lines).toHaveLength(all.length);
      for (const [at, line] of lines.entries()) {
        const [said] = all[at] ?? [];
        expect(openRecord(Buffer.from(line), identity.key)).toMatchObject({ seq: seq + at + 1, time: said?.time });
        const { seq: _seq, prevHash: _prevHash, mac: _mac, ...read } = JSON.parse(line);
        expect(JSON.stringify(read)).toBe(JSON.stringify(said));
      }
    },
  );
  fc.assert(run, { numRuns: 100 });
});
