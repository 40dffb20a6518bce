/** Copies on the server's side by the programs people have, over TLS and over HTTP: aws s3, boto3, rclone, s3cmd; of small objects in one request, of large ones in parts. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { BUCKET, startBackend, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const SIZES = { empty: 0, small: 5000, large: 23 * MIB + 77 } as const;

describe.each([
  ['s3rver', { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM }],
  ['radosgw', undefined],
] as const)('in front of %s', (name, tls) => {
  let reason: string | undefined;
  let backend: Backend;
  let setup: SealedSetup;
  let folder: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const started = await startBackend(name);
    if (typeof started === 'string') {
      reason = started;
      return;
    }
    backend = started;
    const rule = { type: 'seal', keyId: 'alias/a', name: 'mixed', readsPlainUntil: Infinity } as const;
    setup = await startSealed(backend, undefined, tls, { rules: [{ bucket: BUCKET, prefix: 'mixed/', rule }] });
    if (name === 'radosgw') await setup.clients[0].send(new CreateBucketCommand({ Bucket: BUCKET }));
    folder = await mkdtemp(join(tmpdir(), 'sealgate-copies-'));
    const { accessKeyId, secretAccessKey } = CLIENT;
    const { url, port } = setup.edges[0];
    await writeFile(join(folder, 'ca.pem'), TEST_CA_PEM);
    for (const [file, bytes] of Object.entries(SIZES)) await writeFile(join(folder, file), randomBytes(bytes));
    await writeFile(
      join(folder, 'config'),
      '[default]\ns3 =\n  signature_version = s3v4\n  multipart_threshold = 8MB\n  multipart_chunksize = 5MB\n',
    );
    await writeFile(
      join(folder, 'rclone.conf'),
      `[g]\ntype = s3\nprovider = Other\naccess_key_id = ${accessKeyId}\nsecret_access_key = ${secretAccessKey}\nregion = us-east-1\nendpoint = ${url}\nforce_path_style = true\nchunk_size = 5Mi\nupload_cutoff = 8Mi\ncopy_cutoff = 8Mi\n`,
    );
    await writeFile(
      join(folder, 's3cfg'),
      `[default]\naccess_key = ${accessKeyId}\nsecret_key = ${secretAccessKey}\nhost_base = 127.0.0.1:${port}\nhost_bucket = 127.0.0.1:${port}\nuse_https = ${tls === undefined ? 'False' : 'True'}\nca_certs_file = ${folder}/ca.pem\nbucket_location = us-east-1\nsignature_v2 = False\nmultipart_chunk_size_mb = 5\n`,
    );
    env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_MAX_ATTEMPTS: '1',
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
    };
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await setup.close();
    await backend.close();
    await rm(folder, { recursive: true });
  });

  const run = (program: string, ...words: readonly string[]): Promise<Ran> => {
    // rclone takes a bundle named in the environment for its own, and fails.
    const own = program === 'rclone' ? { ...env, AWS_CA_BUNDLE: undefined } : env;
    return start(program, words, { env: own, cwd: folder }).done;
  };
  const must = async (program: string, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(program, ...words);
    if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  /** Whole, of the right size in a HEAD, and sealed at rest. */
  async function expectCopy(key: string, file: keyof typeof SIZES): Promise<void> {
    const head = await setup.clients[0].send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
    expect([key, head.ContentLength]).toEqual([key, SIZES[file]]);
    await must('aws', '--endpoint-url', setup.edges[0].url, 's3', 'cp', `s3://${BUCKET}/${key}`, 'back');
    expect((await readFile(join(folder, 'back'))).equals(await readFile(join(folder, file)))).toBe(true);
  }
  const unless = (skip: (condition: boolean, note?: string) => void, ...programs: readonly string[]): void => {
    skip(reason !== undefined, reason);
    const absent = missing('aws', ...programs);
    skip(absent !== undefined, absent);
  };

  test('aws s3 cp and mv, between keys of a bucket', async ({ skip }) => {
    unless(skip);
    const aws = (...words: readonly string[]): Promise<string> =>
      must('aws', '--endpoint-url', setup.edges[0].url, 's3', ...words);
    for (const file of ['empty', 'small', 'large'] as const) {
      await aws('cp', file, `s3://${BUCKET}/aws/${file}`);
      await aws('cp', `s3://${BUCKET}/aws/${file}`, `s3://${BUCKET}/aws-copy/${file}`);
      await aws('mv', `s3://${BUCKET}/aws-copy/${file}`, `s3://${BUCKET}/aws-moved/${file}`);
      await expectCopy(`aws-moved/${file}`, file);
    }
    expect(await aws('ls', `s3://${BUCKET}/aws-moved/`)).toContain(`${SIZES.large} large`);
    const gone = await run('aws', '--endpoint-url', setup.edges[0].url, 's3', 'ls', `s3://${BUCKET}/aws-copy/`);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
  });

  test('aws s3 cp of a folder onto itself seals what lay there plain', async ({ skip }) => {
    unless(skip);
    for (const file of ['empty', 'small', 'large'] as const) {
      const put = {
        Bucket: BUCKET,
        Key: `mixed/${file}`,
        Body: await readFile(join(folder, file)),
        Metadata: { of: file },
      };
      await setup.direct.send(new PutObjectCommand(put));
    }
    const folderUrl = `s3://${BUCKET}/mixed/`;
    // As docs/S3-ENCRYPTION.md says: what aws s3 (version 1) copies in parts loses its metadata.
    await writeFile(join(folder, 'whole'), '[default]\ns3 =\n  multipart_threshold = 5GB\n');
    const words = ['--endpoint-url', setup.edges[0].url, 's3', 'cp', folderUrl, folderUrl, '--recursive'];
    // The second time all of it is sealed.
    for (const _time of [1, 2]) {
      const { done } = start('aws', [...words, '--sse', 'aws:kms'], {
        env: { ...env, AWS_CONFIG_FILE: join(folder, 'whole') },
        cwd: folder,
      });
      expect(await done).toMatchObject({ code: 0 });
      for (const file of ['empty', 'small', 'large'] as const) {
        const Key = `mixed/${file}`;
        await expectCopy(Key, file);
        const head = await setup.clients[0].send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
        expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', Metadata: { of: file } });
        const stored = await setup.direct.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
        expect(stored.Metadata?.['of']).toBeUndefined();
      }
    }
  });

  test('boto3’s managed copy, in one request and in parts', async ({ skip }) => {
    unless(skip, 'python3');
    skip((await run('python3', '-c', 'import boto3')).code !== 0, 'boto3 is not there');
    const program = `
import boto3, sys
from boto3.s3.transfer import TransferConfig
s3 = boto3.client('s3', endpoint_url=sys.argv[1])
bucket = sys.argv[2]
parts = TransferConfig(multipart_threshold=8 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
for name in ['empty', 'small', 'large']:
    s3.upload_file(name, bucket, 'boto/' + name, ExtraArgs={'Metadata': {'from': name}}, Config=parts)
    s3.copy({'Bucket': bucket, 'Key': 'boto/' + name}, bucket, 'boto-copy/' + name, Config=parts)
small = s3.head_object(Bucket=bucket, Key='boto-copy/small')
assert small['Metadata'] == {'from': 'small'}, small
`;
    await must('python3', '-c', program, setup.edges[0].url, BUCKET);
    for (const file of ['empty', 'small', 'large'] as const) await expectCopy(`boto-copy/${file}`, file);
  });

  test('rclone copies and moves without downloading, and checks what it made', async ({ skip }) => {
    unless(skip, 'rclone');
    const rclone = (...words: readonly string[]): Promise<string> =>
      must('rclone', '--config', 'rclone.conf', '--ca-cert', 'ca.pem', '--retries', '1', ...words);
    for (const file of ['empty', 'small', 'large']) await rclone('copyto', file, `g:${BUCKET}/rclone/${file}`);
    await rclone('copy', `g:${BUCKET}/rclone`, `g:${BUCKET}/rclone-copy`);
    await rclone('check', '--download', `g:${BUCKET}/rclone`, `g:${BUCKET}/rclone-copy`);
    await rclone('move', `g:${BUCKET}/rclone-copy`, `g:${BUCKET}/rclone-moved`);
    for (const file of ['empty', 'small', 'large'] as const) await expectCopy(`rclone-moved/${file}`, file);
  });

  test('s3cmd cp and mv', async ({ skip }) => {
    unless(skip, 's3cmd');
    // It asks for the source's ACL first; what s3rver answers has no Permission.
    skip(name === 's3rver', 's3cmd cannot read the ACLs that s3rver answers with');
    const s3cmd = (...words: readonly string[]): Promise<string> => must('s3cmd', '-c', 's3cfg', ...words);
    for (const file of ['empty', 'small', 'large'] as const) {
      await s3cmd('put', file, `s3://${BUCKET}/s3cmd/${file}`);
      await s3cmd('cp', `s3://${BUCKET}/s3cmd/${file}`, `s3://${BUCKET}/s3cmd-copy/${file}`);
      await s3cmd('mv', `s3://${BUCKET}/s3cmd-copy/${file}`, `s3://${BUCKET}/s3cmd-moved/${file}`);
      await expectCopy(`s3cmd-moved/${file}`, file);
    }
  });
});
