/** Every limit of every action's input that is built, each one step beyond: in AWS's own words. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startKms, type TestKms } from '../support/kms-edge.ts';

let kms: TestKms;
let keyId: string;
beforeAll(async () => {
  kms = await startKms();
  keyId = await kms.key();
});
afterAll(() => kms[Symbol.asyncDispose]());

const x = (length: number): string => 'x'.repeat(length);
const blob = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
const ID = '134f2428-cec1-4b25-a1ae-9048164dba47';

const isNull = 'Member must not be null';
const atLeast = (limit: number): string => `Member must have length greater than or equal to ${limit}`;
const atMost = (limit: number): string => `Member must have length less than or equal to ${limit}`;
const from = (limit: number): string => `Member must have value greater than or equal to ${limit}`;
const to = (limit: number): string => `Member must have value less than or equal to ${limit}`;
const words = (...all: readonly string[]): string => `Member must satisfy enum value set: [${all.join(', ')}]`;
const pattern = (source: string): string => `Member must satisfy regular expression pattern: ${source}`;
const each = (constraint: string): string => `Member must satisfy constraint: [${constraint}]`;

const ALGORITHMS = ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'];
const ALIAS = '^[a-zA-Z0-9:/_-]+$';

/** Member, what it is set to, the constraint that fails; `shown` where it is not the value itself (null: not at all), `at` where within. */
type Row = readonly [member: string, value: unknown, constraint: string, shown?: string | null, at?: string];

const keyIdRows = (member = 'KeyId'): Row[] => [
  [member, undefined, isNull],
  [member, '', atLeast(1)],
  [member, x(2049), atMost(2048)],
];
const optionalKeyIdRows = (member = 'KeyId'): Row[] => keyIdRows(member).slice(1);
const pageRows: Row[] = [
  ['Limit', 0, from(1)],
  ['Limit', 1001, to(1000)],
  ['Marker', '', atLeast(1)],
  ['Marker', x(1025), atMost(1024)],
  ['Marker', 'a\u0100', pattern(String.raw`[\u0020-\u00FF]*`)],
];
const tokenRows: Row[] = [
  ['GrantTokens', Array<string>(11).fill('t'), atMost(10), `[${Array(11).fill('t').join(', ')}]`],
  ['GrantTokens', [''], each(`${atMost(8192)}, ${atLeast(1)}`), '[]'],
  ['GrantTokens', [x(8193)], each(`${atMost(8192)}, ${atLeast(1)}`), `[${x(8193)}]`],
];
const ciphertextRows: Row[] = [
  ['CiphertextBlob', '', atLeast(1), null],
  ['CiphertextBlob', blob(6145), atMost(6144), null],
];
const modifierRows: Row[] = [['DryRunModifiers', ['X'], each(words('IGNORE_CIPHERTEXT')), '[X]']];
const recipientRows: Row[] = [
  ['Recipient', { KeyEncryptionAlgorithm: 'X' }, words('RSAES_OAEP_SHA_256'), 'X', '.keyEncryptionAlgorithm'],
  ['Recipient', { AttestationDocument: '' }, atLeast(1), null, '.attestationDocument'],
  ['Recipient', { AttestationDocument: blob(262_145) }, atMost(262_144), null, '.attestationDocument'],
];
const dataKeyRows: Row[] = [
  ['NumberOfBytes', 0, from(1)],
  ['NumberOfBytes', 1025, to(1024)],
  ['KeySpec', 'AES_512', words('AES_256', 'AES_128')],
];
const tagRows: Row[] = [
  ['Tags', [{ TagKey: '', TagValue: '' }], atLeast(1), '', '.1.member.tagKey'],
  ['Tags', [{ TagKey: x(129), TagValue: '' }], atMost(128), x(129), '.1.member.tagKey'],
  ['Tags', [{ TagKey: 'a', TagValue: x(257) }], atMost(256), x(257), '.1.member.tagValue'],
  ['Tags', [{ TagKey: 'a', TagValue: '' }, { TagKey: 'a' }], isNull, null, '.2.member.tagValue'],
];
const policyRows: Row[] = [
  ['Policy', '', atLeast(1)],
  ['Policy', x(131_073), atMost(131_072)],
  ['Policy', '{"a":"\u0100"}', pattern(String.raw`[\u0009\u000A\u000D\u0020-\u00FF]+`)],
];
const aliasRows: Row[] = [
  ['AliasName', undefined, isNull],
  ['AliasName', '', atLeast(1)],
  ['AliasName', `alias/${x(251)}`, atMost(256)],
  ['AliasName', 'alias/a b', pattern(ALIAS)],
];
const storeRows: Row[] = [
  ['CustomKeyStoreId', '', atLeast(1)],
  ['CustomKeyStoreId', x(65), atMost(64)],
];
const LEGACY = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
];
const SPECS = [...LEGACY, 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ECC_NIST_EDWARDS25519'];

const macRows: Row[] = [
  ['Message', undefined, isNull],
  ['Message', '', atLeast(1), null],
  ['Message', blob(4097), atMost(4096), null],
  ['MacAlgorithm', undefined, isNull],
  ['MacAlgorithm', 'X', words('HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512')],
];

const signingRows: Row[] = [
  ...macRows.slice(0, 3),
  ['MessageType', 'X', words('RAW', 'DIGEST', 'EXTERNAL_MU')],
  ['SigningAlgorithm', undefined, isNull],
  [
    'SigningAlgorithm',
    'X',
    words(
      ...['RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512'],
      ...['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512'],
      ...['ECDSA_SHA_256', 'ECDSA_SHA_384', 'ECDSA_SHA_512'],
      ...['SM2DSA', 'ML_DSA_SHAKE_256', 'ED25519_SHA_512', 'ED25519_PH_SHA_512'],
    ),
  ],
];

const PAIR_SPECS = [...LEGACY.slice(0, 7), 'SM2', 'ECC_NIST_EDWARDS25519'];
const pairRows: Row[] = [
  ['KeyPairSpec', undefined, isNull],
  ['KeyPairSpec', 'X', words(...PAIR_SPECS)],
];

const sealedRows = (member: string): Row[] => [
  [member, undefined, isNull],
  [member, '', atLeast(1), null],
  [member, blob(6145), atMost(6144), null],
];
const materialIdRows: Row[] = [
  ['KeyMaterialId', 'a'.repeat(63), atLeast(64)],
  ['KeyMaterialId', 'a'.repeat(65), atMost(64)],
  ['KeyMaterialId', 'A'.repeat(64), pattern('^[a-f0-9]+$')],
];
const DESCRIPTION = String.raw`^[a-zA-Z0-9:/_\s.-]+$`;

const KEY = { KeyId: ID };
const LIMITS: readonly (readonly [action: string, base: object, rows: readonly Row[]])[] = [
  [
    'Encrypt',
    { ...KEY, Plaintext: 'eA==' },
    [
      ...keyIdRows(),
      ['Plaintext', undefined, isNull],
      ['Plaintext', '', atLeast(1), null],
      ['Plaintext', blob(4097), atMost(4096), null],
      ['EncryptionAlgorithm', 'X', words(...ALGORITHMS)],
      ...tokenRows,
    ],
  ],
  [
    'Decrypt',
    { CiphertextBlob: 'eA==' },
    [
      ...optionalKeyIdRows(),
      ...ciphertextRows,
      ['EncryptionAlgorithm', 'X', words(...ALGORITHMS)],
      ...tokenRows,
      ...modifierRows,
      ...recipientRows,
    ],
  ],
  [
    'ReEncrypt',
    { CiphertextBlob: 'eA==', DestinationKeyId: ID },
    [
      ...keyIdRows('DestinationKeyId'),
      ...optionalKeyIdRows('SourceKeyId'),
      ...ciphertextRows,
      ['SourceEncryptionAlgorithm', 'X', words(...ALGORITHMS)],
      ['DestinationEncryptionAlgorithm', 'X', words(...ALGORITHMS)],
      ...tokenRows,
      ...modifierRows,
    ],
  ],
  ['GenerateDataKey', KEY, [...keyIdRows(), ...dataKeyRows, ...tokenRows, ...recipientRows]],
  ['GenerateDataKeyWithoutPlaintext', KEY, [...keyIdRows(), ...dataKeyRows, ...tokenRows]],
  [
    'DeriveSharedSecret',
    { ...KEY, KeyAgreementAlgorithm: 'ECDH', PublicKey: 'eA==' },
    [
      ...keyIdRows(),
      ['KeyAgreementAlgorithm', undefined, isNull],
      ['KeyAgreementAlgorithm', 'INVALID', words('ECDH')],
      ['PublicKey', undefined, isNull],
      ['PublicKey', '', atLeast(1), null],
      ['PublicKey', blob(8193), atMost(8192), null],
      ...tokenRows,
      ...recipientRows,
    ],
  ],
  [
    'GenerateDataKeyPair',
    { ...KEY, KeyPairSpec: 'SM2' },
    [...keyIdRows(), ...pairRows, ...tokenRows, ...recipientRows],
  ],
  ['GenerateDataKeyPairWithoutPlaintext', { ...KEY, KeyPairSpec: 'SM2' }, [...keyIdRows(), ...pairRows, ...tokenRows]],
  [
    'Sign',
    { ...KEY, Message: 'eA==', SigningAlgorithm: 'ECDSA_SHA_256' },
    [...keyIdRows(), ...signingRows, ...tokenRows],
  ],
  [
    'Verify',
    { ...KEY, Message: 'eA==', SigningAlgorithm: 'ECDSA_SHA_256', Signature: 'eA==' },
    [
      ...keyIdRows(),
      ...signingRows,
      ['Signature', undefined, isNull],
      ['Signature', '', atLeast(1), null],
      ['Signature', blob(6145), atMost(6144), null],
      ...tokenRows,
    ],
  ],
  ['GetPublicKey', KEY, [...keyIdRows(), ...tokenRows]],
  [
    'GenerateMac',
    { ...KEY, Message: 'eA==', MacAlgorithm: 'HMAC_SHA_256' },
    [...keyIdRows(), ...macRows, ...tokenRows],
  ],
  [
    'VerifyMac',
    { ...KEY, Message: 'eA==', MacAlgorithm: 'HMAC_SHA_256', Mac: 'eA==' },
    [
      ...keyIdRows(),
      ...macRows,
      ['Mac', undefined, isNull],
      ['Mac', '', atLeast(1), null],
      ['Mac', blob(6145), atMost(6144), null],
      ...tokenRows,
    ],
  ],
  [
    'GenerateRandom',
    {},
    [['NumberOfBytes', 0, from(1)], ['NumberOfBytes', 1025, to(1024)], ...storeRows, ...recipientRows],
  ],
  [
    'CreateKey',
    {},
    [
      ...policyRows,
      ['Description', x(8193), atMost(8192)],
      ['KeyUsage', 'RANDOM', words('SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT')],
      ['KeySpec', 'HMAC_random', words(...SPECS)],
      ['CustomerMasterKeySpec', 'ML_DSA_44', words(...LEGACY)],
      ['Origin', 'X', words('AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE')],
      ...storeRows,
      ...tagRows,
      ['XksKeyId', '', atLeast(1)],
      ['XksKeyId', x(129), atMost(128)],
      ['XksKeyId', 'a b', pattern('^[a-zA-Z0-9-_.]+$')],
    ],
  ],
  ['DescribeKey', KEY, [...keyIdRows(), ...tokenRows]],
  ['ListKeys', {}, pageRows],
  ['ListAliases', {}, [...optionalKeyIdRows(), ...pageRows]],
  ['CreateAlias', { AliasName: 'alias/a', TargetKeyId: ID }, [...aliasRows, ...keyIdRows('TargetKeyId')]],
  ['UpdateAlias', { AliasName: 'alias/a', TargetKeyId: ID }, [...aliasRows, ...keyIdRows('TargetKeyId')]],
  ['DeleteAlias', { AliasName: 'alias/a' }, aliasRows],
  ['EnableKey', KEY, keyIdRows()],
  ['DisableKey', KEY, keyIdRows()],
  [
    'UpdateKeyDescription',
    { ...KEY, Description: '' },
    [...keyIdRows(), ['Description', undefined, isNull], ['Description', x(8193), atMost(8192)]],
  ],
  ['TagResource', { ...KEY, Tags: [] }, [...keyIdRows(), ['Tags', undefined, isNull], ...tagRows]],
  [
    'UntagResource',
    { ...KEY, TagKeys: [] },
    [
      ...keyIdRows(),
      ['TagKeys', undefined, isNull],
      ['TagKeys', [''], each(`${atMost(128)}, ${atLeast(1)}`), '[]'],
      ['TagKeys', [x(129)], each(`${atMost(128)}, ${atLeast(1)}`), `[${x(129)}]`],
    ],
  ],
  ['ListResourceTags', KEY, [...keyIdRows(), ...pageRows]],
  [
    'ScheduleKeyDeletion',
    KEY,
    [...keyIdRows(), ['PendingWindowInDays', 6, from(7)], ['PendingWindowInDays', 31, to(30)]],
  ],
  ['CancelKeyDeletion', KEY, keyIdRows()],
  [
    'EnableKeyRotation',
    KEY,
    [...keyIdRows(), ['RotationPeriodInDays', 89, from(90)], ['RotationPeriodInDays', 2561, to(2560)]],
  ],
  ['DisableKeyRotation', KEY, keyIdRows()],
  [
    'GetParametersForImport',
    { ...KEY, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
    [
      ...keyIdRows(),
      ['WrappingAlgorithm', undefined, isNull],
      [
        'WrappingAlgorithm',
        'X',
        words(
          ...['RSAES_PKCS1_V1_5', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
          ...['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256', 'SM2PKE'],
        ),
      ],
      ['WrappingKeySpec', undefined, isNull],
      ['WrappingKeySpec', 'X', words('RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2')],
    ],
  ],
  [
    'ImportKeyMaterial',
    { ...KEY, ImportToken: blob(1), EncryptedKeyMaterial: blob(1) },
    [
      ...keyIdRows(),
      ...sealedRows('ImportToken'),
      ...sealedRows('EncryptedKeyMaterial'),
      ['ExpirationModel', 'X', words('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE')],
      ['ImportType', 'X', words('NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL')],
      ['KeyMaterialDescription', '', pattern(DESCRIPTION)],
      ['KeyMaterialDescription', x(257), atMost(256)],
      ['KeyMaterialDescription', 'a,b', pattern(DESCRIPTION)],
      ...materialIdRows,
    ],
  ],
  ['DeleteImportedKeyMaterial', KEY, [...keyIdRows(), ...materialIdRows]],
  ['GetKeyRotationStatus', KEY, keyIdRows()],
  ['RotateKeyOnDemand', KEY, keyIdRows()],
  [
    'ListKeyRotations',
    KEY,
    [...keyIdRows(), ...pageRows, ['IncludeKeyMaterial', 'X', words('ALL_KEY_MATERIAL', 'ROTATIONS_ONLY')]],
  ],
  [
    'GetKeyPolicy',
    KEY,
    [
      ...keyIdRows(),
      ['PolicyName', '', atLeast(1)],
      ['PolicyName', x(129), atMost(128)],
      ['PolicyName', 'a-b', pattern(String.raw`[\w]+`)],
    ],
  ],
  [
    'PutKeyPolicy',
    { ...KEY, Policy: '{}' },
    [
      ...keyIdRows(),
      ['Policy', undefined, isNull],
      ...policyRows,
      ['PolicyName', '', atLeast(1)],
      ['PolicyName', x(129), atMost(128)],
      ['PolicyName', 'a-b', pattern(String.raw`[\w]+`)],
    ],
  ],
  ['ListKeyPolicies', KEY, [...keyIdRows(), ...pageRows]],
  ['GetKeyLastUsage', KEY, keyIdRows()],
];

function violation([member, value, constraint, shown, at = '']: Row): string {
  const text = constraint === isNull ? 'Value null' : shown === null ? 'Value' : `Value '${shown ?? String(value)}'`;
  return `${text} at '${member.charAt(0).toLowerCase()}${member.slice(1)}${at}' failed to satisfy constraint: ${constraint}`;
}

test.each(LIMITS)('%s', async (action, base, rows) => {
  for (const row of rows) {
    const [member, value] = row;
    const { status, json } = await kms.call(action, { ...base, [member]: value });
    expect([status, json?.['__type']]).toEqual([400, 'ValidationException']);
    // An empty text may fail a pattern as well.
    expect(json?.['message']).toMatch(/^(?:1 validation error|2 validation errors) detected: /u);
    expect(json?.['message']).toContain(violation(row));
  }
});

test('Two wrong members are both told', async () => {
  const { json } = await kms.call('GenerateDataKey', { NumberOfBytes: 0 });
  expect(json?.['message']).toBe(
    `2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: ${isNull}; Value '0' at 'numberOfBytes' failed to satisfy constraint: ${from(1)}`,
  );
});

test('What lies on a limit is taken', async () => {
  const longest = { KeyId: keyId, Plaintext: blob(4096), EncryptionContext: { a: x(8000) } };
  const { status, json } = await kms.call('Encrypt', longest);
  expect(status).toBe(200);
  expect(Buffer.from(String(json?.['CiphertextBlob']), 'base64').length).toBeLessThanOrEqual(6144);
  const tags = Array.from({ length: 50 }, (_, at) => ({
    TagKey: `${at}${x(128 - String(at).length)}`,
    TagValue: x(256),
  }));
  expect((await kms.call('CreateKey', { Description: x(8192), Tags: tags })).status).toBe(200);
  expect((await kms.call('CreateAlias', { AliasName: `alias/${x(250)}`, TargetKeyId: keyId })).status).toBe(200);
  for (const bytes of [1, 1024])
    expect((await kms.call('GenerateDataKey', { KeyId: keyId, NumberOfBytes: bytes })).status).toBe(200);
  for (const days of [90, 2560])
    expect((await kms.call('EnableKeyRotation', { KeyId: keyId, RotationPeriodInDays: days })).status).toBe(200);
});
