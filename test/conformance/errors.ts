/** Every error of AWS's that is given here, for every action that can give it: how a request comes to it, and what it says. */
import { randomBytes } from 'node:crypto';
import { arn, base64, type Json } from '../support/kms/calls.ts';
import { OTHER_REGION, REGION, type TestKms } from '../support/kms/edge.ts';
import { done, EXTERNAL, freshAlias, importing, REQUESTS } from './calls.ts';
import { inputOf } from './model.ts';

/** How an error comes about, in words, and the request that is answered with it. */
export type Recipe = {
  readonly how: string;
  readonly request: (kms: TestKms, action: string) => Promise<object>;
  /** What the message says of the request: as AWS has it; undefined: there is none. */
  readonly says: (input: Json) => string | RegExp | undefined;
};

const NONE = '134f2428-cec1-4b25-a1ae-9048164dba47';
const FAULTY_ARN = 'arn:aws:kms:nowhere';
const GROUP = 'arn:aws:iam::123456789012:group/g';
const DAY_MS = 24 * 60 * 60 * 1000;

export function keyMember(action: string): string {
  const members = inputOf(action).members ?? {};
  return ['KeyId', 'TargetKeyId', 'DestinationKeyId'].find((name) => Object.hasOwn(members, name)) ?? '';
}

function usual(kms: TestKms, action: string): Promise<Json> {
  const made = REQUESTS[action];
  if (made === undefined) throw new Error(`no request of ${action} that succeeds`);
  return made(kms);
}

/** The usual request with other members. */
const but =
  (members: Json | ((kms: TestKms) => Promise<Json>)): Recipe['request'] =>
  async (kms, action) => {
    const input = await usual(kms, action);
    return { ...input, ...(isFunction(members) ? await members(kms) : members) };
  };
const isFunction = (members: Json | ((kms: TestKms) => Promise<Json>)): members is (kms: TestKms) => Promise<Json> =>
  typeof members === 'function';

/** The usual request after something was done to its key. */
const after =
  (done_: string, members: object = {}): Recipe['request'] =>
  async (kms, action) => {
    const input = await usual(kms, action);
    await done(kms, done_, { KeyId: input[keyMember(action)], ...members });
    return input;
  };

/** The usual request about another key. */
const about =
  (KeySpec: string, KeyUsage: string): Recipe['request'] =>
  async (kms, action) => ({ ...(await usual(kms, action)), [keyMember(action)]: await kms.key({ KeySpec, KeyUsage }) });

const exactly =
  (text: string): Recipe['says'] =>
  () =>
    text;
const matching =
  (pattern: RegExp): Recipe['says'] =>
  () =>
    pattern;
const ofKey =
  (says: string): Recipe['says'] =>
  (input) =>
    arn(`key/${String(input['KeyId'] ?? input['TargetKeyId'] ?? input['DestinationKeyId'])}`) + says;
const nothing: Recipe['says'] = () => undefined;

const LONG_POLICY = JSON.stringify({
  Statement: { Sid: 'x'.repeat(33_000), Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
});

async function fiftyAliases(kms: TestKms): Promise<string> {
  const TargetKeyId = await kms.key();
  for (let count = 0; count < 50; count += 1) await done(kms, 'CreateAlias', { AliasName: freshAlias(), TargetKeyId });
  return TargetKeyId;
}

/** The usual request, sent later. */
const later =
  (ms: number, request: Recipe['request']): Recipe['request'] =>
  async (kms, action) => {
    const input = await request(kms, action);
    kms.clock.ms += ms;
    return input;
  };

const incompatible: Recipe = {
  how: 'a key that is not for this',
  request: about('ECC_NIST_P256', 'SIGN_VERIFY'),
  says: matching(/ key usage is SIGN_VERIFY which is not valid for \w+\.$/u),
};
const wrongOrigin: Recipe = {
  how: 'a key whose material is our own',
  request: but(async (kms) => ({ KeyId: await kms.key() })),
  says: ofKey(' origin is AWS_KMS which is not valid for this operation.'),
};
const oneRegion: Recipe = {
  how: 'a key of one region',
  request: but(async (kms) => ({ KeyId: await kms.key() })),
  says: ofKey(' is not a multi-region primary key.'),
};
const inOtherRegion = ({ KeyId }: Json): string => arn(`key/${String(KeyId)}`).replace(REGION, OTHER_REGION);
const notRotated: Recipe = {
  how: 'a key pair, which is not rotated',
  request: about('RSA_2048', 'SIGN_VERIFY'),
  says: matching(/RSA_2048/u),
};

/** By error, for every action but those that have a recipe of their own under `Action.Error`. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  NotFoundException: {
    how: 'a key that is not there',
    request: async (kms, action) => ({ ...(await usual(kms, action)), [keyMember(action)]: NONE }),
    says: exactly(`Key '${arn(`key/${NONE}`)}' does not exist`),
  },
  'DeleteAlias.NotFoundException': {
    how: 'an alias that is not there',
    request: async () => ({ AliasName: 'alias/not-there' }),
    says: exactly(`Alias ${arn('alias/not-there')} is not found.`),
  },
  InvalidArnException: {
    how: 'an ARN that is none',
    request: async (kms, action) => ({ ...(await usual(kms, action)), [keyMember(action)]: FAULTY_ARN }),
    says: exactly(`Invalid arn ${FAULTY_ARN}`),
  },
  'ListRetirableGrants.InvalidArnException': {
    how: 'the ARN of a group',
    request: but({ RetiringPrincipal: GROUP }),
    says: matching(/group\/g/u),
  },
  DisabledException: { how: 'the key was disabled', request: after('DisableKey'), says: ofKey(' is disabled.') },
  KMSInvalidStateException: {
    how: 'the key is pending deletion',
    request: after('ScheduleKeyDeletion'),
    says: ofKey(' is pending deletion.'),
  },
  'UpdatePrimaryRegion.KMSInvalidStateException': {
    how: 'the primary key waits for its replicas to be deleted',
    request: after('ScheduleKeyDeletion'),
    says: ofKey(' is pending replica deletion.'),
  },
  'CancelKeyDeletion.KMSInvalidStateException': {
    how: 'the key is not pending deletion',
    request: after('CancelKeyDeletion'),
    says: ofKey(' is not pending deletion.'),
  },
  InvalidGrantTokenException: {
    how: 'a token that no grant gave',
    request: but({ GrantTokens: ['t'] }),
    says: matching(/grant token/u),
  },
  'RetireGrant.InvalidGrantTokenException': {
    how: 'a token that no grant gave',
    request: async () => ({ GrantToken: 't' }),
    says: matching(/grant token/u),
  },
  InvalidKeyUsageException: incompatible,
  'Sign.InvalidKeyUsageException': {
    how: 'a key for key agreement',
    request: about('ECC_NIST_P256', 'KEY_AGREEMENT'),
    says: ofKey(' key usage is KEY_AGREEMENT which is not valid for Sign.'),
  },
  'Verify.InvalidKeyUsageException': {
    how: 'a key for key agreement',
    request: about('ECC_NIST_P256', 'KEY_AGREEMENT'),
    says: ofKey(' key usage is KEY_AGREEMENT which is not valid for Verify.'),
  },
  'Decrypt.InvalidKeyUsageException': {
    how: 'an algorithm of other keys',
    request: but({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
    says: exactly('Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.'),
  },
  IncorrectKeyException: {
    how: 'another key than the one that encrypted',
    request: async (kms, action) => {
      const input = await usual(kms, action);
      return { ...input, [action === 'ReEncrypt' ? 'SourceKeyId' : 'KeyId']: await kms.key() };
    },
    says: exactly('The key ID in the request does not identify a CMK that can perform this operation.'),
  },
  InvalidCiphertextException: {
    how: 'bytes that are no ciphertext',
    request: but({ CiphertextBlob: base64('nonsense') }),
    says: nothing,
  },
  'Decapsulate.InvalidCiphertextException': {
    how: 'bytes of another length',
    request: but({ SharedSecretCiphertextBlob: base64('nonsense') }),
    says: nothing,
  },
  'ImportKeyMaterial.InvalidCiphertextException': {
    how: 'material that is not wrapped by the key given',
    request: but({ EncryptedKeyMaterial: Buffer.alloc(256).toString('base64') }),
    says: nothing,
  },
  DryRunOperationException: {
    how: 'DryRun, of a request that would succeed',
    request: but({ DryRun: true }),
    says: exactly('The request would have succeeded, but the DryRun option is set.'),
  },
  AlreadyExistsException: {
    how: 'an alias that is there',
    request: async (kms, action) => {
      const input = await usual(kms, action);
      await done(kms, 'CreateAlias', input);
      return input;
    },
    says: (input) => `An alias with the name ${arn(String(input['AliasName']))} already exists`,
  },
  'ReplicateKey.AlreadyExistsException': {
    how: 'a replica that is there',
    request: async (kms, action) => {
      const input = await usual(kms, action);
      await done(kms, action, input);
      return input;
    },
    says: (input) => `${inOtherRegion(input)} already exists.`,
  },
  InvalidAliasNameException: {
    how: 'a name that is reserved',
    request: but({ AliasName: 'alias/aws/conformance' }),
    says: matching(/alias\/aws\//u),
  },
  InvalidMarkerException: {
    how: 'a marker that no list gave',
    request: but({ Marker: 'nonsense' }),
    says: matching(/marker/iu),
  },
  InvalidGrantIdException: { how: 'text that is no grant id', request: but({ GrantId: 'x' }), says: matching(/x/u) },
  MalformedPolicyDocumentException: {
    how: 'a policy without statements',
    request: but({ Policy: '{}' }),
    says: matching(/./u),
  },
  'CreateAlias.LimitExceededException': {
    how: 'the 51st alias of a key',
    request: but(async (kms) => ({ TargetKeyId: await fiftyAliases(kms) })),
    says: matching(/50/u),
  },
  'UpdateAlias.LimitExceededException': {
    how: 'to a key that has 50',
    request: but(async (kms) => ({ TargetKeyId: await fiftyAliases(kms) })),
    says: matching(/50/u),
  },
  LimitExceededException: {
    how: 'a policy of more than 32 KiB',
    request: but({ Policy: LONG_POLICY }),
    says: matching(/32768/u),
  },
  'RotateKeyOnDemand.LimitExceededException': {
    how: 'the 26th rotation on demand',
    request: async (kms, action) => {
      const input = await usual(kms, action);
      for (let count = 0; count < 25; count += 1) await done(kms, action, input);
      return input;
    },
    says: ({ KeyId }) =>
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn(`key/${String(KeyId)}`)}`,
  },
  ConflictException: {
    how: 'ten minutes before an automatic rotation',
    request: later(90 * DAY_MS - 10 * 60_000, after('EnableKeyRotation', { RotationPeriodInDays: 90 })),
    says: matching(/automatic rotation/u),
  },
  TagException: {
    how: 'a name that begins with `aws:`',
    request: but({ Tags: [{ TagKey: 'aws:a', TagValue: '' }] }),
    says: exactly('Tags beginning with aws: are reserved'),
  },
  'UntagResource.TagException': {
    how: 'a name that begins with `aws:`',
    request: but({ TagKeys: ['aws:a'] }),
    says: exactly('Tags beginning with aws: are reserved'),
  },
  'ReplicateKey.UnsupportedOperationException': oneRegion,
  'UpdatePrimaryRegion.UnsupportedOperationException': oneRegion,
  'CreateKey.UnsupportedOperationException': {
    how: 'a key in a custom key store',
    request: but({ Origin: 'AWS_CLOUDHSM' }),
    says: exactly('Custom key stores are not supported.'),
  },
  'GenerateRandom.UnsupportedOperationException': {
    how: 'from a custom key store',
    request: but({ CustomKeyStoreId: 'cks-1' }),
    says: exactly('Custom key stores are not supported.'),
  },
  'GenerateDataKeyPair.UnsupportedOperationException': {
    how: 'a pair for SM2',
    request: but({ KeyPairSpec: 'SM2' }),
    says: matching(/SM2/u),
  },
  'GenerateDataKeyPairWithoutPlaintext.UnsupportedOperationException': {
    how: 'a pair for SM2',
    request: but({ KeyPairSpec: 'SM2' }),
    says: matching(/SM2/u),
  },
  'GetPublicKey.UnsupportedOperationException': {
    how: 'a symmetric key',
    request: but(async (kms) => ({ KeyId: await kms.key() })),
    says: matching(/SYMMETRIC_DEFAULT/u),
  },
  'DeleteImportedKeyMaterial.UnsupportedOperationException': wrongOrigin,
  'GetParametersForImport.UnsupportedOperationException': wrongOrigin,
  'ImportKeyMaterial.UnsupportedOperationException': wrongOrigin,
  'EnableKeyRotation.UnsupportedOperationException': {
    how: 'a key whose material is imported',
    request: but(async (kms) => ({ KeyId: await kms.key(EXTERNAL) })),
    says: ofKey(' origin is EXTERNAL which is not valid for this operation.'),
  },
  UnsupportedOperationException: notRotated,
  InvalidImportTokenException: {
    how: 'a token that was not given',
    request: but({ ImportToken: base64('nonsense') }),
    says: matching(/import token/iu),
  },
  ExpiredImportTokenException: {
    how: 'a token of the day before',
    request: later(DAY_MS + 1000, usual),
    says: matching(/expired/u),
  },
  IncorrectKeyMaterialException: {
    how: 'material that is too short',
    request: async (kms) => importing(kms, await kms.key(EXTERNAL), randomBytes(31)),
    says: matching(/./u),
  },
  KMSInvalidMacException: {
    how: 'a MAC of something else',
    request: but({ Message: base64('other') }),
    says: nothing,
  },
  KMSInvalidSignatureException: {
    how: 'a signature of something else',
    request: but({ Message: base64('other') }),
    says: nothing,
  },
};

export function recipeOf(action: string, error: string): Recipe | undefined {
  return RECIPES[`${action}.${error}`] ?? RECIPES[error];
}
