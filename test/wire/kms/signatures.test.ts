/** Key pairs for signatures over the wire: what AWS makes of them; node:crypto and openssl verify what they sign. */
import { createHash, createPublicKey, verify, constants, type KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, callsOf, type Json } from '../../support/kms/calls.ts';
import { allow, deny, document } from '../../support/keys/access.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const RSA = ['RSASSA_PKCS1_V1_5_', 'RSASSA_PSS_'].flatMap((scheme) =>
  ['SHA_256', 'SHA_384', 'SHA_512'].map((hash) => scheme + hash),
);
const KINDS = [
  ['RSA_2048', RSA],
  ['RSA_3072', RSA],
  ['RSA_4096', RSA],
  ['ECC_NIST_P256', ['ECDSA_SHA_256']],
  ['ECC_NIST_P384', ['ECDSA_SHA_384']],
  ['ECC_NIST_P521', ['ECDSA_SHA_512']],
  ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
  ['ECC_NIST_EDWARDS25519', ['ED25519_SHA_512', 'ED25519_PH_SHA_512']],
  ['ML_DSA_44', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_65', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_87', ['ML_DSA_SHAKE_256']],
] as const;
const ALL = [...new Set(KINDS.flatMap(([, algorithms]) => [...algorithms]))];
const LEGACY = /^(?:RSA|ECC_NIST_P|ECC_SECG)/u;

const message = Buffer.from('what is signed');
const hashOf = (algorithm: string): string => `sha${algorithm.slice(-3)}`;
const digest = (algorithm: string): Buffer => createHash(hashOf(algorithm)).update(message).digest();

async function signingKey(KeySpec: string): Promise<string> {
  const { KeyMetadata } = await ok('CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY' });
  return String((KeyMetadata as Json)['KeyId']);
}

async function publicKey(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await ok('GetPublicKey', { KeyId });
  return createPublicKey({ key: Buffer.from(String(PublicKey), 'base64'), format: 'der', type: 'spki' });
}

/** By node:crypto alone, of the message. */
function holds(algorithm: string, key: KeyObject, signature: Buffer): boolean {
  if (algorithm === 'ED25519_SHA_512' || algorithm.startsWith('ML_DSA')) return verify(null, message, key, signature);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return verify(hashOf(algorithm), message, { key, ...(algorithm.includes('PSS') ? pss : {}) }, signature);
}

/** What the algorithm takes: each is the same message. */
function formsOf(algorithm: string): readonly Json[] {
  const raw = { Message: message.toString('base64') };
  if (algorithm === 'ED25519_SHA_512' || algorithm.startsWith('ML_DSA')) return [raw, { ...raw, MessageType: 'RAW' }];
  const digested = { Message: digest(algorithm).toString('base64'), MessageType: 'DIGEST' };
  return algorithm === 'ED25519_PH_SHA_512' ? [digested] : [raw, { ...raw, MessageType: 'RAW' }, digested];
}

describe.each(KINDS)('%s', (KeySpec, algorithms) => {
  let KeyId: string;
  beforeAll(async () => {
    KeyId = await signingKey(KeySpec);
  });

  test('is described with its algorithms, by DescribeKey and beside its public key', async () => {
    const shown = {
      KeySpec,
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: algorithms,
      ...(LEGACY.test(KeySpec) ? { CustomerMasterKeySpec: KeySpec } : {}),
    };
    const { KeyMetadata } = await ok('DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject({ ...shown, KeyState: 'Enabled', Origin: 'AWS_KMS', MultiRegion: false });
    for (const member of ['EncryptionAlgorithms', 'MacAlgorithms', 'KeyAgreementAlgorithms', 'CurrentKeyMaterialId'])
      expect(KeyMetadata).not.toHaveProperty(member);
    const given = await ok('GetPublicKey', { KeyId });
    expect(given).toEqual({ KeyId: arn(`key/${KeyId}`), PublicKey: expect.any(String), ...shown });
    const type = { R: 'rsa', E: 'ec', M: 'ml-dsa' }[KeySpec.slice(0, 1)] ?? '';
    expect((await publicKey(KeyId)).asymmetricKeyType).toMatch(new RegExp(`^${type}|^ed25519`, 'u'));
  });

  test.each(algorithms)(
    '%s: what is signed in each form verifies in each, here and elsewhere',
    async (SigningAlgorithm) => {
      const key = await publicKey(KeyId);
      for (const form of formsOf(SigningAlgorithm)) {
        const signed = await ok('Sign', { KeyId, SigningAlgorithm, ...form });
        expect(signed).toEqual({ KeyId: arn(`key/${KeyId}`), Signature: expect.any(String), SigningAlgorithm });
        const signature = Buffer.from(String(signed['Signature']), 'base64');
        if (SigningAlgorithm === 'ED25519_PH_SHA_512') {
          const point = key.export({ format: 'der', type: 'spki' }).subarray(-32);
          // Ed25519ph of the digest: hashed by the caller, and once more by the scheme.
          expect(ed25519ph.verify(signature, digest(SigningAlgorithm), point)).toBe(true);
        } else expect(holds(SigningAlgorithm, key, signature)).toBe(true);
        for (const other of formsOf(SigningAlgorithm)) {
          const asked = { KeyId, SigningAlgorithm, ...other };
          expect(await ok('Verify', { ...asked, Signature: signed['Signature'] })).toEqual({
            KeyId: arn(`key/${KeyId}`),
            SignatureValid: true,
            SigningAlgorithm,
          });
          for (const forged of [
            flip(signature, 0),
            flip(signature, signature.length - 1),
            signature.subarray(1),
            Buffer.alloc(64),
          ])
            expect(await fails('Verify', { ...asked, Signature: forged.toString('base64') })).toEqual([
              'KMSInvalidSignatureException',
              undefined,
            ]);
        }
      }
    },
  );

  test('goes with its own algorithms alone', async () => {
    for (const SigningAlgorithm of ALL.filter((one) => !(algorithms as readonly string[]).includes(one)))
      for (const action of ['Sign', 'Verify'])
        expect(await fails(action, { KeyId, SigningAlgorithm, Message: base64('m'), Signature: base64('s') })).toEqual([
          'InvalidKeyUsageException',
          `Algorithm ${SigningAlgorithm} is incompatible with key spec ${KeySpec}.`,
        ]);
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

describe.each(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'])('EXTERNAL_MU of %s', (KeySpec) => {
  test('is signed as the message it was made of', async () => {
    const KeyId = await signingKey(KeySpec);
    const key = await publicKey(KeyId);
    const shake = (...parts: readonly Uint8Array[]): Buffer =>
      createHash('shake256', { outputLength: 64 }).update(Buffer.concat(parts)).digest();
    const tr = shake(key.export({ format: 'der', type: 'spki' }).subarray(22));
    const mu = shake(tr, Buffer.alloc(2), message).toString('base64');
    const forms = [
      { Message: message.toString('base64'), MessageType: 'RAW' },
      { Message: mu, MessageType: 'EXTERNAL_MU' },
    ];
    for (const signing of forms) {
      const asked = { KeyId, SigningAlgorithm: 'ML_DSA_SHAKE_256' };
      const { Signature } = await ok('Sign', { ...asked, ...signing });
      expect(verify(null, message, key, Buffer.from(String(Signature), 'base64'))).toBe(true);
      for (const verifying of forms)
        expect(await ok('Verify', { ...asked, ...verifying, Signature })).toMatchObject({ SignatureValid: true });
      const forged = flip(Buffer.from(String(Signature), 'base64'), 100).toString('base64');
      for (const verifying of forms)
        expect((await fails('Verify', { ...asked, ...verifying, Signature: forged }))[0]).toBe(
          'KMSInvalidSignatureException',
        );
    }
  });

  test('has 64 bytes', async () => {
    const KeyId = await signingKey(KeySpec);
    for (const bytes of [1, 32, 63, 65]) {
      const Message = Buffer.alloc(bytes).toString('base64');
      const asked = { KeyId, SigningAlgorithm: 'ML_DSA_SHAKE_256', MessageType: 'EXTERNAL_MU', Message };
      expect((await fails('Sign', asked))[0]).toBe('ValidationException');
      expect((await fails('Verify', { ...asked, Signature: base64('s') }))[0]).toBe('ValidationException');
    }
  });
});

describe('forms of messages', () => {
  test.each([
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 32],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384', 48],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512', 64],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 32],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 48],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 64],
  ])('%s, %s: a digest has %i bytes', async (KeySpec, SigningAlgorithm, length) => {
    const KeyId = await signingKey(KeySpec);
    for (const bytes of [1, length - 1, length + 1, 4096])
      for (const action of ['Sign', 'Verify']) {
        const Message = Buffer.alloc(bytes).toString('base64');
        const asked = { KeyId, SigningAlgorithm, MessageType: 'DIGEST', Message, Signature: base64('s') };
        expect(await fails(action, asked)).toEqual([
          'ValidationException',
          `Digest is invalid length for algorithm ${SigningAlgorithm}.`,
        ]);
      }
  });

  test.each([
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'DIGEST'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'RAW'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'EXTERNAL_MU'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'EXTERNAL_MU'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'EXTERNAL_MU'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'DIGEST'],
  ])('%s, %s does not take %s', async (KeySpec, SigningAlgorithm, MessageType) => {
    const KeyId = await signingKey(KeySpec);
    const asked = { KeyId, SigningAlgorithm, MessageType, Message: Buffer.alloc(64).toString('base64') };
    expect((await fails('Sign', asked))[0]).toBe('ValidationException');
    expect((await fails('Verify', { ...asked, Signature: base64('s') }))[0]).toBe('ValidationException');
  });

  test('a digest given as a message is another message', async () => {
    const KeyId = await signingKey('ECC_NIST_P256');
    const asked = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: digest('ECDSA_SHA_256').toString('base64') };
    const { Signature } = await ok('Sign', { ...asked, MessageType: 'DIGEST' });
    expect((await fails('Verify', { ...asked, Signature }))[0]).toBe('KMSInvalidSignatureException');
  });
});

describe('one usage for a key’s whole life', () => {
  test.each([
    ['Encrypt', { Plaintext: base64('x') }],
    ['GenerateDataKey', { NumberOfBytes: 32 }],
    ['GenerateMac', { Message: base64('x'), MacAlgorithm: 'HMAC_SHA_256' }],
  ])('%s is not what a signing key is for', async (action, input) => {
    for (const KeySpec of ['RSA_2048', 'ECC_NIST_P256']) {
      const KeyId = await signingKey(KeySpec);
      expect(await fails(action, { KeyId, ...input })).toEqual([
        'InvalidKeyUsageException',
        `${arn(`key/${KeyId}`)} key usage is SIGN_VERIFY which is not valid for ${action}.`,
      ]);
    }
  });

  test.each([
    ['ENCRYPT_DECRYPT', {}],
    ['GENERATE_VERIFY_MAC', { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }],
  ])('Sign and Verify are not what a key for %s is for; it has no public key', async (usage, kind) => {
    const KeyId = await kms.key(kind);
    const asked = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256', Message: base64('m'), Signature: base64('s') };
    for (const action of ['Sign', 'Verify'])
      expect(await fails(action, asked)).toEqual([
        'InvalidKeyUsageException',
        `${arn(`key/${KeyId}`)} key usage is ${usage} which is not valid for ${action}.`,
      ]);
    expect((await fails('GetPublicKey', { KeyId }))[0]).toBe('UnsupportedOperationException');
  });

  test.each(['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand', 'ListKeyRotations'])(
    '%s is for symmetric keys',
    async (action) => {
      const KeyId = await signingKey('ECC_NIST_P256');
      expect((await fails(action, { KeyId }))[0]).toBe('UnsupportedOperationException');
    },
  );

  test('GetKeyRotationStatus says that a pair is not rotated', async () => {
    const KeyId = await signingKey('ECC_NIST_P256');
    expect(await ok('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId, KeyRotationEnabled: false });
  });
});

test('States, dry runs, aliases, grants and the last use hold as for any key', async () => {
  const KeyId = await signingKey('ECC_NIST_P256');
  const asked = { SigningAlgorithm: 'ECDSA_SHA_256', Message: base64('m') };
  await ok('CreateAlias', { AliasName: 'alias/signs', TargetKeyId: KeyId });
  const dry = async (action: string, input: object): Promise<unknown> =>
    (await fails(action, { KeyId, ...asked, ...input, DryRun: true }))[0];
  expect(await dry('Sign', {})).toBe('DryRunOperationException');
  // It would not have succeeded.
  expect(await dry('Verify', { Signature: base64('s') })).toBe('KMSInvalidSignatureException');
  expect((await ok('GetKeyLastUsage', { KeyId }))['KeyLastUsage']).toEqual({});
  const { Signature } = await ok('Sign', { KeyId: 'alias/signs', ...asked });
  expect(await dry('Verify', { Signature })).toBe('DryRunOperationException');
  await ok('GetPublicKey', { KeyId: 'alias/signs' });
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'Sign' } });
  await ok('Verify', { KeyId, ...asked, Signature });
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'Verify' } });
  const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/g` };
  await ok('CreateGrant', { ...grant, Operations: ['Sign', 'Verify', 'GetPublicKey'] });
  for (const operation of ['Encrypt', 'GenerateMac', 'DeriveSharedSecret'])
    expect((await fails('CreateGrant', { ...grant, Operations: [operation] }))[0]).toBe('ValidationException');
  await ok('DisableKey', { KeyId });
  for (const [action, input] of [
    ['Sign', asked],
    ['Verify', { ...asked, Signature }],
    ['GetPublicKey', {}],
  ] as const)
    expect(await fails(action, { KeyId, ...input })).toEqual([
      'DisabledException',
      `${arn(`key/${KeyId}`)} is disabled.`,
    ]);
  await ok('ScheduleKeyDeletion', { KeyId });
  for (const [action, input] of [
    ['Sign', asked],
    ['GetPublicKey', {}],
  ] as const)
    expect((await fails(action, { KeyId, ...input }))[0]).toBe('KMSInvalidStateException');
});

test('Policies decide by algorithm and form of the message, of which RAW is the default', async () => {
  const admin = [{ name: 'admin', document: document(allow()) }];
  const access = { identities: [{ arn: CALLER.principal, policies: admin }], organizationPolicies: [] };
  const settings = { unlistedStorageCallers: 'nothing', grantsCrossAccounts: false } as const;
  await using strict = await startKms({ access: { ...access, ...settings } });
  const calls = callsOf(() => strict);
  const KeyId = await strict.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  const only = (equals: object): string =>
    document(
      allow({ Principal: '*', Action: ['kms:Verify', 'kms:PutKeyPolicy', 'kms:GetPublicKey'] }),
      allow({ Principal: '*', Action: 'kms:Sign' }),
      deny({ Principal: '*', Action: 'kms:Sign', Condition: { StringNotEquals: equals } }),
    );
  const [pss, pkcs1] = ['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'];
  const sign = async (SigningAlgorithm: string | undefined, form: object): Promise<unknown> => {
    const { status, json } = await strict.call('Sign', { KeyId, SigningAlgorithm, ...form });
    return status === 200 ? 'signed' : json?.['__type'];
  };
  const raw = { Message: base64('m') };
  const digested = { Message: digest('SHA_256').toString('base64'), MessageType: 'DIGEST' };
  await calls.ok('PutKeyPolicy', { KeyId, Policy: only({ 'kms:SigningAlgorithm': pss }) });
  expect([await sign(pss, raw), await sign(pss, digested), await sign(pkcs1, raw)]).toEqual([
    'signed',
    'signed',
    'AccessDeniedException',
  ]);
  await calls.ok('PutKeyPolicy', { KeyId, Policy: only({ 'kms:MessageType': 'RAW' }) });
  expect([await sign(pss, raw), await sign(pkcs1, raw), await sign(pss, digested)]).toEqual([
    'signed',
    'signed',
    'AccessDeniedException',
  ]);
});

test('SM2 is refused', async () => {
  for (const KeyUsage of ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'KEY_AGREEMENT'])
    expect((await fails('CreateKey', { KeySpec: 'SM2', KeyUsage }))[0]).toBe('UnsupportedOperationException');
  const KeyId = await signingKey('ECC_NIST_P256');
  const asked = { KeyId, SigningAlgorithm: 'SM2DSA', Message: base64('m') };
  expect((await fails('Sign', asked))[0]).toBe('UnsupportedOperationException');
});

test('CreateKey wants the usage said, and one that fits', async () => {
  expect(await fails('CreateKey', { KeySpec: 'ECC_NIST_EDWARDS25519' })).toEqual([
    'ValidationException',
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
  ]);
  for (const [KeySpec, KeyUsage] of [
    ['RSA_2048', 'KEY_AGREEMENT'],
    ['ECC_NIST_P256', 'ENCRYPT_DECRYPT'],
    ['ECC_SECG_P256K1', 'KEY_AGREEMENT'],
    ['ECC_NIST_EDWARDS25519', 'KEY_AGREEMENT'],
    ['ML_DSA_65', 'ENCRYPT_DECRYPT'],
  ])
    expect(await fails('CreateKey', { KeySpec, KeyUsage })).toEqual([
      'ValidationException',
      `KeyUsage ${KeyUsage} is not compatible with KeySpec ${KeySpec}`,
    ]);
});
