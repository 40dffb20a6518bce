/** The batch actions over the wire, by a plain client that signs. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import { verifyAudit } from '../../../src/keys/offline.ts';
import { BATCH_SLICE_ENTRIES, MAX_BATCH_ENTRIES } from '../../../src/kms/limits.ts';
import { TARGETS } from '../../../src/kms/targets.ts';
import { certificate, CLIENT_CA } from '../../support/client-certificates.ts';
import { arn, BLOB, HEX64, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, REGION, send, startKms, type KmsSigning, type TestKms } from '../../support/kms/edge.ts';

/** The caller may use keys for the purposes a and b alone. */
const access: AccessOptions = {
  identities: [
    {
      arn: CALLER.principal,
      policies: [
        {
          name: 'app',
          document: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: ['kms:CreateKey', 'kms:DisableKey', 'kms:PutKeyPolicy'], Resource: '*' },
              {
                Effect: 'Allow',
                Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'],
                Resource: '*',
                Condition: { StringEquals: { 'kms:EncryptionContext:purpose': ['a', 'b'] } },
              },
            ],
          }),
        },
      ],
    },
  ],
  organizationPolicies: [],
  unlistedStorageCallers: 'nothing',
  grantsCrossAccounts: false,
};

let kms: TestKms;
let KeyId: string;
beforeAll(async () => {
  kms = await startKms({ access });
  KeyId = await kms.key();
});
afterAll(() => kms[Symbol.asyncDispose]());

const NONE = '134f2428-cec1-4b25-a1ae-9048164dba47';
const a = { EncryptionContext: { purpose: 'a' } };
const b = { EncryptionContext: { purpose: 'b' } };

async function batch(action: string, Entries: unknown, signing: KmsSigning = {}): Promise<readonly Json[]> {
  const { status, json, text } = await kms.call(`Sealgate.${action}`, { Entries }, signing);
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return json?.['Entries'] as readonly Json[];
}
const generate = (...entries: readonly unknown[]): Promise<readonly Json[]> => batch('BatchGenerateDataKey', entries);
const decrypt = (...entries: readonly unknown[]): Promise<readonly Json[]> => batch('BatchDecrypt', entries);
const codes = (entries: readonly Json[]): unknown[] =>
  entries.map(({ Error }) => (Error as { Code: string } | undefined)?.Code ?? 'ok');

/** Records of the audit log from `from` on. */
const records = (from = 0): Json[] =>
  readFileSync(kms.folder.options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(from)
    .map((line) => JSON.parse(line) as Json);

describe('a batch', () => {
  test('answers each entry as the action by itself does, in their order', async () => {
    const entries = Array.from({ length: MAX_BATCH_ENTRIES }, (_, n) => ({
      ...{ KeyId, NumberOfBytes: n + 1 },
      EncryptionContext: { purpose: n % 2 === 0 ? 'a' : 'b', n: String(n) },
    }));
    const made = await generate(...entries);
    expect(made).toHaveLength(MAX_BATCH_ENTRIES);
    for (const [n, one] of made.entries()) {
      expect(one).toEqual({
        CiphertextBlob: BLOB,
        Plaintext: BLOB,
        KeyId: arn(`key/${KeyId}`),
        KeyMaterialId: HEX64,
      });
      expect(Buffer.from(String(one['Plaintext']), 'base64')).toHaveLength(n + 1);
    }
    expect(new Set(made.map(({ CiphertextBlob }) => CiphertextBlob)).size).toBe(MAX_BATCH_ENTRIES);
    const sealed = made.map(({ CiphertextBlob }, n) => ({
      CiphertextBlob,
      EncryptionContext: entries[n]?.EncryptionContext,
    }));
    const opened = await decrypt(...sealed.reverse());
    expect(opened.map(({ Plaintext }) => Plaintext)).toEqual(made.map(({ Plaintext }) => Plaintext).reverse());
    expect(opened[0]).toEqual({
      KeyId: arn(`key/${KeyId}`),
      Plaintext: BLOB,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: HEX64,
    });
    // And it is the same key as the action of AWS gives.
    const { json } = await kms.call('Decrypt', sealed[0] ?? {});
    expect(json).toEqual(opened[0]);
  });

  test('refuses an entry in its place, with the name and text of AWS, and the others succeed', async () => {
    const disabled = await kms.key();
    await kms.call('DisableKey', { KeyId: disabled });
    const AES_256 = { KeySpec: 'AES_256' };
    const made = await generate(
      { KeyId, ...AES_256, ...a },
      { KeyId: NONE, ...AES_256, ...a },
      { KeyId, ...AES_256, EncryptionContext: { purpose: 'c' } },
      { KeyId: disabled, ...AES_256, ...a },
      { KeyId, ...a },
      { KeyId, NumberOfBytes: 1025, ...a },
      { ...AES_256, ...a },
      { KeyId, ...AES_256, ...a, DryRun: true },
      { KeyId, ...AES_256, ...a, GrantTokens: ['none'] },
      { KeyId, ...AES_256, ...a, Recipient: { AttestationDocument: 'AAAA' } },
      { KeyId, ...AES_256, ...b },
    );
    expect(codes(made)).toEqual([
      'ok',
      'NotFoundException',
      'AccessDeniedException',
      'DisabledException',
      'ValidationException',
      'ValidationException',
      'ValidationException',
      'DryRunOperationException',
      'InvalidGrantTokenException',
      'UnsupportedOperationException',
      'ok',
    ]);
    expect(made[1]).toEqual({
      Error: { Code: 'NotFoundException', Message: `Key '${arn(`key/${NONE}`)}' does not exist` },
    });
    expect(made[5]).toMatchObject({
      Error: { Message: expect.stringContaining("Value '1025' at 'numberOfBytes' failed to satisfy") as string },
    });
    const { CiphertextBlob } = made[0] ?? {};
    const opened = await decrypt(
      { CiphertextBlob, ...b },
      { CiphertextBlob: 'AAAA', ...a },
      { CiphertextBlob: 'AQICAHhLg5z4Gk7GWbV8yE6W', ...a },
      { ...a },
      { CiphertextBlob, ...a, KeyId: disabled },
      { CiphertextBlob, EncryptionContext: { purpose: 'c' } },
      { CiphertextBlob, ...a },
    );
    expect(codes(opened)).toEqual([
      'InvalidCiphertextException',
      'InvalidCiphertextException',
      'InvalidCiphertextException',
      'ValidationException',
      'DisabledException',
      'AccessDeniedException',
      'ok',
    ]);
    // Which part of a ciphertext is wrong is not said here either.
    expect(opened[0]).toEqual({ Error: { Code: 'InvalidCiphertextException' } });
    expect(opened[6]?.['Plaintext']).toBe(made[0]?.['Plaintext']);
  });

  test('leaves one record for each use, decided by itself and naming request and entry, in an unbroken chain', async () => {
    const from = records().length;
    const { headers } = await kms.call('Sealgate.BatchGenerateDataKey', {
      Entries: [a, { EncryptionContext: { purpose: 'c' } }, b].map((one) => ({ KeyId, NumberOfBytes: 16, ...one })),
    });
    const common = { principal: CALLER.principal, action: 'GenerateDataKey', via: 'kms', key: arn(`key/${KeyId}`) };
    const request = headers['x-amzn-requestid'];
    const found = records(from).sort((one, other) => (String(one['resource']) < String(other['resource']) ? -1 : 1));
    expect(found).toMatchObject([
      { ...common, request, resource: 'kms api, entry 1', context: { purpose: 'a' }, decision: 'allow' },
      { ...common, request, resource: 'kms api, entry 2', decision: 'deny', result: 'ERR_KEYS_ACCESS_DENIED' },
      { ...common, request, resource: 'kms api, entry 3', context: { purpose: 'b' }, result: 'success' },
    ]);
    expect(await verifyAudit(kms.folder.options)).toMatchObject({});
    expect(kms.outcomes.at(-1)).toMatchObject({ action: 'BatchGenerateDataKey', result: 'success' });
  });
});

describe('a batch is refused whole', () => {
  test.each([
    ['no entries', {}, 'ValidationException', "Value null at 'entries' failed to satisfy constraint: Member must not"],
    ['an empty list', { Entries: [] }, 'ValidationException', "Value '[]' at 'entries'"],
    [
      'one entry too many',
      { Entries: Array.from({ length: MAX_BATCH_ENTRIES + 1 }, () => ({ KeyId: NONE, CiphertextBlob: 'AAAA' })) },
      'ValidationException',
      `A list has more than ${MAX_BATCH_ENTRIES} entries.`,
    ],
    ['an entry that is none', { Entries: [{ KeyId: NONE }, 'x'] }, 'SerializationException', 'STRING_VALUE'],
    ['a member of another type', { Entries: [{ KeyId: 7 }] }, 'SerializationException', 'NUMBER_VALUE'],
    ['a member twice', '{"Entries":[{"KeyId":"a","KeyId":"b"}]}', 'SerializationException', ''],
    ['bytes beyond the limit', { Entries: [{ KeyId: 'x'.repeat(2 ** 20) }] }, 'RequestEntityTooLargeException', ''],
  ])('with %s', async (_what, input, type, message) => {
    const from = records().length;
    for (const action of ['BatchGenerateDataKey', 'BatchDecrypt']) {
      const { status, json } = await kms.call(`Sealgate.${action}`, input);
      expect([status >= 400 && status < 500, json?.['__type']]).toEqual([true, type]);
      expect(json?.['message']).toContain(message);
    }
    // Whose body is not taken at all is not known.
    const actions = type === 'RequestEntityTooLargeException' ? [] : ['BatchGenerateDataKey', 'BatchDecrypt'];
    const refused = { resource: 'kms api', key: null, decision: 'deny', why: 'not reached' };
    expect(records(from)).toMatchObject(actions.map((action) => ({ action, ...refused })));
    expect(records(from)).toHaveLength(actions.length);
  });

  test('where its signature is not good or its body another', async () => {
    const forged = { credentials: { ...CALLER, secretAccessKey: 'wrong' } };
    const other = { payloadHash: '0'.repeat(64) };
    for (const signing of [forged, other]) {
      const { json } = await kms.call('Sealgate.BatchDecrypt', { Entries: [{}] }, signing);
      expect(json?.['__type']).toBe('InvalidSignatureException');
    }
  });

  test('where its records cannot be written: nothing of its keys leaves', async () => {
    await using closing = await startKms();
    const key = await closing.key();
    await closing.keys.close();
    const Entries = [{ KeyId: key, KeySpec: 'AES_256' }];
    const { status, text } = await closing.call('Sealgate.BatchGenerateDataKey', { Entries });
    expect(status).toBeGreaterThanOrEqual(500);
    expect(text).not.toContain('Plaintext');
  });
});

test.each(['TrentService.BatchDecrypt', 'Sealgate.Decrypt', 'Sealgate.ListKeys', 'sealgate.BatchDecrypt'])(
  'There is no %s: no name of AWS is taken, and none of ours stands under it',
  async (target) => {
    expect((await kms.call(target, {})).json?.['__type']).toBe('UnknownOperationException');
  },
);

test('What fails on our side while other entries still wait for their turn ends the request, and nothing else', async () => {
  let failing = false;
  const random = (bytes: number): Uint8Array => {
    if (failing) throw new Error('no random bytes');
    return new Uint8Array(randomBytes(bytes));
  };
  await using other = await startKms({ ports: { random } });
  const key = await other.key();
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', listen);
  failing = true;
  const Entries = Array.from({ length: 4 * BATCH_SLICE_ENTRIES }, () => ({ KeyId: key, NumberOfBytes: 32 }));
  const { status } = await other.call('Sealgate.BatchGenerateDataKey', { Entries });
  await new Promise(setImmediate);
  process.off('unhandledRejection', listen);
  failing = false;
  expect([status, unhandled]).toEqual([500, []]);
  expect((await other.call('GenerateDataKey', { KeyId: key, NumberOfBytes: 32 })).status).toBe(200);
});

test('A client certificate asks for batches as for anything else', async () => {
  const { cert, key } = certificate('server');
  const principal = `arn:aws:iam::${ACCOUNT}:user/backup`;
  await using tls = await startKms({
    tls: { certificate: cert, privateKey: key, clients: { ca: CLIENT_CA, crl: undefined, required: true } },
    certificates: [{ type: 'subject', subject: 'O=Acme, CN=backup', principal }],
  });
  const { keyId } = await tls.keys.createKey({}, { principal, via: 'cli', resource: 'test' });
  const body = Buffer.from(JSON.stringify({ Entries: [{ KeyId: keyId, KeySpec: 'AES_128' }] }));
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Sealgate.BatchGenerateDataKey',
  };
  const mutual = { ca: CLIENT_CA, rejectUnauthorized: true, ...certificate('backup') };
  const { status, json } = await send({ port: tls.port, tls: true }, headers, body, mutual);
  expect([status, json?.['Entries']]).toMatchObject([200, [{ Plaintext: BLOB }]]);
  expect(tls.outcomes.at(-1)).toMatchObject({ principal, result: 'success' });
});

test('A large batch lets others have their turn between slices of its entries', async () => {
  const entries = Array.from({ length: MAX_BATCH_ENTRIES }, () => ({ KeyId, NumberOfBytes: 32, ...a }));
  const body = Buffer.from(JSON.stringify({ Entries: entries }));
  const use = { principal: CALLER.principal, via: 'kms', resource: 'test' } as const;
  const from = records().length;
  /** Records that were written by each turn of the event loop. */
  const written: number[] = [];
  let isDone = false;
  const answer = TARGETS.get('Sealgate.BatchGenerateDataKey')
    ?.handle(body, { keys: kms.keys, realm: { region: REGION, account: ACCOUNT }, use })
    .finally(() => {
      isDone = true;
    });
  while (!isDone) {
    written.push(records(from).length);
    await new Promise(setImmediate);
  }
  expect(JSON.parse(String(await answer))).toMatchObject({ Entries: { length: MAX_BATCH_ENTRIES } });
  const steps = written.map((count, turn) => count - (written[turn - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(2 * BATCH_SLICE_ENTRIES);
});
