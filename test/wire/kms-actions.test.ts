import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, CALLER, REGION, startKms, type TestKms } from '../support/kms-edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());

type Json = Readonly<Record<string, unknown>>;
/** The answer of a call that succeeds. */
const ok = async (action: string, input: object = {}): Promise<Json> => {
  const { status, json, text } = await kms.call(action, input);
  expect([action, status, status === 200 ? '' : text]).toEqual([action, 200, '']);
  return json ?? {};
};
/** Name and text of the error of one that does not. */
const fails = async (action: string, input: object = {}): Promise<readonly unknown[]> => {
  const { status, json } = await kms.call(action, input);
  expect(status).toBe(400);
  return [json?.['__type'], json?.['message']];
};
const arn = (resource: string): string => `arn:aws:kms:${REGION}:${ACCOUNT}:${resource}`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const NONE = '134f2428-cec1-4b25-a1ae-9048164dba47';
const context = { purpose: 'test', ä: '€' };
const HEX64 = expect.stringMatching(/^[0-9a-f]{64}$/u) as string;
const SECONDS = expect.any(Number) as number;
const BLOB = expect.stringMatching(/^[A-Za-z0-9+/]+={0,2}$/u) as string;

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

describe('keys', () => {
  test('CreateKey and DescribeKey show a key with exactly the members of AWS', async () => {
    const { KeyMetadata } = await ok('CreateKey', { Description: 'a key', Tags: [{ TagKey: 'team', TagValue: 'a' }] });
    const { KeyId } = KeyMetadata as { KeyId: string };
    expect(KeyMetadata).toEqual({
      AWSAccountId: ACCOUNT,
      KeyId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u) as string,
      Arn: arn(`key/${KeyId}`),
      CreationDate: SECONDS,
      Enabled: true,
      Description: 'a key',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: false,
      CurrentKeyMaterialId: HEX64,
    });
    expect(await ok('DescribeKey', { KeyId })).toEqual({ KeyMetadata });
    const scheduled = await ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    expect(scheduled).toEqual({
      KeyId: arn(`key/${KeyId}`),
      DeletionDate: SECONDS,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
    });
    const { KeyMetadata: pending } = await ok('DescribeKey', { KeyId });
    expect(pending).toMatchObject({
      KeyState: 'PendingDeletion',
      Enabled: false,
      DeletionDate: scheduled['DeletionDate'],
    });
    expect(await ok('CancelKeyDeletion', { KeyId })).toEqual({ KeyId: arn(`key/${KeyId}`) });
    expect((await ok('ScheduleKeyDeletion', { KeyId }))['PendingWindowInDays']).toBe(30);
  });

  test('Kinds of keys that make no sense, or are not built, are told apart', async () => {
    const validation = async (input: object): Promise<unknown> => {
      const [type, message] = await fails('CreateKey', input);
      expect(type).toBe('ValidationException');
      return message;
    };
    expect(await validation({ KeySpec: 'RSA_2048' })).toBe(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    );
    expect(await validation({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' })).toBe(
      'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
    );
    expect(await validation({ KeyUsage: 'SIGN_VERIFY' })).toBe(
      'KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT',
    );
    expect(await validation({ KeySpec: 'RSA_2048', CustomerMasterKeySpec: 'RSA_2048' })).toMatch(
      /^You cannot specify KeySpec and CustomerMasterKeySpec/u,
    );
    for (const input of [
      { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
      { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
      { Origin: 'EXTERNAL' },
      { Origin: 'AWS_CLOUDHSM' },
      { CustomKeyStoreId: 'cks-1' },
      { XksKeyId: 'x' },
      { MultiRegion: true },
    ])
      expect((await fails('CreateKey', input))[0]).toBe('UnsupportedOperationException');
    await ok('CreateKey', {
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
      Origin: 'AWS_KMS',
      MultiRegion: false,
    });
    await ok('CreateKey', { CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' });
  });

  test('Management takes no alias', async () => {
    const KeyId = await kms.key();
    await ok('CreateAlias', { AliasName: 'alias/managed', TargetKeyId: KeyId });
    for (const [action, input] of [
      ['EnableKey', {}],
      ['DisableKey', {}],
      ['UpdateKeyDescription', { Description: '' }],
      ['TagResource', { Tags: [] }],
      ['UntagResource', { TagKeys: [] }],
      ['ListResourceTags', {}],
      ['ScheduleKeyDeletion', {}],
      ['CancelKeyDeletion', {}],
      ['EnableKeyRotation', {}],
      ['DisableKeyRotation', {}],
      ['GetKeyRotationStatus', {}],
      ['RotateKeyOnDemand', {}],
      ['ListKeyRotations', {}],
      ['GetKeyPolicy', {}],
      ['PutKeyPolicy', { Policy: '{}' }],
      ['ListKeyPolicies', {}],
      ['GetKeyLastUsage', {}],
      ['ListAliases', {}],
    ] as const)
      expect(await fails(action, { KeyId: 'alias/managed', ...input })).toEqual([
        'NotFoundException',
        "Invalid keyId 'alias/managed'",
      ]);
    expect(await fails('CreateAlias', { AliasName: 'alias/other', TargetKeyId: 'alias/managed' })).toEqual([
      'NotFoundException',
      "Invalid keyId 'alias/managed'",
    ]);
    expect(await fails('UpdateAlias', { AliasName: 'alias/managed', TargetKeyId: 'alias/managed' })).toEqual([
      'NotFoundException',
      "Invalid keyId 'alias/managed'",
    ]);
  });
});

describe('aliases', () => {
  test('are made, moved, listed and removed', async () => {
    const [a, b] = [await kms.key(), await kms.key()];
    await ok('CreateAlias', { AliasName: 'alias/moving', TargetKeyId: a });
    expect(await fails('CreateAlias', { AliasName: 'alias/moving', TargetKeyId: b })).toEqual([
      'AlreadyExistsException',
      `An alias with the name ${arn('alias/moving')} already exists`,
    ]);
    await ok('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: arn(`key/${b}`) });
    const { Aliases } = await ok('ListAliases', { KeyId: b });
    expect(Aliases).toEqual([
      {
        AliasName: 'alias/moving',
        AliasArn: arn('alias/moving'),
        TargetKeyId: b,
        CreationDate: SECONDS,
        LastUpdatedDate: SECONDS,
      },
    ]);
    await ok('DeleteAlias', { AliasName: 'alias/moving' });
    const none = ['NotFoundException', `Alias ${arn('alias/moving')} is not found.`];
    expect(await fails('DeleteAlias', { AliasName: 'alias/moving' })).toEqual(none);
    expect(await fails('UpdateAlias', { AliasName: 'alias/moving', TargetKeyId: b })).toEqual(none);
    expect(await ok('ListAliases', { KeyId: b })).toEqual({ Aliases: [], Truncated: false });
  });

  test('need their prefix, and not that of AWS; a key has 50 at most', async () => {
    const TargetKeyId = await kms.key();
    const prefix = [
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    ];
    for (const action of ['CreateAlias', 'UpdateAlias', 'DeleteAlias'])
      expect(await fails(action, { AliasName: 'noprefix', TargetKeyId })).toEqual(prefix);
    expect((await fails('CreateAlias', { AliasName: 'alias/aws/s3', TargetKeyId }))[0]).toBe(
      'InvalidAliasNameException',
    );
    expect((await fails('CreateAlias', { AliasName: 'alias/', TargetKeyId }))[0]).toBe('ValidationException');
    for (let at = 0; at < 50; at += 1) await ok('CreateAlias', { AliasName: `alias/many/${at}`, TargetKeyId });
    expect((await fails('CreateAlias', { AliasName: 'alias/many/50', TargetKeyId }))[0]).toBe('LimitExceededException');
  });
});

describe('tags', () => {
  test('are added, replaced, listed and removed', async () => {
    const KeyId = await kms.key({ Tags: [{ TagKey: 'b', TagValue: '1' }] });
    await ok('TagResource', {
      KeyId,
      Tags: [
        { TagKey: 'a', TagValue: '' },
        { TagKey: 'b', TagValue: '2' },
      ],
    });
    expect(await ok('ListResourceTags', { KeyId })).toEqual({
      Tags: [
        { TagKey: 'a', TagValue: '' },
        { TagKey: 'b', TagValue: '2' },
      ],
      Truncated: false,
    });
    await ok('UntagResource', { KeyId, TagKeys: ['a', 'never'] });
    expect((await ok('ListResourceTags', { KeyId }))['Tags']).toEqual([{ TagKey: 'b', TagValue: '2' }]);
  });

  test('have AWS’s rules', async () => {
    const KeyId = await kms.key();
    const many = Array.from({ length: 51 }, (_, at) => ({ TagKey: `k${at}`, TagValue: 'v' }));
    const twice = [
      { TagKey: 'a', TagValue: '1' },
      { TagKey: 'a', TagValue: '2' },
    ];
    for (const [Tags, text] of [
      [many, 'Too many tags'],
      [twice, 'Duplicate tag keys'],
      [[{ TagKey: 'aws:x', TagValue: '' }], 'Tags beginning with aws: are reserved'],
    ] as const) {
      expect(await fails('TagResource', { KeyId, Tags })).toEqual(['TagException', text]);
      expect(await fails('CreateKey', { Tags })).toEqual(['TagException', text]);
    }
  });
});

describe('policies', () => {
  test('are kept as they were put, and there is one', async () => {
    const Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"${CALLER.principal}"},"Action":"kms:*","Resource":"*"}]}`;
    const KeyId = await kms.key({ Policy });
    expect(await ok('GetKeyPolicy', { KeyId, PolicyName: 'default' })).toEqual({ Policy, PolicyName: 'default' });
    await ok('PutKeyPolicy', { KeyId, Policy: ` ${Policy}\n` });
    expect((await ok('GetKeyPolicy', { KeyId }))['Policy']).toBe(` ${Policy}\n`);
    expect(await ok('ListKeyPolicies', { KeyId })).toEqual({ PolicyNames: ['default'], Truncated: false });
    for (const action of ['GetKeyPolicy', 'PutKeyPolicy'])
      expect(await fails(action, { KeyId, Policy, PolicyName: 'other' })).toEqual([
        'NotFoundException',
        'No such policy exists',
      ]);
  });

  test('that are none are refused, and so are those too long', async () => {
    const KeyId = await kms.key();
    for (const Policy of [
      'not json',
      '{}',
      '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}],"Statement":[]}',
    ]) {
      expect((await fails('PutKeyPolicy', { KeyId, Policy }))[0]).toBe('MalformedPolicyDocumentException');
      expect((await fails('CreateKey', { Policy }))[0]).toBe('MalformedPolicyDocumentException');
    }
    const long = JSON.stringify({
      Statement: { Sid: 'x'.repeat(33_000), Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
    });
    expect((await fails('PutKeyPolicy', { KeyId, Policy: long }))[0]).toBe('LimitExceededException');
  });
});

describe('rotation', () => {
  test('is turned on and off, made on demand, and listed', async () => {
    const KeyId = await kms.key();
    expect(await ok('GetKeyRotationStatus', { KeyId })).toEqual({ KeyRotationEnabled: false, KeyId });
    await ok('EnableKeyRotation', { KeyId });
    expect(await ok('GetKeyRotationStatus', { KeyId })).toEqual({
      KeyRotationEnabled: true,
      KeyId,
      RotationPeriodInDays: 365,
      NextRotationDate: SECONDS,
    });
    await ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    expect((await ok('GetKeyRotationStatus', { KeyId }))['RotationPeriodInDays']).toBe(90);
    await ok('DisableKeyRotation', { KeyId });
    expect(await ok('ListKeyRotations', { KeyId })).toEqual({ Rotations: [], Truncated: false });
    expect(await ok('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId });
    expect(await ok('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).toEqual({
      Rotations: [
        { KeyId, KeyMaterialId: HEX64, KeyMaterialState: 'NON_CURRENT' },
        { KeyId, KeyMaterialId: HEX64, KeyMaterialState: 'CURRENT', RotationDate: SECONDS, RotationType: 'ON_DEMAND' },
      ],
      Truncated: false,
    });
    expect((await ok('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ROTATIONS_ONLY' }))['Rotations']).toHaveLength(
      1,
    );
    for (let count = 1; count < 25; count += 1) await ok('RotateKeyOnDemand', { KeyId });
    expect(await fails('RotateKeyOnDemand', { KeyId })).toEqual([
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn(`key/${KeyId}`)}`,
    ]);
  });

  test('on demand conflicts with one that is about to come', async () => {
    const KeyId = await kms.key();
    await ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    kms.clock.ms += (90 * 24 * 60 - 10) * 60_000;
    try {
      expect((await fails('RotateKeyOnDemand', { KeyId }))[0]).toBe('ConflictException');
    } finally {
      kms.clock.ms -= (90 * 24 * 60 - 10) * 60_000;
    }
  });
});

test('Lists come in pages, each item once; a marker of another list or nobody’s is refused', async () => {
  await using fresh = await startKms();
  for (let at = 0; at < 7; at += 1) {
    const TargetKeyId = await fresh.key({ Tags: [{ TagKey: `t${at}`, TagValue: '' }] });
    await fresh.call('CreateAlias', { AliasName: `alias/${at}`, TargetKeyId });
  }
  const markers: Record<string, string> = {};
  for (const [action, list, name] of [
    ['ListKeys', 'Keys', 'KeyId'],
    ['ListAliases', 'Aliases', 'AliasName'],
  ] as const) {
    const seen: unknown[] = [];
    let Marker: unknown;
    for (let pages = 0; pages < 4; pages += 1) {
      const { json } = await fresh.call(action, { Limit: 2, Marker });
      seen.push(...(json?.[list] as Json[]).map((item) => item[name]));
      expect(json?.['Truncated']).toBe(pages < 3);
      Marker = json?.['NextMarker'];
      if (pages === 0) markers[action] = String(Marker);
    }
    expect(Marker).toBeUndefined();
    expect([seen.length, new Set(seen).size]).toEqual([7, 7]);
  }
  for (const Marker of [markers['ListAliases'], 'nonsense', `x${markers['ListKeys'] ?? ''}`]) {
    const { json } = await fresh.call('ListKeys', { Marker });
    expect(json?.['__type']).toBe('InvalidMarkerException');
  }
});

test('GetKeyLastUsage tells what a key was last used for, by which request', async () => {
  const KeyId = await kms.key();
  const never = await ok('GetKeyLastUsage', { KeyId });
  expect(never).toEqual({ KeyId, KeyLastUsage: {}, TrackingStartDate: SECONDS, KeyCreationDate: SECONDS });
  const { headers } = await kms.call('GenerateDataKey', { KeyId, NumberOfBytes: 32 });
  expect((await ok('GetKeyLastUsage', { KeyId }))['KeyLastUsage']).toEqual({
    Operation: 'GenerateDataKey',
    Timestamp: SECONDS,
    KmsRequestId: headers['x-amzn-requestid'],
  });
});

test('Who the authorizer denies is told in AWS’s words', async () => {
  const authorizer = { decide: ({ action }: { action: string }) => ({ allow: action !== 'Encrypt', why: 'test' }) };
  await using denying = await startKms({ ports: { authorizer } });
  const KeyId = await denying.key();
  const { status, json } = await denying.call('Encrypt', { KeyId, Plaintext: base64('x') });
  expect([status, json]).toEqual([
    400,
    {
      __type: 'AccessDeniedException',
      message: `User: ${CALLER.principal} is not authorized to perform: kms:Encrypt on resource: ${arn(`key/${KeyId}`)}`,
    },
  ]);
});

test('A policy that would lock its caller out is refused where the authorizer says so', async () => {
  const { KeysError } = await import('../../src/keys/errors.ts');
  const text = 'The new key policy will not allow you to update the key policy in the future.';
  const checkLockout = (): void => {
    throw new KeysError('ERR_KEYS_POLICY_LOCKOUT', text);
  };
  await using locking = await startKms({
    ports: { authorizer: { decide: () => ({ allow: true, why: 'test' }), checkLockout } },
  });
  const Policy = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}';
  const { json } = await locking.call('CreateKey', { Policy });
  expect(json).toEqual({ __type: 'MalformedPolicyDocumentException', message: text });
  expect((await locking.call('CreateKey', { Policy, BypassPolicyLockoutSafetyCheck: true })).status).toBe(200);
});
