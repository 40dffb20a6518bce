/**
 * The S3 Encryption Client in Python and Java, each in processes of its own, with its keys in a running `sealgate up`: on a plain store, and
 * through our gateway, which seals once more what the client has encrypted.
 */
import { DisableKeyCommand, EnableKeyCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchFiles } from '../../../src/cli/demo/search-files.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import { KMS_REGION, startKms, type RunningKms } from '../../support/kms/installation.ts';
import { javaClient, pythonClient, trustedByJava, type LanguageClient } from '../../support/language-clients.ts';
import { start } from '../../support/run.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const CANARY = 'canary-of-the-s3-encryption-client';
const PLAIN = `${CANARY} `.repeat(10_000);
const SHA256 = createHash('sha256').update(PLAIN).digest('hex');
const PLAIN_BUCKET = 'plain';
const SEALED_BUCKET = 'sealed';
const LANGUAGES = ['Python', 'Java'] as const;
type Language = (typeof LANGUAGES)[number];

let store: TestStore;
let kms: RunningKms;
let key: string;
let clients: Readonly<Record<Language, LanguageClient>>;
let java: NodeJS.ProcessEnv = {};

const gateway = ({ url, accessKeyId, secretAccessKey }: TestStore): string => `
s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${url}
    region: ${KMS_REGION}
    credentials: { type: static, accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey} }
  clients: [{ name: admin, accessKeyId: ${accessKeyId}, secretAccessKey: ${secretAccessKey} }]
  buckets: [{ bucket: ${SEALED_BUCKET}, seal: alias/objects }]
`;

beforeAll(async () => {
  clients = {
    Python: await pythonClient('s3-encryption-client-python', ['amazon-s3-encryption-client-python==4.0.0']),
    Java: await javaClient('s3-encryption-client-java'),
  };
  store = await startS3rver({ buckets: [PLAIN_BUCKET, SEALED_BUCKET] });
  // The clients sign for both with the same credentials.
  kms = await startKms({ credentials: store, sections: gateway(store), keys: ['objects'] });
  if (clients.Java.type === 'built') java = await trustedByJava(kms.caFile);
  key = await kms.createKey();
  await writeFile(join(kms.installation.folder, 'plain'), PLAIN);
}, CLIENT_BUILD_TIMEOUT_MS);
afterAll(async () => {
  await kms.close();
  await store.close();
});

/** `stage` belongs to the encryption context. */
async function run(
  language: Language,
  word: 'put' | 'get',
  bucket: string,
  stage: string,
  ...words: readonly string[]
): Promise<readonly string[]> {
  const client = clients[language];
  if (client.type === 'none') throw new Error(client.reason);
  const [program, ...before] = client.words;
  const running = start(program, [...before, word, key, bucket, stage, ...words], {
    env: { ...kms.env, ...java, ...s3Of(bucket) },
    cwd: kms.installation.folder,
  });
  const { code, stdout, stderr } = await running.done;
  if (code !== 0) throw new Error(`${language}: ${stderr}`);
  return stdout.trimEnd().split('\n');
}

const s3Of = (bucket: string): NodeJS.ProcessEnv =>
  bucket === PLAIN_BUCKET
    ? // s3rver takes no trailers; the gateway does.
      { AWS_ENDPOINT_URL_S3: store.url, AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required' }
    : { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${kms.ports['s3']}` };

describe.each([
  ['on a plain store', PLAIN_BUCKET],
  ['through the gateway', SEALED_BUCKET],
])('%s', (_, bucket) => {
  test.for(LANGUAGES)('%s encrypts', async (language, { skip }) => {
    need(skip, language);
    await run(language, 'put', bucket, 'live', language, 'plain');
    expect((await searchFiles(store.directory, [CANARY])).found).toEqual([]);
  });

  test.for(LANGUAGES)(
    '%s decrypts what every language encrypted before the key was rotated',
    async (language, { skip }) => {
      need(skip, language);
      await kms.client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
      const objects = LANGUAGES.filter((name) => clients[name].type === 'built');
      expect(await run(language, 'get', bucket, 'live', ...objects)).toEqual(objects.map(() => SHA256));
    },
  );
});

/** As the store's operator could: another encryption context in the object's metadata. */
async function changeContext(name: string, changed: string): Promise<void> {
  const s3 = new S3Client({ endpoint: store.url, region: KMS_REGION, credentials: store, forcePathStyle: true });
  const { Body, Metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: PLAIN_BUCKET, Key: name }));
  const other = Object.entries(Metadata).map(([header, value]) => [header, value.replace('live', 'test')]);
  expect(Object.fromEntries(other)).not.toEqual(Metadata);
  const body = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const asked = { Bucket: PLAIN_BUCKET, Key: changed, Body: body, Metadata: Object.fromEntries(other) };
  await s3.send(new PutObjectCommand(asked));
  s3.destroy();
}

test.for(LANGUAGES)(
  '%s opens nothing with another encryption context, in its hand or in the store',
  async (language, { skip }) => {
    need(skip, language);
    await changeContext(language, `${language} changed`);
    expect(await run(language, 'get', PLAIN_BUCKET, 'test', language, `${language} changed`)).toEqual([
      expect.stringMatching(/^refused: .*[Ee]ncryption context/u),
      expect.stringMatching(/^refused: .*InvalidCiphertext/u),
    ]);
  },
);

test.for(LANGUAGES)('%s says that the key is disabled', async (language, { skip }) => {
  need(skip, language);
  await kms.client.send(new DisableKeyCommand({ KeyId: key }));
  const lines = await run(language, 'get', PLAIN_BUCKET, 'live', language);
  await kms.client.send(new EnableKeyCommand({ KeyId: key }));
  expect(lines).toEqual([expect.stringMatching(/^refused: .* is disabled\./u)]);
});

/** Skips the test where the language's client cannot be had. */
function need(skip: (reason: string) => never, language: Language): void {
  const client = clients[language];
  if (client.type === 'none') skip(client.reason);
}
