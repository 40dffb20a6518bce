import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, base64, callsOf, HEX64, SECONDS, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok, fails } = callsOf(() => kms);

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

  test('A key whose current material is suspended or compromised is Disabled, and EnableKey does not help', async () => {
    const use = { principal: CALLER.principal, via: 'cli', resource: 'test' } as const;
    const reason = 'a test';
    const KeyId = await kms.key();
    const { CiphertextBlob } = await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    for (const hold of [
      () => kms.keys.materials.suspend({ keyId: KeyId, reason }, use),
      () => kms.keys.materials.markCompromised({ keyId: KeyId, reason, stillOpens: false }, use),
    ]) {
      await hold();
      expect(await ok('DescribeKey', { KeyId })).toMatchObject({
        KeyMetadata: { KeyState: 'Disabled', Enabled: false },
      });
      const disabled = ['DisabledException', `${arn(`key/${KeyId}`)} is disabled.`];
      expect(await fails('Decrypt', { CiphertextBlob })).toEqual(disabled);
      expect(await fails('Encrypt', { KeyId, Plaintext: base64('x') })).toEqual(disabled);
      expect((await fails('EnableKey', { KeyId }))[0]).toBe('KMSInvalidStateException');
    }
    await ok('RotateKeyOnDemand', { KeyId });
    expect(await ok('DescribeKey', { KeyId })).toMatchObject({ KeyMetadata: { KeyState: 'Enabled', Enabled: true } });
    await ok('Encrypt', { KeyId, Plaintext: base64('x') });
    expect((await fails('Decrypt', { CiphertextBlob }))[0]).toBe('KMSInvalidStateException');
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
      { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
      { Origin: 'AWS_CLOUDHSM' },
      { CustomKeyStoreId: 'cks-1' },
      { XksKeyId: 'x' },
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

  test('are moved to keys of the same type and usage alone', async () => {
    const of = (KeySpec: string, KeyUsage: string): Promise<string> => kms.key({ KeySpec, KeyUsage });
    const symmetric = await kms.key();
    const hmac = await of('HMAC_256', 'GENERATE_VERIFY_MAC');
    const [p256, p384] = [await of('ECC_NIST_P256', 'SIGN_VERIFY'), await of('ECC_NIST_P384', 'SIGN_VERIFY')];
    const agreement = await of('ECC_NIST_P256', 'KEY_AGREEMENT');
    const rsa = await of('RSA_2048', 'ENCRYPT_DECRYPT');
    const move = async (from: string, to: string): Promise<unknown> => {
      await ok('CreateAlias', { AliasName: 'alias/fits', TargetKeyId: from });
      const { status, json } = await kms.call('UpdateAlias', { AliasName: 'alias/fits', TargetKeyId: to });
      const { Aliases } = await ok('ListAliases', { KeyId: status === 200 ? to : from });
      expect(Aliases).toHaveLength(1);
      await ok('DeleteAlias', { AliasName: 'alias/fits' });
      return status === 200 ? 'moved' : json?.['__type'];
    };
    expect(await move(p256, p384)).toBe('moved');
    expect(await move(hmac, await of('HMAC_512', 'GENERATE_VERIFY_MAC'))).toBe('moved');
    for (const [from, to] of [
      [symmetric, hmac],
      [hmac, symmetric],
      [symmetric, rsa],
      [rsa, symmetric],
      [p256, rsa],
      [p256, agreement],
    ] as const)
      expect(await move(from, to)).toBe('ValidationException');
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
    // With the two that are there from the start, as many as keys.
    if (at < 5) await fresh.call('CreateAlias', { AliasName: `alias/${at}`, TargetKeyId });
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
  const { KeysError } = await import('../../../src/keys/errors.ts');
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
