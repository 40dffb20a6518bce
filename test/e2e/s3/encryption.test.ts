/** SSE over plain stores: which key seals, what is answered, what is refused; and keys that clients bring along. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { TEST_USE } from '../../support/keys/keys.ts';
import { isWhole, sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, startSealed, type Backend, type SealedSetup } from '../../support/s3/sealed.ts';

const MIB = 1024 * 1024;
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const customer = (key: Uint8Array) => ({
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: base64(key),
  SSECustomerKeyMD5: md5(key),
});
const headersOf = (key: Uint8Array): Record<string, string> => ({
  'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  'x-amz-server-side-encryption-customer-key': base64(key),
  'x-amz-server-side-encryption-customer-key-md5': md5(key),
});

describe.each(['s3rver', 'radosgw'] as const)('Encryption asked for, in front of %s', (name) => {
  let backend: Backend;
  let setup: SealedSetup;
  let client: S3Client;
  let arns: Readonly<Record<'a' | 'b' | 'c', string>>;

  inFrontOf(name, async (started) => {
    backend = started;
    setup = await startSealed(backend, undefined, undefined, {
      rule: { allowedKeys: ['alias/b'] },
      options: { customerKeysWithoutTls: true },
    });
    [client] = setup.clients;
    for (const alias of ['alias/b', 'alias/c']) await setup.manager.createKey({ alias }, TEST_USE);
    const [a = '', b = '', c = ''] = await Promise.all(
      ['a', 'b', 'c'].map((id) => setup.manager.resolveKey(`alias/${id}`)),
    );
    arns = { a, b, c };
    await createBuckets(client, name);
    return [setup];
  });

  const put = (Key: string, more: object = {}, Body: Uint8Array = Buffer.from('body')) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
  const head = (Key: string, more: object = {}) => client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...more }));
  const get = async (Key: string, more: object = {}) => {
    const { Body, ...rest } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
    return { ...rest, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) };
  };
  const shownOf = (answer: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(answer).filter(([field]) => SHOWN.has(field)));
  const refusal = (run: Promise<unknown>): Promise<{ name: string; status: number | undefined; message: string }> =>
    run.then(
      () => ({ name: 'ok', status: 200, message: '' }),
      (error: { name: string; message: string; $metadata?: { httpStatusCode?: number } }) => ({
        name: error.name,
        message: error.message,
        status: error.$metadata?.httpStatusCode,
      }),
    );
  const raw = (method: string, key: string, headers: Record<string, string>): Promise<string> => {
    const { port } = setup.edges[0];
    const whole = method === 'HEAD' ? (text: string) => text.includes('\r\n\r\n') : isWhole;
    return talk(port, [sign(port, { method, path: `/${BUCKET}/${key}`, headers }).head], whole);
  };
  const rawPut = (key: string, headers: Record<string, string>): Promise<string> =>
    raw('PUT', key, { 'content-length': '0', ...headers });

  test('what is answered is what was asked for, on writing and on every read', async () => {
    const cases = [
      [{}, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.a }],
      [{ ServerSideEncryption: 'aws:kms' }, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.a }],
      [{ ServerSideEncryption: 'AES256' }, { ServerSideEncryption: 'AES256' }],
      ...[arns.b, 'alias/b', arns.b.split('/')[1] ?? ''].map((SSEKMSKeyId) => [
        { ServerSideEncryption: 'aws:kms', SSEKMSKeyId },
        { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.b },
      ]),
      [
        { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true },
        { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.a, BucketKeyEnabled: true },
      ],
    ] as const;
    for (const [index, [asked, shown]] of cases.entries()) {
      const Key = `shown-${index}`;
      expect(shownOf(await put(Key, asked))).toEqual(shown);
      expect(shownOf(await head(Key))).toEqual(shown);
      const read = await get(Key);
      expect(shownOf(read)).toEqual(shown);
      expect(read.bytes.toString()).toBe('body');
    }
  });

  test('an upload shows on every step what it was created with', async () => {
    const Key = 'upload';
    const asked = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/b', BucketKeyEnabled: true } as const;
    const shown = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: arns.b, BucketKeyEnabled: true };
    const created = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...asked }));
    expect(shownOf(created)).toEqual(shown);
    const { UploadId } = created;
    const part = await client.send(
      new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber: 1, Body: Buffer.from('only') }),
    );
    expect(shownOf(part)).toEqual(shown);
    const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    const done = await client.send(
      new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts } }),
    );
    expect(shownOf(done)).toEqual(shown);
    expect(shownOf(await head(Key))).toEqual(shown);
  });

  test('a context binds the key, and nobody needs it to read', async () => {
    const context = { tenant: 'äöü', 'a:b': '' };
    const SSEKMSEncryptionContext = base64(Buffer.from(JSON.stringify(context)));
    const asked = { ServerSideEncryption: 'aws:kms', SSEKMSEncryptionContext } as const;
    await put('context', asked);
    expect((await get('context')).bytes.toString()).toBe('body');
    const arn = base64(Buffer.from(JSON.stringify({ 'aws:s3:arn': `arn:aws:s3:::${BUCKET}/context-2` })));
    await put('context-2', { ...asked, SSEKMSEncryptionContext: arn });
    expect((await get('context-2')).bytes.toString()).toBe('body');
    const created = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'context-3', ...asked }));
    const { UploadId } = created;
    const part = await client.send(
      new UploadPartCommand({ Bucket: BUCKET, Key: 'context-3', UploadId, PartNumber: 1, Body: Buffer.from('part') }),
    );
    const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    await client.send(
      new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key: 'context-3', UploadId, MultipartUpload: { Parts } }),
    );
    expect((await get('context-3')).bytes.toString()).toBe('part');
    const recorded = (await setup.auditText()).split('\n').filter((line) => line.includes('"tenant":"äöü"'));
    expect(recorded.filter((line) => line.includes('"GenerateDataKey"')).length).toBe(2);
    expect(recorded.filter((line) => line.includes('"Decrypt"')).length).toBeGreaterThanOrEqual(4);
  });

  test('a context too long for an upload id is refused, and leaves no upload behind', async () => {
    const SSEKMSEncryptionContext = base64(Buffer.from(JSON.stringify({ a: 'b'.repeat(900) })));
    const asked = { ServerSideEncryption: 'aws:kms', SSEKMSEncryptionContext } as const;
    const create = new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'long-context', ...asked });
    expect(await refusal(client.send(create))).toMatchObject({ name: 'InvalidArgument', status: 400 });
    await put('long-context', asked);
    expect((await get('long-context')).bytes.toString()).toBe('body');
    if (name !== 'radosgw') return;
    const left = await setup.direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: 'long-context' }));
    expect(left.Uploads ?? []).toEqual([]);
  });

  test('headers that contradict each other get what S3 says', async () => {
    const method = 'x-amz-server-side-encryption';
    const context = (value: unknown): Record<string, string> => ({
      [method]: 'aws:kms',
      [`${method}-context`]: base64(Buffer.from(JSON.stringify(value))),
    });
    const cases: readonly (readonly [Record<string, string>, number, string, string])[] = [
      [{ [method]: 'aws:kms:dsse' }, 400, 'InvalidArgument', 'The encryption method specified is not supported'],
      [{ [method]: 'aes256' }, 400, 'InvalidArgument', 'The encryption method specified is not supported'],
      [{ [method]: '' }, 400, 'InvalidArgument', 'The encryption method specified is not supported'],
      [
        { [`${method}-aws-kms-key-id`]: 'x' },
        400,
        'InvalidArgument',
        'requires HTTP header x-amz-server-side-encryption : aws:kms',
      ],
      [{ [method]: 'AES256', [`${method}-aws-kms-key-id`]: 'x' }, 400, 'InvalidArgument', 'requires HTTP header'],
      [{ [method]: 'AES256', [`${method}-context`]: 'e30=' }, 400, 'InvalidArgument', 'requires HTTP header'],
      [
        { [method]: 'AES256', [`${method}-bucket-key-enabled`]: 'true' },
        400,
        'InvalidArgument',
        'requires HTTP header',
      ],
      [{ [method]: 'aws:kms', [`${method}-bucket-key-enabled`]: 'x' }, 400, 'InvalidArgument', 'true or false'],
      [{ [method]: 'aws:kms', [`${method}-context`]: '{}' }, 400, 'InvalidArgument', 'shall be Base64-encoded'],
      [context([]), 400, 'InvalidArgument', 'shall be Base64-encoded'],
      [context({ a: 1 }), 400, 'InvalidArgument', 'shall be Base64-encoded'],
      [context({ a: '\ud800' }), 400, 'InvalidArgument', 'shall be Base64-encoded'],
      [context({ 'sealgate:object-id': 'x' }), 400, 'InvalidArgument', 'reserved'],
      [context({ 'aws:s3:arn': 'arn:aws:s3:::other/key' }), 400, 'InvalidArgument', 'own ARN'],
      [context({ a: 'b'.repeat(4000) }), 400, 'InvalidArgument', 'too long'],
      [{ [method]: 'aws:kms', [`${method}-aws-kms-key-id`]: 'nobody' }, 400, 'KMS.NotFoundException', 'Invalid keyId'],
      [{ [method]: 'aws:kms', [`${method}-aws-kms-key-id`]: 'alias/none' }, 400, 'KMS.NotFoundException', ''],
      [
        { [method]: 'aws:kms', [`${method}-aws-kms-key-id`]: 'alias/c' },
        403,
        'AccessDenied',
        'does not allow the KMS key',
      ],
      [
        { [method]: 'aws:kms', [`${method}-aws-kms-key-id`]: arns.c },
        403,
        'AccessDenied',
        'does not allow the KMS key',
      ],
      [
        { [method]: 'AES256', ...headersOf(randomBytes(32)) },
        400,
        'InvalidArgument',
        'incompatible with the encryption method',
      ],
    ];
    for (const [headers, status, code, text] of cases) {
      const answer = await rawPut('refused', headers);
      expect([statusIn(answer), /<Code>([^<]*)/u.exec(answer)?.[1], JSON.stringify(headers)]).toEqual([
        status,
        code,
        JSON.stringify(headers),
      ]);
      expect(answer).toContain(text);
    }
    expect((await refusal(head('refused'))).status).toBe(404);
  });

  test('a read does not say how an object is encrypted, nor does a part', async () => {
    await put('reads');
    for (const method of ['GET', 'HEAD'])
      expect(statusIn(await raw(method, 'reads', { 'x-amz-server-side-encryption': 'AES256' }))).toBe(400);
    const answer = await raw('GET', 'reads', { 'x-amz-server-side-encryption': 'AES256' });
    expect(answer).toContain('x-amz-server-side-encryption header is not supported for this operation.');
  });

  test('a disabled key answers what S3 answers', async () => {
    const created = await setup.manager.createKey({ alias: 'alias/off' }, TEST_USE);
    await put('off', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/b' });
    await setup.manager.disableKey('alias/b', TEST_USE);
    try {
      const read = await refusal(get('off'));
      expect(read).toMatchObject({ name: 'KMS.DisabledException', status: 400, message: `${arns.b} is disabled.` });
      const write = put('off-2', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/b' });
      expect(await refusal(write)).toMatchObject({ name: 'KMS.DisabledException', status: 400 });
      expect((await refusal(head('off'))).status).toBe(400);
    } finally {
      await setup.manager.enableKey('alias/b', TEST_USE);
    }
    expect(created.arn).not.toBe(arns.b);
  });

  test('what a customer’s key sealed opens with that key alone', async () => {
    const [key, other] = [randomBytes(32), randomBytes(32)];
    const answer = await put('mine', customer(key));
    expect(shownOf(answer)).toEqual({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5(key) });
    const read = await get('mine', customer(key));
    expect(read.bytes.toString()).toBe('body');
    expect(shownOf(read)).toEqual({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5(key) });
    expect(shownOf(await head('mine', customer(key)))).toEqual(shownOf(read));
    expect((await get('mine', { ...customer(key), Range: 'bytes=1-2' })).bytes.toString()).toBe('od');
    expect(await refusal(get('mine'))).toMatchObject({
      name: 'InvalidRequest',
      status: 400,
      message: expect.stringContaining('was stored using a form of Server Side Encryption') as string,
    });
    expect(await refusal(get('mine', customer(other)))).toMatchObject({ name: 'AccessDenied', status: 403 });
    expect((await refusal(head('mine'))).status).toBe(400);
    expect((await refusal(head('mine', customer(other)))).status).toBe(403);
    expect((await refusal(get('mine', { ...customer(other), Range: 'bytes=0-0' }))).status).toBe(403);
    await put('plain');
    expect(await refusal(get('plain', customer(key)))).toMatchObject({
      name: 'InvalidRequest',
      message: 'The encryption parameters are not applicable to this object.',
    });
  });

  test('attributes of what a customer’s key sealed are told with that key alone', async () => {
    const [key, other] = [randomBytes(32), randomBytes(32)];
    await put('described', customer(key), Buffer.alloc(1234));
    const attributes = (more: object) =>
      client.send(
        new GetObjectAttributesCommand({
          ...{ Bucket: BUCKET, Key: 'described', ObjectAttributes: ['ETag', 'ObjectSize', 'Checksum', 'ObjectParts'] },
          ...more,
        }),
      );
    expect(await attributes(customer(key))).toMatchObject({
      ETag: expect.stringMatching(/^[0-9a-f]{32}-0$/u) as string,
      ObjectSize: 1234,
      Checksum: { ChecksumType: 'FULL_OBJECT' },
    });
    await expect(attributes(customer(other))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    await expect(attributes({})).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    await put('described otherwise');
    await expect(attributes({ Key: 'described otherwise', ...customer(key) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('an upload with a customer’s key takes it with every part, and no other', async () => {
    const [key, other] = [randomBytes(32), randomBytes(32)];
    const Key = 'mine-in-parts';
    const bodies = [randomBytes(5 * MIB), randomBytes(1000)];
    const created = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key, ...customer(key) }));
    expect(shownOf(created)).toEqual({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: md5(key) });
    const { UploadId } = created;
    const upload = (PartNumber: number, more: object, at: S3Client = client) =>
      at.send(
        new UploadPartCommand({
          Bucket: BUCKET,
          Key,
          UploadId,
          PartNumber,
          Body: bodies[PartNumber - 1] ?? '',
          ...more,
        }),
      );
    const messages = [
      [upload(1, {}), 'The multipart upload initiate requested encryption.'],
      [upload(1, customer(other)), 'The provided encryption parameters did not match the ones used originally.'],
    ] as const;
    for (const [run, text] of messages)
      expect(await refusal(run)).toMatchObject({
        name: 'InvalidRequest',
        status: 400,
        message: expect.stringContaining(text) as string,
      });
    const Parts: CompletedPart[] = [];
    for (const PartNumber of [1, 2]) {
      const part = await upload(PartNumber, customer(key), setup.clients[PartNumber - 1]);
      Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
    const listed = await client.send(new ListPartsCommand({ Bucket: BUCKET, Key, UploadId })).catch(() => undefined);
    if (name === 'radosgw') expect(listed?.Parts?.map(({ Size }) => Size)).toEqual([5 * MIB, 1000]);
    const complete = (more: object) =>
      client.send(
        new CompleteMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId, MultipartUpload: { Parts }, ...more }),
      );
    expect(await refusal(complete({}))).toMatchObject({ name: 'InvalidRequest', status: 400 });
    await complete(customer(key));
    expect((await get(Key, customer(key))).bytes.equals(Buffer.concat(bodies))).toBe(true);
    const Range = `bytes=${5 * MIB - 3}-${5 * MIB + 5}`;
    expect((await get(Key, { ...customer(key), Range })).bytes).toEqual(
      Buffer.concat(bodies).subarray(5 * MIB - 3, 5 * MIB + 6),
    );
    expect((await refusal(get(Key, { ...customer(other), Range }))).status).toBe(403);
    // An upload without: none is taken.
    const plain = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'none' }));
    const part = new UploadPartCommand({
      Bucket: BUCKET,
      Key: 'none',
      UploadId: plain.UploadId,
      PartNumber: 1,
      Body: 'x',
      ...customer(key),
    });
    expect(await refusal(client.send(part))).toMatchObject({ name: 'InvalidRequest', status: 400 });
  });

  test('a customer’s key that is none is told so as S3 does', async () => {
    const prefix = 'x-amz-server-side-encryption-customer-';
    const [key, short] = [randomBytes(32), randomBytes(24)];
    const without = (name_: string): Record<string, string> => {
      const { [`${prefix}${name_}`]: _gone, ...rest } = headersOf(key);
      return rest;
    };
    const cases: readonly (readonly [Record<string, string>, string, string])[] = [
      [
        { ...headersOf(key), [`${prefix}algorithm`]: 'AES128' },
        'InvalidEncryptionAlgorithmError',
        'Supported value: AES256.',
      ],
      [without('algorithm'), 'InvalidArgument', 'must provide a valid encryption algorithm'],
      [without('key'), 'InvalidArgument', 'must provide an appropriate secret key'],
      [without('key-md5'), 'InvalidArgument', 'must provide the client calculated MD5 of the secret key'],
      [{ ...headersOf(key), [`${prefix}key-md5`]: md5(short) }, 'InvalidArgument', 'did not match the hash'],
      [headersOf(short), 'InvalidArgument', 'The secret key was invalid for the specified algorithm.'],
    ];
    for (const [headers, code, text] of cases) {
      const answer = await rawPut('no-key', headers);
      expect([statusIn(answer), /<Code>([^<]*)/u.exec(answer)?.[1]]).toEqual([400, code]);
      expect(answer).toContain(text);
      expect(answer).not.toContain(base64(key));
    }
    await put('needs', customer(key));
    expect((await refusal(get('needs', customer(short)))).status).toBe(403);
  });

  test('neither a customer’s key nor metadata lies in the store', async () => {
    const canary = 'canary-of-a-customer-and-his-metadata';
    const key = Buffer.from(createHash('sha256').update(canary).digest('hex').slice(0, 32));
    await put('canary', { ...customer(key), Metadata: { [canary]: canary } }, Buffer.from(canary));
    expect((await get('canary', customer(key))).Metadata).toEqual({ [canary]: canary });
    const hunted = [
      canary,
      key.toString(),
      base64(key),
      key.toString('hex'),
      md5(key),
      createHash('md5').update(key).digest('hex'),
    ];
    const files = await filesUnder(backend.directory);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = await readFile(file).catch(() => Buffer.alloc(0));
      for (const text of hunted) if (bytes.includes(text)) throw new Error(`${text} lies in ${file}`);
    }
    for (const text of hunted) expect(await setup.auditText()).not.toContain(text);
  });
});

async function filesUnder(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const SHOWN = new Set([
  'ServerSideEncryption',
  'SSEKMSKeyId',
  'BucketKeyEnabled',
  'SSECustomerAlgorithm',
  'SSECustomerKeyMD5',
]);
