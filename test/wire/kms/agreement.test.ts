/** Key agreement over the wire: the secret is the one that node:crypto shares with the same public key. */
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { arn, base64, BLOB, callsOf } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const KINDS = [
  ['ECC_NIST_P256', 'prime256v1', 32],
  ['ECC_NIST_P384', 'secp384r1', 48],
  ['ECC_NIST_P521', 'secp521r1', 66],
] as const;
const KeyAgreementAlgorithm = 'ECDH';
const agreementKey = (KeySpec = 'ECC_NIST_P256'): Promise<string> => kms.key({ KeySpec, KeyUsage: 'KEY_AGREEMENT' });
const spki = (key: KeyObject): string => key.export({ format: 'der', type: 'spki' }).toString('base64');
const peer = (namedCurve = 'prime256v1'): { privateKey: KeyObject; publicKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve });

describe.each(KINDS)('%s', (KeySpec, curve, bytes) => {
  test('shares with a public key the secret that its owner shares with ours', async () => {
    const KeyId = await agreementKey(KeySpec);
    const shown = {
      KeySpec,
      CustomerMasterKeySpec: KeySpec,
      KeyUsage: 'KEY_AGREEMENT',
      KeyAgreementAlgorithms: ['ECDH'],
    };
    const { KeyMetadata } = await ok('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject(shown);
    for (const member of ['SigningAlgorithms', 'EncryptionAlgorithms']) expect(KeyMetadata).not.toHaveProperty(member);
    const given = await ok('GetPublicKey', { KeyId });
    expect(given).toEqual({ KeyId: arn(`key/${KeyId}`), PublicKey: BLOB, ...shown });
    const ours = createPublicKey({
      key: Buffer.from(String(given['PublicKey']), 'base64'),
      format: 'der',
      type: 'spki',
    });
    for (let round = 0; round < 3; round += 1) {
      const theirs = peer(curve);
      const secret = diffieHellman({ privateKey: theirs.privateKey, publicKey: ours });
      expect(secret).toHaveLength(bytes);
      expect(
        await ok('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm, PublicKey: spki(theirs.publicKey) }),
      ).toEqual({
        KeyId: arn(`key/${KeyId}`),
        SharedSecret: secret.toString('base64'),
        KeyAgreementAlgorithm,
        KeyOrigin: 'AWS_KMS',
      });
    }
  });

  test('two of our keys agree', async () => {
    const [a, b] = [await agreementKey(KeySpec), await agreementKey(KeySpec)];
    const secretOf = async (KeyId: string, other: string): Promise<unknown> => {
      const { PublicKey } = await ok('GetPublicKey', { KeyId: other });
      return (await ok('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm, PublicKey }))['SharedSecret'];
    };
    expect(await secretOf(a, b)).toBe(await secretOf(b, a));
  });
});

test('What is no public key of the curve is refused', async () => {
  const KeyId = await agreementKey();
  const right = peer().publicKey.export({ format: 'der', type: 'spki' });
  const offCurve = Buffer.from(right);
  offCurve[right.length - 1] = (offCurve[right.length - 1] ?? 0) ^ 1;
  const infinity = Buffer.concat([
    Buffer.from('3019301306072a8648ce3d020106082a8648ce3d030107030200', 'hex'),
    Buffer.alloc(1),
  ]);
  const wrong: readonly Buffer[] = [
    offCurve,
    infinity,
    right.subarray(0, -1),
    right.subarray(-65),
    Buffer.from('x'),
    peer('secp384r1').publicKey.export({ format: 'der', type: 'spki' }),
    peer('secp256k1').publicKey.export({ format: 'der', type: 'spki' }),
    generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'der', type: 'spki' }),
    peer().privateKey.export({ format: 'der', type: 'pkcs8' }),
    Buffer.from(peer().publicKey.export({ format: 'pem', type: 'spki' })),
  ];
  for (const PublicKey of wrong)
    expect(
      await fails('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm, PublicKey: PublicKey.toString('base64') }),
    ).toEqual(['ValidationException', 'PublicKey is not a DER-encoded public key of ECC_NIST_P256.']);
});

test('One usage for a key’s whole life', async () => {
  const asked = { KeyAgreementAlgorithm, PublicKey: spki(peer().publicKey) };
  for (const [usage, kind] of [
    ['ENCRYPT_DECRYPT', {}],
    ['SIGN_VERIFY', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }],
  ] as const) {
    const KeyId = await kms.key(kind);
    expect(await fails('DeriveSharedSecret', { KeyId, ...asked })).toEqual([
      'InvalidKeyUsageException',
      `${arn(`key/${KeyId}`)} key usage is ${usage} which is not valid for DeriveSharedSecret.`,
    ]);
  }
  const KeyId = await agreementKey();
  for (const [action, input] of [
    ['Sign', { SigningAlgorithm: 'ECDSA_SHA_256', Message: base64('m') }],
    ['Encrypt', { Plaintext: base64('x') }],
  ] as const)
    expect(await fails(action, { KeyId, ...input })).toEqual([
      'InvalidKeyUsageException',
      `${arn(`key/${KeyId}`)} key usage is KEY_AGREEMENT which is not valid for ${action}.`,
    ]);
});

test('States, dry runs, aliases, grants, attestations and the last use hold as for any key', async () => {
  const KeyId = await agreementKey();
  await ok('CreateAlias', { AliasName: 'alias/agrees', TargetKeyId: KeyId });
  const asked = { KeyId: 'alias/agrees', KeyAgreementAlgorithm, PublicKey: spki(peer().publicKey) };
  expect((await fails('DeriveSharedSecret', { ...asked, DryRun: true }))[0]).toBe('DryRunOperationException');
  expect((await fails('DeriveSharedSecret', { ...asked, Recipient: {} }))[0]).toBe('UnsupportedOperationException');
  expect((await ok('GetKeyLastUsage', { KeyId }))['KeyLastUsage']).toEqual({});
  await ok('DeriveSharedSecret', asked);
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'DeriveSharedSecret' } });
  const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/g` };
  await ok('CreateGrant', { ...grant, Operations: ['DeriveSharedSecret', 'GetPublicKey'] });
  expect((await fails('CreateGrant', { ...grant, Operations: ['Sign'] }))[0]).toBe('ValidationException');
  await ok('DisableKey', { KeyId });
  expect((await fails('DeriveSharedSecret', asked))[0]).toBe('DisabledException');
});

test('Policies decide by algorithm', async () => {
  const admin = [{ name: 'admin', document: document(allow()) }];
  const access = { identities: [{ arn: CALLER.principal, policies: admin }], organizationPolicies: [] };
  await using strict = await startKms({
    access: { ...access, unlistedStorageCallers: 'nothing', grantsCrossAccounts: false },
  });
  const KeyId = await strict.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' });
  const asked = { KeyId, KeyAgreementAlgorithm, PublicKey: spki(peer().publicKey) };
  const only = (operator: string): object => ({
    KeyId,
    Policy: document(
      allow({ Principal: '*' }),
      deny({
        Principal: '*',
        Action: 'kms:DeriveSharedSecret',
        Condition: { [operator]: { 'kms:KeyAgreementAlgorithm': 'ECDH' } },
      }),
    ),
  });
  const calls = callsOf(() => strict);
  await calls.ok('PutKeyPolicy', only('StringNotEquals'));
  await calls.ok('DeriveSharedSecret', asked);
  await calls.ok('PutKeyPolicy', only('StringEquals'));
  expect((await calls.fails('DeriveSharedSecret', asked))[0]).toBe('AccessDeniedException');
});
