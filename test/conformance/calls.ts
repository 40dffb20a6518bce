/** For every action a request that succeeds: with keys of its own, so that what comes before or after does not matter. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { base64, type Json } from '../support/kms/calls.ts';
import { CALLER, OTHER_REGION, type TestKms } from '../support/kms/edge.ts';
import { wrapByNode } from '../support/keys/wrap-material.ts';

type Made = (kms: TestKms) => Promise<Json>;

/** The answer of a call that has to succeed. */
export async function done(kms: TestKms, action: string, input: object): Promise<Json> {
  const { status, json, text } = await kms.call(action, input);
  if (status !== 200) throw new Error(`${action} answered ${status}: ${text}`);
  return json ?? {};
}

const symmetric: Made = async (kms) => ({ KeyId: await kms.key() });
const pair =
  (KeySpec: string, KeyUsage: string): Made =>
  async (kms) => ({ KeyId: await kms.key({ KeySpec, KeyUsage }) });
const signing = pair('ECC_NIST_P256', 'SIGN_VERIFY');
const agreeing = pair('ECC_NIST_P256', 'KEY_AGREEMENT');
const macs = pair('HMAC_256', 'GENERATE_VERIFY_MAC');
const encapsulating = pair('ML_KEM_768', 'ENCAPSULATE_DECAPSULATE');
const ENCAPSULATION = { EncapsulationAlgorithm: 'ML_KEM' };

export const EXTERNAL = { Origin: 'EXTERNAL' };
const external: Made = async (kms) => ({ KeyId: await kms.key(EXTERNAL) });
const PARAMETERS = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };

/** What ImportKeyMaterial is asked with for a key whose material is to come. */
export async function importing(kms: TestKms, KeyId: unknown, material: Uint8Array): Promise<Json> {
  const { ImportToken, PublicKey } = await done(kms, 'GetParametersForImport', { KeyId, ...PARAMETERS });
  const wrapped = wrapByNode('RSAES_OAEP_SHA_256', Buffer.from(String(PublicKey), 'base64'), material);
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
  return { KeyId, ImportToken, EncryptedKeyMaterial: wrapped.toString('base64'), ExpirationModel };
}

const imported: Made = async (kms) => {
  const { KeyId } = await external(kms);
  await done(kms, 'ImportKeyMaterial', await importing(kms, KeyId, randomBytes(32)));
  return { KeyId };
};

let names = 0;
export const freshAlias = (): string => `alias/conformance/${(names += 1)}`;
const aliased: Made = async (kms) => {
  const AliasName = freshAlias();
  const TargetKeyId = await kms.key();
  await done(kms, 'CreateAlias', { AliasName, TargetKeyId });
  return { AliasName, TargetKeyId };
};

export const encrypted: Made = async (kms) => {
  const { KeyId } = await symmetric(kms);
  const { CiphertextBlob } = await done(kms, 'Encrypt', { KeyId, Plaintext: base64('x') });
  return { KeyId, CiphertextBlob };
};
const granted: Made = async (kms) => {
  const { KeyId } = await symmetric(kms);
  const input = { KeyId, GranteePrincipal: CALLER.principal, RetiringPrincipal: CALLER.principal };
  const { GrantId } = await done(kms, 'CreateGrant', { ...input, Operations: ['Encrypt', 'RetireGrant'] });
  return { KeyId, GrantId };
};

const SIGNATURE = { Message: base64('message'), SigningAlgorithm: 'ECDSA_SHA_256' };
const MAC = { Message: base64('message'), MacAlgorithm: 'HMAC_SHA_256' };
const ALGORITHM = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
const CONTEXT = { EncryptionContext: { purpose: 'conformance' } };
export const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: CALLER.principal }, Action: 'kms:*', Resource: '*' }],
});

/** A public key on P-256 of somebody else. */
export function peerKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}

const with_ =
  (base: Made, more: object): Made =>
  async (kms) => ({ ...(await base(kms)), ...more });

/** Every action of AWS's that is answered here. */
export const REQUESTS: Readonly<Record<string, Made>> = {
  CancelKeyDeletion: async (kms) => {
    const { KeyId } = await symmetric(kms);
    await done(kms, 'ScheduleKeyDeletion', { KeyId });
    return { KeyId };
  },
  CreateAlias: async (kms) => ({ AliasName: freshAlias(), TargetKeyId: await kms.key() }),
  CreateGrant: with_(symmetric, {
    GranteePrincipal: CALLER.principal,
    RetiringPrincipal: CALLER.principal,
    Operations: ['Encrypt', 'Decrypt'],
    Constraints: { EncryptionContextSubset: { a: 'b' } },
    Name: 'conformance',
  }),
  CreateKey: async () => ({
    Policy: POLICY,
    Description: 'conformance',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    Origin: 'AWS_KMS',
    BypassPolicyLockoutSafetyCheck: true,
    Tags: [{ TagKey: 'a', TagValue: 'b' }],
    MultiRegion: true,
  }),
  Decapsulate: async (kms) => {
    const { KeyId } = await encapsulating(kms);
    const { SharedSecretCiphertextBlob } = await done(kms, 'Encapsulate', { KeyId, ...ENCAPSULATION });
    return { KeyId, SharedSecretCiphertextBlob, ...ENCAPSULATION };
  },
  Decrypt: with_(encrypted, ALGORITHM),
  DeleteAlias: async (kms) => ({ AliasName: (await aliased(kms))['AliasName'] }),
  DeleteImportedKeyMaterial: imported,
  DeriveSharedSecret: async (kms) => ({
    ...(await agreeing(kms)),
    KeyAgreementAlgorithm: 'ECDH',
    PublicKey: peerKey(),
  }),
  DescribeKey: symmetric,
  DisableKey: symmetric,
  DisableKeyRotation: symmetric,
  EnableKey: symmetric,
  EnableKeyRotation: with_(symmetric, { RotationPeriodInDays: 90 }),
  Encapsulate: with_(encapsulating, ENCAPSULATION),
  Encrypt: with_(symmetric, { Plaintext: base64('x'), ...CONTEXT, ...ALGORITHM }),
  GenerateDataKey: with_(symmetric, { KeySpec: 'AES_256', ...CONTEXT }),
  GenerateDataKeyPair: with_(symmetric, { KeyPairSpec: 'ECC_NIST_P256', ...CONTEXT }),
  GenerateDataKeyPairWithoutPlaintext: with_(symmetric, { KeyPairSpec: 'ECC_NIST_P256', ...CONTEXT }),
  GenerateDataKeyWithoutPlaintext: with_(symmetric, { NumberOfBytes: 32, ...CONTEXT }),
  GenerateMac: with_(macs, MAC),
  GenerateRandom: async () => ({ NumberOfBytes: 32 }),
  GetKeyLastUsage: async (kms) => ({ KeyId: (await encrypted(kms))['KeyId'] }),
  GetKeyPolicy: with_(symmetric, { PolicyName: 'default' }),
  GetKeyRotationStatus: async (kms) => {
    const { KeyId } = await symmetric(kms);
    await done(kms, 'EnableKeyRotation', { KeyId });
    return { KeyId };
  },
  GetParametersForImport: with_(external, PARAMETERS),
  GetPublicKey: signing,
  ImportKeyMaterial: async (kms) => ({
    ...(await importing(kms, (await external(kms))['KeyId'], randomBytes(32))),
    ImportType: 'NEW_KEY_MATERIAL',
    KeyMaterialDescription: 'conformance',
  }),
  ListAliases: async (kms) => ({ KeyId: (await aliased(kms))['TargetKeyId'], Limit: 1 }),
  ListGrants: async (kms) => ({ KeyId: (await granted(kms))['KeyId'], GranteePrincipal: CALLER.principal, Limit: 1 }),
  ListKeyPolicies: with_(symmetric, { Limit: 1 }),
  ListKeyRotations: async (kms) => {
    const { KeyId } = await symmetric(kms);
    await done(kms, 'RotateKeyOnDemand', { KeyId });
    return { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1 };
  },
  ListKeys: async (kms) => {
    await symmetric(kms);
    return { Limit: 1 };
  },
  ListResourceTags: async (kms) => ({ KeyId: await kms.key({ Tags: [{ TagKey: 'a', TagValue: '' }] }), Limit: 1 }),
  ListRetirableGrants: async (kms) => {
    await granted(kms);
    return { RetiringPrincipal: CALLER.principal, Limit: 1 };
  },
  PutKeyPolicy: with_(symmetric, { PolicyName: 'default', Policy: POLICY, BypassPolicyLockoutSafetyCheck: true }),
  ReEncrypt: async (kms) => {
    const { KeyId: SourceKeyId, CiphertextBlob } = await encrypted(kms);
    return { SourceKeyId, CiphertextBlob, DestinationKeyId: await kms.key() };
  },
  ReplicateKey: async (kms) => ({
    KeyId: await kms.key({ MultiRegion: true }),
    ReplicaRegion: OTHER_REGION,
    Policy: POLICY,
    BypassPolicyLockoutSafetyCheck: true,
    Description: 'conformance',
    Tags: [{ TagKey: 'a', TagValue: 'b' }],
  }),
  RetireGrant: granted,
  RevokeGrant: granted,
  RotateKeyOnDemand: symmetric,
  ScheduleKeyDeletion: with_(symmetric, { PendingWindowInDays: 7 }),
  Sign: with_(signing, { ...SIGNATURE, MessageType: 'RAW' }),
  TagResource: with_(symmetric, { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  UntagResource: with_(symmetric, { TagKeys: ['a'] }),
  UpdateAlias: aliased,
  UpdateKeyDescription: with_(symmetric, { Description: 'conformance' }),
  UpdatePrimaryRegion: async (kms) => {
    const KeyId = await kms.key({ MultiRegion: true });
    await done(kms, 'ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION });
    return { KeyId, PrimaryRegion: OTHER_REGION };
  },
  Verify: async (kms) => {
    const { KeyId } = await signing(kms);
    const { Signature } = await done(kms, 'Sign', { KeyId, ...SIGNATURE });
    return { KeyId, ...SIGNATURE, Signature };
  },
  VerifyMac: async (kms) => {
    const { KeyId } = await macs(kms);
    const { Mac } = await done(kms, 'GenerateMac', { KeyId, ...MAC });
    return { KeyId, ...MAC, Mac };
  },
};
