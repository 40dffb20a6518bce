/**
 * Requests that nobody meant, by AWS's model: for every action members of the right and of the wrong types and sizes, about keys that are
 * there and that are not. Whatever comes is answered, and never by a fault of ours.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { base64 } from '../support/kms/calls.ts';
import { CALLER, startKms, type TestKms } from '../support/kms/edge.ts';
import { done, freshAlias } from './calls.ts';
import { ACTION_NAMES, inputOf, shapeNamed, type ShapeModel } from './model.ts';

let kms: TestKms;
/** What requests may name besides nonsense. */
const there = { keys: [] as string[], blobs: [] as string[], texts: [] as string[] };
beforeAll(async () => {
  kms = await startKms();
  await fill();
});
afterAll(() => kms[Symbol.asyncDispose]());

async function fill(): Promise<void> {
  const kinds = [{}, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }, { Origin: 'EXTERNAL' }];
  for (const kind of [...kinds, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }])
    there.keys.push(await kms.key(kind));
  const [KeyId = ''] = there.keys;
  const AliasName = freshAlias();
  await done(kms, 'CreateAlias', { AliasName, TargetKeyId: KeyId });
  const { CiphertextBlob } = await done(kms, 'Encrypt', { KeyId, Plaintext: base64('x') });
  const Operations = ['Encrypt'];
  const grant = await done(kms, 'CreateGrant', { KeyId, GranteePrincipal: CALLER.principal, Operations });
  there.blobs.push(String(CiphertextBlob), base64('x'), '');
  there.texts.push(AliasName, String(grant['GrantId']), String(grant['GrantToken']), CALLER.principal, 'default');
}

/** Making them takes seconds. */
const SLOW = new Set(['RSA_3072', 'RSA_4096']);

/** Mostly what the shape asks for. */
function value(shapeName: string): fc.Arbitrary<unknown> {
  const shape = shapeNamed(shapeName);
  return fc.oneof({ weight: 12, arbitrary: fitting(shape) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
}

function fitting(shape: ShapeModel): fc.Arbitrary<unknown> {
  switch (shape.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(fc.integer({ min: shape.min ?? 0, max: shape.max ?? 100 }), fc.integer(), fc.double());
    case 'timestamp':
      return fc.oneof(fc.nat(), fc.double(), fc.constant(Date.now() / 1000 + 60));
    case 'blob':
      return fc.oneof(fc.constantFrom(...there.blobs), fc.base64String({ maxLength: 100 }));
    case 'map':
      return fc.dictionary(fc.string({ unit: 'binary', maxLength: 9 }), fc.string({ unit: 'binary', maxLength: 9 }));
    case 'list':
      return fc.array(value(shape.member ?? ''), { maxLength: 4 });
    case 'structure':
      return structure(shape);
    case 'string':
      return text(shape);
  }
}

function text({ enum: words = [], max = 100 }: ShapeModel): fc.Arbitrary<unknown> {
  const quick = words.filter((word) => !SLOW.has(word));
  if (quick.length > 0) return fc.constantFrom(...quick);
  const known = fc.constantFrom(...there.keys, ...there.texts);
  return fc.oneof(known, known, fc.string({ unit: 'binary', maxLength: Math.min(max, 100) }));
}

function structure({ members = {}, required = [] }: ShapeModel): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(members).map(([name, shape]) => [name, value(shape)]));
  const optional = fc.record(values, { requiredKeys: [...required] });
  return fc.oneof(
    { weight: 9, arbitrary: optional },
    { weight: 1, arbitrary: fc.record(values, { requiredKeys: [] }) },
  );
}

test.each(ACTION_NAMES)('%s', async (action) => {
  await fc.assert(
    fc.asyncProperty(structure(inputOf(action)), async (input) => {
      const { status, json, text: answered } = await kms.call(action, input);
      expect([200, 400], answered).toContain(status);
      if (status === 400)
        expect(json).toMatchObject({ __type: expect.stringMatching(/^[A-Z]\w+Exception$/u) as string });
    }),
    { numRuns: 60 },
  );
  expect((await kms.call('ListKeys', { Limit: 1 })).status).toBe(200);
});

test('Any bytes as the body of any action', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((all) => Buffer.from(all).toString('latin1')),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc
      .array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"KeyId"', '\\', '\\u0000', 'null', '1e9', '-', ' '))
      .map((all) => all.join('')),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ACTION_NAMES), bytes, async (action, body) => {
      const { status, text: answered } = await kms.call(action, body);
      expect([200, 400], answered).toContain(status);
    }),
    { numRuns: 500 },
  );
});
