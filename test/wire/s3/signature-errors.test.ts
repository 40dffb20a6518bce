/**
 * What is told to whom a signature, an access key or a digest is refused: of the caller's own request all that helps to find the mistake, and
 * nothing of any secret.
 */
import { createHash } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isWhole, sign, statusIn, talk, type RawRequest } from '../../support/s3/raw-s3.ts';
import { CLIENT, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const PARSER = new XMLParser({ parseTagValue: false, trimValues: false });
const SECRET_KEY = Buffer.alloc(32, 'k').toString('base64');
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

let store: TestStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startS3rver({ buckets: ['plain'] });
  edge = await startEdge({ store });
});
afterAll(async () => {
  await edge.close();
  await store.close();
});

type Told = Readonly<Record<string, string>>;
function told(document: string): Told {
  const { Error: error } = PARSER.parse(document) as { Error: Told };
  const { Message: _message, Resource: _resource, RequestId: _id, HostId: _host, ...rest } = error;
  return rest;
}
const textOf = (bytes: string | undefined): string =>
  Buffer.from((bytes ?? '').split(' ').join(''), 'hex').toString('utf8');

/** The request, signed, with the last digit of its signature turned. */
async function forged(request: RawRequest): Promise<{ readonly answer: string; readonly signature: string }> {
  const { head } = sign(edge.port, request);
  const [, right = ''] = /Signature=([0-9a-f]{64})/u.exec(head) ?? [];
  const signature = `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`;
  const answer = await talk(edge.port, [Buffer.from(head.replace(right, signature), 'latin1')], isWhole);
  expect(statusIn(answer)).toBe(403);
  // The right signature is what the secret alone can make.
  expect(answer).not.toContain(right);
  expect(answer).not.toContain(CLIENT.secretAccessKey);
  return { answer: answer.slice(answer.indexOf('<?xml')), signature };
}

test('a signature that does not match is told what was taken for signed', async () => {
  const meta = Buffer.from('ä & b').toString('latin1');
  const { answer, signature } = await forged({
    method: 'GET',
    path: '/plain/a%20b',
    query: 'versionId=%C3%A4&acl',
    headers: { 'x-amz-meta-note': meta },
  });
  const said = told(Buffer.from(answer, 'latin1').toString('utf8'));
  const canonical = textOf(said['CanonicalRequestBytes']);
  expect(canonical.split('\n')).toEqual([
    'GET',
    '/plain/a%20b',
    'acl=&versionId=%C3%A4',
    `host:127.0.0.1:${edge.port}`,
    'x-amz-content-sha256:UNSIGNED-PAYLOAD',
    expect.stringMatching(/^x-amz-date:\d{8}T\d{6}Z$/u) as string,
    'x-amz-meta-note:ä & b',
    '',
    'host;x-amz-content-sha256;x-amz-date;x-amz-meta-note',
    'UNSIGNED-PAYLOAD',
  ]);
  const date = /x-amz-date:(\S+)/u.exec(canonical)?.[1] ?? '';
  const stringToSign = `AWS4-HMAC-SHA256\n${date}\n${date.slice(0, 8)}/us-east-1/s3/aws4_request\n${sha256(canonical)}`;
  expect(said).toEqual({
    Code: 'SignatureDoesNotMatch',
    AWSAccessKeyId: CLIENT.accessKeyId,
    StringToSign: stringToSign,
    SignatureProvided: signature,
    StringToSignBytes: Buffer.from(stringToSign)
      .toString('hex')
      .replace(/..(?=.)/gu, '$& '),
    CanonicalRequest: canonical,
    CanonicalRequestBytes: said['CanonicalRequestBytes'],
  });
});

test.each([
  ['a customer’s key', { 'x-amz-server-side-encryption-customer-key': SECRET_KEY }],
  ['the key of a copy’s source', { 'x-amz-copy-source-server-side-encryption-customer-key': SECRET_KEY }],
  ['a session token', { 'x-amz-security-token': SECRET_KEY }],
])('%s among what was signed is not repeated, in no encoding', async (_what, headers) => {
  const { answer } = await forged({ method: 'PUT', path: '/plain/k', headers: { 'content-length': '0', ...headers } });
  expect(Object.keys(told(answer))).toEqual([
    ...['Code', 'AWSAccessKeyId', 'StringToSign', 'SignatureProvided', 'StringToSignBytes'],
  ]);
  expect(answer).not.toContain(SECRET_KEY.slice(0, 16));
  const hex = Buffer.from(SECRET_KEY)
    .toString('hex')
    .replace(/..(?=.)/gu, '$& ');
  expect(answer).not.toContain(hex.slice(0, 30));
});

const client = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): S3Client =>
  new S3Client({ endpoint: edge.url, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });

test('nor the token of a presigned URL; of one without, all is told but its signature within the request', async () => {
  const put = new PutObjectCommand({ Bucket: 'plain', Key: 'k' });
  for (const [sessionToken, isTold] of [
    ['secret-token-of-a-session', false],
    [undefined, true],
  ] as const) {
    const wrong = { ...CLIENT, secretAccessKey: 'wrong', ...(sessionToken === undefined ? {} : { sessionToken }) };
    const url = await getSignedUrl(client(wrong), put);
    const answer = await (await fetch(url, { method: 'PUT' })).text();
    const said = told(answer);
    const signature = new URL(url).searchParams.get('X-Amz-Signature');
    expect([said['Code'], said['SignatureProvided']]).toEqual(['SignatureDoesNotMatch', signature]);
    expect(said['CanonicalRequest'] !== undefined).toBe(isTold);
    expect(said['CanonicalRequest'] ?? '').not.toContain(signature);
    if (sessionToken !== undefined) expect(answer).not.toContain(sessionToken);
  }
});

test('who does not say what was signed of the body is told the header, as curl before 8.0 is', async () => {
  const { head } = sign(edge.port, { method: 'GET', path: '/plain/k' });
  const answer = await talk(edge.port, [head.replace(/^x-amz-content-sha256: .*\r\n/imu, '')], isWhole);
  expect([statusIn(answer), told(answer.slice(answer.indexOf('<?xml')))]).toEqual([400, { Code: 'InvalidRequest' }]);
  expect(answer).toContain('<Message>Missing required header for this request: x-amz-content-sha256</Message>');
});

test('of a form it is the policy that was signed', async () => {
  const wrong = client({ ...CLIENT, secretAccessKey: 'wrong' });
  const form = await createPresignedPost(wrong, { Bucket: 'plain', Key: 'k', Expires: 60 });
  const data = new FormData();
  for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
  data.append('file', new Blob(['x']), 'f');
  const said = told(await (await fetch(form.url, { method: 'POST', body: data })).text());
  expect(said).toEqual({
    Code: 'SignatureDoesNotMatch',
    AWSAccessKeyId: CLIENT.accessKeyId,
    StringToSign: form.fields['Policy'],
    SignatureProvided: form.fields['X-Amz-Signature'],
    StringToSignBytes: said['StringToSignBytes'],
  });
  expect(textOf(said['StringToSignBytes'])).toBe(form.fields['Policy']);
});

test('an access key that is not known is named', async () => {
  const stranger = client({ accessKeyId: 'AKIA<&>STRANGER', secretAccessKey: 'x' });
  const error: unknown = await stranger
    .send(new PutObjectCommand({ Bucket: 'plain', Key: 'k', Body: 'x' }))
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'InvalidAccessKeyId', AWSAccessKeyId: 'AKIA<&>STRANGER' });
});

test('a digest that is another is told beside the one that was said', async () => {
  const body = 'a body of some bytes';
  const md5 = (text: string) => createHash('md5').update(text).digest();
  const put = async (headers: Record<string, string>, payloadHash: string): Promise<Told> => {
    const request = {
      method: 'PUT',
      path: '/plain/digest',
      headers: { 'content-length': String(body.length), ...headers },
    };
    const answer = await talk(edge.port, [sign(edge.port, { ...request, payloadHash }).head, body], isWhole);
    expect(statusIn(answer)).toBe(400);
    return told(answer.slice(answer.indexOf('<?xml')));
  };
  expect(await put({ 'content-md5': md5('another').toString('base64') }, 'UNSIGNED-PAYLOAD')).toEqual({
    Code: 'BadDigest',
    ExpectedDigest: md5('another').toString('hex'),
    CalculatedDigest: md5(body).toString('base64'),
  });
  expect(await put({}, sha256('another'))).toEqual({
    Code: 'XAmzContentSHA256Mismatch',
    ClientComputedContentSHA256: sha256('another'),
    S3ComputedContentSHA256: sha256(body),
  });
});
