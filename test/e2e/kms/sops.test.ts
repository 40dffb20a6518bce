/** SOPS, the stock command, with the keys of its files in a running `sealgate up`. It has no setting for the endpoint: the environment says it. */
import { CreateAliasCommand, DisableKeyCommand, EnableKeyCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildClient, CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../support/client-cache.ts';
import { KMS_CREDENTIALS, KMS_REGION, startKms, type RunningKms } from '../../support/kms/installation.ts';
import { start, type Ran } from '../../support/run.ts';

const SOPS = {
  name: 'sops',
  needs: ['go'],
  // Go wants a whole path there.
  steps: [{ words: ['sh', '-c', 'GOBIN="$PWD" go install github.com/getsops/sops/v3/cmd/sops@v3.13.3'] }],
} as const;
const PLAIN = 'database: shop\npassword: correct horse battery\n';

let sops: BuiltClient;
let kms: RunningKms;
const path = (name: string): string => join(kms.installation.folder, name);

beforeAll(async () => {
  sops = await buildClient(SOPS);
  if (sops.type === 'built') kms = await startKms();
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (sops.type === 'none') skip(sops.reason);
});
afterAll(async () => {
  if (sops.type === 'built') await kms.close();
});

const run = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  start(sops.type === 'built' ? join(sops.folder, 'sops') : '', words, {
    cwd: kms.installation.folder,
    env: { ...kms.env, ...env },
  }).done;

async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(words);
  if (code !== 0) throw new Error(`sops ${words.join(' ')}: ${stderr}`);
  return stdout;
}

async function encrypt(name: string, ...words: readonly string[]): Promise<void> {
  await writeFile(path(name), PLAIN);
  await must('encrypt', '--in-place', ...words, name);
  expect(await readFile(path(name), 'utf8')).not.toMatch(/horse/u);
}

/** The wrapped data keys that the file holds. */
const wrapped = async (name: string): Promise<readonly string[]> =>
  [...(await readFile(path(name), 'utf8')).matchAll(/^ +enc: (\S+)$/gmu)].map(([, enc = '']) => enc);

test('encrypts a file under a key, edits it, and decrypts it', async () => {
  await encrypt('one.yaml', '--kms', await kms.createKey());
  expect(await must('decrypt', 'one.yaml')).toBe(PLAIN);
  await must('set', 'one.yaml', '["password"]', '"changed"');
  expect(await must('decrypt', '--extract', '["password"]', 'one.yaml')).toBe('changed');
});

test('takes the ARN of an alias', async () => {
  const key = await kms.createKey();
  await kms.client.send(new CreateAliasCommand({ AliasName: 'alias/sops', TargetKeyId: key }));
  await encrypt('alias.yaml', '--kms', key.replace(/key\/.*/u, 'alias/sops'));
  expect(await must('decrypt', 'alias.yaml')).toBe(PLAIN);
});

test('binds the file to its encryption context', async () => {
  await encrypt('context.yaml', '--kms', await kms.createKey(), '--encryption-context', 'app:shop,stage:live');
  const text = await readFile(path('context.yaml'), 'utf8');
  expect(text).toMatch(/context:\n +app: shop\n +stage: live/u);
  expect(await must('decrypt', 'context.yaml')).toBe(PLAIN);
  await writeFile(path('other.yaml'), text.replace('stage: live', 'stage: test'));
  const { code, stderr } = await run(['decrypt', 'other.yaml']);
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('InvalidCiphertextException')]);
});

test('takes its credentials from a profile that the rules name', async () => {
  const key = await kms.createKey();
  const { accessKeyId, secretAccessKey } = KMS_CREDENTIALS;
  await writeFile(
    path('profiles'),
    `[profile sealgate]\nregion = ${KMS_REGION}\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\nservices = sealgate\n\n[services sealgate]\nkms =\n  endpoint_url = ${kms.endpoint}\n`,
  );
  await writeFile(path('profile-rules.yaml'), `creation_rules:\n  - kms: ${key}\n    aws_profile: sealgate\n`);
  await writeFile(path('profile.yaml'), PLAIN);
  const bare = {
    AWS_CONFIG_FILE: path('profiles'),
    AWS_ENDPOINT_URL_KMS: undefined,
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
  };
  expect(await run(['--config', 'profile-rules.yaml', 'encrypt', '--in-place', 'profile.yaml'], bare)).toMatchObject({
    code: 0,
  });
  expect(await run(['decrypt', 'profile.yaml'], bare)).toMatchObject({ code: 0, stdout: PLAIN });
});

test('`rotate` makes another data key; the KMS key may have been rotated before', async () => {
  const key = await kms.createKey();
  await encrypt('rotate.yaml', '--kms', key);
  const before = await wrapped('rotate.yaml');
  await kms.client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
  expect(await must('decrypt', 'rotate.yaml')).toBe(PLAIN);
  await must('rotate', '--in-place', 'rotate.yaml');
  expect(await wrapped('rotate.yaml')).not.toEqual(before);
  expect(await must('decrypt', 'rotate.yaml')).toBe(PLAIN);
});

test('`updatekeys` brings a file under a second key, which opens it alone', async () => {
  const [first, second] = [await kms.createKey(), await kms.createKey()];
  await encrypt('update.yaml', '--kms', first);
  await writeFile(path('both-rules.yaml'), `creation_rules:\n  - kms: ${first},${second}\n`);
  await must('--config', 'both-rules.yaml', 'updatekeys', '--yes', 'update.yaml');
  expect(await wrapped('update.yaml')).toHaveLength(2);
  await kms.client.send(new DisableKeyCommand({ KeyId: first }));
  expect(await must('decrypt', 'update.yaml')).toBe(PLAIN);
});

test('says that the key is disabled', async () => {
  const key = await kms.createKey();
  await encrypt('disabled.yaml', '--kms', key);
  await kms.client.send(new DisableKeyCommand({ KeyId: key }));
  const { code, stderr } = await run(['decrypt', 'disabled.yaml']);
  // It breaks its lines where they are long.
  expect([code === 0, stderr]).toEqual([
    false,
    expect.stringMatching(/DisabledException:[\s|]+arn:\S+[\s|]+is disabled\./u),
  ]);
  await kms.client.send(new EnableKeyCommand({ KeyId: key }));
  expect(await must('decrypt', 'disabled.yaml')).toBe(PLAIN);
});
