/**
 * `Expect: 100-continue`: a body is asked for only when signature, rights and rules have been asked and whoever stores it is there; whatever
 * fails before is the first and only answer. And presigned URLs that are no longer, not yet, too long, or twice what they say.
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { S3Client, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import type { S3Rule } from '../../../src/s3/rules.ts';
import { canonicalRequest, hashText } from '../../../src/sigv4/canonical-request.ts';
import {
  ALGORITHM,
  formatScope,
  requestStringToSign,
  signText,
  SigningKeyCache,
} from '../../../src/sigv4/signing-key.ts';
import { formatTimestamp } from '../../../src/sigv4/timestamp.ts';
import { document } from '../../support/keys/access.ts';
import { keyFolder, TEST_USE, type KeyFolder } from '../../support/keys/keys.ts';
import { isWhole, sign, statusIn, talk, type RawRequest } from '../../support/s3/raw-s3.ts';
import { startRecordingStore, type RecordingStore } from '../../support/s3/recording-store.ts';
import { CLIENT, S3RVER_CAPABILITIES, startEdge, type TestEdge } from '../../support/s3/edge.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const WEEK_SECONDS = 7 * 24 * 3600;
const MIB = 1024 * 1024;

let keys: KeyFolder;
let manager: KeyManager;
let store: RecordingStore;
let edge: TestEdge;
/** Its store takes no connection. */
let lonely: TestEdge;

const seal = (keyId: `alias/${string}`): S3Rule => ({ type: 'seal', keyId, name: keyId });
const entry = (bucket: string, rule: S3Rule, prefix = '') => ({ bucket, prefix, rule });

beforeAll(async () => {
  keys = await keyFolder();
  manager = await keys.open();
  await manager.createKey({ alias: 'alias/a' }, TEST_USE);
  store = await startRecordingStore();
  const rules = [
    entry('sealed', seal('alias/a')),
    entry('unkeyed', seal('alias/none')),
    entry('closed', { type: 'refuse', name: 'closed' }),
  ];
  const deny = document(
    { Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' },
    { Effect: 'Deny', Action: 's3:PutObject', Resource: 'arn:aws:s3:::*/denied' },
  );
  const identity = { arn: CLIENT.principal, policies: [{ name: 'all-but-one', document: deny }] };
  const options = {
    store,
    rules,
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
    capabilities: { ...S3RVER_CAPABILITIES, listsParts: true },
    access: { identities: [identity], organizationPolicies: [], unlistedStorageCallers: 'use-keys' } as const,
  };
  edge = await startEdge(options);
  // Where nobody listens.
  lonely = await startEdge({ ...options, store: { ...store, url: 'http://127.0.0.1:1' } });
});
afterEach(() => {
  store.seen.length = 0;
  store.reply = { status: 200, headers: { etag: '"0123456789abcdef0123456789abcdef"' }, body: '' };
});
afterAll(async () => {
  await edge.close();
  await lonely.close();
  await store.close();
  await keys[Symbol.asyncDispose]();
});

const put = (path: string, length: number, more: Partial<RawRequest> = {}, port = edge.port): string =>
  sign(port, {
    method: 'PUT',
    path,
    ...more,
    headers: { 'content-length': String(length), expect: '100-continue', ...more.headers },
  }).head;

type Told = { readonly continued: boolean; readonly status: number; readonly text: string };

/** Sends the head, and the body only if it is asked for. */
async function expecting(head: string, body: Uint8Array, port = edge.port): Promise<Told> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let continued = false;
  const over = new Promise<void>((resolve) => {
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      if (!continued && text.startsWith(CONTINUE)) {
        continued = true;
        text = text.slice(CONTINUE.length);
        socket.write(body);
      }
      if (isWhole(text)) resolve();
    });
  });
  socket.write(head);
  await over;
  socket.destroy();
  return { continued, status: statusIn(text), text };
}

const BODY = randomBytes(1000);
const codeIn = (text: string): string => /<Code>(\w[\w.]*)<\/Code>/u.exec(text)?.[1] ?? '';
const wrongly = (head: string): string => head.replace(/Signature=\w{4}/u, 'Signature=0000');
const late = Date.now() - 16 * 60_000;
const uploadId = 'uploadId=none&partNumber=1';

test('of HTTP/1.0, which knows no interim answers, no body is asked for', async () => {
  const answer = await talk(edge.port, [put('/plain/k', BODY.length).replace('HTTP/1.1', 'HTTP/1.0'), BODY]);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /u);
  expect(store.seen.map(({ body }) => body)).toEqual([BODY]);
});

describe('without a body being asked for', () => {
  test.each([
    ['a wrong signature', () => wrongly(put('/plain/k', 1000)), 403, 'SignatureDoesNotMatch'],
    [
      'an unknown access key',
      () => put('/plain/k', 1000).replace('=CLIENTKEY/', '=NOBODY/'),
      403,
      'InvalidAccessKeyId',
    ],
    ['a clock that is late', () => put('/plain/k', 1000, { now: late }), 403, 'RequestTimeTooSkewed'],
    ['nobody’s signature', () => put('/plain/k', 1000).replace(/authorization: .*\r\n/u, ''), 403, 'AccessDenied'],
    ['what a policy denies', () => put('/plain/denied', 1000), 403, 'AccessDenied'],
    ['what a policy denies of what is sealed', () => put('/sealed/denied', 1000), 403, 'AccessDenied'],
    ['what a rule closes', () => put('/closed/k', 1000), 403, 'AccessDenied'],
    ['what no rule lets pass', () => put('/sealed/k', 1000, { query: 'renameObject=' }), 501, 'NotImplemented'],
    ['a name of ours', () => put('/sealed/.sealgate/x', 1000), 403, 'AccessDenied'],
    [
      'metadata of ours',
      () => put('/plain/k', 1000, { headers: { 'x-amz-meta-sealgate': '1' } }),
      400,
      'InvalidArgument',
    ],
    ['more than S3 takes', () => put('/plain/k', 6 * 1024 ** 3), 400, 'EntityTooLarge'],
    ['a key that there is none of', () => put('/unkeyed/k', 1000), 400, 'KMS.NotFoundException'],
    ['an upload that there is none of', () => put('/sealed/k', 1000, { query: uploadId }), 404, 'NoSuchUpload'],
    ['a checksum that is none', () => put('/plain/k', 1000, { headers: { 'content-md5': 'x' } }), 400, 'InvalidDigest'],
  ] as const)('%s is refused', async (_what, head, status, code) => {
    const told = await expecting(head(), BODY);
    expect([told.continued, told.status, codeIn(told.text)]).toEqual([false, status, code]);
    expect(told.text.toLowerCase()).toContain('connection: close');
    expect(store.seen).toEqual([]);
  });

  test.each(['/plain/k', '/sealed/k'])('a store that is away is told for %s', async (path) => {
    // Longer than what is read whole before the store is asked.
    const length = 4 * MIB;
    const told = await expecting(put(path, length, {}, lonely.port), randomBytes(length), lonely.port);
    expect([told.continued, told.status, codeIn(told.text)]).toEqual([false, 503, 'ServiceUnavailable']);
  });
});

test.each([
  ['/plain/k', 1000],
  ['/plain/k', 4 * MIB],
  ['/sealed/k', 0],
  ['/sealed/k', 1000],
  ['/sealed/k', 4 * MIB],
] as const)('a body for %s of %i bytes is asked for once, and stored', async (path, length) => {
  const told = await expecting(put(path, length), randomBytes(length));
  expect([told.continued, told.status]).toEqual([true, 200]);
  expect(told.text).not.toContain('100 Continue');
  const stored = store.seen.filter(({ method }) => method === 'PUT');
  expect(stored.map(({ complete, headers }) => [complete, headers.expect])).toEqual([[true, undefined]]);
  if (path === '/plain/k') expect(stored[0]?.body.length).toBe(length);
  else expect(stored[0]?.body.length).toBeGreaterThan(length);
});

test('who does not wait to be asked is answered all the same', async () => {
  const answer = await talk(edge.port, [put('/sealed/k', BODY.length), BODY], (text) =>
    isWhole(text.replace(CONTINUE, '')),
  );
  expect(statusIn(answer.replace(CONTINUE, ''))).toBe(200);
});

/** A presigned PUT whose signature holds, whatever its parameters say. */
function presigned(parameters: readonly (readonly [string, string])[], now = Date.now()): string {
  const timestamp = formatTimestamp(now);
  const scope = { date: timestamp.slice(0, 8), region: 'us-east-1', service: 's3' };
  const all = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${CLIENT.accessKeyId}/${formatScope(scope)}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-SignedHeaders', 'host'],
    ...parameters,
  ] as const;
  const query = all.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  const request = { method: 'PUT', path: '/plain/k', query, headers: { host: `127.0.0.1:${edge.port}` } };
  const canonical = canonicalRequest({ ...request, signedHeaders: ['host'], payloadHash: 'UNSIGNED-PAYLOAD' });
  const key = new SigningKeyCache().get(CLIENT, scope);
  const signature = signText(key, requestStringToSign(timestamp, scope, hashText(canonical)));
  return `${request.path}?${query}&X-Amz-Signature=${signature}`;
}

const headOf = (target: string, ...more: readonly string[]): string =>
  [
    `PUT ${target} HTTP/1.1`,
    `host: 127.0.0.1:${edge.port}`,
    `content-length: ${BODY.length}`,
    'expect: 100-continue',
    ...more,
    '',
    '',
  ].join('\r\n');

describe('a presigned URL', () => {
  const seconds = (count: number) => ['X-Amz-Expires', String(count)] as const;
  const ago = (count: number): number => Date.now() - count * 1000;

  test.each([
    ['that has just been made', () => presigned([seconds(60)])],
    ['of a week, almost over', () => presigned([seconds(WEEK_SECONDS)], ago(WEEK_SECONDS - 60))],
    ['of a clock that is ten minutes ahead', () => presigned([seconds(60)], ago(-600))],
  ] as const)('%s is taken, and the body asked for', async (_what, target) => {
    const told = await expecting(headOf(target()), BODY);
    expect([told.continued, told.status]).toEqual([true, 200]);
    expect(store.seen[0]?.body.equals(BODY)).toBe(true);
    expect(store.seen[0]?.url).toBe('/plain/k');
  });

  const PARAMETERS = 'AuthorizationQueryParametersError';
  test.each([
    ['that has expired', () => presigned([seconds(60)], ago(61)), 403, 'AccessDenied', 'Request has expired'],
    [
      'of a week that is over',
      () => presigned([seconds(WEEK_SECONDS)], ago(WEEK_SECONDS + 1)),
      403,
      'AccessDenied',
      'Request has expired',
    ],
    ['of the future', () => presigned([seconds(60)], ago(-16 * 60)), 403, 'AccessDenied', 'not valid yet'],
    ['for longer than a week', () => presigned([seconds(WEEK_SECONDS + 1)]), 400, PARAMETERS, '604800 seconds'],
    ['for no time', () => presigned([seconds(0)]), 400, PARAMETERS, 'must be positive'],
    [
      'for a time that is no number',
      () => presigned([['X-Amz-Expires', '6e1']]),
      400,
      PARAMETERS,
      'should be a number',
    ],
    ['without a time', () => presigned([]), 400, PARAMETERS, 'should be a number'],
    ['with two times', () => presigned([seconds(60), seconds(70)]), 400, PARAMETERS, 'X-Amz-Expires'],
    [
      'with two credentials',
      () => presigned([seconds(60), ['X-Amz-Credential', 'OTHER']]),
      400,
      PARAMETERS,
      'X-Amz-Credential',
    ],
    [
      'with a parameter twice',
      () => presigned([seconds(60), ['partNumber', '1'], ['partNumber', '2']]),
      400,
      'InvalidArgument',
      'given twice',
    ],
    [
      'with metadata twice',
      () => presigned([seconds(60), ['x-amz-meta-a', '1'], ['X-Amz-Meta-A', '2']]),
      400,
      'InvalidArgument',
      'given twice',
    ],
    ['with metadata of ours', () => presigned([seconds(60), ['x-amz-meta-sealgate', '1']]), 400, 'InvalidArgument', ''],
    [
      'whose signature is twice in it',
      () => `${presigned([seconds(60)])}&X-Amz-Signature=${'0'.repeat(64)}`,
      400,
      PARAMETERS,
      'X-Amz-Signature',
    ],
    [
      'that was lengthened',
      () => presigned([seconds(60)], ago(61)).replace('Expires=60', 'Expires=600'),
      403,
      'SignatureDoesNotMatch',
      '',
    ],
  ] as const)('%s is refused, and no body asked for', async (_what, target, status, code, text) => {
    const told = await expecting(headOf(target()), BODY);
    expect([told.continued, told.status, codeIn(told.text)]).toEqual([false, status, code]);
    expect(told.text).toContain(text);
    expect(store.seen).toEqual([]);
  });

  test('beside an Authorization header is refused as by S3, each of them good alone', async () => {
    const authorization = /authorization: (.*)\r\n/u.exec(put('/plain/k', BODY.length))?.[0].trim() ?? '';
    const told = await expecting(headOf(presigned([seconds(60)]), authorization), BODY);
    expect([told.continued, told.status, codeIn(told.text)]).toEqual([false, 400, 'InvalidArgument']);
    expect(told.text).toContain('<ArgumentName>Authorization</ArgumentName>');
    expect(store.seen).toEqual([]);
  });

  test('of an SDK is the same as ours', async () => {
    const client = new S3Client({ endpoint: edge.url, region: 'us-east-1', credentials: CLIENT, forcePathStyle: true });
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: 'plain', Key: 'k' }), {
      expiresIn: WEEK_SECONDS,
    });
    const told = await expecting(headOf(url.slice(edge.url.length)), BODY);
    expect([told.continued, told.status]).toEqual([true, 200]);
    client.destroy();
  });
});
