/** The errors that AWS's own KMS was recorded to give, word for word: each is brought about here and compared. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importMaterial } from '../support/keys/import-key.ts';
import { TEST_USE } from '../support/keys/keys.ts';
import { ACCOUNT, OTHER_REGION, REGION, startKms, type TestKms } from '../support/kms/edge.ts';
import recorded from './recorded-messages.json' with { type: 'json' };

let kms: TestKms;
const keys = new Map<string, string>();

beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());

async function keyOf(input: Readonly<Record<string, unknown>>): Promise<string> {
  const name = JSON.stringify(input);
  const keyId = keys.get(name) ?? (await kms.key(input));
  keys.set(name, keyId);
  return keyId;
}
const symmetric = (): Promise<string> => keyOf({});
const signing = (spec: string): Promise<string> => keyOf({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY' });
const rsa = (spec: string): Promise<string> => keyOf({ KeySpec: spec, KeyUsage: 'ENCRYPT_DECRYPT' });
const mac = (spec: string): Promise<string> => keyOf({ KeySpec: spec, KeyUsage: 'GENERATE_VERIFY_MAC' });
const external = (): Promise<string> => keyOf({ Origin: 'EXTERNAL' });
const bytes = (length: number): string => Buffer.alloc(length, 7).toString('base64');
const TEXT = bytes(10);
const arnOf = (keyId: string, region = REGION): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`;
/** One that has its material. */
async function imported(): Promise<string> {
  const keyId = await kms.key({ Origin: 'EXTERNAL' });
  await importMaterial(kms.keys, keyId, Buffer.alloc(32, 9), TEST_USE);
  return keyId;
}
/** In the other region. */
async function replica(): Promise<string> {
  const keyId = await kms.key({ MultiRegion: true });
  await kms.call('ReplicateKey', { KeyId: keyId, ReplicaRegion: OTHER_REGION });
  return keyId;
}
const UNKNOWN = '00000000-1111-4222-8333-444444444444';

/** What differs by request, and the order of a set of words, which is none. */
function general(message: string): string {
  return message
    .replaceAll(/arn:[^:]+:kms:[^:]+:\d+:key\/(?:<[^>]+>|[0-9a-z-]+)|<(?:mrk-)?key-arn>/gu, '<arn>')
    .replaceAll(/Invalid arn \S+/gu, 'Invalid arn <region>')
    .replace(/enum value set: \[.*\]$/u, 'enum value set: [...]');
}

type Case = readonly [name: string, action: string, input: () => Promise<object> | object, region?: string];

const RSA_ENCRYPTION = ['RSA_2048', 'RSA_3072', 'RSA_4096'].flatMap((spec) =>
  ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'].map((algorithm): Case => [
    `${algorithm} of ${spec}`,
    'Encrypt',
    async () => ({ KeyId: await rsa(spec), Plaintext: bytes(471), EncryptionAlgorithm: algorithm }),
  ]),
);
const DIGESTS = (
  [
    ['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_384'],
    ['RSA_2048', 'RSASSA_PSS_SHA_512'],
  ] as const
).map(([spec, algorithm]): Case => [
  `a digest of another length for ${algorithm}`,
  'Sign',
  async () => ({ KeyId: await signing(spec), Message: TEXT, MessageType: 'DIGEST', SigningAlgorithm: algorithm }),
]);

const CASES: readonly Case[] = [
  [
    'a disabled key',
    'Encrypt',
    async () => {
      const keyId = await kms.key();
      await kms.call('DisableKey', { KeyId: keyId });
      return { KeyId: keyId, Plaintext: TEXT };
    },
  ],
  ['a dry run', 'GenerateDataKey', async () => ({ KeyId: await symmetric(), KeySpec: 'AES_256', DryRun: true })],
  [
    'another key',
    'Decrypt',
    async () => {
      const { json } = await kms.call('Encrypt', { KeyId: await symmetric(), Plaintext: TEXT });
      return { KeyId: await keyOf({ Description: 'another' }), CiphertextBlob: json?.['CiphertextBlob'] };
    },
  ],
  ['no ciphertext', 'Decrypt', () => ({ CiphertextBlob: TEXT })],
  [
    'no key agreement, but encryption',
    'DeriveSharedSecret',
    async () => ({ KeyId: await symmetric(), KeyAgreementAlgorithm: 'ECDH', PublicKey: TEXT }),
  ],
  ['no MACs', 'GenerateMac', async () => ({ KeyId: await symmetric(), Message: TEXT, MacAlgorithm: 'HMAC_SHA_256' })],
  [
    'no signatures, to be verified',
    'Verify',
    async () => ({ KeyId: await symmetric(), Message: TEXT, Signature: TEXT, SigningAlgorithm: 'ECDSA_SHA_256' }),
  ],
  [
    'no signatures, but MACs',
    'Sign',
    async () => ({ KeyId: await mac('HMAC_224'), Message: TEXT, SigningAlgorithm: 'ECDSA_SHA_256' }),
  ],
  [
    'no key agreement, but signatures',
    'DeriveSharedSecret',
    async () => ({ KeyId: await signing('ECC_NIST_P256'), KeyAgreementAlgorithm: 'ECDH', PublicKey: TEXT }),
  ],
  ['no encryption', 'Encrypt', async () => ({ KeyId: await signing('ECC_NIST_P256'), Plaintext: TEXT })],
  [
    'a MAC of another length of key',
    'GenerateMac',
    async () => ({ KeyId: await mac('HMAC_224'), Message: TEXT, MacAlgorithm: 'HMAC_SHA_256' }),
  ],
  [
    'a longer MAC than the key’s',
    'GenerateMac',
    async () => ({ KeyId: await mac('HMAC_256'), Message: TEXT, MacAlgorithm: 'HMAC_SHA_512' }),
  ],
  [
    'a wrong MAC',
    'VerifyMac',
    async () => ({ KeyId: await mac('HMAC_256'), Message: TEXT, Mac: bytes(32), MacAlgorithm: 'HMAC_SHA_256' }),
  ],
  [
    'a wrong signature',
    'Verify',
    async () => ({
      ...{ KeyId: await signing('ECC_NIST_P256'), Message: TEXT },
      ...{ Signature: bytes(70), SigningAlgorithm: 'ECDSA_SHA_256' },
    }),
  ],
  ['nothing imported yet', 'Encrypt', async () => ({ KeyId: await external(), Plaintext: TEXT })],
  ['nothing to rotate to', 'RotateKeyOnDemand', async () => ({ KeyId: await imported() })],
  ['a key of another region', 'DescribeKey', () => ({ KeyId: arnOf(UNKNOWN, 'eu-west-3') })],
  ...['134f2428cec14b25a1ae9048164dba47', 'fake-key-id', 'key_id', 'mrk-fake-key-id'].map((KeyId): Case => [
    `the name ${KeyId}`,
    'DescribeKey',
    () => ({ KeyId }),
  ]),
  ['an unknown key', 'DescribeKey', () => ({ KeyId: UNKNOWN })],
  [
    'a tag twice',
    'TagResource',
    async () => ({
      KeyId: await symmetric(),
      Tags: ['a', 'b'].map((TagValue) => ({ TagKey: 'one', TagValue })),
    }),
  ],
  [
    'a tag of AWS',
    'TagResource',
    async () => ({ KeyId: await symmetric(), Tags: [{ TagKey: 'aws:x', TagValue: '' }] }),
  ],
  [
    'too many tags',
    'TagResource',
    async () => ({
      KeyId: await symmetric(),
      Tags: Array.from({ length: 51 }, (_, n) => ({ TagKey: `key-${n}`, TagValue: 'v' })),
    }),
  ],
  [
    'no import into a key of our own',
    'GetParametersForImport',
    async () => ({ KeyId: await symmetric(), WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }),
  ],
  ['no rotation of what is imported', 'EnableKeyRotation', async () => ({ KeyId: await external() })],
  ['a replica is no primary key', 'EnableKeyRotation', async () => ({ KeyId: await replica() }), OTHER_REGION],
  ['no bytes', 'GenerateRandom', () => ({ NumberOfBytes: 0 })],
  ['too many bytes', 'GenerateRandom', () => ({ NumberOfBytes: 1025 })],
  ['bytes not said', 'GenerateRandom', () => ({})],
  ['an unknown key spec', 'CreateKey', () => ({ KeySpec: 'HMAC_random', KeyUsage: 'GENERATE_VERIFY_MAC' })],
  ['an unknown usage', 'CreateKey', () => ({ KeyUsage: 'RANDOM' })],
  [
    'an unknown agreement',
    'DeriveSharedSecret',
    async () => ({ KeyId: await symmetric(), KeyAgreementAlgorithm: 'INVALID', PublicKey: TEXT }),
  ],
  [
    'an unknown MAC',
    'GenerateMac',
    async () => ({ KeyId: await mac('HMAC_256'), Message: TEXT, MacAlgorithm: 'INVALID' }),
  ],
  ['a long name of a tag', 'CreateKey', () => ({ Tags: [{ TagKey: 'a'.repeat(129), TagValue: 'v' }] })],
  ['a long tag', 'CreateKey', () => ({ Tags: [{ TagKey: 'k', TagValue: 'v'.repeat(257) }] })],
  ['a long plaintext', 'Encrypt', async () => ({ KeyId: await symmetric(), Plaintext: bytes(4097) })],
  [
    'no end of what ends',
    'ImportKeyMaterial',
    async () => ({
      ...{ KeyId: await external(), ImportToken: TEXT, EncryptedKeyMaterial: TEXT },
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    }),
  ],
  ...RSA_ENCRYPTION,
  ['no alias', 'CreateAlias', async () => ({ AliasName: 'name', TargetKeyId: await symmetric() })],
  ...DIGESTS,
  ['a usage that does not fit', 'CreateKey', () => ({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' })],
  ['a usage not said', 'CreateKey', () => ({ KeySpec: 'RSA_2048' })],
];

const TESTED_ELSEWHERE: readonly string[] = [
  // test/wire/kms/import.test.ts and test/wire/kms/management.test.ts, to the letter.
  'New key material (id: <key-material-id>) cannot be imported into KMS key <key-id:1>, because another key material (id: <key-material-id:2>) is pending rotation.',
  'The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: <key-arn>',
];
/** Recorded without a text, of requests that the recording does not show. */
const UNTOLD: readonly string[] = ['UnsupportedOperationException: ', 'ValidationException: '];

const line = (code: unknown, message: unknown): string =>
  `${String(code)}: ${general(typeof message === 'string' ? message : '')}`;
const AWS = new Set(recorded.messages.map(([code, message]) => line(code, message)));
const given = new Set<string>();

describe('as AWS says it', () => {
  const cases = CASES.map(([name, action, input, region = REGION]) => ({ name, action, input, region }));
  test.each(cases)('$name', async ({ action, input, region }) => {
    const { status, json } = await kms.call(action, await input(), { region });
    const said = line(json?.['__type'], json?.['message']);
    given.add(said);
    expect([status, AWS.has(said) ? 'as recorded' : said]).toEqual([400, 'as recorded']);
  });

  test('nothing that was recorded is left out', () => {
    const except = new Set([...UNTOLD, ...TESTED_ELSEWHERE.map(general)]);
    const missing = [...AWS].filter((said) => !given.has(said) && !except.has(said.replace(/^\w+: (?=\S)/u, '')));
    expect(missing).toEqual([]);
  });
});
