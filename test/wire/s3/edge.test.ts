import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ChunkSignatures } from '../../../src/sigv4/chunk-signature.ts';
import { startRecordingStore, type RecordingStore, type Seen } from '../../support/s3/recording-store.ts';
import { isWhole, sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { CLIENT, S3RVER_CAPABILITIES, startEdge, type TestEdge } from '../../support/s3/edge.ts';

let store: RecordingStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startRecordingStore();
  edge = await startEdge({ store, capabilities: { ...S3RVER_CAPABILITIES, trailingChecksums: true } });
});

afterEach(() => {
  store.seen.length = 0;
  store.reply = undefined;
});

afterAll(async () => {
  await edge.close();
  await store.close();
});

const data = randomBytes(40);
const whole = (): Seen[] => store.seen.filter((request) => request.complete);
const put = (body: Uint8Array, extra: Record<string, string> = {}, payloadHash = 'UNSIGNED-PAYLOAD') =>
  sign(edge.port, {
    method: 'PUT',
    path: '/bkt/k',
    headers: { 'content-length': String(body.length), ...extra },
    payloadHash,
  });

function signedChunks(seed: ReturnType<typeof sign>, chunks: readonly Uint8Array[]): Buffer {
  const chain = new ChunkSignatures(seed);
  const lines = [...chunks, new Uint8Array(0)].map((chunk) => {
    const signature = chain.sign(createHash('sha256').update(chunk).digest('hex'));
    return Buffer.concat([
      Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signature}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]);
  });
  return Buffer.concat(lines);
}

const FRAMED_LENGTH = String(
  signedChunks(sign(1, { method: 'PUT', path: '/' }), [data.subarray(0, 15), data.subarray(15)]).length,
);

function streaming(): { head: string; body: Buffer } {
  const seed = sign(edge.port, {
    method: 'PUT',
    path: '/bkt/k',
    headers: {
      'content-length': FRAMED_LENGTH,
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(data.length),
    },
    payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  });
  return { head: seed.head, body: signedChunks(seed, [data.subarray(0, 15), data.subarray(15)]) };
}

describe('a signed streaming upload', () => {
  test('arrives whole and unframed however the bytes are split into packets', async () => {
    const size = Number(FRAMED_LENGTH);
    for (let cut = 0; cut <= size; cut += 7) {
      const { head, body } = streaming();
      expect(statusIn(await talk(edge.port, [head, body.subarray(0, cut), body.subarray(cut)]))).toBe(200);
      expect(store.seen.at(-1)?.body.equals(data)).toBe(true);
      expect(store.seen.at(-1)?.headers['content-encoding']).toBeUndefined();
    }
  });

  test('with a header split anywhere is the same request', async () => {
    const { head, body } = streaming();
    for (let cut = 1; cut < head.length; cut += 23) {
      expect(statusIn(await talk(edge.port, [head.slice(0, cut), head.slice(cut), body]))).toBe(200);
    }
  });

  test('that ends early or is damaged reaches the backend never as a whole', async () => {
    const { head, body } = streaming();
    const damaged = Buffer.from(body);
    damaged[90] = (damaged[90] ?? 0) ^ 1;
    expect(statusIn(await talk(edge.port, [head, damaged]))).toBe(403);
    const socket = connect(edge.port, '127.0.0.1');
    socket.end(Buffer.concat([Buffer.from(head), body.subarray(0, 60)]));
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(whole()).toEqual([]);
  });
});

describe('a plain body', () => {
  const big = randomBytes(3 * 1024 * 1024);
  const hash = createHash('sha256').update(big).digest('hex');
  const other = createHash('sha256').update('other').digest('hex');

  test('of any size that is not what was signed is refused, and the backend never has it whole', async () => {
    for (const body of [new Uint8Array(0), data, big]) {
      const answer = await talk(edge.port, [put(body, {}, other).head, body]);
      expect([statusIn(answer), answer.includes('XAmzContentSHA256Mismatch')]).toEqual([400, true]);
      const md5 = await talk(edge.port, [
        put(body, { 'content-md5': createHash('md5').update('other').digest('base64') }).head,
        body,
      ]);
      expect([statusIn(md5), md5.includes('BadDigest')]).toEqual([400, true]);
    }
    expect(whole()).toEqual([]);
    expect(statusIn(await talk(edge.port, [put(big, {}, hash).head, big]))).toBe(200);
    expect(whole().map((request) => request.body.equals(big))).toEqual([true]);
  });

  test('that the client leaves in the middle is not stored', async () => {
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(put(big, {}, hash).head);
    socket.write(big.subarray(0, 2 * 1024 * 1024));
    await expect.poll(() => store.seen.length).toBe(1);
    socket.destroy();
    await expect.poll(() => edge.outcomes.at(-1)?.code ?? '').toMatch(/^ERR_S3_(?:INCOMPLETE_BODY|REQUEST_TIMEOUT)$/u);
    expect(whole()).toEqual([]);
  });
});

describe('Expect: 100-continue', () => {
  test('is answered only when the request may go on', async () => {
    const good = put(data, { expect: '100-continue' });
    expect(await talk(edge.port, [good.head], (text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1.1 100 Continue/u);
    const bad = good.head.replace(/Signature=\w{4}/u, 'Signature=0000');
    expect(await talk(edge.port, [bad])).toMatch(/^HTTP\/1.1 403 /u);
  });

  test('lets the body follow', async () => {
    const { head } = put(data, { expect: '100-continue' });
    const answer = await talk(edge.port, [head, data], (text) =>
      isWhole(text.replace(/^HTTP\/1.1 100 Continue\r\n\r\n/u, '')),
    );
    expect(answer).toContain('HTTP/1.1 200');
    expect(whole()[0]?.body.equals(data)).toBe(true);
  });
});

describe('the connection', () => {
  test('carries several requests, and a refused one with its body read does not break the next', async () => {
    const refused = put(data, {}, createHash('sha256').update('x').digest('hex'));
    const second = put(data);
    const answer = await talk(edge.port, [refused.head, data, second.head, data], (text) => text.includes(' 200 OK'));
    expect(answer).toMatch(/400 Bad Request[\s\S]*200 OK/u);
  });

  test('is closed after an answer that came before the body', async () => {
    const { head } = put(data);
    const answer = await talk(edge.port, [
      head.replace('Signature=', 'Signature=f').replace(/(Signature=f\w{63})\w/u, '$1'),
      data.subarray(0, 3),
    ]);
    expect(answer).toMatch(/403 [\s\S]*connection: close/iu);
  });
});

describe('malformed requests', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['garbage', '\u0000\u0001\u0002 no http\r\n\r\n'],
    ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['a header that never ends', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}`],
    ['a broken length', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n'],
    ['two lengths', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    [
      'length and chunked',
      'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two equal lengths', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['a list of lengths', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 1\r\n\r\na'],
    ['a signed length', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\na'],
    ['another coding', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked, then not', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a blank before a colon', 'PUT /bkt/k HTTP/1.1\r\nhost: x\r\ncontent-length : 1\r\n\r\na'],
    ['a line within a header', 'GET /bkt/k HTTP/1.1\r\nhost: x\r\nx-a: b\r\n x-amz-copy-source: /b/k\r\n\r\n'],
    ['a bare carriage return', 'GET /bkt/k HTTP/1.1\r\nhost: x\r\nx-a: b\rx-b: c\r\n\r\n'],
    ['two hosts', 'GET /bkt/k HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n'],
    ['no host', 'GET /bkt/k HTTP/1.1\r\n\r\n'],
    ['a bad escape', 'GET /bkt/%zz HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['two authorizations', 'GET / HTTP/1.1\r\nhost: x\r\nauthorization: a\r\nauthorization: b\r\n\r\n'],
  ];

  test.each(bad)('%s: the connection is answered or closed, and the gateway lives', async (_name, text) => {
    const answer = await talk(edge.port, [Buffer.from(text, 'latin1')]);
    if (answer !== '') expect(statusIn(answer)).toBeGreaterThanOrEqual(400);
    expect(statusIn(await talk(edge.port, [sign(edge.port, { method: 'GET', path: '/bkt/k' }).head]))).toBe(200);
    expect(store.seen).toHaveLength(1);
  });

  test('a target that names a host must name that of the header, in front of what it asks for', async () => {
    const { head } = sign(edge.port, { method: 'GET', path: '/bkt/k' });
    const asking = (target: string): string => head.replace('GET /bkt/k ', `GET ${target} `);
    const own = `127.0.0.1:${edge.port}`;
    expect(statusIn(await talk(edge.port, [asking(`http://${own}/bkt/k`)]))).toBe(200);
    expect(store.seen.map(({ url }) => url)).toEqual(['/bkt/k']);
    for (const target of ['http://bkt.s3.test/k', `http://${own}@other/bkt/k`, 'bkt/k', '*'])
      expect([target, statusIn(await talk(edge.port, [asking(target)]))]).toEqual([target, 400]);
    expect(store.seen).toHaveLength(1);
  });

  test('a fragment is part of the path, and no other key', async () => {
    const { head } = sign(edge.port, { method: 'GET', path: '/bkt/k' });
    expect(statusIn(await talk(edge.port, [head.replace('/bkt/k ', '/bkt/k#x '), '']))).toBe(403);
    expect(store.seen).toEqual([]);
  });

  test('every truncation of a good request is answered with an error or not at all', async () => {
    const { head } = put(data);
    for (let end = 0; end < head.length; end += 41) {
      const socket = connect(edge.port, '127.0.0.1');
      socket.end(head.slice(0, end));
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      await new Promise((resolve) => socket.on('close', resolve));
      if (text !== '') expect(statusIn(text)).toBeGreaterThanOrEqual(400);
    }
    expect(whole()).toEqual([]);
  });
});

describe('answers of the upstream', () => {
  test('pass with status, headers and bytes, except what belongs to the connection or to us', async () => {
    store.reply = {
      status: 404,
      headers: {
        'content-type': 'application/xml',
        'x-amz-id-2': 'them',
        'x-amz-meta-sealgate-x': '1',
        'x-amz-meta-a': 'b',
        etag: '"e"',
      },
      body: '<Error><Code>NoSuchKey</Code></Error>',
    };
    const answer = await talk(edge.port, [
      sign(edge.port, { method: 'GET', path: '/bkt/k', query: 'versionId=3&x=%2F+1' }).head,
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 404 /u);
    expect(answer).toContain('x-amz-id-2: them');
    expect(answer).toContain('x-amz-meta-a: b');
    expect(answer).not.toContain('sealgate-x');
    expect(answer).toContain('<Error><Code>NoSuchKey</Code></Error>');
    expect(store.seen[0]?.url).toBe('/bkt/k?versionId=3&x=%2F%201');
  });

  test('about our own identity and redirects do not reach clients', async () => {
    store.reply = {
      status: 403,
      headers: {},
      body: '<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>UP</AWSAccessKeyId></Error>',
    };
    const answer = await talk(edge.port, [sign(edge.port, { method: 'GET', path: '/bkt/k' }).head]);
    expect([statusIn(answer), answer.includes('>UP<')]).toEqual([500, false]);
    store.reply = { status: 307, headers: { location: 'http://elsewhere/' }, body: '' };
    const redirect = await talk(edge.port, [sign(edge.port, { method: 'GET', path: '/bkt/k' }).head]);
    expect([statusIn(redirect), redirect.includes('elsewhere')]).toEqual([500, false]);
  });

  test('to HEAD have the length and no body', async () => {
    store.reply = { status: 200, headers: { 'content-length': '77' }, body: '' };
    const answer = await talk(edge.port, [sign(edge.port, { method: 'HEAD', path: '/bkt/k' }).head], (text) =>
      text.includes('\r\n\r\n'),
    );
    expect(answer).toMatch(/content-length: 77\r\n[\s\S]*\r\n\r\n$/iu);
  });
});

describe('what goes upstream', () => {
  test("is signed by the gateway alone: nothing of the client's signature is left", async () => {
    await talk(edge.port, [sign(edge.port, { method: 'GET', path: '/bkt/k', headers: { 'x-amz-meta-q': '1' } }).head]);
    const sent = JSON.stringify(store.seen[0]?.headers);
    expect(sent).toContain('Credential=UP/');
    expect(sent).not.toContain(CLIENT.accessKeyId);
  });

  test('a trailing checksum goes on as a header for a small body and as a trailer for a large one', async () => {
    for (const size of [100, 2_000_000]) {
      const body = Buffer.alloc(size, 7);
      const crc = createHash('sha256').update(body).digest('base64');
      const framed = Buffer.concat([
        Buffer.from(`${size.toString(16)}\r\n`),
        body,
        Buffer.from(`\r\n0\r\nx-amz-checksum-sha256:${crc}\r\n\r\n`),
      ]);
      const { head } = sign(edge.port, {
        method: 'PUT',
        path: '/bkt/k',
        headers: {
          'content-length': String(framed.length),
          'content-encoding': 'gzip,aws-chunked',
          'x-amz-decoded-content-length': String(size),
          'x-amz-trailer': 'x-amz-checksum-sha256',
          'x-amz-sdk-checksum-algorithm': 'SHA256',
        },
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      });
      expect(statusIn(await talk(edge.port, [head, framed]))).toBe(200);
      const last = store.seen.at(-1);
      if (size === 100) {
        expect([last?.headers['x-amz-checksum-sha256'], last?.headers['content-encoding']]).toEqual([crc, 'gzip']);
        expect(last?.body.equals(body)).toBe(true);
      } else {
        expect([last?.headers['x-amz-trailer'], last?.headers['content-encoding']]).toEqual([
          'x-amz-checksum-sha256',
          'aws-chunked,gzip',
        ]);
        expect(last?.headers['content-length']).toBe(String(last?.body.length));
        expect(last?.body.subarray(-70).toString('latin1')).toContain(
          `0\r\nx-amz-checksum-sha256:${crc}\r\n\r\n`.slice(-60),
        );
      }
    }
  });
});
