/** ML-KEM over the wire: the secrets are those of another implementation of FIPS 203 (@noble/post-quantum). */
import { createPrivateKey, decapsulate } from 'node:crypto';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, BLOB, callsOf, type Json } from '../../support/kms/calls.ts';
import { CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';
import { wrapByNode } from '../../support/keys/wrap-material.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const KINDS = [
  ['ML_KEM_512', ml_kem512, 1, 768],
  ['ML_KEM_768', ml_kem768, 2, 1088],
  ['ML_KEM_1024', ml_kem1024, 3, 1568],
] as const;
const KeyUsage = 'ENCAPSULATE_DECAPSULATE';
const EncapsulationAlgorithm = 'ML_KEM';
const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
/** What comes before the key itself in SubjectPublicKeyInfo has 22 bytes. */
const rawPublic = (spki: unknown): Uint8Array => Uint8Array.from(bytesOf(spki).subarray(22));

describe.each(KINDS)('%s', (KeySpec, scheme, oid, ciphertextBytes) => {
  const made = (): Promise<string> => kms.key({ KeySpec, KeyUsage });
  const decapsulated = (KeyId: string, ciphertext: Uint8Array): Promise<Json> => {
    const SharedSecretCiphertextBlob = Buffer.from(ciphertext).toString('base64');
    return ok('Decapsulate', { KeyId, SharedSecretCiphertextBlob, EncapsulationAlgorithm });
  };

  test('is shown with its algorithm, and opens what others encapsulate with its public key', async () => {
    const KeyId = await made();
    const shown = { KeySpec, KeyUsage, EncapsulationAlgorithms: ['ML_KEM'] };
    const { KeyMetadata } = await ok('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject(shown);
    for (const member of ['SigningAlgorithms', 'EncryptionAlgorithms', 'CustomerMasterKeySpec'])
      expect(KeyMetadata).not.toHaveProperty(member);
    const given = await ok('GetPublicKey', { KeyId });
    expect(given).toEqual({ KeyId: arn(`key/${KeyId}`), PublicKey: BLOB, ...shown });
    const { cipherText, sharedSecret } = scheme.encapsulate(rawPublic(given['PublicKey']));
    expect(await decapsulated(KeyId, cipherText)).toEqual({
      KeyId: arn(`key/${KeyId}`),
      SharedSecret: Buffer.from(sharedSecret).toString('base64'),
      EncapsulationAlgorithm,
    });
  });

  test('encapsulates what its owner opens elsewhere', async () => {
    const seed = Uint8Array.from({ length: 64 }, (_, at) => at);
    const pkcs8 = Buffer.concat([Buffer.from(`3054020100300b060960864801650304040${oid}04428040`, 'hex'), seed]);
    const KeyId = await kms.key({ KeySpec, KeyUsage, Origin: 'EXTERNAL' });
    const WrappingAlgorithm = 'RSAES_OAEP_SHA_256';
    const asked = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' };
    const { ImportToken, PublicKey } = await ok('GetParametersForImport', asked);
    const EncryptedKeyMaterial = wrapByNode(WrappingAlgorithm, bytesOf(PublicKey), pkcs8).toString('base64');
    const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
    await ok('ImportKeyMaterial', { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel });
    const { publicKey, secretKey } = scheme.keygen(seed);
    expect(rawPublic((await ok('GetPublicKey', { KeyId }))['PublicKey'])).toEqual(publicKey);
    const answer = await ok('Encapsulate', { KeyId, EncapsulationAlgorithm });
    expect(answer).toEqual({
      KeyId: arn(`key/${KeyId}`),
      SharedSecret: BLOB,
      SharedSecretCiphertextBlob: BLOB,
      EncapsulationAlgorithm,
    });
    const ciphertext = Uint8Array.from(bytesOf(answer['SharedSecretCiphertextBlob']));
    expect(ciphertext).toHaveLength(ciphertextBytes);
    expect(Buffer.from(scheme.decapsulate(ciphertext, secretKey))).toEqual(bytesOf(answer['SharedSecret']));
  });

  test('gives another secret for what was changed or is of another key, and none for what is of another length', async () => {
    const [KeyId, other] = [await made(), await made()];
    const { SharedSecret, SharedSecretCiphertextBlob } = await ok('Encapsulate', { KeyId, EncapsulationAlgorithm });
    const ciphertext = bytesOf(SharedSecretCiphertextBlob);
    const changed = Buffer.from(ciphertext);
    changed[7] = (changed[7] ?? 0) ^ 1;
    const secrets = [
      (await decapsulated(KeyId, ciphertext))['SharedSecret'],
      (await decapsulated(KeyId, changed))['SharedSecret'],
      (await decapsulated(other, ciphertext))['SharedSecret'],
    ];
    expect(secrets[0]).toBe(SharedSecret);
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) expect(bytesOf(secret)).toHaveLength(32);
    for (const wrong of [ciphertext.subarray(1), Buffer.concat([ciphertext, Buffer.of(0)])]) {
      const asked = { KeyId, SharedSecretCiphertextBlob: wrong.toString('base64'), EncapsulationAlgorithm };
      expect(await fails('Decapsulate', asked)).toEqual(['InvalidCiphertextException', undefined]);
    }
  });

  test('is made as a data key pair, whose private half Decrypt gives', async () => {
    const KeyId = await kms.key();
    const pair = await ok('GenerateDataKeyPair', { KeyId, KeyPairSpec: KeySpec });
    const { Plaintext } = await ok('Decrypt', { CiphertextBlob: pair['PrivateKeyCiphertextBlob'] });
    expect(Plaintext).toBe(pair['PrivateKeyPlaintext']);
    const { cipherText, sharedSecret } = scheme.encapsulate(rawPublic(pair['PublicKey']));
    const privateKey = createPrivateKey({ key: bytesOf(Plaintext), format: 'der', type: 'pkcs8' });
    expect(decapsulate(privateKey, cipherText)).toEqual(Buffer.from(sharedSecret));
  });
});

test('It is for nothing else, and nothing else is for it; a grant can allow it', async () => {
  const KeyId = await kms.key({ KeySpec: 'ML_KEM_768', KeyUsage });
  const signing = await kms.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  expect(await fails('Encrypt', { KeyId, Plaintext: base64('x') })).toEqual([
    'InvalidKeyUsageException',
    `${arn(`key/${KeyId}`)} key usage is ENCAPSULATE_DECAPSULATE which is not valid for Encrypt.`,
  ]);
  expect((await fails('Encapsulate', { KeyId: signing, EncapsulationAlgorithm }))[0]).toBe('InvalidKeyUsageException');
  expect((await fails('EnableKeyRotation', { KeyId }))[0]).toBe('UnsupportedOperationException');
  for (const wrong of [{ KeySpec: 'ML_KEM_768', KeyUsage: 'SIGN_VERIFY' }, { KeyUsage }, { KeySpec: 'ML_KEM_768' }])
    expect((await fails('CreateKey', wrong))[0]).toBe('ValidationException');
  const grant = { KeyId, GranteePrincipal: CALLER.principal };
  await ok('CreateGrant', { ...grant, Operations: ['Encapsulate', 'Decapsulate', 'GetPublicKey'] });
  expect((await fails('CreateGrant', { ...grant, Operations: ['Sign'] }))[0]).toBe('ValidationException');
  await ok('Encapsulate', { KeyId, EncapsulationAlgorithm });
  expect((await ok('GetKeyLastUsage', { KeyId }))['KeyLastUsage']).toMatchObject({ Operation: 'Encapsulate' });
});
