/** Import of HMAC keys and of private keys (PKCS #8) over the wire. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
  type KeyObject,
} from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, callsOf, type Json } from '../../support/kms/calls.ts';
import { startKms, type TestKms } from '../../support/kms/edge.ts';
import { missing } from '../../support/programs.ts';
import { wrapByNode, wrapByOpenssl, type Wrap, type WrappingAlgorithm } from '../../support/keys/wrap-material.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
const pkcs8 = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });
const spki = (key: KeyObject): string => key.export({ format: 'der', type: 'spki' }).toString('base64');

async function externalKey(KeySpec: string, KeyUsage: string): Promise<string> {
  const { KeyMetadata } = await ok('CreateKey', { Origin: 'EXTERNAL', KeySpec, KeyUsage });
  expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', KeySpec, KeyUsage, Origin: 'EXTERNAL' });
  return String((KeyMetadata as Json)['KeyId']);
}

/** What ImportKeyMaterial is asked with. */
async function importing(
  KeyId: string,
  material: Uint8Array,
  algorithm: WrappingAlgorithm = 'RSA_AES_KEY_WRAP_SHA_256',
  wrap: Wrap = wrapByNode,
): Promise<Json> {
  const asked = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: 'RSA_2048' };
  const { ImportToken, PublicKey } = await ok('GetParametersForImport', asked);
  const EncryptedKeyMaterial = wrap(algorithm, bytesOf(PublicKey), material).toString('base64');
  return { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
}

async function refused(KeyId: string, material: Uint8Array): Promise<unknown> {
  return (await fails('ImportKeyMaterial', await importing(KeyId, material)))[0];
}

describe.each([
  ['HMAC_224', 'HMAC_SHA_224', 'sha224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 'sha256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 'sha384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 'sha512', 64],
])('%s', (KeySpec, MacAlgorithm, hash, length) => {
  test('makes the MACs of the key that was imported, which has the length of its hash', async () => {
    const KeyId = await externalKey(KeySpec, 'GENERATE_VERIFY_MAC');
    const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
    const asked = { KeyId, MacAlgorithm, Message: base64('message') };
    expect(await fails('GenerateMac', asked)).toEqual(pending);
    for (const wrong of [length - 1, length + 1]) {
      expect(await refused(KeyId, randomBytes(wrong))).toBe('IncorrectKeyMaterialException');
    }
    const material = randomBytes(length);
    await ok('ImportKeyMaterial', await importing(KeyId, material, 'RSAES_OAEP_SHA_256'));
    const { Mac } = await ok('GenerateMac', asked);
    expect(bytesOf(Mac)).toEqual(createHmac(hash, material).update('message').digest());
    await ok('DeleteImportedKeyMaterial', { KeyId });
    expect(await fails('VerifyMac', { ...asked, Mac })).toEqual(pending);
    expect(await refused(KeyId, randomBytes(length))).toBe('IncorrectKeyMaterialException');
    await ok('ImportKeyMaterial', await importing(KeyId, material));
    await ok('VerifyMac', { ...asked, Mac });
  });
});

const rsa = (modulusLength: number, publicExponent = 65537): KeyObject =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;
const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const SIGNING: readonly (readonly [string, string, () => KeyObject, string | null])[] = [
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', () => rsa(2048), 'sha256'],
  ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_384', () => rsa(3072), 'sha384'],
  ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512', () => rsa(4096), 'sha512'],
  ['ECC_NIST_P256', 'ECDSA_SHA_256', () => ec('prime256v1'), 'sha256'],
  ['ECC_NIST_P384', 'ECDSA_SHA_384', () => ec('secp384r1'), 'sha384'],
  ['ECC_NIST_P521', 'ECDSA_SHA_512', () => ec('secp521r1'), 'sha512'],
  ['ECC_SECG_P256K1', 'ECDSA_SHA_256', () => ec('secp256k1'), 'sha256'],
  ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', () => generateKeyPairSync('ed25519').privateKey, null],
  ['ML_DSA_44', 'ML_DSA_SHAKE_256', () => generateKeyPairSync('ml-dsa-44').privateKey, null],
  ['ML_DSA_65', 'ML_DSA_SHAKE_256', () => generateKeyPairSync('ml-dsa-65').privateKey, null],
  ['ML_DSA_87', 'ML_DSA_SHAKE_256', () => generateKeyPairSync('ml-dsa-87').privateKey, null],
];

describe.each(SIGNING)('%s', (KeySpec, SigningAlgorithm, make, hash) => {
  test('signs by the private key that was imported, and by no other', async () => {
    const KeyId = await externalKey(KeySpec, 'SIGN_VERIFY');
    const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
    expect(await fails('GetPublicKey', { KeyId })).toEqual(pending);
    const privateKey = make();
    await ok('ImportKeyMaterial', await importing(KeyId, pkcs8(privateKey)));
    const publicKey = createPublicKey(privateKey);
    expect(await ok('GetPublicKey', { KeyId })).toMatchObject({ PublicKey: spki(publicKey) });
    const asked = { KeyId, SigningAlgorithm, MessageType: 'RAW', Message: base64('message') };
    const { Signature } = await ok('Sign', asked);
    expect(verify(hash, Buffer.from('message'), publicKey, bytesOf(Signature))).toBe(true);
    expect(await ok('DescribeKey', { KeyId })).toMatchObject({ KeyMetadata: { KeyState: 'Enabled' } });
    await ok('DeleteImportedKeyMaterial', { KeyId });
    for (const [action, input] of [
      ['Sign', asked],
      ['Verify', { ...asked, Signature }],
      ['GetPublicKey', { KeyId }],
    ] as const)
      expect(await fails(action, input)).toEqual(pending);
    expect(await refused(KeyId, pkcs8(make()))).toBe('IncorrectKeyMaterialException');
    await ok('ImportKeyMaterial', await importing(KeyId, pkcs8(privateKey)));
    await ok('Verify', { ...asked, Signature });
  });
});

test('An RSA key for encryption opens what its owner encrypted outside', async () => {
  const KeyId = await externalKey('RSA_2048', 'ENCRYPT_DECRYPT');
  const privateKey = rsa(2048);
  await ok('ImportKeyMaterial', await importing(KeyId, pkcs8(privateKey)));
  const sealed = publicEncrypt(
    { key: createPublicKey(privateKey), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    Buffer.from('text'),
  );
  const asked = { KeyId, CiphertextBlob: sealed.toString('base64'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' };
  expect(await ok('Decrypt', asked)).toMatchObject({ Plaintext: base64('text') });
});

test('A key for agreement agrees as the one that was imported, and says where it is from', async () => {
  const KeyId = await externalKey('ECC_NIST_P256', 'KEY_AGREEMENT');
  await ok('ImportKeyMaterial', await importing(KeyId, pkcs8(ec('prime256v1'))));
  const peer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey;
  const asked = { KeyId, PublicKey: spki(peer), KeyAgreementAlgorithm: 'ECDH' };
  expect(await ok('DeriveSharedSecret', asked)).toMatchObject({ KeyOrigin: 'EXTERNAL' });
});

test('What is no private key of the key’s kind is refused, and leaves nothing', async () => {
  const wrong: readonly (readonly [string, Uint8Array])[] = [
    ['RSA_2048', pkcs8(rsa(3072))],
    ['RSA_2048', pkcs8(rsa(2048, 3))],
    ['RSA_2048', pkcs8(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey)],
    ['RSA_2048', rsa(2048).export({ format: 'der', type: 'pkcs1' })],
    ['RSA_2048', pkcs8(ec('prime256v1'))],
    ['ECC_NIST_P256', pkcs8(ec('secp256k1'))],
    ['ECC_NIST_P256', pkcs8(generateKeyPairSync('ed25519').privateKey)],
    ['ECC_NIST_P256', ec('prime256v1').export({ format: 'der', type: 'sec1' })],
    ['ECC_NIST_P256', createPublicKey(ec('prime256v1')).export({ format: 'der', type: 'spki' })],
    ['ECC_NIST_P256', Buffer.from(ec('prime256v1').export({ format: 'pem', type: 'pkcs8' }))],
    ['ECC_NIST_P256', randomBytes(138)],
    ['ECC_NIST_P256', Buffer.alloc(1)],
    ['ECC_NIST_EDWARDS25519', randomBytes(32)],
    ['ML_DSA_44', pkcs8(generateKeyPairSync('ml-dsa-65').privateKey)],
  ];
  for (const [index, [KeySpec, material]] of wrong.entries()) {
    const KeyId = await externalKey(KeySpec, 'SIGN_VERIFY');
    expect([index, await refused(KeyId, material)]).toEqual([index, 'IncorrectKeyMaterialException']);
    expect(await ok('DescribeKey', { KeyId })).toMatchObject({ KeyMetadata: { KeyState: 'PendingImport' } });
  }
});

test('A private key whose parts do not belong together is refused', async () => {
  /** The private key of one with a public number of another in the place of its own. */
  const mixed = (key: KeyObject, other: KeyObject, member: 'n' | 'y'): Buffer => {
    const number = (of: KeyObject): Buffer => Buffer.from(String(of.export({ format: 'jwk' })[member]), 'base64url');
    const encoded = pkcs8(key);
    const at = encoded.indexOf(number(key));
    expect(at).toBeGreaterThan(0);
    number(other).copy(encoded, at);
    return encoded;
  };
  const KeyId = await externalKey('RSA_2048', 'SIGN_VERIFY');
  expect(await refused(KeyId, mixed(rsa(2048), rsa(2048), 'n'))).toBe('IncorrectKeyMaterialException');
  const other = await externalKey('ECC_NIST_P256', 'SIGN_VERIFY');
  expect(await refused(other, mixed(ec('prime256v1'), ec('prime256v1'), 'y'))).toBe('IncorrectKeyMaterialException');
  const point = ec('prime256v1');
  const [x, y] = ['x', 'y'].map((member) =>
    Buffer.from(String(point.export({ format: 'jwk' })[member as 'x']), 'base64url'),
  );
  const encoded = pkcs8(ec('prime256v1'));
  Buffer.concat([x ?? Buffer.of(), y ?? Buffer.of()]).copy(encoded, encoded.length - 64);
  expect(await refused(other, encoded)).toBe('IncorrectKeyMaterialException');
});

test('The same key in another encoding is the same material', async () => {
  const privateKey = ec('prime256v1');
  const whole = pkcs8(privateKey);
  // ECPrivateKey without its public half (RFC 5915, 3), in PKCS #8.
  const number = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url');
  const bare = Buffer.concat([
    Buffer.from('3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 'hex'),
    number,
  ]);
  const KeyId = await externalKey('ECC_NIST_P256', 'SIGN_VERIFY');
  const { KeyMaterialId } = await ok('ImportKeyMaterial', await importing(KeyId, bare));
  expect(await ok('ImportKeyMaterial', await importing(KeyId, whole))).toMatchObject({ KeyMaterialId });
  expect(await ok('GetPublicKey', { KeyId })).toMatchObject({ PublicKey: spki(createPublicKey(privateKey)) });
});

test('RSA keys are wrapped with an AES key between, and P-521 under RSA_2048 too, as AWS has it', async () => {
  const given = async (KeySpec: string, WrappingAlgorithm: string, WrappingKeySpec: string): Promise<unknown> => {
    const KeyId = await externalKey(KeySpec, 'SIGN_VERIFY');
    const { status, json } = await kms.call('GetParametersForImport', { KeyId, WrappingAlgorithm, WrappingKeySpec });
    return status === 200 ? 'given' : json?.['__type'];
  };
  const no = 'UnsupportedOperationException';
  expect(await given('RSA_2048', 'RSAES_OAEP_SHA_256', 'RSA_4096')).toBe(no);
  expect(await given('RSA_2048', 'RSA_AES_KEY_WRAP_SHA_1', 'RSA_2048')).toBe('given');
  for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']) {
    expect(await given('ECC_NIST_P521', algorithm, 'RSA_2048')).toBe(no);
    expect(await given('ECC_NIST_P521', algorithm, 'RSA_3072')).toBe('given');
  }
  expect(await given('ECC_NIST_P256', 'RSAES_OAEP_SHA_256', 'RSA_2048')).toBe('given');
});

test('What is for symmetric keys alone is refused, and a second key never taken', async () => {
  const KeyId = await externalKey('ECC_NIST_P256', 'SIGN_VERIFY');
  const asked = await importing(KeyId, pkcs8(ec('prime256v1')));
  for (const more of [
    { ImportType: 'NEW_KEY_MATERIAL' },
    { ImportType: 'EXISTING_KEY_MATERIAL' },
    { KeyMaterialDescription: 'x' },
    { KeyMaterialId: 'a'.repeat(64) },
  ])
    expect((await fails('ImportKeyMaterial', { ...asked, ...more }))[0]).toBe('UnsupportedOperationException');
  await ok('ImportKeyMaterial', asked);
  expect(await refused(KeyId, pkcs8(ec('prime256v1')))).toBe('IncorrectKeyMaterialException');
  for (const action of ['RotateKeyOnDemand', 'ListKeyRotations'])
    expect((await fails(action, { KeyId }))[0]).toBe('UnsupportedOperationException');
});

test.for([
  ['ECC_NIST_P384', 'RSAES_OAEP_SHA_256', ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['ECC_NIST_P256', 'RSA_AES_KEY_WRAP_SHA_256', ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['RSA_2048', 'RSA_AES_KEY_WRAP_SHA_1', ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['ECC_NIST_EDWARDS25519', 'RSAES_OAEP_SHA_1', ['ED25519']],
] as const)('OpenSSL makes a key %s and wraps it by %s', async ([KeySpec, algorithm, kind], { skip }) => {
  const reason = missing('openssl');
  if (reason !== undefined) skip(reason);
  const made = execFileSync('openssl', ['genpkey', '-algorithm', ...kind], { stdio: 'pipe' });
  const key = createPrivateKey(made);
  const KeyId = await externalKey(KeySpec, 'SIGN_VERIFY');
  await ok('ImportKeyMaterial', await importing(KeyId, pkcs8(key), algorithm, wrapByOpenssl));
  expect(await ok('GetPublicKey', { KeyId })).toMatchObject({ PublicKey: spki(createPublicKey(key)) });
});
