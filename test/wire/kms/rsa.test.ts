/** RSA keys for encryption over the wire: OAEP as node:crypto has it, both ways, and AWS's limits. */
import { constants, createPublicKey, publicEncrypt, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { arn, base64, BLOB, callsOf, HEX64, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const ALGORITHMS = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const;
const KINDS = [
  ['RSA_2048', 256, 214, 190],
  ['RSA_3072', 384, 342, 318],
  ['RSA_4096', 512, 470, 446],
] as const;
const rsaKey = (KeySpec = 'RSA_2048'): Promise<string> => kms.key({ KeySpec, KeyUsage: 'ENCRYPT_DECRYPT' });
const text = (answer: Json): string => Buffer.from(String(answer['Plaintext']), 'base64').toString();
const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';

async function publicKey(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await ok('GetPublicKey', { KeyId });
  return createPublicKey({ key: Buffer.from(String(PublicKey), 'base64'), format: 'der', type: 'spki' });
}

describe.each(KINDS)('%s', (KeySpec, modulus, ofSha1, ofSha256) => {
  let KeyId: string;
  beforeAll(async () => {
    KeyId = await rsaKey(KeySpec);
  });

  test('is described with its algorithms', async () => {
    const shown = {
      KeySpec,
      CustomerMasterKeySpec: KeySpec,
      KeyUsage: 'ENCRYPT_DECRYPT',
      EncryptionAlgorithms: ALGORITHMS,
    };
    const { KeyMetadata } = await ok('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject(shown);
    for (const member of ['SigningAlgorithms', 'CurrentKeyMaterialId']) expect(KeyMetadata).not.toHaveProperty(member);
    expect(await ok('GetPublicKey', { KeyId })).toEqual({ KeyId: arn(`key/${KeyId}`), PublicKey: BLOB, ...shown });
  });

  test.each([
    ['RSAES_OAEP_SHA_1', 'sha1', ofSha1],
    ['RSAES_OAEP_SHA_256', 'sha256', ofSha256],
  ] as const)('%s: what is encrypted here or elsewhere opens, up to the limit', async (algorithm, oaepHash, most) => {
    const key = await publicKey(KeyId);
    const with_ = { KeyId, EncryptionAlgorithm: algorithm };
    for (const length of [1, most]) {
      const plaintext = Buffer.alloc(length, 'p');
      const sealed = await ok('Encrypt', { ...with_, Plaintext: plaintext.toString('base64') });
      expect(sealed).toEqual({ KeyId: arn(`key/${KeyId}`), CiphertextBlob: BLOB, EncryptionAlgorithm: algorithm });
      const ours = Buffer.from(String(sealed['CiphertextBlob']), 'base64');
      expect(ours).toHaveLength(modulus);
      const theirs = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext);
      for (const ciphertext of [ours, theirs])
        expect(await ok('Decrypt', { ...with_, CiphertextBlob: ciphertext.toString('base64') })).toEqual({
          KeyId: arn(`key/${KeyId}`),
          Plaintext: plaintext.toString('base64'),
          EncryptionAlgorithm: algorithm,
        });
    }
    const longer = Buffer.alloc(most + 1).toString('base64');
    expect(await fails('Encrypt', { ...with_, Plaintext: longer })).toEqual([
      'ValidationException',
      `Algorithm ${algorithm} and key spec ${KeySpec} cannot encrypt data larger than ${most} bytes.`,
    ]);
  });
});

describe('what does not open', () => {
  test('is told by its name alone, whatever is wrong', async () => {
    const [KeyId, other] = [await rsaKey(), await rsaKey()];
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, EncryptionAlgorithm, Plaintext: base64('x') });
    const blob = Buffer.from(String(CiphertextBlob), 'base64');
    const flipped = Buffer.from(blob);
    flipped[100] = (flipped[100] ?? 0) ^ 1;
    const symmetric = await ok('Encrypt', { KeyId: await kms.key(), Plaintext: base64('x') });
    const invalid = ['InvalidCiphertextException', undefined];
    for (const wrong of [
      flipped,
      blob.subarray(1),
      Buffer.concat([Buffer.alloc(1), blob]),
      Buffer.alloc(256, 0xff),
      Buffer.alloc(1),
    ])
      expect(await fails('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob: wrong.toString('base64') })).toEqual(
        invalid,
      );
    expect(await fails('Decrypt', { KeyId: other, EncryptionAlgorithm, CiphertextBlob })).toEqual(invalid);
    expect(await fails('Decrypt', { KeyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_1', CiphertextBlob })).toEqual(invalid);
    expect(await fails('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob: symmetric['CiphertextBlob'] })).toEqual(
      invalid,
    );
    expect(text(await ok('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob }))).toBe('x');
  });

  test('An algorithm and a key that do not go together are told apart', async () => {
    const [rsa, symmetric] = [await rsaKey(), await kms.key()];
    const blob = { CiphertextBlob: Buffer.alloc(256, 1).toString('base64') };
    const incompatible = (algorithm: string, spec: string): unknown[] => [
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${spec}.`,
    ];
    // The default is the symmetric one.
    expect(await fails('Encrypt', { KeyId: rsa, Plaintext: base64('x') })).toEqual(
      incompatible('SYMMETRIC_DEFAULT', 'RSA_2048'),
    );
    expect(await fails('Decrypt', { KeyId: rsa, ...blob })).toEqual(incompatible('SYMMETRIC_DEFAULT', 'RSA_2048'));
    for (const algorithm of ALGORITHMS) {
      const asked = { KeyId: symmetric, EncryptionAlgorithm: algorithm };
      expect(await fails('Encrypt', { ...asked, Plaintext: base64('x') })).toEqual(
        incompatible(algorithm, 'SYMMETRIC_DEFAULT'),
      );
      expect(await fails('Decrypt', { ...asked, ...blob })).toEqual(incompatible(algorithm, 'SYMMETRIC_DEFAULT'));
    }
  });

  test('A ciphertext of RSA names no key: without KeyId it is refused', async () => {
    const KeyId = await rsaKey();
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, EncryptionAlgorithm, Plaintext: base64('x') });
    expect((await fails('Decrypt', { CiphertextBlob, EncryptionAlgorithm }))[0]).toBe('ValidationException');
    expect((await fails('Decrypt', { CiphertextBlob }))[0]).toBe('InvalidCiphertextException');
    const to = { CiphertextBlob, DestinationKeyId: KeyId, DestinationEncryptionAlgorithm: EncryptionAlgorithm };
    expect((await fails('ReEncrypt', { ...to, SourceEncryptionAlgorithm: EncryptionAlgorithm }))[0]).toBe(
      'ValidationException',
    );
  });

  test('An encryption context, which RSA does not bind, is refused; an empty one is none', async () => {
    const asked = { KeyId: await rsaKey(), EncryptionAlgorithm };
    const EncryptionContext = { a: 'b' };
    const { CiphertextBlob } = await ok('Encrypt', { ...asked, Plaintext: base64('x'), EncryptionContext: {} });
    expect((await fails('Encrypt', { ...asked, Plaintext: base64('x'), EncryptionContext }))[0]).toBe(
      'ValidationException',
    );
    expect((await fails('Decrypt', { ...asked, CiphertextBlob, EncryptionContext }))[0]).toBe('ValidationException');
    expect(text(await ok('Decrypt', { ...asked, CiphertextBlob, EncryptionContext: {} }))).toBe('x');
  });

  test('SM2 is refused', async () => {
    const asked = { KeyId: await rsaKey(), EncryptionAlgorithm: 'SM2PKE', Plaintext: base64('x') };
    expect((await fails('Encrypt', asked))[0]).toBe('UnsupportedOperationException');
  });
});

describe('ReEncrypt', () => {
  test('moves what was encrypted from either kind of key to either', async () => {
    const keys = {
      RSAES_OAEP_SHA_1: await rsaKey('RSA_3072'),
      RSAES_OAEP_SHA_256: await rsaKey(),
      SYMMETRIC_DEFAULT: await kms.key(),
    };
    const names = Object.keys(keys) as (keyof typeof keys)[];
    for (const from of names)
      for (const to of names) {
        const sealed = await ok('Encrypt', {
          KeyId: keys[from],
          EncryptionAlgorithm: from,
          Plaintext: base64('moved'),
        });
        const moved = await ok('ReEncrypt', {
          CiphertextBlob: sealed['CiphertextBlob'],
          SourceKeyId: keys[from],
          SourceEncryptionAlgorithm: from,
          DestinationKeyId: keys[to],
          DestinationEncryptionAlgorithm: to,
        });
        expect(moved).toEqual({
          CiphertextBlob: BLOB,
          SourceKeyId: arn(`key/${keys[from]}`),
          KeyId: arn(`key/${keys[to]}`),
          SourceEncryptionAlgorithm: from,
          DestinationEncryptionAlgorithm: to,
          ...(from === 'SYMMETRIC_DEFAULT' ? { SourceKeyMaterialId: HEX64 } : {}),
          ...(to === 'SYMMETRIC_DEFAULT' ? { DestinationKeyMaterialId: HEX64 } : {}),
        });
        const opened = { KeyId: keys[to], EncryptionAlgorithm: to, CiphertextBlob: moved['CiphertextBlob'] };
        expect(text(await ok('Decrypt', opened))).toBe('moved');
      }
  });

  test('tells where it is too long for the destination', async () => {
    const [from, to] = [await kms.key(), await rsaKey()];
    const { CiphertextBlob } = await ok('Encrypt', { KeyId: from, Plaintext: Buffer.alloc(191).toString('base64') });
    const asked = { CiphertextBlob, DestinationKeyId: to, DestinationEncryptionAlgorithm: EncryptionAlgorithm };
    expect((await fails('ReEncrypt', asked))[1]).toBe(
      'Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.',
    );
  });
});

test.each([
  ['GenerateDataKey', { NumberOfBytes: 32 }],
  ['GenerateDataKeyWithoutPlaintext', { NumberOfBytes: 32 }],
  ['Sign', { SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message: base64('m') }],
  ['GenerateMac', { MacAlgorithm: 'HMAC_SHA_256', Message: base64('m') }],
])('%s is not what an RSA key for encryption is for', async (action, input) => {
  expect((await fails(action, { KeyId: await rsaKey(), ...input }))[0]).toBe('InvalidKeyUsageException');
});

test('States, dry runs, aliases, grants and the last use hold as for any key', async () => {
  const KeyId = await rsaKey();
  await ok('CreateAlias', { AliasName: 'alias/rsa', TargetKeyId: KeyId });
  const asked = { KeyId: 'alias/rsa', EncryptionAlgorithm };
  const { CiphertextBlob } = await ok('Encrypt', { ...asked, Plaintext: base64('x') });
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'Encrypt' } });
  await ok('Decrypt', { ...asked, CiphertextBlob });
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'Decrypt' } });
  for (const [action, input] of [
    ['Encrypt', { Plaintext: base64('x') }],
    ['Decrypt', { CiphertextBlob }],
    ['Decrypt', { DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
  ] as const)
    expect((await fails(action, { ...asked, ...input, DryRun: true }))[0]).toBe('DryRunOperationException');
  const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/g` };
  await ok('CreateGrant', {
    ...grant,
    Operations: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GetPublicKey'],
  });
  for (const operation of ['GenerateDataKey', 'Sign'])
    expect((await fails('CreateGrant', { ...grant, Operations: [operation] }))[0]).toBe('ValidationException');
  await ok('DisableKey', { KeyId });
  expect((await fails('Encrypt', { ...asked, Plaintext: base64('x') }))[0]).toBe('DisabledException');
  expect((await fails('Decrypt', { ...asked, CiphertextBlob }))[0]).toBe('DisabledException');
});

test('Policies decide by algorithm', async () => {
  const admin = [{ name: 'admin', document: document(allow()) }];
  const access = { identities: [{ arn: CALLER.principal, policies: admin }], organizationPolicies: [] };
  await using strict = await startKms({
    access: { ...access, unlistedStorageCallers: 'nothing', grantsCrossAccounts: false },
  });
  const KeyId = await strict.key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
  const Condition = { StringEquals: { 'kms:EncryptionAlgorithm': 'RSAES_OAEP_SHA_1' } };
  const Policy = document(allow({ Principal: '*' }), deny({ Principal: '*', Action: 'kms:Encrypt', Condition }));
  await callsOf(() => strict).ok('PutKeyPolicy', { KeyId, Policy });
  const encrypt = async (algorithm: string): Promise<number> =>
    (await strict.call('Encrypt', { KeyId, Plaintext: base64('x'), EncryptionAlgorithm: algorithm })).status;
  expect([await encrypt('RSAES_OAEP_SHA_1'), await encrypt('RSAES_OAEP_SHA_256')]).toEqual([400, 200]);
});
