/** Import of symmetric key material over the wire: what AWS says of it, and what may not happen. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, callsOf, type Json } from '../../support/kms/calls.ts';
import { startKms, type TestKms } from '../../support/kms/edge.ts';
import { missing } from '../../support/programs.ts';
import {
  WRAPPING_ALGORITHMS,
  wrapByNode,
  wrapByOpenssl,
  type WrappingAlgorithm,
} from '../../support/keys/wrap-material.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

const DAY_S = 24 * 60 * 60;
const FOREVER = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
const nowSeconds = (): number => Math.floor((Date.now() + kms.clock.ms) / 1000);
const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');

async function externalKey(input: object = {}): Promise<string> {
  const { KeyMetadata } = await ok('CreateKey', { Origin: 'EXTERNAL', ...input });
  return String((KeyMetadata as Json)['KeyId']);
}

async function metadata(KeyId: string): Promise<Json> {
  return (await ok('DescribeKey', { KeyId }))['KeyMetadata'] as Json;
}

type Parameters = { readonly ImportToken: string; readonly publicKey: Buffer; readonly algorithm: WrappingAlgorithm };

async function parameters(
  KeyId: string,
  algorithm: WrappingAlgorithm = 'RSAES_OAEP_SHA_256',
  WrappingKeySpec = 'RSA_2048',
): Promise<Parameters> {
  const given = await ok('GetParametersForImport', { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec });
  return { ImportToken: String(given['ImportToken']), publicKey: bytesOf(given['PublicKey']), algorithm };
}

/** What ImportKeyMaterial is asked with. */
function importing(KeyId: string, material: Uint8Array, { ImportToken, publicKey, algorithm }: Parameters): Json {
  const EncryptedKeyMaterial = wrapByNode(algorithm, publicKey, material).toString('base64');
  return { KeyId, ImportToken, EncryptedKeyMaterial, ...FOREVER };
}

async function imported(KeyId: string, material: Uint8Array, more: object = {}): Promise<Json> {
  return ok('ImportKeyMaterial', { ...importing(KeyId, material, await parameters(KeyId)), ...more });
}

async function materials(KeyId: string): Promise<readonly Json[]> {
  return (await ok('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }))['Rotations'] as Json[];
}

async function encrypted(KeyId: string, text = 'text'): Promise<unknown> {
  return (await ok('Encrypt', { KeyId, Plaintext: base64(text) }))['CiphertextBlob'];
}

test('A key whose material is to be imported is there, but of no use', async () => {
  const KeyId = await externalKey({ Description: 'to be imported' });
  const shown = await metadata(KeyId);
  expect(shown).toMatchObject({ Origin: 'EXTERNAL', KeyState: 'PendingImport', Enabled: false });
  for (const member of ['ExpirationModel', 'ValidTo', 'CurrentKeyMaterialId']) expect(shown).not.toHaveProperty(member);
  const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
  expect(await fails('Encrypt', { KeyId, Plaintext: base64('x') })).toEqual(pending);
  expect(await fails('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).toEqual(pending);
  for (const action of ['EnableKey', 'DisableKey', 'RotateKeyOnDemand'])
    expect(await fails(action, { KeyId })).toEqual(pending);
  expect(await materials(KeyId)).toEqual([]);
  await ok('UpdateKeyDescription', { KeyId, Description: 'may be told' });
  await ok('TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] });
  await ok('CreateAlias', { AliasName: `alias/${KeyId}`, TargetKeyId: KeyId });
  await ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  await ok('CancelKeyDeletion', { KeyId });
  expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
});

describe.each(WRAPPING_ALGORITHMS)('Wrapped by %s', (algorithm) => {
  test.each(['RSA_2048', 'RSA_3072', 'RSA_4096'] as const)('under %s, material is imported and used', async (spec) => {
    const KeyId = await externalKey();
    const asked = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: spec };
    const given = await ok('GetParametersForImport', asked);
    expect(given).toMatchObject({ KeyId: arn(`key/${KeyId}`) });
    expect(Math.abs(Number(given['ParametersValidTo']) - nowSeconds() - DAY_S)).toBeLessThan(30);
    const token = { ImportToken: String(given['ImportToken']), publicKey: bytesOf(given['PublicKey']), algorithm };
    const answer = await ok('ImportKeyMaterial', importing(KeyId, randomBytes(32), token));
    expect(answer).toEqual({ KeyId: arn(`key/${KeyId}`), KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/u) });
    expect(await metadata(KeyId)).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      Origin: 'EXTERNAL',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      CurrentKeyMaterialId: answer['KeyMaterialId'],
    });
    const opened = await ok('Decrypt', { CiphertextBlob: await encrypted(KeyId) });
    expect(opened).toMatchObject({ Plaintext: base64('text'), KeyMaterialId: answer['KeyMaterialId'] });
  });

  test('by OpenSSL, it is imported', async ({ skip }) => {
    const reason = missing('openssl');
    if (reason !== undefined) skip(reason);
    const KeyId = await externalKey();
    const { ImportToken, publicKey } = await parameters(KeyId, algorithm);
    const EncryptedKeyMaterial = wrapByOpenssl(algorithm, publicKey, randomBytes(32)).toString('base64');
    await ok('ImportKeyMaterial', { KeyId, ImportToken, EncryptedKeyMaterial, ...FOREVER });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Enabled' });
  });
});

test('The material is what was given: another key with it has another id, and the same key the same', async () => {
  const material = randomBytes(32);
  const [one, other] = [await externalKey(), await externalKey()];
  const first = await imported(one, material);
  expect((await imported(other, material))['KeyMaterialId']).not.toBe(first['KeyMaterialId']);
  expect((await imported(one, material))['KeyMaterialId']).toBe(first['KeyMaterialId']);
});

test('One token may be used again for its key while it is valid, and for no other key', async () => {
  const KeyId = await externalKey();
  const material = randomBytes(32);
  const token = await parameters(KeyId);
  await ok('ImportKeyMaterial', importing(KeyId, material, token));
  await ok('ImportKeyMaterial', importing(KeyId, material, token));
  const [name] = await fails('ImportKeyMaterial', importing(await externalKey(), material, token));
  expect(name).toBe('InvalidImportTokenException');
});

test('A token that was changed at any byte, cut, or of nobody is refused', async () => {
  const KeyId = await externalKey();
  const token = await parameters(KeyId);
  const asked = importing(KeyId, randomBytes(32), token);
  const genuine = bytesOf(token.ImportToken);
  const wrong: Uint8Array[] = [0, 4, 5, 6, 7, 8, 15, 16, 23, 24, 36, 300, genuine.length - 1].map((at) => {
    const changed = Buffer.from(genuine);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  });
  for (const cut of [1, 8, 23, 24, 40, genuine.length - 1]) wrong.push(genuine.subarray(0, cut));
  for (const changed of [...wrong, randomBytes(2000)]) {
    const ImportToken = Buffer.from(changed).toString('base64');
    const [name] = await fails('ImportKeyMaterial', { ...asked, ImportToken });
    expect(name).toBe('InvalidImportTokenException');
  }
  expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
  await ok('ImportKeyMaterial', asked);
});

test('What does not unwrap is one error without a text; what unwraps to no key another', async () => {
  const KeyId = await externalKey();
  for (const algorithm of ['RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_256'] as const) {
    const token = await parameters(KeyId, algorithm);
    const asked = importing(KeyId, randomBytes(32), token);
    const wrapped = bytesOf(asked['EncryptedKeyMaterial']);
    const other = algorithm === 'RSAES_OAEP_SHA_256' ? 'RSAES_OAEP_SHA_1' : 'RSA_AES_KEY_WRAP_SHA_1';
    for (const bytes of [
      ...[0, 255, wrapped.length - 1].map((at) => Buffer.from(wrapped).fill((wrapped[at] ?? 0) ^ 1, at, at + 1)),
      wrapped.subarray(1),
      wrapped.subarray(0, 256 - 1),
      wrapByNode(other, token.publicKey, randomBytes(32)),
      randomBytes(6144),
      Buffer.alloc(1),
    ])
      expect(await fails('ImportKeyMaterial', { ...asked, EncryptedKeyMaterial: bytes.toString('base64') })).toEqual([
        'InvalidCiphertextException',
        undefined,
      ]);
    for (const length of [1, 16, 31, 33, 64])
      expect((await fails('ImportKeyMaterial', importing(KeyId, randomBytes(length), token)))[0]).toBe(
        'IncorrectKeyMaterialException',
      );
  }
  expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
});

test('Token and wrapping key are good for 24 hours', async () => {
  const KeyId = await externalKey();
  const asked = importing(KeyId, randomBytes(32), await parameters(KeyId));
  kms.clock.ms += DAY_S * 1000;
  const refused = await fails('ImportKeyMaterial', asked);
  kms.clock.ms -= DAY_S * 1000;
  expect(refused).toEqual(['ExpiredImportTokenException', 'The import token has expired.']);
  await ok('ImportKeyMaterial', asked);
});

test('What may be asked is what AWS takes', async () => {
  const KeyId = await externalKey();
  const wrapping = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  for (const wrong of [
    { WrappingAlgorithm: 'RSAES_PKCS1_V1_5' },
    { WrappingAlgorithm: 'SM2PKE' },
    { WrappingKeySpec: 'SM2' },
  ])
    expect((await fails('GetParametersForImport', { ...wrapping, ...wrong }))[0]).toBe('UnsupportedOperationException');
  const { KeyMetadata } = await ok('CreateKey');
  const own = String((KeyMetadata as Json)['KeyId']);
  const origin = [
    'UnsupportedOperationException',
    `${arn(`key/${own}`)} origin is AWS_KMS which is not valid for this operation.`,
  ];
  expect(await fails('GetParametersForImport', { ...wrapping, KeyId: own })).toEqual(origin);
  const asked = importing(KeyId, randomBytes(32), await parameters(KeyId));
  expect(await fails('ImportKeyMaterial', { ...asked, KeyId: own })).toEqual(origin);
  expect(await fails('DeleteImportedKeyMaterial', { KeyId: own })).toEqual(origin);
  expect((await fails('GetParametersForImport', { ...wrapping, KeyId: 'alias/x' }))[0]).toBe('NotFoundException');
  const { ExpirationModel: _, ...expiring } = asked;
  const invalid = async (more: object): Promise<unknown> => fails('ImportKeyMaterial', { ...expiring, ...more });
  expect(await invalid({})).toEqual([
    'ValidationException',
    'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
  ]);
  for (const more of [
    { ...FOREVER, ValidTo: nowSeconds() + 60 },
    { ValidTo: nowSeconds() - 1 },
    { ValidTo: nowSeconds() + 365 * DAY_S + 60 },
    { ValidTo: 1e18 },
    { ...FOREVER, KeyMaterialId: 'a'.repeat(64) },
    { ...FOREVER, ImportType: 'NEW_KEY_MATERIAL', KeyMaterialId: 'a'.repeat(64) },
    { ...FOREVER, KeyMaterialDescription: 'ä' },
  ])
    expect(await invalid(more)).toEqual(['ValidationException', expect.any(String)]);
  expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
});

describe('Deleted material', () => {
  test('is gone at once, cached data keys included, until exactly the same is imported again', async () => {
    const KeyId = await externalKey();
    const material = randomBytes(32);
    const { KeyMaterialId } = await imported(KeyId, material);
    const CiphertextBlob = await encrypted(KeyId);
    const made = await kms.keys.generateDataKey(
      { keyId: KeyId, context: {} },
      { principal: 'p', via: 's3', resource: 'r' },
    );
    const open = (): Promise<unknown> =>
      kms.keys.decrypt({ wrapped: made.wrapped, context: {} }, { principal: 'p', via: 's3', resource: 'r' });
    await open();
    expect(await ok('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: arn(`key/${KeyId}`), KeyMaterialId });
    await expect(open()).rejects.toMatchObject({ code: 'ERR_KEYS_INVALID_STATE' });
    const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
    expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: KeyMaterialId });
    expect(await metadata(KeyId)).not.toHaveProperty('ExpirationModel');
    // Again: nothing happens.
    await ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId });
    const wrong = importing(KeyId, randomBytes(32), await parameters(KeyId));
    expect((await fails('ImportKeyMaterial', wrong))[0]).toBe('IncorrectKeyMaterialException');
    expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
    expect(await imported(KeyId, material)).toMatchObject({ KeyMaterialId });
    expect(await ok('Decrypt', { CiphertextBlob })).toMatchObject({ Plaintext: base64('text') });
    await open();
  });

  test('is not of another key, and may be deleted while the key waits for its own deletion', async () => {
    const KeyId = await externalKey();
    await imported(KeyId, randomBytes(32));
    const unknown = { KeyId, KeyMaterialId: 'a'.repeat(64) };
    expect((await fails('DeleteImportedKeyMaterial', unknown))[0]).toBe('NotFoundException');
    const token = await parameters(KeyId);
    await ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    await ok('DeleteImportedKeyMaterial', { KeyId });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingDeletion' });
    const refused = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending deletion.`];
    expect(await fails('ImportKeyMaterial', importing(KeyId, randomBytes(32), token))).toEqual(refused);
    await ok('CancelKeyDeletion', { KeyId });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
  });

  test('A disabled key takes no material; one that waits for it is enabled by it', async () => {
    const KeyId = await externalKey();
    const material = randomBytes(32);
    await imported(KeyId, material);
    await ok('DisableKey', { KeyId });
    const refused = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is disabled.`];
    expect(await fails('ImportKeyMaterial', importing(KeyId, material, await parameters(KeyId)))).toEqual(refused);
    await ok('DeleteImportedKeyMaterial', { KeyId });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    await imported(KeyId, material);
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Enabled' });
  });
});

describe('Material that expires', () => {
  const EXPIRES = { ExpirationModel: 'KEY_MATERIAL_EXPIRES' };

  test('is of no use from that instant on, and comes back when it is imported again', async () => {
    const KeyId = await externalKey();
    const material = randomBytes(32);
    const ValidTo = nowSeconds() + 10 * DAY_S;
    const { KeyMaterialId } = await imported(KeyId, material, { ...EXPIRES, ValidTo });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Enabled', ...EXPIRES, ValidTo });
    const CiphertextBlob = await encrypted(KeyId);
    kms.clock.ms += 10 * DAY_S * 1000 + 1000;
    try {
      const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
      expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
      expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingImport', Enabled: false });
      expect(await materials(KeyId)).toEqual([
        expect.objectContaining({ KeyMaterialId, ImportState: 'PENDING_IMPORT' }),
      ]);
      // Not deleted yet, as nobody ran the schedule: then it is, and all is as before.
      const { expired } = await kms.keys.runDue({ destroy: true });
      expect(expired).toEqual([arn(`key/${KeyId}`)]);
      expect(await kms.keys.runDue({ destroy: true })).toMatchObject({ expired: [] });
      expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
      await imported(KeyId, material, { ...EXPIRES, ValidTo: nowSeconds() + DAY_S });
      expect(await ok('Decrypt', { CiphertextBlob })).toMatchObject({ Plaintext: base64('text') });
      await imported(KeyId, material);
      expect(await metadata(KeyId)).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' });
    } finally {
      kms.clock.ms = 0;
    }
  });
});

describe('Rotation of imported material', () => {
  test('is to what was imported for it, and opens what the old one encrypted', async () => {
    const KeyId = await externalKey();
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const one = (await imported(KeyId, first, { KeyMaterialDescription: 'of 2026' }))['KeyMaterialId'];
    const CiphertextBlob = await encrypted(KeyId);
    const none = [
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${arn(`key/${KeyId}`)}.`,
    ];
    expect(await fails('RotateKeyOnDemand', { KeyId })).toEqual(none);
    const ValidTo = nowSeconds() + DAY_S;
    const fresh = { ImportType: 'NEW_KEY_MATERIAL', KeyMaterialDescription: 'of 2027' };
    const two = (await imported(KeyId, second, { ...fresh, ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo }))[
      'KeyMaterialId'
    ];
    // It waits: nothing is encrypted under it, and its end is not the key's.
    expect(await metadata(KeyId)).toMatchObject({
      CurrentKeyMaterialId: one,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    });
    const expected = { KeyId, ImportState: 'IMPORTED' };
    const [a, b] = [
      {
        ...expected,
        KeyMaterialId: one,
        KeyMaterialDescription: 'of 2026',
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      },
      {
        ...expected,
        KeyMaterialId: two,
        KeyMaterialDescription: 'of 2027',
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
        ValidTo,
      },
    ];
    expect(await materials(KeyId)).toEqual([
      { ...a, KeyMaterialState: 'CURRENT' },
      { ...b, KeyMaterialState: 'PENDING_ROTATION' },
    ]);
    expect((await ok('ListKeyRotations', { KeyId }))['Rotations']).toEqual([]);
    expect(await ok('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId });
    expect(await metadata(KeyId)).toMatchObject({
      CurrentKeyMaterialId: two,
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo,
    });
    const rotated = { ...b, KeyMaterialState: 'CURRENT', RotationType: 'ON_DEMAND', RotationDate: expect.any(Number) };
    expect(await materials(KeyId)).toEqual([{ ...a, KeyMaterialState: 'NON_CURRENT' }, rotated]);
    expect((await ok('ListKeyRotations', { KeyId }))['Rotations']).toEqual([rotated]);
    expect(await ok('Decrypt', { CiphertextBlob })).toMatchObject({ KeyMaterialId: one });
    expect(await ok('Decrypt', { CiphertextBlob: await encrypted(KeyId) })).toMatchObject({ KeyMaterialId: two });
    expect(await fails('RotateKeyOnDemand', { KeyId })).toEqual(none);
  });

  test('Only one material waits; it must be new, and may be given up for another', async () => {
    const KeyId = await externalKey();
    const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    await imported(KeyId, first);
    const fresh = { ImportType: 'NEW_KEY_MATERIAL' };
    const token = await parameters(KeyId);
    const again = { ...importing(KeyId, first, token), ...fresh };
    expect((await fails('ImportKeyMaterial', again))[0]).toBe('IncorrectKeyMaterialException');
    const two = String((await imported(KeyId, second, fresh))['KeyMaterialId']);
    const [name, message] = await fails('ImportKeyMaterial', { ...importing(KeyId, third, token), ...fresh });
    expect(name).toBe('KMSInvalidStateException');
    expect(message).toMatch(
      new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${KeyId}, because another key material \\(id: ${two}\\) is pending rotation\\.$`,
        'u',
      ),
    );
    // To change what is known of the one that waits is an import of what is there already.
    await imported(KeyId, second, {
      ImportType: 'EXISTING_KEY_MATERIAL',
      KeyMaterialId: two,
      KeyMaterialDescription: 'x',
    });
    expect((await materials(KeyId))[1]).toMatchObject({
      KeyMaterialState: 'PENDING_ROTATION',
      KeyMaterialDescription: 'x',
    });
    await ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: two });
    expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    expect(await materials(KeyId)).toHaveLength(1);
    const three = (await imported(KeyId, third, fresh))['KeyMaterialId'];
    await ok('RotateKeyOnDemand', { KeyId });
    expect(await metadata(KeyId)).toMatchObject({ CurrentKeyMaterialId: three });
  });

  test('Of many that are imported at once as new, one waits and all others are refused', async () => {
    const KeyId = await externalKey();
    const token = await parameters(KeyId);
    const first = Array.from({ length: 6 }, () => importing(KeyId, randomBytes(32), token));
    const firsts = await Promise.all(first.map((input) => kms.call('ImportKeyMaterial', input)));
    expect(firsts.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(firsts.map(({ json }) => json?.['__type']))).toEqual(
      new Set([undefined, 'IncorrectKeyMaterialException']),
    );
    const fresh = Array.from({ length: 6 }, () => ({
      ...importing(KeyId, randomBytes(32), token),
      ImportType: 'NEW_KEY_MATERIAL',
    }));
    const seconds = await Promise.all(fresh.map((input) => kms.call('ImportKeyMaterial', input)));
    expect(seconds.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(seconds.map(({ json }) => json?.['__type']))).toEqual(
      new Set([undefined, 'KMSInvalidStateException']),
    );
    expect(await materials(KeyId)).toHaveLength(2);
    await encrypted(KeyId);
  });

  test('With any of its materials missing the key is of no use, until all are there', async () => {
    const KeyId = await externalKey();
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const one = (await imported(KeyId, first))['KeyMaterialId'];
    const two = (await imported(KeyId, second, { ImportType: 'NEW_KEY_MATERIAL' }))['KeyMaterialId'];
    await ok('RotateKeyOnDemand', { KeyId });
    const CiphertextBlob = await encrypted(KeyId);
    await ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: one });
    const pending = ['KMSInvalidStateException', `${arn(`key/${KeyId}`)} is pending import.`];
    expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
    expect((await materials(KeyId)).map((each) => each['ImportState'])).toEqual(['PENDING_IMPORT', 'IMPORTED']);
    await ok('DeleteImportedKeyMaterial', { KeyId });
    // Back in any order, and told apart by their ids.
    const mistaken = { ...importing(KeyId, first, await parameters(KeyId)), KeyMaterialId: two };
    expect((await fails('ImportKeyMaterial', mistaken))[0]).toBe('IncorrectKeyMaterialException');
    await imported(KeyId, second);
    expect(await fails('Decrypt', { CiphertextBlob })).toEqual(pending);
    await imported(KeyId, first, { KeyMaterialId: one });
    expect(await ok('Decrypt', { CiphertextBlob })).toMatchObject({ KeyMaterialId: two });
  });

  test('What waited and has expired is rotated to no more', async () => {
    const KeyId = await externalKey();
    await imported(KeyId, randomBytes(32));
    const ends = { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: nowSeconds() + DAY_S };
    await imported(KeyId, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL', ...ends });
    kms.clock.ms += DAY_S * 1000 + 1000;
    try {
      expect((await fails('RotateKeyOnDemand', { KeyId }))[0]).toBe('KMSInvalidStateException');
      expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Enabled' });
      await kms.keys.runDue({ destroy: true });
      expect(await materials(KeyId)).toHaveLength(1);
      await imported(KeyId, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL' });
      await ok('RotateKeyOnDemand', { KeyId });
    } finally {
      kms.clock.ms = 0;
    }
  });

  test('Automatic rotation is not for it', async () => {
    const KeyId = await externalKey();
    await imported(KeyId, randomBytes(32));
    const refused = [
      'UnsupportedOperationException',
      `${arn(`key/${KeyId}`)} origin is EXTERNAL which is not valid for this operation.`,
    ];
    expect(await fails('EnableKeyRotation', { KeyId })).toEqual(refused);
    expect(await fails('DisableKeyRotation', { KeyId })).toEqual(refused);
    expect(await ok('GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: false });
  });
});
