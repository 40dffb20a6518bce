/** Stock clients against `sealgate up`, with nothing but their endpoint changed: AWS SDK for JavaScript v3, `aws kms`, boto3. */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DryRunOperationException,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  InvalidCiphertextException,
  KMSClient,
  KMSInvalidMacException,
  KMSInvalidSignatureException,
  KMSInvalidStateException,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  ListGrantsCommand,
  NotFoundException,
  paginateListAliases,
  paginateListRetirableGrants,
  paginateListKeys,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  VerifyCommand,
  VerifyMacCommand,
  type KMSClientConfig,
} from '@aws-sdk/client-kms';
import { createHash, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate, CLIENT_CA } from '../../support/client-certificates.ts';
import { install, type Installation, type Listening } from '../../support/installation.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { skipBecause } from '../../support/skip.ts';

const ACCOUNT = '000000000000';
const REGION = 'us-east-1';
const ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}';
const USER =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:Encrypt","kms:DescribeKey"],"Resource":"*"}]}';

const CONFIG = `  access:
    identities:
      - { client: admin, policies: [{ name: all, file: ./admin.json }] }
      - { client: user, policies: [{ name: some, file: ./user.json }] }
kms:
  listen: { port: 0, tls: { certFile: ./kms.crt, keyFile: ./kms.key, clientCaFile: ./ca.crt } }
  clients:
    - { name: admin, accessKeyId: ADMINKEY, secretAccessKeyFile: ./admin.secret }
    - { name: user, accessKeyId: USERKEY, secretAccessKey: user-secret }
    - { name: admin, certificate: { subject: "O=Acme, CN=backup" } }
`;

let installation: Installation;
let up: Listening;
let endpoint: string;
let env: NodeJS.ProcessEnv;
let kms: KMSClient;

const client = (changes: KMSClientConfig = {}): KMSClient =>
  new KMSClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'ADMINKEY', secretAccessKey: 'admin-secret' },
    requestHandler: { httpsAgent: { ca: CLIENT_CA } },
    maxAttempts: 1,
    ...changes,
  });

beforeAll(async () => {
  const { cert, key } = certificate('server');
  const backup = certificate('backup');
  installation = await install(CONFIG, [], {
    'admin.json': ADMIN,
    'user.json': USER,
    'admin.secret': 'admin-secret\n',
    'kms.crt': cert,
    'kms.key': key,
    'ca.crt': CLIENT_CA,
    'backup.crt': `${backup.cert}${backup.key}`,
  });
  up = await installation.up();
  endpoint = `https://localhost:${up.ports['kms']}`;
  env = {
    PATH: process.env['PATH'],
    HOME: installation.folder,
    PYENV_VERSION: process.env['PYENV_VERSION'],
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_CA_BUNDLE: join(installation.folder, 'ca.crt'),
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'ADMINKEY',
    AWS_SECRET_ACCESS_KEY: 'admin-secret',
    AWS_MAX_ATTEMPTS: '1',
  };
  kms = client();
});
afterAll(async () => {
  kms.destroy();
  await installation.remove();
});

const newKey = async (): Promise<string> => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

describe('AWS SDK for JavaScript v3', () => {
  test('encrypts, decrypts, re-encrypts and makes data keys', async () => {
    const KeyId = await newKey();
    const EncryptionContext = { purpose: 'sdk', ä: '€' };
    const sealed = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('secret'), EncryptionContext }));
    expect(sealed.KeyId).toBe(`arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId}`);
    const { CiphertextBlob } = sealed;
    expect(text((await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))).Plaintext)).toBe('secret');
    const other = await newKey();
    const moved = await kms.send(
      new ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: other }),
    );
    expect(
      text((await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, KeyId: other }))).Plaintext),
    ).toBe('secret');
    const made = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
    expect([made.Plaintext?.length, opened.Plaintext]).toEqual([32, made.Plaintext]);
    const hidden = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 64 }));
    expect((await kms.send(new DecryptCommand({ CiphertextBlob: hidden.CiphertextBlob }))).Plaintext).toHaveLength(64);
    expect((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 16 }))).Plaintext).toHaveLength(16);
    const { KeyLastUsage } = await kms.send(new GetKeyLastUsageCommand({ KeyId }));
    expect([KeyLastUsage?.Operation, KeyLastUsage?.Timestamp?.getUTCFullYear()]).toEqual([
      'Decrypt',
      new Date().getUTCFullYear(),
    ]);
  });

  test('reads our errors as its own classes', async () => {
    const KeyId = await newKey();
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } }))).rejects.toThrow(
      InvalidCiphertextException,
    );
    await expect(kms.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))).rejects.toThrow(NotFoundException);
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, DryRun: true }))).rejects.toThrow(
      DryRunOperationException,
    );
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await expect(kms.send(new DisableKeyCommand({ KeyId }))).rejects.toThrow(KMSInvalidStateException);
    await expect(kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 1 }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/^1 validation error detected: Value '1' at 'rotationPeriodInDays'/u) as string,
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/u) as string },
    });
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
  });

  test('manages keys: tags, policy, rotation, aliases, and pages through lists', async () => {
    const KeyId = await newKey();
    await kms.send(
      new TagResourceCommand({
        KeyId,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'b', TagValue: '2' },
        ],
      }),
    );
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: 'b', TagValue: '2' }]);
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
    await kms.send(new EnableKeyRotationCommand({ KeyId }));
    const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId }));
    expect([status.KeyRotationEnabled, status.RotationPeriodInDays]).toEqual([true, 365]);
    expect(status.NextRotationDate?.getTime()).toBeGreaterThan(Date.now() + 364 * 86_400_000);
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    expect((await kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toMatchObject([
      { RotationType: 'ON_DEMAND' },
    ]);
    for (const name of ['x', 'y', 'z'])
      await kms.send(new CreateAliasCommand({ AliasName: `alias/sdk/${name}`, TargetKeyId: KeyId }));
    const names = [];
    for await (const { Aliases = [] } of paginateListAliases({ client: kms, pageSize: 2 }, { KeyId }))
      names.push(...Aliases.map(({ AliasName }) => AliasName));
    expect(names).toEqual(['alias/sdk/x', 'alias/sdk/y', 'alias/sdk/z']);
    const ids = [];
    for await (const { Keys = [] } of paginateListKeys({ client: kms, pageSize: 2 }, {}))
      ids.push(...Keys.map((key) => key.KeyId));
    expect(ids).toContain(KeyId);
  });

  test('makes the same call many times at once, each answered', async () => {
    const KeyId = await newKey();
    const made = await Promise.all(
      Array.from({ length: 50 }, () => kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))),
    );
    expect(new Set(made.map(({ Plaintext }) => Buffer.from(Plaintext ?? []).toString('hex'))).size).toBe(50);
  });

  test('is denied what its policies do not allow, with the reason', async () => {
    const KeyId = await newKey();
    const user = client({ credentials: { accessKeyId: 'USERKEY', secretAccessKey: 'user-secret' } });
    const { CiphertextBlob } = await user.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await expect(user.send(new DecryptCommand({ CiphertextBlob, KeyId }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${ACCOUNT}:user/user is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId} because no identity-based policy allows the kms:Decrypt action`,
    });
    user.destroy();
  });

  test('makes and verifies MACs', async () => {
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    );
    expect(KeyMetadata).toMatchObject({ MacAlgorithms: ['HMAC_SHA_384'], KeySpec: 'HMAC_384' });
    const asked = { KeyId: KeyMetadata?.Arn, Message: Buffer.from('message'), MacAlgorithm: 'HMAC_SHA_384' as const };
    const { Mac } = await kms.send(new GenerateMacCommand(asked));
    expect(await kms.send(new VerifyMacCommand({ ...asked, Mac }))).toMatchObject({ MacValid: true });
    const other = new VerifyMacCommand({ ...asked, Message: Buffer.from('massage'), Mac });
    await expect(kms.send(other)).rejects.toBeInstanceOf(KMSInvalidMacException);
  });

  test.each([
    ['RSA_2048', 'RSASSA_PSS_SHA_256'],
    ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'],
    ['ML_DSA_65', 'ML_DSA_SHAKE_256'],
  ] as const)('signs and verifies with %s, %s', async (KeySpec, SigningAlgorithm) => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
    const asked = { KeyId: KeyMetadata?.Arn, Message: Buffer.from('message'), SigningAlgorithm };
    const { Signature } = await kms.send(new SignCommand(asked));
    expect(await kms.send(new VerifyCommand({ ...asked, Signature }))).toMatchObject({ SignatureValid: true });
    const other = new VerifyCommand({ ...asked, Message: Buffer.from('massage'), Signature });
    await expect(kms.send(other)).rejects.toBeInstanceOf(KMSInvalidSignatureException);
    const given = await kms.send(new GetPublicKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    expect(given).toMatchObject({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
    expect(given.SigningAlgorithms).toContain(SigningAlgorithm);
    expect(given.SigningAlgorithms).toEqual(KeyMetadata?.SigningAlgorithms);
    createPublicKey({ key: Buffer.from(given.PublicKey ?? []), format: 'der', type: 'spki' });
  });

  test.each(['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const)('encrypts under RSA by %s', async (algorithm) => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT' }));
    expect(KeyMetadata?.EncryptionAlgorithms).toEqual(['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']);
    const asked = { KeyId: KeyMetadata?.KeyId, EncryptionAlgorithm: algorithm };
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ ...asked, Plaintext: Buffer.from('secret') }));
    const opened = await kms.send(new DecryptCommand({ ...asked, CiphertextBlob }));
    expect([text(opened.Plaintext), opened.EncryptionAlgorithm]).toEqual(['secret', algorithm]);
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: asked.KeyId,
        SourceEncryptionAlgorithm: algorithm,
        DestinationKeyId: await newKey(),
      }),
    );
    expect(text((await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))).Plaintext)).toBe(
      'secret',
    );
    const other = new DecryptCommand({ ...asked, CiphertextBlob: CiphertextBlob?.map((byte) => byte ^ 1) });
    await expect(kms.send(other)).rejects.toBeInstanceOf(InvalidCiphertextException);
  });

  test('agrees on a secret with another key, and makes key pairs for use outside', async () => {
    const make = async (): Promise<string> =>
      (await kms.send(new CreateKeyCommand({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' }))).KeyMetadata
        ?.KeyId ?? '';
    const [a, b] = [await make(), await make()];
    const derive = async (KeyId: string, other: string): Promise<Uint8Array | undefined> => {
      const { PublicKey, KeyAgreementAlgorithms } = await kms.send(new GetPublicKeyCommand({ KeyId: other }));
      expect(KeyAgreementAlgorithms).toEqual(['ECDH']);
      const asked = { KeyId, KeyAgreementAlgorithm: 'ECDH' as const, PublicKey };
      return (await kms.send(new DeriveSharedSecretCommand(asked))).SharedSecret;
    };
    const secret = await derive(a, b);
    expect(secret).toHaveLength(48);
    expect(await derive(b, a)).toEqual(secret);
    const asked = { KeyId: await newKey(), KeyPairSpec: 'ECC_NIST_P256' as const, EncryptionContext: { a: 'b' } };
    const made = await kms.send(new GenerateDataKeyPairCommand(asked));
    const { Plaintext } = await kms.send(
      new DecryptCommand({ CiphertextBlob: made.PrivateKeyCiphertextBlob, EncryptionContext: { a: 'b' } }),
    );
    expect(Plaintext).toEqual(made.PrivateKeyPlaintext);
    const blind = await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(asked));
    expect(blind).not.toHaveProperty('PrivateKeyPlaintext');
    createPublicKey({ key: Buffer.from(blind.PublicKey ?? []), format: 'der', type: 'spki' });
  });

  test('gives, lists and takes back grants, in force at once', async () => {
    const KeyId = await newKey();
    const GranteePrincipal = `arn:aws:iam::${ACCOUNT}:user/user`;
    const user = client({ credentials: { accessKeyId: 'USERKEY', secretAccessKey: 'user-secret' } });
    const { CiphertextBlob } = await user.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    const decrypt = (GrantTokens: string[] = []): Promise<string> =>
      user
        .send(new DecryptCommand({ CiphertextBlob, GrantTokens }))
        .then(({ Plaintext }) => text(Plaintext))
        .catch((error: unknown) => (error instanceof Error ? error.name : ''));
    const asked = { KeyId, GranteePrincipal, Operations: ['Decrypt' as const], RetiringPrincipal: GranteePrincipal };
    const { GrantId, GrantToken = '' } = await kms.send(new CreateGrantCommand(asked));
    expect([await decrypt(), await decrypt([GrantToken])]).toEqual(['x', 'x']);
    const { Grants } = await kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal }));
    expect(Grants).toMatchObject([
      { GrantId, GranteePrincipal, Operations: ['Decrypt'], CreationDate: expect.any(Date) },
    ]);
    await user.send(new RetireGrantCommand({ GrantToken }));
    expect(await decrypt()).toBe('AccessDeniedException');
    const more = [];
    for (let n = 0; n < 3; n++) more.push((await kms.send(new CreateGrantCommand(asked))).GrantId);
    const retirable = [];
    const pages = paginateListRetirableGrants({ client: kms, pageSize: 2 }, { RetiringPrincipal: GranteePrincipal });
    for await (const page of pages) retirable.push(...(page.Grants ?? []));
    expect(retirable.map((grant) => grant.GrantId).sort()).toEqual(more.toSorted());
    for (const id of more) await kms.send(new RevokeGrantCommand({ KeyId, GrantId: id }));
    expect(await decrypt()).toBe('AccessDeniedException');
    user.destroy();
  });

  test('corrects its clock by our answer, where it is off', async () => {
    const late = client({ systemClockOffset: -3_600_000, maxAttempts: 2 });
    expect((await late.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))).Plaintext).toHaveLength(1);
    late.destroy();
  });
});

const aws = (...words: readonly string[]): Promise<Ran> =>
  start('aws', ['kms', '--output', 'json', ...words], { env }).done;
const json = async (...words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
  const { code, stdout, stderr } = await aws(...words);
  expect([code, stderr]).toEqual([0, '']);
  return stdout === '' ? {} : (JSON.parse(stdout) as Readonly<Record<string, unknown>>);
};

describe('aws kms', () => {
  skipBecause(missing('aws', 'openssl'));

  test('makes, uses, rotates and deletes a key', async () => {
    const { KeyMetadata } = await json(
      'create-key',
      '--description',
      'of the command line',
      '--tags',
      'TagKey=a,TagValue=b',
    );
    const { KeyId } = KeyMetadata as { KeyId: string };
    await json('create-alias', '--alias-name', 'alias/cli', '--target-key-id', KeyId);
    // Versions 1 and 2 read blobs on the command line differently, and files alike.
    const blob = async (name: string, bytes: Uint8Array): Promise<string> => {
      const path = join(installation.folder, name);
      await writeFile(path, bytes);
      return `fileb://${path}`;
    };
    const plaintext = await blob('plaintext', Buffer.from('secret'));
    const context = ['--encryption-context', 'a=b'];
    const sealed = await json('encrypt', '--key-id', 'alias/cli', '--plaintext', plaintext, ...context);
    const ciphertext = await blob('ciphertext', Buffer.from(String(sealed['CiphertextBlob']), 'base64'));
    const opened = await json('decrypt', '--ciphertext-blob', ciphertext, ...context);
    expect(Buffer.from(String(opened['Plaintext']), 'base64').toString()).toBe('secret');
    await json('rotate-key-on-demand', '--key-id', KeyId);
    expect((await json('list-key-rotations', '--key-id', KeyId))['Rotations']).toHaveLength(1);
    expect((await json('list-aliases', '--key-id', KeyId))['Aliases']).toMatchObject([{ AliasName: 'alias/cli' }]);
    const policy = await json('get-key-policy', '--key-id', KeyId);
    await json('put-key-policy', '--key-id', KeyId, '--policy', String(policy['Policy']));
    const grantee = `arn:aws:iam::${ACCOUNT}:user/user`;
    const made = ['--grantee-principal', grantee, '--operations', 'Decrypt', 'GenerateDataKey', '--name', 'cli'];
    const subset = ['--constraints', 'EncryptionContextSubset={a=b}'];
    const { GrantId } = await json('create-grant', '--key-id', KeyId, ...made, ...subset);
    const listed = await json('list-grants', '--key-id', KeyId);
    expect(listed['Grants']).toMatchObject([{ GrantId, Constraints: { EncryptionContextSubset: { a: 'b' } } }]);
    await json('revoke-grant', '--key-id', KeyId, '--grant-id', String(GrantId));
    expect((await json('list-grants', '--key-id', KeyId))['Grants']).toEqual([]);
    expect(await json('schedule-key-deletion', '--key-id', KeyId)).toMatchObject({
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 30,
    });
    const { code, stderr } = await aws('encrypt', '--key-id', KeyId, '--plaintext', plaintext);
    expect([code, stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(/\(KMSInvalidStateException\).* is pending deletion\./u),
    ]);
    expect(code).not.toBe(0);
  });

  test('opens what openssl encrypted with the public key', async () => {
    const { KeyMetadata } = await json('create-key', '--key-spec', 'RSA_2048', '--key-usage', 'ENCRYPT_DECRYPT');
    const keyId = ['--key-id', (KeyMetadata as { KeyId: string }).KeyId];
    const path = (name: string): string => join(installation.folder, name);
    const given = await json('get-public-key', ...keyId);
    await writeFile(path('rsa.der'), Buffer.from(String(given['PublicKey']), 'base64'));
    await writeFile(path('rsa.plaintext'), 'secret');
    const oaep = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256'];
    const words = [
      'pkeyutl',
      '-encrypt',
      '-pubin',
      '-keyform',
      'DER',
      '-inkey',
      path('rsa.der'),
      '-in',
      path('rsa.plaintext'),
    ];
    const options = oaep.flatMap((option) => ['-pkeyopt', option]);
    expect(await start('openssl', [...words, ...options, '-out', path('rsa.ciphertext')]).done).toMatchObject({
      code: 0,
    });
    const blob = ['--ciphertext-blob', `fileb://${path('rsa.ciphertext')}`];
    const opened = await json('decrypt', ...keyId, ...blob, '--encryption-algorithm', 'RSAES_OAEP_SHA_256');
    expect(Buffer.from(String(opened['Plaintext']), 'base64').toString()).toBe('secret');
  });

  test.each([
    ['RSA_2048', 'RSASSA_PSS_SHA_256', ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest']],
    ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_256', []],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', []],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', []],
  ])('signs with %s, %s, a message and its digest, and openssl verifies it', async (spec, algorithm, options) => {
    const { KeyMetadata } = await json('create-key', '--key-spec', spec, '--key-usage', 'SIGN_VERIFY');
    const keyId = ['--key-id', (KeyMetadata as { KeyId: string }).KeyId];
    const file = async (name: string, bytes: Uint8Array): Promise<string> => {
      const path = join(installation.folder, name);
      await writeFile(path, bytes);
      return path;
    };
    const given = await json('get-public-key', ...keyId);
    const publicKey = await file('public.der', Buffer.from(String(given['PublicKey']), 'base64'));
    const message = await file('message', Buffer.from('what is signed'));
    const digest = await file('digest', createHash('sha256').update('what is signed').digest());
    for (const form of [
      ['--message', `fileb://${message}`],
      ['--message', `fileb://${digest}`, '--message-type', 'DIGEST'],
    ]) {
      const asked = [...keyId, '--signing-algorithm', algorithm, ...form];
      const { Signature } = await json('sign', ...asked);
      const signature = await file('signature', Buffer.from(String(Signature), 'base64'));
      expect(await json('verify', ...asked, '--signature', `fileb://${signature}`)).toMatchObject({
        SignatureValid: true,
      });
      const words = ['dgst', '-sha256', '-verify', publicKey, '-keyform', 'DER', ...options, '-signature', signature];
      expect(await start('openssl', [...words, message]).done).toMatchObject({ code: 0, stdout: 'Verified OK\n' });
    }
  });
});

const BOTO = `
import boto3, json, os, sys
from botocore.config import Config
kms = boto3.client('kms')
key = kms.create_key()['KeyMetadata']['KeyId']
blob = kms.encrypt(KeyId=key, Plaintext=b'secret', EncryptionContext={'a': 'b'})['CiphertextBlob']
plain = kms.decrypt(CiphertextBlob=blob, EncryptionContext={'a': 'b'})['Plaintext']
try:
    kms.decrypt(CiphertextBlob=blob)
    wrong = None
except kms.exceptions.InvalidCiphertextException as e:
    wrong = e.response['Error']
unsigned = boto3.client('kms', config=Config(signature_version=__import__('botocore').UNSIGNED, client_cert=os.environ['CLIENT_CERT']))
keys = [k['KeyId'] for page in unsigned.get_paginator('list_keys').paginate() for k in page['Keys']]
print(json.dumps({'plain': plain.decode(), 'wrong': wrong['Code'], 'seen': key in keys}))
`;

describe('boto3', () => {
  skipBecause(missing('python3'));

  test('signs, reads our errors, and without signing is known by its certificate', async ({ skip }) => {
    if ((await start('python3', ['-c', 'import boto3']).done).code !== 0) return skip('boto3 is not installed');
    const CLIENT_CERT = join(installation.folder, 'backup.crt');
    const { stdout, stderr } = await start('python3', ['-c', BOTO], { env: { ...env, CLIENT_CERT } }).done;
    const expected = '{"plain": "secret", "wrong": "InvalidCiphertextException", "seen": true}';
    expect([stdout.trim(), stderr]).toEqual([expected, '']);
  });
});

test('`sealgate check` finds the section sound beside the running process, and says which callers have no identity', async () => {
  const { stdout } = await installation.run('check');
  expect(stdout).toMatch(/^ok .*kms listener 127\.0\.0\.1:0: its certificates can be used$/mu);
  expect(stdout).not.toMatch(/kms client/u);
});

test('Requests are counted by action and result, and refusals by code, at /metrics; /readyz says ready', async () => {
  await kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }));
  await expect(kms.send(new DescribeKeyCommand({ KeyId: 'alias/none' }))).rejects.toThrow(NotFoundException);
  const [, port] = /^observe .*:(\d+)$/mu.exec(up.program.said()) ?? [];
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/^sealgate_kms_requests_total\{action="GenerateRandom",result="success"\} [1-9]/mu);
  expect(metrics).toMatch(/^sealgate_kms_requests_total\{action="DescribeKey",result="NotFoundException"\} [1-9]/mu);
  expect(metrics).toMatch(/^sealgate_refusals_total\{listener="kms",code="ERR_KMS_NOT_FOUND"\} [1-9]/mu);
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
});

test('Every call stands in the audit trail with its caller and request, and the trail holds', async () => {
  const { requestId } = (await kms.send(new GenerateRandomCommand({ NumberOfBytes: 1 }))).$metadata;
  const log = await readFile(join(installation.folder, 'audit.jsonl'), 'utf8');
  const record = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .find(({ request }) => request === requestId);
  expect(record).toMatchObject({
    action: 'GenerateRandom',
    principal: `arn:aws:iam::${ACCOUNT}:user/admin`,
    via: 'kms',
    result: 'success',
  });
  expect((await installation.run('audit', 'verify')).code).toBe(0);
});
