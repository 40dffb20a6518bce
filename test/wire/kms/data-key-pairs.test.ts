/** Key pairs for use outside, over the wire: the halves belong together, and the encrypted one is the plaintext one. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { arn, BLOB, callsOf, HEX64, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const KINDS = [
  ['RSA_2048', { modulusLength: 2048, publicExponent: 65537n }],
  ['RSA_3072', { modulusLength: 3072, publicExponent: 65537n }],
  ['RSA_4096', { modulusLength: 4096, publicExponent: 65537n }],
  ['ECC_NIST_P256', { namedCurve: 'prime256v1' }],
  ['ECC_NIST_P384', { namedCurve: 'secp384r1' }],
  ['ECC_NIST_P521', { namedCurve: 'secp521r1' }],
  ['ECC_SECG_P256K1', { namedCurve: 'secp256k1' }],
  ['ECC_NIST_EDWARDS25519', {}],
] as const;
const ACTIONS = ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'];
const EncryptionContext = { a: 'bc' };

/** The public half of a private key, in base64. */
function publicOf(privateKey: unknown): string {
  const key = createPrivateKey({ key: Buffer.from(String(privateKey), 'base64'), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

describe.each(KINDS)('%s', (KeyPairSpec, details) => {
  test('is made, with and without the plaintext of the private half', async () => {
    const KeyId = await kms.key();
    const asked = { KeyId, KeyPairSpec, EncryptionContext };
    const shown = { KeyId: arn(`key/${KeyId}`), KeyPairSpec, KeyMaterialId: HEX64, PublicKey: BLOB };
    const made = await ok('GenerateDataKeyPair', asked);
    expect(made).toEqual({ ...shown, PrivateKeyCiphertextBlob: BLOB, PrivateKeyPlaintext: BLOB });
    const blind = await ok('GenerateDataKeyPairWithoutPlaintext', asked);
    expect(blind).toEqual({ ...shown, PrivateKeyCiphertextBlob: BLOB });
    expect(blind['PublicKey']).not.toBe(made['PublicKey']);
    expect(publicOf(made['PrivateKeyPlaintext'])).toBe(made['PublicKey']);
    const opened = async ({ PrivateKeyCiphertextBlob }: Json): Promise<unknown> =>
      (await ok('Decrypt', { CiphertextBlob: PrivateKeyCiphertextBlob, EncryptionContext }))['Plaintext'];
    expect(await opened(made)).toBe(made['PrivateKeyPlaintext']);
    expect(publicOf(await opened(blind))).toBe(blind['PublicKey']);
    const key = createPublicKey({ key: Buffer.from(String(made['PublicKey']), 'base64'), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails).toEqual(details);
    const other = { CiphertextBlob: made['PrivateKeyCiphertextBlob'], EncryptionContext: { ab: 'c' } };
    expect((await fails('Decrypt', other))[0]).toBe('InvalidCiphertextException');
  });
});

describe.each(ACTIONS)('%s', (action) => {
  test('needs a symmetric key', async () => {
    const KeyPairSpec = 'ECC_NIST_P256';
    for (const [usage, kind] of [
      ['SIGN_VERIFY', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }],
      ['GENERATE_VERIFY_MAC', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }],
    ] as const) {
      const KeyId = await kms.key(kind);
      expect(await fails(action, { KeyId, KeyPairSpec })).toEqual([
        'InvalidKeyUsageException',
        `${arn(`key/${KeyId}`)} key usage is ${usage} which is not valid for ${action}.`,
      ]);
    }
    const rsa = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
    expect((await fails(action, { KeyId: rsa, KeyPairSpec }))[0]).toBe('InvalidKeyUsageException');
  });

  test('holds to states, dry runs, aliases, grants and the last use', async () => {
    const KeyId = await kms.key();
    const asked = { KeyId, KeyPairSpec: 'ECC_NIST_P256' };
    expect((await fails(action, { ...asked, KeyPairSpec: 'SM2' }))[0]).toBe('UnsupportedOperationException');
    expect((await fails(action, { ...asked, DryRun: true }))[0]).toBe('DryRunOperationException');
    expect((await ok('GetKeyLastUsage', { KeyId }))['KeyLastUsage']).toEqual({});
    await ok('CreateAlias', { AliasName: `alias/${action}`, TargetKeyId: KeyId });
    await ok(action, { ...asked, KeyId: `alias/${action}` });
    expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: action } });
    await ok('CreateGrant', { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/g`, Operations: [action] });
    await ok('DisableKey', { KeyId });
    expect((await fails(action, asked))[0]).toBe('DisabledException');
  });

  test('does not wrap under a key that was disabled while the pair was made', async () => {
    const KeyId = await kms.key();
    const making = Array.from({ length: 4 }, () => kms.call(action, { KeyId, KeyPairSpec: 'RSA_4096' }));
    // One pair is made at a time: the last is not by now.
    await making[0];
    await ok('DisableKey', { KeyId });
    expect((await Promise.all(making)).at(-1)?.json?.['__type']).toBe('DisabledException');
  });

  test('is decided by policies for each kind of pair', async () => {
    const admin = [{ name: 'admin', document: document(allow()) }];
    const access = { identities: [{ arn: CALLER.principal, policies: admin }], organizationPolicies: [] };
    await using strict = await startKms({
      access: { ...access, unlistedStorageCallers: 'nothing', grantsCrossAccounts: false },
    });
    const KeyId = await strict.key();
    const Condition = { StringEquals: { 'kms:DataKeyPairSpec': 'ECC_NIST_P256' } };
    const Policy = document(allow({ Principal: '*' }), deny({ Principal: '*', Action: `kms:${action}`, Condition }));
    await callsOf(() => strict).ok('PutKeyPolicy', { KeyId, Policy });
    const status = async (KeyPairSpec: string): Promise<number> =>
      (await strict.call(action, { KeyId, KeyPairSpec })).status;
    expect([await status('ECC_NIST_P256'), await status('ECC_NIST_P384')]).toEqual([400, 200]);
  });
});

test('An attestation is refused', async () => {
  const asked = { KeyId: await kms.key(), KeyPairSpec: 'ECC_NIST_P256', Recipient: {} };
  expect((await fails('GenerateDataKeyPair', asked))[0]).toBe('UnsupportedOperationException');
});
