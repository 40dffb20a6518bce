/** Import of key material by stock clients against `sealgate up`: AWS SDK for JavaScript v3, and `aws kms` with OpenSSL as AWS's manual says. */
import {
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  IncorrectKeyMaterialException,
  InvalidCiphertextException,
  InvalidImportTokenException,
  KMSClient,
  KMSInvalidStateException,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  SignCommand,
  type CreateKeyCommandInput,
  type ImportKeyMaterialCommandInput,
} from '@aws-sdk/client-kms';
import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificate, CLIENT_CA } from '../../support/client-certificates.ts';
import { install, type Installation } from '../../support/installation.ts';
import { missing } from '../../support/programs.ts';
import { start } from '../../support/run.ts';
import { skipBecause } from '../../support/skip.ts';
import { wrapByNode, wrapByOpenssl } from '../../support/keys/wrap-material.ts';

const REGION = 'us-east-1';
const ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}';
const CONFIG = `  access:
    identities:
      - { client: admin, policies: [{ name: all, file: ./admin.json }] }
kms:
  listen: { port: 0, tls: { certFile: ./kms.crt, keyFile: ./kms.key } }
  clients:
    - { name: admin, accessKeyId: ADMINKEY, secretAccessKey: admin-secret }
`;

let installation: Installation;
let endpoint: string;
let kms: KMSClient;

beforeAll(async () => {
  const { cert, key } = certificate('server');
  const files = { 'admin.json': ADMIN, 'kms.crt': cert, 'kms.key': key, 'ca.crt': CLIENT_CA };
  installation = await install(CONFIG, [], files);
  endpoint = `https://localhost:${(await installation.up()).ports['kms']}`;
  kms = new KMSClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'ADMINKEY', secretAccessKey: 'admin-secret' },
    requestHandler: { httpsAgent: { ca: CLIENT_CA } },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  kms.destroy();
  await installation.remove();
});

async function external(more: CreateKeyCommandInput = {}): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL', ...more }));
  expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL' });
  return KeyMetadata?.KeyId ?? '';
}

async function importing(KeyId: string, material: Uint8Array): Promise<ImportKeyMaterialCommandInput> {
  const WrappingAlgorithm = 'RSA_AES_KEY_WRAP_SHA_256';
  const { ImportToken, PublicKey, ParametersValidTo } = await kms.send(
    new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_3072' }),
  );
  expect(ParametersValidTo).toBeInstanceOf(Date);
  const EncryptedKeyMaterial = wrapByNode(WrappingAlgorithm, PublicKey ?? new Uint8Array(), material);
  return { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
}

describe('AWS SDK for JavaScript v3', () => {
  test('imports, uses, deletes, imports again and rotates symmetric material', async () => {
    const KeyId = await external();
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const ValidTo = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);
    const ends = { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo } as const;
    const imported = await kms.send(new ImportKeyMaterialCommand({ ...(await importing(KeyId, first)), ...ends }));
    const shown = await kms.send(new DescribeKeyCommand({ KeyId }));
    expect(shown.KeyMetadata).toMatchObject({ KeyState: 'Enabled', Origin: 'EXTERNAL', ...ends });
    expect(shown.KeyMetadata?.CurrentKeyMaterialId).toBe(imported.KeyMaterialId);
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('text') }));
    const open = async (): Promise<string> =>
      Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []).toString();
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
    await expect(open()).rejects.toThrow(KMSInvalidStateException);
    await expect(kms.send(new ImportKeyMaterialCommand(await importing(KeyId, second)))).rejects.toThrow(
      IncorrectKeyMaterialException,
    );
    await kms.send(new ImportKeyMaterialCommand(await importing(KeyId, first)));
    expect(await open()).toBe('text');
    const fresh = { ImportType: 'NEW_KEY_MATERIAL', KeyMaterialDescription: 'second' } as const;
    await kms.send(new ImportKeyMaterialCommand({ ...(await importing(KeyId, second)), ...fresh }));
    await kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    expect(await open()).toBe('text');
    const listed = new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
    expect((await kms.send(listed)).Rotations).toMatchObject([
      { KeyMaterialState: 'NON_CURRENT', ImportState: 'IMPORTED' },
      {
        KeyMaterialState: 'CURRENT',
        ImportState: 'IMPORTED',
        KeyMaterialDescription: 'second',
        RotationDate: expect.any(Date),
      },
    ]);
  });

  test('imports a private key, and reads our errors as its own classes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const KeyId = await external({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const asked = await importing(KeyId, privateKey.export({ format: 'der', type: 'pkcs8' }));
    const cut = { ...asked, EncryptedKeyMaterial: asked.EncryptedKeyMaterial?.subarray(1) };
    await expect(kms.send(new ImportKeyMaterialCommand(cut))).rejects.toThrow(InvalidCiphertextException);
    const other = { ...asked, KeyId: await external() };
    await expect(kms.send(new ImportKeyMaterialCommand(other))).rejects.toThrow(InvalidImportTokenException);
    await kms.send(new ImportKeyMaterialCommand(asked));
    const Message = Buffer.from('message');
    const { Signature } = await kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' }));
    expect(verify('sha256', Message, publicKey, Signature ?? new Uint8Array())).toBe(true);
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const given = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
    expect(given.equals(publicKey)).toBe(true);
  });
});

describe('aws kms', () => {
  skipBecause(missing('aws', 'openssl'));

  test('imports what OpenSSL wrapped', async () => {
    const env = {
      PATH: process.env['PATH'],
      HOME: installation.folder,
      PYENV_VERSION: process.env['PYENV_VERSION'],
      AWS_ENDPOINT_URL_KMS: endpoint,
      AWS_CA_BUNDLE: join(installation.folder, 'ca.crt'),
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'ADMINKEY',
      AWS_SECRET_ACCESS_KEY: 'admin-secret',
    };
    const aws = async (...words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
      const { code, stdout, stderr } = await start('aws', ['kms', ...words, '--output', 'json'], { env }).done;
      expect([code, stderr]).toEqual([0, '']);
      // Whatever it answers is an object.
      return JSON.parse(stdout || '{}') as Readonly<Record<string, unknown>>;
    };
    const file = async (name: string, bytes: Uint8Array): Promise<string> => {
      await writeFile(join(installation.folder, name), bytes);
      return `fileb://${join(installation.folder, name)}`;
    };
    const { KeyMetadata } = await aws('create-key', '--origin', 'EXTERNAL');
    const keyId = ['--key-id', (KeyMetadata as { KeyId: string }).KeyId];
    const wrapping = ['--wrapping-algorithm', 'RSAES_OAEP_SHA_256', '--wrapping-key-spec', 'RSA_4096'];
    const { ImportToken, PublicKey } = await aws('get-parameters-for-import', ...keyId, ...wrapping);
    const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
    const wrapped = wrapByOpenssl('RSAES_OAEP_SHA_256', bytes(PublicKey), randomBytes(32));
    const sent = ['--import-token', await file('token', bytes(ImportToken)), '--encrypted-key-material'];
    const never = ['--expiration-model', 'KEY_MATERIAL_DOES_NOT_EXPIRE'];
    await aws('import-key-material', ...keyId, ...sent, await file('wrapped', wrapped), ...never);
    expect(await aws('describe-key', ...keyId)).toMatchObject({
      KeyMetadata: { KeyState: 'Enabled', Origin: 'EXTERNAL', ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
    });
    await aws('delete-imported-key-material', ...keyId);
    expect(await aws('describe-key', ...keyId)).toMatchObject({ KeyMetadata: { KeyState: 'PendingImport' } });
  });
});
