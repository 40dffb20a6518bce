/** HMAC keys over the wire: what AWS makes of them, and the one thing that they do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, callsOf, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const KINDS = [
  ['HMAC_224', 'HMAC_SHA_224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 64],
] as const;

async function macKey(KeySpec = 'HMAC_256'): Promise<string> {
  const { KeyMetadata } = await ok('CreateKey', { KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' });
  return String((KeyMetadata as Json)['KeyId']);
}

describe.each(KINDS)('%s', (KeySpec, MacAlgorithm, length) => {
  test('is described with its usage and algorithm, and no material id', async () => {
    const { KeyMetadata } = await ok('DescribeKey', { KeyId: await macKey(KeySpec) });
    const shown = { KeyUsage: 'GENERATE_VERIFY_MAC', KeySpec, CustomerMasterKeySpec: KeySpec, KeyState: 'Enabled' };
    expect(KeyMetadata).toMatchObject({ ...shown, MacAlgorithms: [MacAlgorithm] });
    for (const member of ['EncryptionAlgorithms', 'CurrentKeyMaterialId'])
      expect(KeyMetadata).not.toHaveProperty(member);
  });

  test('makes MACs of its own length, always the same, and verifies nothing else', async () => {
    const KeyId = await macKey(KeySpec);
    const asked = { KeyId, MacAlgorithm, Message: base64('message') };
    const made = await ok('GenerateMac', asked);
    expect(made).toEqual({ KeyId: arn(`key/${KeyId}`), Mac: expect.any(String), MacAlgorithm });
    const mac = Buffer.from(String(made['Mac']), 'base64');
    expect(mac).toHaveLength(length);
    expect(await ok('GenerateMac', asked)).toEqual(made);
    expect(await ok('VerifyMac', { ...asked, Mac: made['Mac'] })).toEqual({
      KeyId: arn(`key/${KeyId}`),
      MacValid: true,
      MacAlgorithm,
    });
    const flipped = Buffer.from(mac);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const longer = Buffer.concat([mac, Buffer.alloc(1)]);
    for (const wrong of [flipped, mac.subarray(1), longer])
      expect((await fails('VerifyMac', { ...asked, Mac: wrong.toString('base64') }))[0]).toBe('KMSInvalidMacException');
    const others = [{ Message: base64('messagf') }, { KeyId: await macKey(KeySpec) }];
    for (const other of others)
      expect((await fails('VerifyMac', { ...asked, Mac: made['Mac'], ...other }))[0]).toBe('KMSInvalidMacException');
  });

  test('goes with its own algorithm alone', async () => {
    const KeyId = await macKey(KeySpec);
    for (const [, other] of KINDS.filter(([spec]) => spec !== KeySpec))
      expect(await fails('GenerateMac', { KeyId, MacAlgorithm: other, Message: base64('m') })).toEqual([
        'InvalidKeyUsageException',
        `Algorithm ${other} is incompatible with key spec ${KeySpec}.`,
      ]);
  });
});

// Terraform asks it of every key, and takes an error for a failure.
test('GetKeyRotationStatus says of an HMAC key that it is not rotated', async () => {
  const KeyId = await macKey();
  expect(await ok('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId, KeyRotationEnabled: false });
});

describe('one usage for a key’s whole life', () => {
  test.each([
    ['Encrypt', { Plaintext: base64('x') }],
    ['GenerateDataKey', { NumberOfBytes: 32 }],
    ['GenerateDataKeyWithoutPlaintext', { NumberOfBytes: 32 }],
  ])('%s is not what an HMAC key is for', async (action, input) => {
    const KeyId = await macKey();
    expect(await fails(action, { KeyId, ...input })).toEqual([
      'InvalidKeyUsageException',
      `${arn(`key/${KeyId}`)} key usage is GENERATE_VERIFY_MAC which is not valid for ${action}.`,
    ]);
  });

  test('nor is decrypting, by its name or by a ciphertext that was made to name it', async () => {
    const [KeyId, symmetric] = [await macKey(), await kms.key()];
    const { CiphertextBlob } = await ok('Encrypt', { KeyId: symmetric, Plaintext: base64('x') });
    expect((await fails('Decrypt', { KeyId, CiphertextBlob }))[0]).toBe('InvalidKeyUsageException');
    const blob = Buffer.from(String(CiphertextBlob), 'base64');
    // The key's UUID (docs/FORMAT.md, "Wrapped key").
    Buffer.from(KeyId.replaceAll('-', ''), 'hex').copy(blob, 5);
    const [name] = await fails('Decrypt', { CiphertextBlob: blob.toString('base64') });
    expect(['InvalidCiphertextException', 'InvalidKeyUsageException']).toContain(name);
    const destination = { CiphertextBlob, DestinationKeyId: KeyId };
    expect((await fails('ReEncrypt', destination))[0]).toBe('InvalidKeyUsageException');
  });

  test.each(['GenerateMac', 'VerifyMac'])('%s is not what a symmetric key is for', async (action) => {
    const KeyId = await kms.key();
    const asked = { KeyId, MacAlgorithm: 'HMAC_SHA_256', Message: base64('m') };
    expect(await fails(action, action === 'VerifyMac' ? { ...asked, Mac: base64('x') } : asked)).toEqual([
      'InvalidKeyUsageException',
      `${arn(`key/${KeyId}`)} key usage is ENCRYPT_DECRYPT which is not valid for ${action}.`,
    ]);
  });

  test.each([
    ['EnableKeyRotation', {}],
    ['DisableKeyRotation', {}],
    ['RotateKeyOnDemand', {}],
    ['ListKeyRotations', {}],
  ])('%s is for symmetric keys', async (action, input) => {
    expect((await fails(action, { KeyId: await macKey(), ...input }))[0]).toBe('UnsupportedOperationException');
  });
});

test('States, dry runs, aliases and grants hold as for any key', async () => {
  const KeyId = await macKey();
  const asked = { MacAlgorithm: 'HMAC_SHA_256', Message: base64('m') };
  await ok('CreateAlias', { AliasName: 'alias/mac', TargetKeyId: KeyId });
  const { Mac } = await ok('GenerateMac', { KeyId: 'alias/mac', ...asked });
  const dry = async (action: string, input: object): Promise<unknown> =>
    (await fails(action, { KeyId, ...asked, ...input, DryRun: true }))[0];
  expect(await dry('GenerateMac', {})).toBe('DryRunOperationException');
  expect(await dry('VerifyMac', { Mac })).toBe('DryRunOperationException');
  // It would not have succeeded.
  for (const Wrong of [Buffer.alloc(32).toString('base64'), base64('m')])
    expect(await dry('VerifyMac', { Mac: Wrong })).toBe('KMSInvalidMacException');
  const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/g` };
  await ok('CreateGrant', { ...grant, Operations: ['GenerateMac', 'VerifyMac'] });
  expect((await fails('CreateGrant', { ...grant, Operations: ['Encrypt'] }))[0]).toBe('ValidationException');
  expect(await ok('GetKeyLastUsage', { KeyId })).toMatchObject({ KeyLastUsage: { Operation: 'GenerateMac' } });
  await ok('DisableKey', { KeyId });
  expect((await fails('VerifyMac', { KeyId, ...asked, Mac }))[0]).toBe('DisabledException');
  expect((await fails('GenerateMac', { KeyId, ...asked }))[0]).toBe('DisabledException');
});

test('CreateKey wants the usage said, and the one that fits', async () => {
  expect(await fails('CreateKey', { KeySpec: 'HMAC_256' })).toEqual([
    'ValidationException',
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
  ]);
  expect((await fails('CreateKey', { KeySpec: 'HMAC_256', KeyUsage: 'ENCRYPT_DECRYPT' }))[0]).toBe(
    'ValidationException',
  );
});
