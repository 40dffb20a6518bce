/** SSE by the programs people have, over TLS: aws s3, boto3, rclone, s3cmd and the SDK, each with keys of the manager and keys of its own. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEST_USE } from '../../support/keys/keys.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { missing } from '../../support/programs.ts';
import { start, type Ran } from '../../support/run.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { startS3rver } from '../../support/s3/s3rver.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const noAws = missing('aws');
const noRclone = missing('rclone');
const noS3cmd = missing('s3cmd');
const noBoto = missing('python3');

describe('Programs that ask for encryption', () => {
  let backend: Backend;
  let setup: SealedSetup;
  let plain: SealedSetup;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let arns: Readonly<Record<'a' | 'b', string>>;

  beforeAll(async () => {
    backend = await startS3rver({ buckets: [BUCKET] });
    folder = await mkdtemp(join(tmpdir(), 'sealgate-sse-'));
    const tls = { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM };
    setup = await startSealed(backend, undefined, tls, { rule: { allowedKeys: ['alias/b'] } });
    plain = await startSealed(backend);
    await setup.manager.createKey({ alias: 'alias/b' }, TEST_USE);
    const [a, b] = await Promise.all(['alias/a', 'alias/b'].map((alias) => setup.manager.resolveKey(alias)));
    arns = { a: a ?? '', b: b ?? '' };
    await writeFile(join(folder, 'ca.pem'), TEST_CA_PEM);
    await writeFile(join(folder, 'key'), randomBytes(32));
    await writeFile(join(folder, 'body'), randomBytes(9 * MIB + 17));
    await writeFile(join(folder, 'config'), '[default]\ns3 =\n  signature_version = s3v4\n');
    env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: CLIENT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
      AWS_MAX_ATTEMPTS: '1',
    };
  });
  afterAll(async () => {
    await setup.close();
    await plain.close();
    await backend.close();
    await rm(folder, { recursive: true });
  });

  const url = (): string => `https://localhost:${setup.edges[0].port}`;
  const run = (program: string, ...words: readonly string[]): Promise<Ran> => {
    const { AWS_CA_BUNDLE, ...others } = env;
    // rclone 1.60 breaks down over the variable, and has an option of its own.
    return start(program, words, { env: program === 'rclone' ? others : { AWS_CA_BUNDLE, ...others }, cwd: folder })
      .done;
  };
  const must = async (program: string, ...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(program, ...words);
    if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const aws = (...words: readonly string[]): Promise<string> => must('aws', '--endpoint-url', url(), ...words);
  const head = async (key: string, ...words: readonly string[]): Promise<object> =>
    JSON.parse(await aws('s3api', 'head-object', '--bucket', BUCKET, '--key', key, ...words)) as object;
  const same = async (name: string): Promise<boolean> =>
    (await readFile(join(folder, name))).equals(await readFile(join(folder, 'body')));

  test('aws s3 --sse, --sse-kms-key-id and --sse-c, in parts', async ({ skip }) => {
    skip(noAws !== undefined, noAws);
    await aws('s3', 'cp', '--sse', 'AES256', 'body', `s3://${BUCKET}/aes`);
    expect(await head('aes')).toMatchObject({ ServerSideEncryption: 'AES256' });
    await aws('s3', 'cp', '--sse', 'aws:kms', '--sse-kms-key-id', 'alias/b', 'body', `s3://${BUCKET}/kms`);
    expect(await head('kms')).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.b });
    const own = ['--sse-c', 'AES256', '--sse-c-key', 'fileb://key'] as const;
    await aws('s3', 'cp', ...own, 'body', `s3://${BUCKET}/own`);
    await aws('s3', 'cp', ...own, `s3://${BUCKET}/own`, 'own');
    await aws('s3', 'cp', `s3://${BUCKET}/kms`, 'kms');
    expect([await same('own'), await same('kms')]).toEqual([true, true]);
    const md5 = createHash('md5')
      .update(await readFile(join(folder, 'key')))
      .digest('base64');
    const given = ['--sse-customer-algorithm', 'AES256', '--sse-customer-key', 'fileb://key'] as const;
    expect(await head('own', ...given)).toMatchObject({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5 });
    const without = await run('aws', '--endpoint-url', url(), 's3', 'cp', `s3://${BUCKET}/own`, 'stolen');
    expect(without.code).toBe(1);
    expect(JSON.parse(await aws('s3api', 'get-bucket-encryption', '--bucket', BUCKET))).toMatchObject({
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arns.a } }],
      },
    });
  });

  test('boto3, with a context, and its transfer manager with a key of its own', async ({ skip }) => {
    skip(noBoto !== undefined || (await run('python3', '-c', 'import boto3')).code !== 0, 'boto3 is not there');
    const program = `
import base64, boto3, json, sys
s3 = boto3.client('s3', endpoint_url=sys.argv[1])
bucket = sys.argv[2]
context = base64.b64encode(json.dumps({'department': 'ledger'}).encode()).decode()
made = s3.put_object(Bucket=bucket, Key='boto', Body=b'body', ServerSideEncryption='aws:kms', SSEKMSEncryptionContext=context, BucketKeyEnabled=True)
read = s3.get_object(Bucket=bucket, Key='boto')
assert read['Body'].read() == b'body'
own = {'SSECustomerAlgorithm': 'AES256', 'SSECustomerKey': open('key', 'rb').read()}
s3.upload_file('body', bucket, 'boto-own', ExtraArgs=own)
s3.download_file(bucket, 'boto-own', 'boto-own', ExtraArgs=own)
try:
    s3.get_object(Bucket=bucket, Key='boto-own', SSECustomerAlgorithm='AES256', SSECustomerKey=bytes(32))
    wrong = 'read'
except s3.exceptions.ClientError as error:
    wrong = [error.response['Error']['Code'], error.response['ResponseMetadata']['HTTPStatusCode']]
print(json.dumps({'made': made['ServerSideEncryption'], 'key': made['BucketKeyEnabled'], 'read': read['BucketKeyEnabled'], 'wrong': wrong}))
`;
    const said = JSON.parse(await must('python3', '-c', program, url(), BUCKET)) as object;
    expect(said).toEqual({ made: 'aws:kms', key: true, read: true, wrong: ['AccessDenied', 403] });
    expect(await same('boto-own')).toBe(true);
    expect(await setup.auditText()).toContain('"department":"ledger"');
  });

  test('rclone, with keys of the manager and with one of its own', async ({ skip }) => {
    skip(noRclone !== undefined, noRclone);
    const key = randomBytes(16).toString('hex');
    const remote = (...options: readonly string[]): string =>
      `:s3,provider=Other,env_auth=true,region=us-east-1,endpoint="${url()}"${options.map((one) => `,${one}`).join('')}:${BUCKET}`;
    const rclone = (...words: readonly string[]): Promise<string> =>
      must('rclone', '--ca-cert', 'ca.pem', '--config', '/dev/null', '--retries', '1', ...words);
    for (const [name, options] of [
      ['rclone-aes', ['server_side_encryption=AES256']],
      ['rclone-kms', ['server_side_encryption="aws:kms"', `sse_kms_key_id="${arns.b}"`]],
      ['rclone-own', ['sse_customer_algorithm=AES256', `sse_customer_key=${key}`]],
    ] as const) {
      await rclone('copyto', 'body', `${remote(...options)}/${name}`);
      await rclone('copyto', `${remote(...(name === 'rclone-own' ? options : []))}/${name}`, name);
      expect(await same(name)).toBe(true);
    }
    const stolen = await run(
      'rclone',
      '--ca-cert',
      'ca.pem',
      '--config',
      '/dev/null',
      '--retries',
      '1',
      'cat',
      `${remote()}/rclone-own`,
    );
    expect(stolen.stdout).toBe('');
  });

  test('s3cmd --server-side-encryption', async ({ skip }) => {
    skip(noS3cmd !== undefined, noS3cmd);
    const options = [
      `--access_key=${CLIENT.accessKeyId}`,
      `--secret_key=${CLIENT.secretAccessKey}`,
      `--host=localhost:${setup.edges[0].port}`,
      `--host-bucket=localhost:${setup.edges[0].port}`,
      '--ca-certs=ca.pem',
      '--region=us-east-1',
      '--config=/dev/null',
    ];
    await must('s3cmd', ...options, '--server-side-encryption', 'put', 'body', `s3://${BUCKET}/s3cmd`);
    const kms = ['--server-side-encryption', `--server-side-encryption-kms-id=${arns.b}`] as const;
    await must('s3cmd', ...options, ...kms, 'put', 'body', `s3://${BUCKET}/s3cmd-kms`);
    await must('s3cmd', ...options, 'get', `s3://${BUCKET}/s3cmd-kms`, 's3cmd');
    expect(await same('s3cmd')).toBe(true);
  });

  test('over plain HTTP a key of one’s own is refused, written or read with', async () => {
    const { port } = plain.edges[0];
    const key = randomBytes(32);
    const headers = {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': key.toString('base64'),
      'x-amz-server-side-encryption-customer-key-md5': createHash('md5').update(key).digest('base64'),
    };
    for (const [method, more] of [
      ['PUT', { 'content-length': '0' }],
      ['GET', {}],
    ] as const) {
      const answer = await talk(port, [
        sign(port, { method, path: `/${BUCKET}/any`, headers: { ...headers, ...more } }).head,
      ]);
      expect([statusIn(answer), /<Code>([^<]*)/u.exec(answer)?.[1]]).toEqual([400, 'InvalidRequest']);
      expect(answer).toContain('must be made over a secure connection');
    }
  });
});
