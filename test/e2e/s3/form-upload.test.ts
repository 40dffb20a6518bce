/** Uploads by form: made by the AWS SDK and by boto3, sent as browsers send them, sealed like a PUT. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { GetObjectCommand, GetObjectTaggingCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { describe, expect, test } from 'vitest';
import { isWhole, talk } from '../../support/s3/raw-s3.ts';
import { CLIENT } from '../../support/s3/edge.ts';
import { createBuckets, inFrontOf } from '../../support/s3/in-front-of.ts';
import { BUCKET, bytesWith, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';

const CANARY = 'canary-of-a-form';

describe.each(['s3rver', 'radosgw'] as const)('Forms in front of %s', (name) => {
  let setup: SealedSetup;

  inFrontOf(name, async (backend) => {
    setup = await startSealed(backend);
    await createBuckets(setup.clients[0], name, 'plain');
    return [setup];
  });

  const form = async (Key: string, more: Partial<PresignedPostOptions> = {}) => {
    const made = await createPresignedPost(setup.clients[0], { Bucket: BUCKET, Key, Expires: 600, ...more });
    return { url: made.url, fields: { ...made.fields, ...more.Fields } };
  };
  const post = async (
    { url, fields }: { url: string; fields: Readonly<Record<string, string>> },
    file: Uint8Array,
    filename = 'f.bin',
  ) => {
    const data = new FormData();
    for (const [field, value] of Object.entries(fields)) data.append(field, value);
    data.append('file', new Blob([Uint8Array.from(file)]), filename);
    const answer = await fetch(url, { method: 'POST', body: data, redirect: 'manual' });
    const text = await answer.text();
    return { status: answer.status, text, code: /<Code>(\w+)/u.exec(text)?.[1], headers: answer.headers };
  };
  const get = async (Key: string, Bucket = BUCKET) => {
    const answer = await setup.clients[1].send(new GetObjectCommand({ Bucket, Key }));
    return { answer, bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0) };
  };
  const atRest = async (Key: string) => {
    const answer = await setup.direct.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  };

  test.each([0, 1, 1000, 262_144, 400_000, 3_000_000])(
    'A file of %i bytes is sealed and reads back',
    async (length) => {
      const file = bytesWith(CANARY, length);
      const answer = await post(await form(`size/${length}`), file);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(answer.headers.get('location')).toBe(`${setup.edges[0].url}/${BUCKET}/size/${length}`);
      const read = await get(`size/${length}`);
      expect(Buffer.compare(read.bytes, file)).toBe(0);
      expect(answer.headers.get('etag')).toBe(read.answer.ETag);
      expect((await atRest(`size/${length}`)).includes(CANARY)).toBe(false);
    },
  );

  test('Metadata, type, tags, checksum and file name go where a PUT would put them', async () => {
    const file = bytesWith(CANARY, 5000);
    const fields = {
      'Content-Type': 'image/png',
      'Cache-Control': 'no-store',
      'x-amz-meta-who': 'grüße',
      'x-amz-checksum-sha256': createHash('sha256').update(file).digest('base64'),
      tagging: '<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet></Tagging>',
    };
    const tagged = name === 'radosgw';
    const { tagging, ...untagged } = fields;
    const conditions = [['starts-with', '$key', 'named/']] as PresignedPostOptions['Conditions'];
    const made = await form('named/${filename}', {
      Fields: tagged ? fields : untagged,
      ...(conditions && { Conditions: conditions }),
    });
    expect(await post(made, file, 'photo ü.png')).toMatchObject({ status: 204 });
    const { answer, bytes } = await get('named/photo ü.png');
    expect(Buffer.compare(bytes, file)).toBe(0);
    expect(answer).toMatchObject({
      ContentType: 'image/png',
      CacheControl: 'no-store',
      // As of a PUT whose header has these bytes: an encoded word of them read as latin1.
      Metadata: {
        who: `=?UTF-8?B?${Buffer.from(Buffer.from('grüße').toString('latin1')).toString('base64')}?=`,
      },
    });
    if (!tagged) return;
    expect(tagging).toContain('a b');
    const tags = await setup.clients[0]
      .send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'named/photo ü.png' }))
      .catch((error: Error) => error.name);
    expect(tags === 'NotImplemented' || (typeof tags === 'object' && tags.TagSet)).toEqual(
      tags === 'NotImplemented' ? true : [{ Key: 'a b', Value: 'c&d' }],
    );
  });

  test('The answer is what the form asks for', async () => {
    const of = async (fields: Record<string, string>) =>
      post(await form('answer', { Fields: fields }), randomBytes(10));
    expect(await of({ success_action_status: '200' })).toMatchObject({ status: 200, text: '' });
    const created = await of({ success_action_status: '201' });
    expect(created.status).toBe(201);
    expect(created.text).toContain(`<Location>${setup.edges[0].url}/${BUCKET}/answer</Location>`);
    expect(created.text).toMatch(/<Bucket>sealed<\/Bucket><Key>answer<\/Key><ETag>&quot;/u);
    const sent = await of({ success_action_redirect: 'https://example.test/done?x=1' });
    expect(sent.status).toBe(303);
    expect(sent.headers.get('location')).toMatch(
      /^https:\/\/example\.test\/done\?x=1&bucket=sealed&key=answer&etag=%22/u,
    );
    expect(await of({ success_action_redirect: 'javascript:alert(1)' })).toMatchObject({ status: 204 });
  });

  test('What the policy does not allow is not stored', async () => {
    const file = randomBytes(300_000);
    const refused = async (code: string, changes: Record<string, string>, more: Partial<PresignedPostOptions> = {}) => {
      const made = await form('refused', more);
      const fields = Object.fromEntries(
        Object.entries({ ...made.fields, ...changes }).filter(([, value]) => value !== '-'),
      );
      expect(await post({ url: made.url, fields }, file), JSON.stringify(changes)).toMatchObject({ code });
    };
    await refused('AccessDenied', { key: 'refused-too' });
    await refused('AccessDenied', { 'x-amz-meta-extra': '1' });
    await refused('AccessDenied', { acl: 'public-read' });
    await refused('AccessDenied', { Policy: '-', 'X-Amz-Signature': '-' });
    await refused('SignatureDoesNotMatch', { 'X-Amz-Signature': '0'.repeat(64) });
    await refused('SignatureDoesNotMatch', {
      Policy: Buffer.from('{"expiration":"2100-01-01T00:00:00Z","conditions":[]}').toString('base64'),
    });
    await refused('InvalidAccessKeyId', {
      'X-Amz-Credential': `NOBODY/${new Date().toISOString().slice(0, 10).replaceAll('-', '')}/us-east-1/s3/aws4_request`,
    });
    await refused('AccessDenied', {}, { Expires: -10 });
    await refused('EntityTooLarge', {}, { Conditions: [['content-length-range', 1, 299_999]] });
    await refused('EntityTooSmall', {}, { Conditions: [['content-length-range', 300_001, 400_000]] });
    await refused('BadDigest', {}, { Fields: { 'x-amz-checksum-sha256': createHash('sha256').digest('base64') } });
    await refused('InvalidArgument', { key: '-' });
    expect(await post(await form('refused', { Fields: { 'x-amz-meta-sealgate-envelope': 'x' } }), file)).toMatchObject({
      status: 400,
    });
    // s3rver keeps what it had of a body that breaks off.
    if (name === 's3rver') return;
    const listed = await setup.clients[0].send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'refused' }));
    expect(listed.Contents ?? []).toEqual([]);
  });

  test('A bucket without rules takes forms too', async () => {
    const file = bytesWith(CANARY, 300_000);
    expect(await post(await form('f', { Bucket: 'plain' }), file)).toMatchObject({ status: 204 });
    expect(Buffer.compare((await get('f', 'plain')).bytes, file)).toBe(0);
  });

  const startOf = async (key: string): Promise<string> => {
    const { fields } = await form(key);
    const head = Object.entries(fields).map(
      ([field, value]) => `--B\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
    );
    return `${head.join('')}--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n`;
  };
  const send = async (body: string) => {
    const { port } = setup.edges[0];
    const head = `Content-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}\r\n\r\n`;
    const isAnswer = (text: string) => isWhole(text) || text.startsWith('HTTP/1.1 204');
    return talk(port, [`POST /${BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}`, body], isAnswer);
  };
  const behind = '\r\n--B\r\nContent-Disposition: form-data; name="submit"\r\n\r\ny\r\n--B--\r\n';

  test('A large file whose form breaks off, or goes on behind it, is not stored', async () => {
    const start = await startOf('broken');
    const file = 'x'.repeat(600_000);
    expect(await send(`${start}${file}${behind}`)).toContain('MalformedPOSTRequest');
    expect(await send(`${start}${file}`)).toContain('MalformedPOSTRequest');
    if (name === 'radosgw') await expect(get('broken')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('Fields behind a small file are passed over, and a field twice is refused', async () => {
    const start = await startOf('short');
    expect(await send(`${start}short${behind}`)).toContain('HTTP/1.1 204');
    expect(Buffer.from((await get('short')).bytes).toString()).toBe('short');
    const twice = `--B\r\nContent-Disposition: form-data; name="Key"\r\n\r\nother\r\n${start}`;
    expect(await send(`${twice}x\r\n--B--\r\n`)).toContain('InvalidArgument');
  });

  test('boto3 makes forms and URLs that are taken', async ({ skip }) => {
    if (spawnSync('python3', ['-c', 'import boto3, requests']).status !== 0)
      skip('python3 has no boto3 or no requests');
    const program = `
import boto3, requests, os, sys
from botocore.config import Config
s3 = boto3.client('s3', endpoint_url=os.environ['URL'], region_name='us-east-1', config=Config(signature_version='s3v4', s3={'addressing_style': 'path'}))
made = s3.generate_presigned_post('sealed', 'boto/\${filename}', Fields={'Content-Type': 'text/plain'}, Conditions=[['starts-with', '$Content-Type', 'text/'], ['content-length-range', 1, 1000000]], ExpiresIn=60)
print(requests.post(made['url'], data=made['fields'], files={'file': ('a b.txt', b'x' * 500000)}).status_code)
print(requests.post(made['url'], data=made['fields'], files={'file': ('a b.txt', b'')}).status_code)
print(requests.put(s3.generate_presigned_url('put_object', Params={'Bucket': 'sealed', 'Key': 'boto/put'}), data=b'body').status_code)
print(requests.get(s3.generate_presigned_url('get_object', Params={'Bucket': 'sealed', 'Key': 'boto/put'})).text)
print(len(requests.get(s3.generate_presigned_url('get_object', Params={'Bucket': 'sealed', 'Key': 'boto/a b.txt'})).content))
`;
    const { stdout } = await promisify(execFile)('python3', ['-c', program], {
      env: {
        ...process.env,
        URL: setup.edges[0].url,
        AWS_ACCESS_KEY_ID: CLIENT.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CLIENT.secretAccessKey,
      },
    });
    expect(stdout.trim().split('\n')).toEqual(['204', '400', '200', 'body', '500000']);
  });
});
