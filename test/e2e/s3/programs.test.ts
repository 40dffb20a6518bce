/** The aws command through a running `sealgate up`, on sealed and on other buckets of one store. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import { searchFiles } from '../../../src/cli/demo/search-files.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { install, type Installation } from '../../support/installation.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { bytesWith, startBackend, type Backend } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const CANARY = 'canary-b81e-plaintext';
const noAws = missing('aws');

describe.each([
  ['s3rver', 'https'],
  ['radosgw', 'http'],
] as const)('aws s3 in front of %s, over %s', (name, scheme) => {
  let reason = noAws;
  let backend: Backend;
  let installation: Installation;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    if (reason !== undefined) return;
    const started = await startBackend(name);
    if (typeof started === 'string') {
      reason = started;
      return;
    }
    backend = started;
    folder = await mkdtemp(join(tmpdir(), 'sealgate-aws-'));
    installation = await install(
      `
s3:
  listen: { host: 127.0.0.1, port: 0${scheme === 'https' ? ', tls: { certFile: ./server.pem, keyFile: ./server.key }' : ''} }
  upstream:
    endpoint: ${backend.url}
    credentials: { type: static, accessKeyId: ${backend.accessKeyId}, secretAccessKey: "${backend.secretAccessKey}" }
  clients:
    - { name: app, accessKeyId: SEALGATEAPP, secretAccessKey: application-secret }
  buckets:
    - { bucket: "vault-*", seal: alias/vault }
    - { bucket: "vault-*", prefix: public/, pass: true }
    - { bucket: closed, refuse: true }
`,
      ['vault'],
      { 'server.pem': PROXY_CERTIFICATE_PEM, 'server.key': PROXY_KEY_PEM },
    );
    const { ports } = await installation.up();
    env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'SEALGATEAPP',
      AWS_SECRET_ACCESS_KEY: 'application-secret',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-credentials'),
      AWS_ENDPOINT_URL: `${scheme}://127.0.0.1:${String(ports['s3'])}`,
      AWS_MAX_ATTEMPTS: '1',
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
    };
    await writeFile(join(folder, 'ca.pem'), TEST_CA_PEM);
    // Version 1 of the command signs links by version 2 of the signature, unless told.
    await write('config', '[default]\ns3 =\n  signature_version = s3v4\n');
    for (const bucket of ['vault-a', 'vault-b', 'plain']) await must('s3', 'mb', `s3://${bucket}`);
  });
  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason);
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await installation.remove();
    await backend.close();
    await rm(folder, { recursive: true });
  });

  const aws = (...words: readonly string[]): Promise<Ran> =>
    start('aws', ['--endpoint-url', env['AWS_ENDPOINT_URL'] ?? '', ...words], { env, cwd: folder }).done;
  const must = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await aws(...words);
    if (code !== 0) throw new Error(`aws ${words.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const digest = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(folder, path)))
      .digest('hex');
  /** Written a minute ago, as far as `sync` can tell: it takes a file of the second of its upload for a newer one. */
  const write = async (path: string, body: Uint8Array | string): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), body);
    const then = Date.now() / 1000 - 60;
    await utimes(join(folder, path), then, then);
  };

  test('cp of 72 MiB, in parts up and in ranges down, and ls with its size', async () => {
    await write('big', bytesWith(CANARY, 72 * MIB + 12_345));
    await must('s3', 'cp', 'big', 's3://vault-a/deep/big');
    expect(await must('s3', 'ls', '--recursive', '--summarize', 's3://vault-a')).toMatch(
      new RegExp(` ${72 * MIB + 12_345} deep/big\\n\\nTotal Objects: 1\\n *Total Size: ${72 * MIB + 12_345}\\n`, 'u'),
    );
    await must('s3', 'cp', 's3://vault-a/deep/big', 'back');
    expect(await digest('back')).toBe(await digest('big'));
    await must(
      's3api',
      'get-object',
      '--bucket',
      'vault-a',
      '--key',
      'deep/big',
      '--range',
      'bytes=67108000-67109999',
      'part',
    );
    const whole = await readFile(join(folder, 'big'));
    expect((await readFile(join(folder, 'part'))).equals(whole.subarray(67_108_000, 67_110_000))).toBe(true);
    const head = JSON.parse(await must('s3api', 'head-object', '--bucket', 'vault-a', '--key', 'deep/big')) as object;
    expect(head).toMatchObject({ ContentLength: 72 * MIB + 12_345 });
  });

  test('cp through pipes', async () => {
    await write('small', `${CANARY} in a pipe\n`);
    const sh = (line: string): Promise<Ran> => start('sh', ['-c', line], { env, cwd: folder }).done;
    const url = String(env['AWS_ENDPOINT_URL']);
    expect(await sh(`cat small | aws --endpoint-url ${url} s3 cp - s3://vault-a/piped`)).toMatchObject({ code: 0 });
    expect(await sh(`aws --endpoint-url ${url} s3 cp s3://vault-a/piped -`)).toMatchObject({
      code: 0,
      stdout: `${CANARY} in a pipe\n`,
    });
  });

  test('sync up and down, and nothing to do the second time', async () => {
    // s3rver lists `&` as `&amp;`.
    const odd = name === 's3rver' ? 'c d+e ü.txt' : 'c d+e&ü.txt';
    const files = ['a.txt', 'sub/b.bin', `sub/deeper/${odd}`, 'public/open.txt', 'empty'];
    for (const [index, file] of files.entries())
      await write(`tree/${file}`, index === 4 ? '' : bytesWith(CANARY, 1000 * (index + 1)));
    await write('tree/nine', randomBytes(9 * MIB));
    await must('s3', 'sync', '--no-progress', 'tree', 's3://vault-b');
    expect(await must('s3', 'sync', '--no-progress', 'tree', 's3://vault-b')).toBe('');
    await must('s3', 'sync', '--no-progress', 's3://vault-b', 'copy');
    for (const file of [...files, 'nine']) expect(await digest(`copy/${file}`)).toBe(await digest(`tree/${file}`));
    expect(await must('s3', 'sync', '--no-progress', 's3://vault-b', 'copy')).toBe('');
    await write('tree/a.txt', 'changed, and shorter');
    expect(await must('s3', 'sync', '--no-progress', 'tree', 's3://vault-b')).toMatch(/^upload: .*a\.txt\s*$/u);
    await rm(join(folder, 'tree/sub/b.bin'));
    expect(await must('s3', 'sync', '--no-progress', '--delete', 'tree', 's3://vault-b')).toMatch(
      /^delete: .*b\.bin\s*$/u,
    );
  });

  test('presign gives a link that anybody can read by', async () => {
    await write('shared', 'for whoever has the link');
    await must('s3', 'cp', 'shared', 's3://vault-a/shared');
    const link = (await must('s3', 'presign', 's3://vault-a/shared')).trim();
    expect(link).toMatch(new RegExp(`^${scheme}:`, 'u'));
    const dispatcher = new Agent({ connect: { ca: TEST_CA_PEM } });
    const { statusCode, body } = await request(link, { dispatcher });
    expect([statusCode, await body.text()]).toEqual([200, 'for whoever has the link']);
    await dispatcher.close();
  });

  test('cp and mv inside the store copy and move; rm removes', async () => {
    await write('moving', `${CANARY} moves`);
    await must('s3', 'cp', 'moving', 's3://vault-a/from', '--content-type', 'text/x-moved', '--metadata', 'a=b');
    await must('s3', 'cp', 's3://vault-a/from', 's3://vault-b/copied here & there');
    await must('s3', 'mv', 's3://vault-a/from', 's3://vault-a/to');
    for (const at of ['s3://vault-a/to', 's3://vault-b/copied here & there'])
      expect(await must('s3', 'cp', at, '-')).toBe(`${CANARY} moves`);
    const head = JSON.parse(await must('s3api', 'head-object', '--bucket', 'vault-a', '--key', 'to')) as object;
    expect(head).toMatchObject({ ContentType: 'text/x-moved', Metadata: { a: 'b' } });
    expect(await aws('s3', 'cp', 's3://vault-a/from', '-')).toMatchObject({ code: 1 });
    expect(await aws('s3', 'cp', 's3://vault-a/to', 's3://plain/to')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('AccessDenied'),
    });
    await must('s3', 'rm', '--recursive', 's3://vault-a');
    expect(await must('s3', 'ls', 's3://vault-a')).toBe('');
  });

  test('a bucket without a rule passes, one with a refusing rule is closed', async () => {
    await write('open', randomBytes(20 * MIB));
    await must('s3', 'cp', 'open', 's3://plain/open');
    await must('s3', 'cp', 's3://plain/open', 'open-back');
    expect(await digest('open-back')).toBe(await digest('open'));
    expect(await aws('s3', 'cp', 'open', 's3://closed/open')).toMatchObject({
      stderr: expect.stringContaining('AccessDenied'),
    });
  });

  test('what the store holds is ciphertext', async ({ skip }) => {
    skip(name !== 's3rver', 'Ceph keeps its objects in one sparse file of 10 GiB');
    const { found, bytes } = await searchFiles(backend.directory, [CANARY]);
    expect(found.map(({ file }) => file)).toEqual([expect.stringContaining('public')]);
    expect(bytes).toBeGreaterThan(9 * MIB);
  });
});
