import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, BLOB, callsOf, HEX64 } from '../../support/kms/calls.ts';
import { ACCOUNT, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);
const NONE = '134f2428-cec1-4b25-a1ae-9048164dba47';
const context = { purpose: 'test', ä: '€' };

describe('Encrypt, Decrypt, ReEncrypt', () => {
  test('answer with exactly the members of AWS, the key as its ARN', async () => {
    const KeyId = await kms.key();
    const sealed = await ok('Encrypt', { KeyId, Plaintext: base64('secret'), EncryptionContext: context });
    expect(sealed).toEqual({
      CiphertextBlob: BLOB,
      KeyId: arn(`key/${KeyId}`),
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    });
    const opened = await ok('Decrypt', { CiphertextBlob: sealed['CiphertextBlob'], EncryptionContext: context });
    expect(opened).toEqual({
      KeyId: arn(`key/${KeyId}`),
      Plaintext: base64('secret'),
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: HEX64,
    });
    const other = await kms.key();
    const moved = await ok('ReEncrypt', {
      CiphertextBlob: sealed['CiphertextBlob'],
      SourceEncryptionContext: context,
      DestinationKeyId: other,
    });
    expect(moved).toEqual({
      CiphertextBlob: BLOB,
      SourceKeyId: arn(`key/${KeyId}`),
      KeyId: arn(`key/${other}`),
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      SourceKeyMaterialId: HEX64,
      DestinationKeyMaterialId: HEX64,
    });
    expect((await ok('Decrypt', { CiphertextBlob: moved['CiphertextBlob'] }))['Plaintext']).toBe(base64('secret'));
  });

  test('take the key by id, ARN, alias and alias ARN', async () => {
    const KeyId = await kms.key();
    await ok('CreateAlias', { AliasName: 'alias/team/crypto', TargetKeyId: KeyId });
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    for (const name of [KeyId, arn(`key/${KeyId}`), 'alias/team/crypto', arn('alias/team/crypto')]) {
      expect((await ok('Encrypt', { KeyId: name, Plaintext: base64('x') }))['KeyId']).toBe(arn(`key/${KeyId}`));
      expect((await ok('Decrypt', { KeyId: name, CiphertextBlob }))['KeyId']).toBe(arn(`key/${KeyId}`));
    }
  });

  test('name what is wrong as AWS does', async () => {
    const KeyId = await kms.key();
    const other = await kms.key();
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x'), EncryptionContext: { a: 'bc' } });
    const plaintext = { Plaintext: base64('x') };
    expect(await fails('Encrypt', { KeyId: NONE, ...plaintext })).toEqual([
      'NotFoundException',
      `Key '${arn(`key/${NONE}`)}' does not exist`,
    ]);
    expect(await fails('Encrypt', { KeyId: 'fake-key-id', ...plaintext })).toEqual([
      'NotFoundException',
      "Invalid keyId 'fake-key-id'",
    ]);
    expect(await fails('Encrypt', { KeyId: 'alias/none', ...plaintext })).toEqual([
      'NotFoundException',
      `Alias ${arn('alias/none')} is not found.`,
    ]);
    expect(await fails('Encrypt', { KeyId: 'arn:aws:kms:nowhere', ...plaintext })).toEqual([
      'InvalidArnException',
      'Invalid arn arn:aws:kms:nowhere',
    ]);
    const elsewhere = `arn:aws:kms:us-west-1:${ACCOUNT}:key/${NONE}`;
    expect(await fails('Encrypt', { KeyId: elsewhere, ...plaintext })).toEqual([
      'NotFoundException',
      'Invalid arn us-west-1',
    ]);
    const rsa = { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' };
    const usage = [
      'InvalidKeyUsageException',
      'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
    ];
    expect(await fails('Encrypt', { KeyId, ...plaintext, ...rsa })).toEqual(usage);
    expect(await fails('Decrypt', { CiphertextBlob, ...rsa })).toEqual(usage);
    // No message: which part is wrong is not said. `{"ab":"c"}` is not `{"a":"bc"}`.
    for (const EncryptionContext of [undefined, {}, { ab: 'c' }, { a: 'bC' }, { A: 'bc' }])
      expect(await fails('Decrypt', { CiphertextBlob, EncryptionContext })).toEqual([
        'InvalidCiphertextException',
        undefined,
      ]);
    expect(await fails('Decrypt', { CiphertextBlob: base64('nonsense') })).toEqual([
      'InvalidCiphertextException',
      undefined,
    ]);
    const incorrect = [
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    ];
    expect(await fails('Decrypt', { CiphertextBlob, KeyId: other, EncryptionContext: { a: 'bc' } })).toEqual(incorrect);
    expect(await fails('ReEncrypt', { CiphertextBlob, SourceKeyId: other, DestinationKeyId: other })).toEqual(
      incorrect,
    );
    expect(await fails('Decrypt', { CiphertextBlob: 'AQICAHhLg5z4Gk7GWbV8yE6W' })).toEqual([
      'InvalidCiphertextException',
      'This ciphertext is of AWS KMS itself, whose keys are not here.',
    ]);
    expect(await fails('Decrypt', {})).toEqual([
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
    ]);
    expect((await fails('Encrypt', { KeyId, ...plaintext, EncryptionContext: { a: 'x'.repeat(20_000) } }))[0]).toBe(
      'ValidationException',
    );
    expect(await fails('Encrypt', { KeyId, ...plaintext, GrantTokens: ['t'] })).toEqual([
      'InvalidGrantTokenException',
      'A grant token is not valid.',
    ]);
  });

  test('A ciphertext whose key is not here is refused without saying so', async () => {
    await using elsewhere = await startKms();
    const KeyId = await elsewhere.key();
    const { json } = await elsewhere.call('Encrypt', { KeyId, Plaintext: base64('x') });
    const text =
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.';
    expect(await fails('Decrypt', { CiphertextBlob: json?.['CiphertextBlob'] })).toEqual([
      'AccessDeniedException',
      text,
    ]);
  });

  test('Attestation is refused, not faked', async () => {
    const KeyId = await kms.key();
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: base64('document') };
    const refused = ['UnsupportedOperationException', 'Attestation (Recipient) is not supported.'];
    expect(await fails('Decrypt', { CiphertextBlob, Recipient })).toEqual(refused);
    expect(await fails('GenerateDataKey', { KeyId, NumberOfBytes: 32, Recipient })).toEqual(refused);
    expect(await fails('GenerateRandom', { NumberOfBytes: 32, Recipient })).toEqual(refused);
  });
});

describe('data keys and random bytes', () => {
  test('have the length asked for, and open to the plaintext that was given', async () => {
    const KeyId = await kms.key();
    for (const [asked, bytes] of [
      [{ KeySpec: 'AES_128' }, 16],
      [{ KeySpec: 'AES_256' }, 32],
      [{ NumberOfBytes: 1 }, 1],
      [{ NumberOfBytes: 1024 }, 1024],
    ] as const) {
      const made = await ok('GenerateDataKey', { KeyId, EncryptionContext: context, ...asked });
      expect(made).toEqual({ CiphertextBlob: BLOB, Plaintext: BLOB, KeyId: arn(`key/${KeyId}`), KeyMaterialId: HEX64 });
      expect(Buffer.from(String(made['Plaintext']), 'base64')).toHaveLength(bytes);
      const opened = await ok('Decrypt', { CiphertextBlob: made['CiphertextBlob'], EncryptionContext: context });
      expect(opened['Plaintext']).toBe(made['Plaintext']);
      const hidden = await ok('GenerateDataKeyWithoutPlaintext', { KeyId, ...asked });
      expect(hidden).toEqual({ CiphertextBlob: BLOB, KeyId: arn(`key/${KeyId}`), KeyMaterialId: HEX64 });
      expect(
        Buffer.from(String((await ok('Decrypt', { CiphertextBlob: hidden['CiphertextBlob'] }))['Plaintext']), 'base64'),
      ).toHaveLength(bytes);
    }
    const random = await ok('GenerateRandom', { NumberOfBytes: 100 });
    expect(Buffer.from(String(random['Plaintext']), 'base64')).toHaveLength(100);
    expect(await ok('GenerateRandom', { NumberOfBytes: 100 })).not.toEqual(random);
  });

  test('need exactly one length', async () => {
    const KeyId = await kms.key();
    const one = ['ValidationException', 'Please specify either number of bytes or key spec.'];
    for (const action of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']) {
      expect(await fails(action, { KeyId })).toEqual(one);
      expect(await fails(action, { KeyId, NumberOfBytes: 32, KeySpec: 'AES_256' })).toEqual(one);
    }
    expect(await fails('GenerateRandom')).toEqual(['ValidationException', 'NumberOfBytes is required.']);
    expect(await fails('GenerateRandom', { NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' })).toEqual([
      'UnsupportedOperationException',
      'Custom key stores are not supported.',
    ]);
  });
});

describe('dry runs', () => {
  test('say that the request would have succeeded, and otherwise what would have failed', async () => {
    const KeyId = await kms.key();
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    const requests: readonly (readonly [string, object])[] = [
      ['Encrypt', { KeyId, Plaintext: base64('x') }],
      ['Decrypt', { CiphertextBlob }],
      ['Decrypt', { KeyId, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
      ['Decrypt', { KeyId, CiphertextBlob: base64('ignored'), DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
      ['ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }],
      ['ReEncrypt', { SourceKeyId: KeyId, DestinationKeyId: KeyId, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
      ['GenerateDataKey', { KeyId, NumberOfBytes: 32 }],
      ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
    ];
    const would = ['DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.'];
    for (const [action, input] of requests) expect(await fails(action, { ...input, DryRun: true })).toEqual(would);
    await ok('DisableKey', { KeyId });
    for (const [action, input] of requests)
      expect(await fails(action, { ...input, DryRun: true })).toEqual([
        'DisabledException',
        `${arn(`key/${KeyId}`)} is disabled.`,
      ]);
  });

  test('Modifiers belong to a dry run that names a key', async () => {
    const KeyId = await kms.key();
    const modifiers = { DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
    for (const input of [
      { KeyId, ...modifiers },
      { KeyId, DryRun: false, ...modifiers },
      { DryRun: true, ...modifiers },
    ])
      expect((await fails('Decrypt', input))[0]).toBe('ValidationException');
    expect((await fails('ReEncrypt', { DestinationKeyId: KeyId, DryRun: true, ...modifiers }))[0]).toBe(
      'ValidationException',
    );
  });
});

describe('states', () => {
  const uses = async (KeyId: string, CiphertextBlob: unknown): Promise<readonly unknown[]> => {
    const results = [];
    for (const [action, input] of [
      ['Encrypt', { KeyId, Plaintext: base64('x') }],
      ['Decrypt', { CiphertextBlob }],
      ['ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }],
      ['GenerateDataKey', { KeyId, NumberOfBytes: 1 }],
      ['GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 1 }],
    ] as const)
      results.push(await fails(action, input));
    return results;
  };

  test('A disabled key is used for nothing, one pending deletion likewise, and both in AWS’s words', async () => {
    const KeyId = await kms.key();
    const name = arn(`key/${KeyId}`);
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    await ok('DisableKey', { KeyId });
    expect(await uses(KeyId, CiphertextBlob)).toEqual(Array(5).fill(['DisabledException', `${name} is disabled.`]));
    await ok('ScheduleKeyDeletion', { KeyId });
    expect(await uses(KeyId, CiphertextBlob)).toEqual(
      Array(5).fill(['KMSInvalidStateException', `${name} is pending deletion.`]),
    );
    await ok('CancelKeyDeletion', { KeyId });
    expect(await uses(KeyId, CiphertextBlob)).toEqual(Array(5).fill(['DisabledException', `${name} is disabled.`]));
    await ok('EnableKey', { KeyId });
    await ok('Decrypt', { CiphertextBlob });
  });

  test('What a key may have done to it in each state is what AWS allows', async () => {
    const changes = (KeyId: string): readonly (readonly [string, object])[] => [
      ['CreateAlias', { AliasName: `alias/${KeyId}`, TargetKeyId: KeyId }],
      ['EnableKey', { KeyId }],
      ['DisableKey', { KeyId }],
      ['TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }],
      ['UntagResource', { KeyId, TagKeys: ['a'] }],
      ['UpdateKeyDescription', { KeyId, Description: 'x' }],
      ['ScheduleKeyDeletion', { KeyId }],
      ['EnableKeyRotation', { KeyId }],
      ['DisableKeyRotation', { KeyId }],
      ['RotateKeyOnDemand', { KeyId }],
      ['CancelKeyDeletion', { KeyId }],
      [
        'PutKeyPolicy',
        {
          KeyId,
          Policy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } }),
        },
      ],
      ['GetKeyPolicy', { KeyId }],
      ['ListKeyPolicies', { KeyId }],
      ['ListResourceTags', { KeyId }],
      ['DescribeKey', { KeyId }],
      ['GetKeyRotationStatus', { KeyId }],
      ['ListKeyRotations', { KeyId }],
      ['GetKeyLastUsage', { KeyId }],
    ];
    const outcomes = async (
      prepare: (KeyId: string) => Promise<unknown>,
    ): Promise<Readonly<Record<string, unknown>>> => {
      const found: Record<string, unknown> = {};
      for (const at of changes('').keys()) {
        const KeyId = await kms.key();
        await prepare(KeyId);
        const [action, input] = changes(KeyId)[at] ?? ['', {}];
        const { json } = await kms.call(action, input);
        found[action] = json?.['__type'] ?? 'done';
      }
      return found;
    };
    const state = 'KMSInvalidStateException';
    const done = Object.fromEntries(changes('').map(([action]) => [action, 'done']));
    expect(await outcomes(async () => undefined)).toEqual({ ...done, CancelKeyDeletion: state });
    expect(await outcomes((KeyId) => ok('DisableKey', { KeyId }))).toEqual({
      ...done,
      CancelKeyDeletion: state,
      EnableKeyRotation: 'DisabledException',
      DisableKeyRotation: 'DisabledException',
      RotateKeyOnDemand: 'DisabledException',
    });
    expect(await outcomes((KeyId) => ok('ScheduleKeyDeletion', { KeyId }))).toEqual({
      ...done,
      ...Object.fromEntries(
        [
          'CreateAlias',
          'EnableKey',
          'DisableKey',
          'TagResource',
          'UntagResource',
          'UpdateKeyDescription',
          'ScheduleKeyDeletion',
          'EnableKeyRotation',
          'DisableKeyRotation',
          'RotateKeyOnDemand',
        ].map((action) => [action, state]),
      ),
    });
  });
});
