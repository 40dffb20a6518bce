import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { botocoreSignature } from '../../support/s3/botocore-signature.ts';
import {
  CALLER,
  send,
  signKms,
  startKms,
  type KmsAnswer,
  type KmsSigning,
  type TestKms,
} from '../../support/kms/edge.ts';
import { talk } from '../../support/s3/raw-s3.ts';

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms();
});
afterAll(() => kms[Symbol.asyncDispose]());

const typeOf = ({ json }: KmsAnswer): unknown => json?.['__type'];
const plain = (): { port: number; tls: boolean } => ({ port: kms.port, tls: false });
const empty = Buffer.from('{}');
const signed = (signing: KmsSigning = {}, body: Uint8Array = empty): Readonly<Record<string, string>> =>
  signKms(kms.port, body, signing);

/** Bytes on the socket, and what came back. */
const raw = (...pieces: readonly (string | Uint8Array)[]): Promise<string> => talk(kms.port, pieces);
const head = (headers: Readonly<Record<string, string>>, line = 'POST / HTTP/1.1'): string =>
  `${line}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;

describe('an answer', () => {
  test('has the content type, request id and length of AWS, and may not be kept', async () => {
    const { status, headers, text } = await kms.call('ListKeys');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'content-length': String(Buffer.byteLength(text)),
      'cache-control': 'no-store',
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/u) as string,
    });
  });

  test('of an action without output is empty', async () => {
    const keyId = await kms.key();
    expect(await kms.call('DisableKey', { KeyId: keyId })).toMatchObject({ status: 200, text: '' });
  });

  test('comes over one connection for many requests, also where they fail', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<unknown>();
    agent.on('free', (socket) => sockets.add(socket));
    for (const action of ['ListKeys', 'Nope', 'ListAliases', 'Sign', 'ListKeys'])
      await send(plain(), signed({ action }), empty, { agent });
    expect(sockets.size).toBe(1);
    agent.destroy();
  });
});

describe('what is no request of KMS', () => {
  test.each<[string, Record<string, string>]>([
    ['an unknown action', { 'x-amz-target': 'TrentService.Nope' }],
    ['another service', { 'x-amz-target': 'DynamoDB_20120810.ListTables' }],
    ['no target', { 'x-amz-target': '' }],
    ['two targets', { 'x-amz-target': 'TrentService.ListKeys,TrentService.Decrypt' }],
    ['a name of an object', { 'x-amz-target': 'TrentService.constructor' }],
    ['another content type', { 'content-type': 'application/json' }],
    ['no content type', { 'content-type': '' }],
    ['a later protocol', { 'content-type': 'application/x-amz-json-1.11' }],
  ])('%s is refused by name', async (_what, headers) => {
    const answer = await kms.call('ListKeys', {}, { headers });
    expect([answer.status, typeOf(answer)]).toEqual([400, 'UnknownOperationException']);
  });

  test('Another method or path is refused, once it is known who asks', async () => {
    const unsigned = await send(plain(), {}, Buffer.alloc(0), { method: 'GET' });
    expect(typeOf(unsigned)).toBe('MissingAuthenticationTokenException');
    const elsewhere = await send(plain(), signed(), empty, { path: '/other' });
    // The path is signed, so another one is a wrong signature before it is another operation.
    expect(typeOf(elsewhere)).toBe('InvalidSignatureException');
  });

  test('A content type with a character set is the same one', async () => {
    const answer = await kms.call(
      'ListKeys',
      {},
      { headers: { 'content-type': 'application/x-amz-json-1.1; charset=utf-8' } },
    );
    expect(answer.status).toBe(200);
  });

  test.each([
    ['no JSON', 'not json'],
    ['nothing', ''],
    ['a list', '[]'],
    ['half an object', '{"Limit":1'],
    ['a member twice', '{"Limit":1,"Limit":2}'],
    ['a member twice, once in escapes', '{"Limit":1,"\\u004cimit":2}'],
    ['something behind', '{}{}'],
    ['a member of another type', '{"Limit":"1"}'],
    ['deep nonsense', `{"x":${'['.repeat(50)}${']'.repeat(50)}}`],
  ])('%s as body is a SerializationException', async (_what, body) => {
    const answer = await kms.call('ListKeys', body);
    expect([answer.status, typeOf(answer)]).toEqual([400, 'SerializationException']);
  });
});

describe('limits', () => {
  test('A body over 1 MiB is refused before it is read, and also where its length was not told', async () => {
    const headers = { ...signed(), 'content-length': String(1024 * 1024 + 1) };
    const told = await raw(head(headers));
    expect(told).toMatch(/^HTTP\/1\.1 413 .*connection: close.*RequestEntityTooLargeException/isu);
    const { 'content-length': _length, ...chunked } = { ...headers, 'transfer-encoding': 'chunked' };
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')]);
    expect(await raw(head(chunked), ...Array<Buffer>(17).fill(chunk))).toContain('RequestEntityTooLargeException');
  });

  test('A body of just 1 MiB is read', async () => {
    const body = `{}${' '.repeat(1024 * 1024 - 2)}`;
    expect((await kms.call('ListKeys', body)).status).toBe(200);
  });

  test('Headers over 32 KiB are refused', async () => {
    expect(await raw(head({ ...signed(), 'x-filler': 'x'.repeat(33 * 1024) }))).toMatch(
      /^HTTP\/1\.1 431 .*RequestHeaderSectionTooLargeException/su,
    );
  });

  test('What is no HTTP is refused, and its connection closed', async () => {
    expect(await raw('\u0016\u0003\u0001 this is TLS')).toMatch(/^HTTP\/1\.1 400 .*MalformedHttpRequestException/su);
  });

  test('A client that breaks off in the middle harms nobody', async () => {
    for (let at = 0; at < 5; at += 1) {
      const socket = connect(kms.port, '127.0.0.1');
      socket.write(head({ ...signed(), 'content-length': '100' }));
      socket.write('{"KeyId"');
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.destroy();
    }
    expect((await kms.call('ListKeys')).status).toBe(200);
  });

  test('The body is asked for only once it is known who asks', async () => {
    const known = await talk(kms.port, [head({ ...signed(), 'content-length': '2', expect: '100-continue' })], (text) =>
      text.includes('\r\n\r\n'),
    );
    expect(known).toMatch(/^HTTP\/1\.1 100 Continue/u);
    const unknown = await raw(head({ host: 'x', 'content-length': '2', expect: '100-continue' }));
    expect(unknown).toMatch(/^HTTP\/1\.1 400 .*MissingAuthenticationTokenException/su);
  });

  test('Of HTTP/1.0, which knows no interim answers, no body is asked for', async () => {
    const expecting = head({ ...signed(), 'content-length': '2', expect: '100-continue' }, 'POST / HTTP/1.0');
    expect(await raw(expecting, Buffer.from('{}'))).toMatch(/^HTTP\/1\.1 (?!100)/u);
  });
});

describe('signatures', () => {
  const refused = async (signing: KmsSigning, body: unknown = {}): Promise<unknown[]> => {
    const answer = await kms.call('ListKeys', body, signing);
    return [answer.status, typeOf(answer)];
  };

  test('An unknown access key, a wrong secret, another region, service or day are refused', async () => {
    expect(await refused({ credentials: { ...CALLER, accessKeyId: 'OTHER' } })).toEqual([
      400,
      'UnrecognizedClientException',
    ]);
    expect(await refused({ credentials: { ...CALLER, sessionToken: 'token' } })).toEqual([
      400,
      'UnrecognizedClientException',
    ]);
    expect(await refused({ credentials: { ...CALLER, secretAccessKey: 'wrong' } })).toEqual([
      400,
      'InvalidSignatureException',
    ]);
    expect(await refused({ region: 'us-east-1' })).toEqual([400, 'InvalidSignatureException']);
    expect(await refused({ service: 's3' })).toEqual([400, 'InvalidSignatureException']);
  });

  test('A clock more than five minutes off is told so in AWS’s words, which SDKs correct theirs by', async () => {
    const now = Date.now();
    for (const off of [-299, 299]) expect(await refused({ now: now + off * 1000 })).toEqual([200, undefined]);
    const early = await kms.call('ListKeys', {}, { now: now - 310_000 });
    expect(early.json).toEqual({
      __type: 'InvalidSignatureException',
      message: expect.stringMatching(
        /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/u,
      ) as string,
    });
    const late = await kms.call('ListKeys', {}, { now: now + 310_000 });
    expect(late.json?.['message']).toMatch(/^Signature not yet current: /u);
    expect(Date.parse(early.headers.date ?? '')).not.toBeNaN();
  });

  test('The signature is over the body that came: one changed on its way, or not covered, is refused', async () => {
    const changed = await send(
      plain(),
      signed({ action: 'ListKeys' }, Buffer.from('{"Limit":1}')),
      Buffer.from('{"Limit":2}'),
    );
    expect(typeOf(changed)).toBe('InvalidSignatureException');
    const uncovered = await send(plain(), signed({ payloadHash: 'UNSIGNED-PAYLOAD' }), empty);
    expect(typeOf(uncovered)).toBe('InvalidSignatureException');
  });

  test('A signature without x-amz-content-sha256, as botocore makes it, holds', async () => {
    const body = Buffer.from('{"Limit":5}');
    const headers = signed({ action: 'ListKeys' }, body);
    expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update(body).digest('hex'));
    const unhashed = botocoreSignature(kms.port, body, CALLER);
    expect((await send(plain(), unhashed, body)).status).toBe(200);
  });

  test('A header of AWS that is added unsigned is refused', async () => {
    const answer = await send(plain(), { ...signed(), 'x-amz-security-thing': 'x' }, empty);
    expect(typeOf(answer)).toBe('InvalidSignatureException');
  });

  test.each([
    ['', 'MissingAuthenticationTokenException'],
    ['Bearer abc', 'IncompleteSignatureException'],
    ['AWS4-HMAC-SHA256', 'IncompleteSignatureException'],
    ['AWS4-HMAC-SHA256 Credential=a/b/c/kms/aws4_request', 'IncompleteSignatureException'],
    ['AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=00', 'IncompleteSignatureException'],
  ])('The authorization %j is a %s', async (authorization, expected) => {
    const { authorization: _signed, ...headers } = signed();
    const answer = await send(plain(), authorization === '' ? headers : { ...headers, authorization }, empty);
    expect([answer.status, typeOf(answer)]).toEqual([400, expected]);
  });

  test('A presigned URL is refused', async () => {
    const path =
      '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260101%2Feu-central-1%2Fkms%2Faws4_request&X-Amz-Signature=00';
    const answer = await send(plain(), { 'x-amz-target': 'TrentService.ListKeys' }, empty, { path });
    expect(typeOf(answer)).toBe('IncompleteSignatureException');
  });

  test('A request that comes again is answered within five seconds, as equal calls of one second are, and refused after', async () => {
    const headers = signed({ now: Date.now() + kms.clock.ms });
    const again = (): Promise<KmsAnswer> => send(plain(), headers, empty);
    expect((await again()).status).toBe(200);
    expect((await again()).status).toBe(200);
    kms.clock.ms += 7_000;
    const late = await again();
    expect([late.status, typeOf(late)]).toEqual([400, 'InvalidSignatureException']);
    expect(late.json?.['message']).toMatch(/has been received before/u);
    expect((await kms.call('ListKeys')).status).toBe(200);
  });
});

describe('what is told to whom', () => {
  test('Who is not known learns nothing of actions or bodies', async () => {
    const { authorization: _signed, ...headers } = signed({ action: 'Nope' });
    expect(typeOf(await send(plain(), headers, Buffer.from('not json')))).toBe('MissingAuthenticationTokenException');
  });

  test('An outcome names action, result, code and principal, and no more', async () => {
    kms.outcomes.length = 0;
    await kms.call('DescribeKey', { KeyId: 'alias/nobody' });
    await kms.call('ListKeys');
    await kms.call('Nope');
    await send(plain(), {}, empty);
    const { principal } = CALLER;
    expect(kms.outcomes).toEqual(
      [
        { action: 'DescribeKey', result: 'NotFoundException', code: 'ERR_KMS_NOT_FOUND', principal },
        { action: 'ListKeys', result: 'success', code: undefined, principal },
        { action: 'Unknown', result: 'UnknownOperationException', code: 'ERR_KMS_UNKNOWN_OPERATION', principal },
        {
          action: 'Unknown',
          result: 'MissingAuthenticationTokenException',
          code: 'ERR_KMS_MISSING_AUTHENTICATION',
          principal: undefined,
        },
      ].map((outcome) => ({ ...outcome, milliseconds: expect.any(Number) as number })),
    );
  });
});
