/** Programs that live on object stores, on a sealed bucket over HTTP and over TLS: restic's repositories, s3fs' file system, minio-js. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { searchFiles } from '../../../src/cli/demo/search-files.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { CLIENT_BUILD_TIMEOUT_MS } from '../../support/client-cache.ts';
import type { LanguageClient } from '../../support/language-clients.ts';
import { nodeClient } from '../../support/node-clients.ts';
import { missing } from '../../support/programs.ts';
import { start, type Program, type Ran } from '../../support/run.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { startS3rver } from '../../support/s3/s3rver.ts';
import {
  BUCKET,
  bytesWith,
  startBackend,
  startSealed,
  type Backend,
  type SealedSetup,
} from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
/** A sealed bucket for a client that lists and empties all of it. */
const ALONE = 'sealed-alone';
const CANARY = 'canary-4c1d-plaintext';
const TLS = { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM };
const FILES = { 'a.txt': 900, 'sub/deep/b.bin': 300_000, big: 13 * MIB + 5, empty: 0 } as const;
const noRestic = missing('restic');
const noS3fs =
  missing('s3fs', 'fusermount') ?? (existsSync('/dev/fuse') ? undefined : 'no /dev/fuse: nothing can be mounted here');

let minio: LanguageClient;
beforeAll(async () => {
  minio = await nodeClient('s3-minio', ['minio@8.0.7']);
}, CLIENT_BUILD_TIMEOUT_MS);

describe.each([
  ['s3rver', TLS],
  ['radosgw', undefined],
] as const)('in front of %s', (name, tls) => {
  let reason: string | undefined;
  let backend: Backend;
  let setup: SealedSetup;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const started = name === 's3rver' ? await startS3rver({ buckets: [BUCKET, ALONE] }) : await startBackend(name);
    if (typeof started === 'string') {
      reason = started;
      return;
    }
    backend = started;
    const rule = { type: 'seal', keyId: 'alias/a', name: 'alone' } as const;
    setup = await startSealed(backend, undefined, tls, { rules: [{ bucket: ALONE, prefix: '', rule }] });
    for (const Bucket of name === 'radosgw' ? [BUCKET, ALONE] : [])
      await setup.direct.send(new CreateBucketCommand({ Bucket }));
    folder = await mkdtemp(join(tmpdir(), 'sealgate-clients-'));
    for (const [file, length] of Object.entries(FILES)) {
      await mkdir(join(folder, 'tree', file, '..'), { recursive: true });
      await writeFile(join(folder, 'tree', file), bytesWith(CANARY, length));
    }
    await writeFile(join(folder, 'ca.pem'), TEST_CA_PEM);
    env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: CLIENT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey,
      AWSACCESSKEYID: CLIENT.accessKeyId,
      AWSSECRETACCESSKEY: CLIENT.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_CA_BUNDLE: undefined,
      RESTIC_PASSWORD: 'of the backup',
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      SSL_CERT_FILE: join(folder, 'ca.pem'),
      CURL_CA_BUNDLE: join(folder, 'ca.pem'),
    };
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await setup.close();
    await backend.close();
    await rm(folder, { recursive: true });
  });

  const run = (program: string, words: readonly string[]): Promise<Ran> =>
    start(program, words, { env, cwd: folder }).done;
  const must = async (program: string, words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(program, words);
    if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const digest = async (path: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(folder, path)))
      .digest('hex');
  const expectSame = async (copy: string): Promise<void> => {
    for (const file of Object.keys(FILES))
      expect([file, await digest(`${copy}/${file}`)]).toEqual([file, await digest(`tree/${file}`)]);
  };
  test('restic keeps a repository: backup, check of all data, restore, forget and prune', async ({ skip }) => {
    skip(reason !== undefined || noRestic !== undefined, reason ?? noRestic);
    const restic = (...words: readonly string[]): Promise<string> =>
      must('restic', ['-r', `s3:${setup.edges[0].url}/${BUCKET}/restic`, '--no-cache', '--cacert', 'ca.pem', ...words]);
    await restic('init');
    await restic('backup', 'tree');
    await writeFile(join(folder, 'tree/later'), randomBytes(3 * MIB));
    await restic('backup', 'tree');
    expect(await restic('check', '--read-data')).toContain('no errors were found');
    await restic('restore', 'latest', '--target', 'restored');
    await expectSame('restored/tree');
    expect(await digest('restored/tree/later')).toBe(await digest('tree/later'));
    await rm(join(folder, 'tree/later'));
    await restic('backup', 'tree');
    await restic('forget', '--keep-last', '1', '--prune');
    expect(await restic('check', '--read-data')).toContain('no errors were found');
    expect(JSON.parse(await restic('snapshots', '--json'))).toHaveLength(1);
    expect(JSON.parse(await restic('stats', '--mode', 'restore-size', '--json'))).toMatchObject({
      total_size: Object.values(FILES).reduce((sum, length) => sum + length, 0),
    });
  });

  test('s3fs mounts it: files are written, read, renamed, appended to, cut and removed', async ({ skip }) => {
    skip(reason !== undefined || noS3fs !== undefined, reason ?? noS3fs);
    await mkdir(join(folder, 'mounted'));
    const { url } = setup.edges[0];
    const options = ['use_path_request_style', 'endpoint=us-east-1', 'multipart_size=5'];
    const words = [BUCKET, 'mounted', '-f', ...[`url=${url}`, ...options].flatMap((option) => ['-o', option])];
    const program = start('s3fs', words, { env, cwd: folder });
    try {
      await untilMounted(program, folder);
      const at = (file: string): string => join(folder, 'mounted/s3fs', file);
      await mkdir(at('tree/sub/deep'), { recursive: true });
      for (const file of Object.keys(FILES))
        await writeFile(at(`tree/${file}`), await readFile(join(folder, 'tree', file)));
      await expectSame('mounted/s3fs/tree');
      for (const [file, length] of Object.entries(FILES)) expect((await stat(at(`tree/${file}`))).size).toBe(length);
      expect((await readdir(at('tree'))).sort()).toEqual(['a.txt', 'big', 'empty', 'sub']);
      await rename(at('tree/big'), at('tree/moved'));
      expect(await digest('mounted/s3fs/tree/moved')).toBe(await digest('tree/big'));
      await appendFile(at('tree/a.txt'), 'and more');
      expect((await readFile(at('tree/a.txt'), 'latin1')).slice(-8)).toBe('and more');
      await truncate(at('tree/moved'), 6 * MIB);
      const whole = await readFile(join(folder, 'tree/big'));
      expect((await readFile(at('tree/moved'))).equals(whole.subarray(0, 6 * MIB))).toBe(true);
      await chmod(at('tree/a.txt'), 0o600);
      expect((await stat(at('tree/a.txt'))).mode & 0o777).toBe(0o600);
      await symlink('a.txt', at('tree/link'));
      expect((await readFile(at('tree/link'), 'latin1')).slice(-8)).toBe('and more');
      // By a process of its own: here it would take all threads for files, and the store in this process needs some.
      await must('rm', ['-r', 'mounted/s3fs']);
    } finally {
      await run('fusermount', ['-u', '-z', 'mounted']);
      program.child.kill();
      await program.done;
    }
  });

  test('minio-js: objects, parts of streams, copies, compositions, links, forms, lists', async ({ skip }) => {
    if (reason !== undefined || minio.type === 'none')
      return skip(reason ?? (minio.type === 'none' ? minio.reason : ''));
    const [program, ...words] = minio.words;
    // Over both in front of each: it signs its bodies over HTTP alone.
    for (const scheme of [undefined, TLS]) {
      const own = await startSealed(backend, undefined, scheme, { bucket: ALONE });
      onTestFinished(() => own.close());
      const asked = [...words, own.edges[0].url, CLIENT.accessKeyId, CLIENT.secretAccessKey, ALONE, name];
      const { code, stdout, stderr } = await run(program, asked);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
    }
  });

  test('the SDK: streams with trailers, managed uploads and downloads, links', async ({ skip }) => {
    skip(reason !== undefined, reason);
    const [client] = setup.clients;
    const body = await readFile(join(folder, 'tree/big'));
    const upload = new Upload({
      client,
      params: { Bucket: BUCKET, Key: 'sdk/managed', Body: createReadStream(join(folder, 'tree/big')) },
    });
    await upload.done();
    // A stream of known length has its checksum behind it where the way is TLS; over HTTP its hash would have to be known first.
    const Body = tls === undefined ? body : createReadStream(join(folder, 'tree/big'));
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'sdk/streamed', Body, ContentLength: body.length }));
    for (const Key of ['sdk/managed', 'sdk/streamed']) {
      const got = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }));
      expect(got.ChecksumCRC32).toBeDefined();
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    }
    const link = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'sdk/streamed' }));
    await must('curl', ['-sf', '--cacert', 'ca.pem', '-o', 'linked', link]);
    expect(await digest('linked')).toBe(await digest('tree/big'));
    const said = { ResponseContentType: 'text/x-linked', ResponseContentDisposition: 'attachment; filename="a b.txt"' };
    const overriding = new GetObjectCommand({ Bucket: BUCKET, Key: 'sdk/streamed', ...said });
    const overridden = await getSignedUrl(client, overriding);
    const head = await must('curl', ['-sf', '--cacert', 'ca.pem', '-D', '-', '-o', 'linked', overridden]);
    expect(head).toContain('text/x-linked');
    expect(head).toContain('attachment; filename="a b.txt"');
  });

  test('what they left at rest is ciphertext', async ({ skip }) => {
    skip(reason !== undefined || name !== 's3rver', reason ?? 'Ceph keeps its objects in one sparse file of 10 GiB');
    const { found } = await searchFiles(backend.directory, [CANARY]);
    expect(found).toEqual([]);
  });
});

async function untilMounted(program: Program, folder: string): Promise<void> {
  const own = (await stat(folder)).dev;
  let ended: Ran | undefined;
  void program.done.then((ran) => (ended = ran));
  while ((await stat(join(folder, 'mounted'))).dev === own) {
    if (ended !== undefined) throw new Error(`s3fs: ${ended.stderr}${ended.stdout}`);
    await wait(50);
  }
}
