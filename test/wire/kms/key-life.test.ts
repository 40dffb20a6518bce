/** The life of keys as the stock AWS SDK sees it over HTTP: warnings by default, refusals and rotation under the profile nist. */
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  KMSInvalidStateException,
  ListKeyRotationsCommand,
  SignCommand,
  UnsupportedOperationException,
  VerifyCommand,
  VerifyMacCommand,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { LifeOptions } from '../../../src/keys/life/terms/options.ts';
import { DAY_MS } from '../../../src/keys/limits.ts';
import { rule } from '../../support/keys/key-life.ts';
import { CALLER, REGION, startKms, type TestKms } from '../../support/kms/edge.ts';
import { wrapByNode } from '../../support/keys/wrap-material.ts';

const NIST: LifeOptions = { profile: 'nist', recipientEnd: 'warn', rules: [] };
const Plaintext = Buffer.from('sealed');

type Client = { readonly send: KMSClient['send'] };

/**
 * At the service's time, as a client's clock is. One for each request: clients set their clock by the Date of an answer, which is
 * this machine's.
 */
function clientOf({ url, clock }: TestKms): Client {
  const credentials = CALLER;
  const make = (): KMSClient =>
    new KMSClient({ endpoint: url, region: REGION, credentials, maxAttempts: 1, systemClockOffset: clock.ms });
  // The same overloads, each given on as it came.
  return { send: ((...args: Parameters<KMSClient['send']>) => make().send(...args)) as KMSClient['send'] };
}

async function keyOf(client: Client, input: CreateKeyCommand['input'] = {}): Promise<{ KeyId: string; Arn: string }> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand(input));
  return { KeyId: KeyMetadata?.KeyId ?? '', Arn: KeyMetadata?.Arn ?? '' };
}

const auditOf = ({ folder }: TestKms, action: string): readonly Record<string, unknown>[] =>
  readFileSync(folder.options.audit.path, 'utf8')
    .trimEnd()
    .split('\n')
    // Its own lines.
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((record) => record['action'] === action);

test('By default keys of any age do all they did, with a warning in the trail and not one for each request', async () => {
  await using kms = await startKms();
  const young = clientOf(kms);
  const { KeyId, Arn } = await keyOf(young);
  const mac = await keyOf(young, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const { CiphertextBlob } = await young.send(new EncryptCommand({ KeyId, Plaintext }));
  kms.clock.ms = 6 * 365 * DAY_MS;
  const client = clientOf(kms);
  for (let times = 0; times < 3; times++) {
    await client.send(new EncryptCommand({ KeyId, Plaintext }));
    const opened = await client.send(new DecryptCommand({ CiphertextBlob }));
    expect(opened.Plaintext).toEqual(new Uint8Array(Plaintext));
    const made = await client.send(
      new GenerateMacCommand({ KeyId: mac.KeyId, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_256' }),
    );
    expect(made.Mac).toHaveLength(32);
  }
  const about = auditOf(kms, 'KeyLifeWarning').map(({ key, detail }) => [key, (detail as { reason: string }).reason]);
  expect(about).toEqual([
    [Arn, 'end of originator period'],
    [Arn, 'end of recipient period'],
    [mac.Arn, 'end of originator period'],
  ]);
});

test('Under nist a symmetric key goes on under new material, and old ciphertexts open', async () => {
  await using kms = await startKms({ life: NIST });
  const young = clientOf(kms);
  const { KeyId } = await keyOf(young);
  const { CiphertextBlob } = await young.send(new EncryptCommand({ KeyId, Plaintext }));
  const before = await young.send(new DescribeKeyCommand({ KeyId }));
  kms.clock.ms = 731 * DAY_MS;
  const client = clientOf(kms);
  const { KeyMaterialId } = await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  expect(KeyMaterialId).toBeDefined();
  expect(KeyMaterialId).not.toBe(before.KeyMetadata?.CurrentKeyMaterialId);
  const opened = await client.send(new DecryptCommand({ CiphertextBlob }));
  expect(opened.KeyMaterialId).toBe(before.KeyMetadata?.CurrentKeyMaterialId);
  const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId }));
  expect(Rotations).toMatchObject([{ KeyId, RotationType: 'AUTOMATIC' }]);
});

test('Under nist a MAC key and a signing key refuse to protect as a key in the wrong state does, and still verify', async () => {
  await using kms = await startKms({ life: NIST });
  const young = clientOf(kms);
  const mac = await keyOf(young, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const macInput = { KeyId: mac.KeyId, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_256' } as const;
  const { Mac } = await young.send(new GenerateMacCommand(macInput));
  const pair = await keyOf(young, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const signInput = { KeyId: pair.KeyId, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature } = await young.send(new SignCommand(signInput));
  kms.clock.ms = 1096 * DAY_MS;
  const client = clientOf(kms);
  const refused = await client.send(new GenerateMacCommand(macInput)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(KMSInvalidStateException);
  expect(refused).toMatchObject({
    message: expect.stringMatching(
      /^arn:\S+ protects nothing more with this key material \(end of originator period, \S+Z\), by the key life profile nist\.$/u,
    ) as string,
    $metadata: { httpStatusCode: 400 },
  });
  await expect(client.send(new SignCommand(signInput))).rejects.toBeInstanceOf(KMSInvalidStateException);
  expect(await client.send(new VerifyMacCommand({ ...macInput, Mac }))).toMatchObject({ MacValid: true });
  expect(await client.send(new VerifyCommand({ ...signInput, Signature }))).toMatchObject({ SignatureValid: true });
  // AWS's word for the key is still Enabled, and its public key is still to be had.
  const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: pair.KeyId }));
  expect(KeyMetadata?.KeyState).toBe('Enabled');
  await client.send(new GetPublicKeyCommand({ KeyId: pair.KeyId }));
});

test('Under nist with recipientEnd deny, what is too old is not opened; the rest of the key’s data is', async () => {
  await using kms = await startKms({ life: { ...NIST, recipientEnd: 'deny' } });
  const young = clientOf(kms);
  const { KeyId } = await keyOf(young);
  const old = await young.send(new EncryptCommand({ KeyId, Plaintext }));
  kms.clock.ms = 1000 * DAY_MS;
  const later = await clientOf(kms).send(new EncryptCommand({ KeyId, Plaintext }));
  kms.clock.ms = 1826 * DAY_MS;
  const client = clientOf(kms);
  const refused = client.send(new DecryptCommand({ CiphertextBlob: old.CiphertextBlob }));
  await expect(refused).rejects.toBeInstanceOf(KMSInvalidStateException);
  const opened = await client.send(new DecryptCommand({ CiphertextBlob: later.CiphertextBlob }));
  expect(opened.Plaintext).toEqual(new Uint8Array(Plaintext));
});

test('A limit on operations holds over HTTP, for many clients at once', async () => {
  const limited = rule({ types: ['authentication'], maxOperations: 5 });
  await using kms = await startKms({ life: { ...NIST, rules: [limited] } });
  const client = clientOf(kms);
  const { KeyId } = await keyOf(client, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const input = { KeyId, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_256' } as const;
  const asked = Array.from({ length: 12 }, () =>
    clientOf(kms)
      .send(new GenerateMacCommand(input))
      .catch((error: unknown) => error),
  );
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer instanceof KMSInvalidStateException)).toHaveLength(7);
});

/** Imports what AWS's manual says to, with a wrapping key of this size. */
async function imported(
  client: Client,
  KeyId: string,
  WrappingKeySpec: WrappingKeySpec,
  material: Uint8Array = randomBytes(32),
): Promise<void> {
  const asked = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec } as const;
  const { PublicKey = new Uint8Array(), ImportToken } = await client.send(new GetParametersForImportCommand(asked));
  const EncryptedKeyMaterial = wrapByNode('RSAES_OAEP_SHA_256', PublicKey, material);
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
  await client.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }));
}

test('AES-256 wrapped by RSA is imported as AWS imports it, and that it was weaker is recorded with the material', async () => {
  await using kms = await startKms();
  const client = clientOf(kms);
  const { KeyId, Arn } = await keyOf(client, { Origin: 'EXTERNAL' });
  await imported(client, KeyId, 'RSA_2048');
  const detail = { reason: 'weak wrapping', outcome: 'used', wrappingKey: 'RSA_2048', wrappingBits: 112, bits: 256 };
  expect(auditOf(kms, 'KeyLifeWarning')).toMatchObject([{ key: Arn, detail }]);
  expect(auditOf(kms, 'ImportKeyMaterial').at(-1)).toMatchObject({ detail: { wrappingKey: 'RSA_2048' } });
  const { materials } = await kms.keys.describeKey(KeyId, { principal: 'test', via: 'cli', resource: 'test' });
  expect(materials[0]?.history).toMatchObject([{ reason: 'imported, wrapped by RSA_2048 (112 bits of strength)' }]);
});

test('Imported again under another weaker wrapping key, that is noted in the material’s history too, once, and it is as old as it was', async () => {
  await using kms = await startKms();
  const client = clientOf(kms);
  const { KeyId } = await keyOf(client, { Origin: 'EXTERNAL' });
  const material = randomBytes(32);
  const use = { principal: 'test', via: 'cli', resource: 'test' } as const;
  const history = async (): Promise<unknown> =>
    (await kms.keys.describeKey(KeyId, use)).materials[0]?.history.map(({ to, by, reason }) => [to, by, reason]);
  await imported(client, KeyId, 'RSA_4096', material);
  const first = (await kms.keys.describeKey(KeyId, use)).materials[0]?.history[0];
  const { principal } = CALLER;
  const as = (spec: string, bits: number): unknown => [
    'active',
    principal,
    `imported, wrapped by ${spec} (${bits} bits of strength)`,
  ];
  expect(await history()).toEqual([as('RSA_4096', 128)]);
  await imported(client, KeyId, 'RSA_4096', material);
  expect(await history()).toEqual([as('RSA_4096', 128)]);
  for (const _ of [1, 2]) await imported(client, KeyId, 'RSA_2048', material);
  expect(await history()).toEqual([as('RSA_4096', 128), as('RSA_2048', 112)]);
  expect((await kms.keys.describeKey(KeyId, use)).materials[0]?.history[0]).toEqual(first);
  await kms.keys.close();
  const again = await kms.folder.open({});
  expect((await again.describeKey(KeyId, use)).materials[0]?.history).toHaveLength(2);
});

test('Under nist a wrapping key weaker than the key is not even given out, unless a rule says so with its reason', async () => {
  const taken = rule({ keys: ['alias/taken'], weakWrapping: 'warn', reason: 'comes from the old HSM' });
  await using kms = await startKms({ life: { ...NIST, rules: [taken] } });
  const client = clientOf(kms);
  const { KeyId } = await keyOf(client, { Origin: 'EXTERNAL' });
  for (const spec of ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const)
    await expect(imported(client, KeyId, spec)).rejects.toBeInstanceOf(UnsupportedOperationException);
  // As strong as it: P-256 has the strength of RSA_3072.
  const pair = await keyOf(client, { Origin: 'EXTERNAL', KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const asked = { KeyId: pair.KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256' } as const;
  await client.send(new GetParametersForImportCommand({ ...asked, WrappingKeySpec: 'RSA_3072' }));
  const weak = client.send(new GetParametersForImportCommand({ ...asked, WrappingKeySpec: 'RSA_2048' }));
  await expect(weak).rejects.toBeInstanceOf(UnsupportedOperationException);
  await kms.call('CreateAlias', { AliasName: 'alias/taken', TargetKeyId: KeyId });
  await imported(client, KeyId, 'RSA_4096');
  expect(auditOf(kms, 'KeyLifeWarning').at(-1)).toMatchObject({
    detail: { reason: 'weak wrapping', outcome: 'used', because: 'comes from the old HSM' },
  });
});

test('A token of before the profile was changed imports nothing weaker than its key', async () => {
  await using kms = await startKms();
  const client = clientOf(kms);
  const { KeyId } = await keyOf(client, { Origin: 'EXTERNAL' });
  const asked = { keyId: KeyId, algorithm: 'RSAES_OAEP_SHA_256', wrappingSpec: 'RSA_2048' } as const;
  const use = { principal: CALLER.principal, via: 'kms', resource: 'test' } as const;
  const { token, publicKey } = await kms.keys.imports.parameters(asked, use);
  await kms.keys.close();
  const strict = await kms.folder.open({ life: NIST });
  const wrapped = wrapByNode('RSAES_OAEP_SHA_256', publicKey, randomBytes(32));
  const request = { keyId: KeyId, token, wrapped, validTo: undefined };
  await expect(strict.imports.importMaterial(request, use)).rejects.toMatchObject({ code: 'ERR_KEYS_WEAK_WRAPPING' });
  const { state } = await strict.describeKey(KeyId, use);
  expect(state).toBe('pending-import');
});
