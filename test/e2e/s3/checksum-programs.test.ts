/** Checksums by the programs people have, boto3 and aws, over TLS (where they come as trailers) and over HTTP: each algorithm they know, of objects and of parts, verified on the way back. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { BUCKET, startBackend, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
/** What both know without the CRT. */
const ALGORITHMS = ['CRC32', 'SHA1', 'SHA256', 'SHA512'] as const;
/** The command knows fewer. */
const isOfCommand = (algorithm: string): boolean => algorithm !== 'SHA512';

const PROGRAM = `
import base64, boto3, hashlib, sys, zlib
from boto3.s3.transfer import TransferConfig
url, bucket, algorithm = sys.argv[1:4]
s3 = boto3.client('s3', endpoint_url=url)
name = 'Checksum' + algorithm
body = open('small', 'rb').read()
digest = {'CRC32': lambda: zlib.crc32(body).to_bytes(4, 'big')}.get(algorithm, lambda: hashlib.new(algorithm.lower(), body).digest())()
wanted = base64.b64encode(digest).decode()
key = 'boto/' + algorithm
put = s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm=algorithm)
assert put[name] == wanted, put
head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode='ENABLED')
got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode='ENABLED')
assert got['Body'].read() == body
assert head[name] == got[name] == wanted and head['ChecksumType'] == 'FULL_OBJECT', head
attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=['Checksum', 'ObjectSize'])
assert attributes['Checksum'][name] == wanted and attributes['ObjectSize'] == len(body), attributes
try:
    s3.put_object(Bucket=bucket, Key=key, Body=body, **{name: base64.b64encode(bytes(len(digest))).decode()})
    raise AssertionError('a checksum that is wrong was taken')
except s3.exceptions.ClientError as error:
    assert error.response['Error']['Code'] == 'BadDigest', error.response
parts = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
large = key + '/parts'
s3.upload_file('large', bucket, large, ExtraArgs={'ChecksumAlgorithm': algorithm}, Config=parts)
head = s3.head_object(Bucket=bucket, Key=large, ChecksumMode='ENABLED')
assert head.get(name, '').endswith('-3') and head['ChecksumType'] == 'COMPOSITE', head
assert s3.get_object(Bucket=bucket, Key=large, ChecksumMode='ENABLED')['Body'].read() == open('large', 'rb').read()
`;

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
    const started = missing('aws', 'python3') ?? (await startBackend(name));
    if (typeof started === 'string') {
      reason = started;
      return;
    }
    backend = started;
    setup = await startSealed(backend, undefined, tls);
    folder = await mkdtemp(join(tmpdir(), 'sealgate-checksums-'));
    await writeFile(join(folder, 'ca.pem'), TEST_CA_PEM);
    await writeFile(join(folder, 'small'), randomBytes(100_000));
    await writeFile(join(folder, 'large'), randomBytes(11 * MIB));
    const { accessKeyId, secretAccessKey } = CLIENT;
    env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_MAX_ATTEMPTS: '1',
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
    };
    if (name === 'radosgw') expect(await aws('s3', 'mb', `s3://${BUCKET}`)).toMatchObject({ code: 0 });
  }, 180_000);
  beforeEach(({ skip }) => {
    if (reason !== undefined) skip(reason);
  });
  afterAll(async () => {
    if (reason !== undefined) return;
    await setup.close();
    await backend.close();
    await rm(folder, { recursive: true });
  });

  const run = (program: string, ...words: readonly string[]): Promise<Ran> =>
    start(program, words, { env, cwd: folder }).done;
  const aws = (...words: readonly string[]): Promise<Ran> => run('aws', '--endpoint-url', setup.edges[0].url, ...words);

  test.each(ALGORITHMS)('boto3, %s', async (algorithm) => {
    const { code, stderr } = await run('python3', '-c', PROGRAM, setup.edges[0].url, BUCKET, algorithm);
    expect([code, stderr]).toEqual([0, '']);
  });

  test.each(ALGORITHMS.filter(isOfCommand))('aws s3 cp and s3api, %s', async (algorithm) => {
    for (const file of ['small', 'large']) {
      const url = `s3://${BUCKET}/aws/${algorithm}/${file}`;
      expect(await aws('s3', 'cp', file, url, '--checksum-algorithm', algorithm)).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect(await aws('s3', 'cp', url, 'back', '--checksum-mode', 'ENABLED')).toMatchObject({ code: 0, stderr: '' });
      expect(await run('cmp', file, 'back')).toMatchObject({ code: 0 });
    }
    const place = ['--bucket', BUCKET, '--key', `aws/${algorithm}/small`];
    const head = await aws('s3api', 'head-object', ...place, '--checksum-mode', 'ENABLED');
    expect(JSON.parse(head.stdout)).toHaveProperty(`Checksum${algorithm}`);
  });
});
