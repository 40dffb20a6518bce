/**
 * The `awskms` seal of Vault and OpenBao against a running `sealgate up`: their own module for it, in a program as small as can be. Vault's
 * server takes too long to build here; OpenBao's is tried in kms-openbao.test.ts.
 */
import {
  CreateAliasCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  RotateKeyOnDemandCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildClient, CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../support/client-cache.ts';
import { startKms, type RunningKms } from '../../support/kms/installation.ts';
import { start, type Ran } from '../../support/run.ts';

const SEAL = {
  name: 'vault-seal',
  needs: ['go'],
  source: join(import.meta.dirname, '../../clients/vault-seal'),
  steps: [{ words: ['go', 'build', '-o', 'seal', '.'] }],
} as const;
const ROOT_KEY = 'the root key of a vault, 32 bytes';

let seal: BuiltClient;
let kms: RunningKms;
let key: string;
const path = (name: string): string => join(kms.installation.folder, name);

beforeAll(async () => {
  seal = await buildClient(SEAL);
  if (seal.type === 'none') return;
  kms = await startKms();
  key = await kms.createKey();
  await writeFile(path('root'), ROOT_KEY);
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (seal.type === 'none') skip(seal.reason);
});
afterAll(async () => {
  if (seal.type === 'built') await kms.close();
});

/** One process, as one start of the server. */
const run = (word: 'seal' | 'unseal', keyId: string, input: string, output: string): Promise<Ran> =>
  start(seal.type === 'built' ? join(seal.folder, 'seal') : '', [word, path(input), path(output)], {
    env: { ...kms.env, AWS_ENDPOINT_URL_KMS: undefined, SEAL_KEY: keyId, SEAL_ENDPOINT: kms.endpoint },
  }).done;
const opened = async (keyId: string, input: string): Promise<string> => {
  const { code, stderr } = await run('unseal', keyId, input, 'opened');
  if (code !== 0) throw new Error(stderr);
  return readFile(path('opened'), 'utf8');
};

test('seals at the first start and unseals at the next, also after a rotation', async () => {
  expect(await run('seal', key, 'root', 'sealed')).toEqual({ code: 0, stdout: `${key}\n`, stderr: '' });
  expect(await readFile(path('sealed'), 'latin1')).not.toContain(ROOT_KEY);
  expect(await opened(key, 'sealed')).toBe(ROOT_KEY);
  await kms.client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
  expect(await opened(key, 'sealed')).toBe(ROOT_KEY);
});

test('takes an alias; what was sealed opens when the alias has moved to another key', async () => {
  const { client, createKey } = kms;
  await client.send(new CreateAliasCommand({ AliasName: 'alias/vault', TargetKeyId: key }));
  expect(await run('seal', 'alias/vault', 'root', 'by-alias')).toMatchObject({ code: 0, stdout: `${key}\n` });
  const other = await createKey();
  await client.send(new UpdateAliasCommand({ AliasName: 'alias/vault', TargetKeyId: other }));
  expect(await opened('alias/vault', 'by-alias')).toBe(ROOT_KEY);
});

test('stays sealed while the key is disabled, and says why', async () => {
  await kms.client.send(new DisableKeyCommand({ KeyId: key }));
  const { code, stderr } = await run('unseal', key, 'sealed', 'nothing');
  expect([code, stderr]).toEqual([1, expect.stringContaining(`DisabledException: ${key} is disabled.`)]);
  await kms.client.send(new EnableKeyCommand({ KeyId: key }));
  expect(await opened(key, 'sealed')).toBe(ROOT_KEY);
});

test('does not start where the key is not there', async () => {
  const { code, stderr } = await run('unseal', 'alias/none', 'sealed', 'nothing');
  expect([code, stderr]).toEqual([1, expect.stringContaining('NotFoundException')]);
});
