/** Requests that two programs could read in two ways: what the gateway decided by must be what the store acts on. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { startRecordingStore, type RecordingStore } from '../../support/s3/recording-store.ts';
import { sign, statusIn, talk, type RawRequest } from '../../support/s3/raw-s3.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';

let store: RecordingStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startRecordingStore();
  const rules = [
    { bucket: 'closed', prefix: '', rule: { type: 'refuse', name: 'closed' } },
    { bucket: 'mixed', prefix: 'secret/', rule: { type: 'refuse', name: 'mixed' } },
  ] as const;
  edge = await startEdge({ store, rules, operations: SEALED_OPERATIONS });
});

afterEach(() => {
  store.seen.length = 0;
  store.reply = undefined;
});

afterAll(async () => {
  await edge.close();
  await store.close();
});

const ask = async (request: RawRequest): Promise<string> =>
  talk(edge.port, [Buffer.from(sign(edge.port, request).head, 'latin1')]);
const put = (path: string, more: Partial<RawRequest> = {}): Promise<string> =>
  ask({ method: 'PUT', path, ...more, headers: { 'content-length': '0', ...more.headers } });

const send = (method: string, path: string, query: string, document: string | Buffer): Promise<string> => {
  const body = Buffer.from(document);
  const headers = { 'content-length': String(body.length) };
  return talk(edge.port, [sign(edge.port, { method, path, query, headers }).head, body]);
};
function closedBlock(): string {
  const ways = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'];
  return ways.map((way) => `<${way}>true</${way}>`).join('');
}

describe('what could be read as something else never reaches the store', () => {
  test.each(['x_amz_copy_source', 'x-amz_copy-source', 'X_Amz-Copy_Source'])('a copy spelled %s', async (name) => {
    expect(statusIn(await put('/plain/k', { headers: { [name]: '/closed/k' } }))).toBe(400);
    expect(store.seen).toEqual([]);
  });

  test.each([
    ['/mixed//secret/k', 400],
    ['/mixed/%2Fsecret/k', 400],
    ['/mixed/secret%5Ck', 400],
    ['/mixed/secret%2Fk', 403],
    ['/mi%78ed/%73ecret/k', 403],
  ])('a key in the spelling %s', async (path, status) => {
    expect(statusIn(await put(path))).toBe(status);
    expect(store.seen).toEqual([]);
  });

  test.each(['uploadId=x', 'partNumber=1', 'list-type=2&acl', 'versions&acl', 'append&position=0'])(
    'an object or bucket of a ruled bucket with ?%s',
    async (query) => {
      expect(statusIn(await put('/mixed/open/k', { query }))).toBe(501);
      expect(statusIn(await ask({ method: 'GET', path: '/mixed', query: query.replace('partNumber', 'part') }))).toBe(
        501,
      );
      expect(store.seen).toEqual([]);
    },
  );

  test.each(['plain', 'mixed'])(
    'a key with dot segments in a document that deletes from the bucket %s',
    async (bucket) => {
      store.reply = { status: 200, headers: {}, body: '<DeleteResult/>' };
      const escaping = ['../closed/k', './secret/k', 'a/&#46;&#46;/k', '<![CDATA[../closed/k]]>', '..'];
      for (const key of escaping) {
        const body = `<Delete><Object><Key>${key}</Key></Object><Object><Key>open</Key></Object></Delete>`;
        const head = sign(edge.port, {
          method: 'POST',
          path: `/${bucket}`,
          query: 'delete=',
          headers: { 'content-length': String(body.length) },
        }).head;
        expect(await talk(edge.port, [head, body]), key).toContain('<Code>InvalidURI</Code>');
      }
      const sent = store.seen.map(({ body }) => body.toString());
      expect(sent.join('')).not.toMatch(/\.\.|&#46;|secret/u);
      // Where a rule is about the bucket each key is judged by itself.
      expect(sent.length).toBe(bucket === 'mixed' ? escaping.length : 0);
    },
  );

  test('a key with dot segments behind another one of the same object', async () => {
    const keys = '<Key>open</Key><Key>../closed/k</Key>';
    const answer = await send('POST', '/plain', 'delete=', `<Delete><Object>${keys}</Object></Delete>`);
    expect(answer).toContain('<Code>InvalidURI</Code>');
    expect(store.seen).toEqual([]);
  });

  test.each([
    ['delete=', 'Delete', '<Object><Key>k</Key></Object>', 'POST', '/plain'],
    ['delete=', 'Delete', '<Object><Key>open/k</Key></Object>', 'POST', '/mixed'],
    ['acl=', 'AccessControlPolicy', '', 'PUT', '/mixed'],
    ['logging=', 'BucketLoggingStatus', '', 'PUT', '/mixed'],
    ['publicAccessBlock=', 'PublicAccessBlockConfiguration', closedBlock(), 'PUT', '/mixed'],
  ] as const)(
    'a document in another encoding than it is read in: ?%s %s',
    async (query, root, inside, method, path) => {
      // Between these escapes ISO-2022-JP has other characters, and UTF-8 a comment that ends.
      const shifted = '<!-- \u001b$B --><a/><!-- \u001b(B -->';
      for (const encoding of ['ISO-2022-JP', 'utf-16', 'ISO-8859-1']) {
        const declared = `<?xml version="1.0" encoding='${encoding}'?>`;
        const answer = await send(method, path, query, `${declared}<${root}>${inside}${shifted}</${root}>`);
        expect(answer, encoding).toContain('<Code>MalformedXML</Code>');
      }
      const bytes = Buffer.from(`<${root}>${inside}<a>caf\u00e9</a></${root}>`, 'latin1');
      expect(await send(method, path, query, bytes)).toContain('<Code>MalformedXML</Code>');
      expect(store.seen.filter((seen) => seen.method === method)).toEqual([]);
    },
  );

  test('a block of public access that says one of its ways twice', async () => {
    const document = `${closedBlock()}<BlockPublicAcls>false</BlockPublicAcls>`;
    const root = 'PublicAccessBlockConfiguration';
    const answer = await send('PUT', '/mixed', 'publicAccessBlock=', `<${root}>${document}</${root}>`);
    expect(statusIn(answer)).toBe(200);
    const sent = store.seen.at(-1)?.body.toString();
    expect(sent).toContain(closedBlock());
    expect(sent).not.toContain('false');
  });

  test('logging that is turned off by a document with more than that', async () => {
    const root = 'BucketLoggingStatus';
    await send('PUT', '/mixed', 'logging=', `<${root} x="y">z<!-- <LoggingEnabled/> --></${root}>`);
    expect(store.seen.at(-1)?.body.toString()).toMatch(
      /<BucketLoggingStatus xmlns="[^"<>]+"><\/BucketLoggingStatus>$/u,
    );
  });

  test('what is asked of the store itself, under our identity', async () => {
    for (const [method, path, query] of [
      ['GET', '/', 'usage'],
      ['POST', '/', 'Action=CreateUser'],
      ['GET', '/admin/user', 'uid=x'],
      ['GET', '/minio/admin/v3/info', undefined],
      ['PUT', '/swift/v1/closed/k', undefined],
      ['GET', '/%73wift/v1/closed/k', undefined],
    ] as const) {
      const request = { method, path, headers: { 'content-length': '0' }, ...(query === undefined ? {} : { query }) };
      expect(statusIn(await ask(request)), path).toBeGreaterThanOrEqual(400);
    }
    expect(store.seen).toEqual([]);
  });

  test.each(['response-content-type=a%0D%0Ab%3A+c', 'x-amz-meta-a=b%0D%0Ac%3A+d', 'x-amz-meta-a%0D%0Ab=c'])(
    'a header within a parameter: %s',
    async (query) => {
      expect(statusIn(await put('/plain/k', { query }))).toBe(400);
      expect(store.seen).toEqual([]);
    },
  );
});

describe('the end of a request has one reading', () => {
  const behind = 'GET /plain/behind HTTP/1.1\r\nhost: x\r\n\r\n';
  const ended = (head: string, line: string): string => head.replace(/\r\n\r\n$/u, `\r\n${line}\r\n\r\n`);

  test.each([
    ['4', 'Transfer-Encoding: chunked'],
    ['0', 'Transfer-Encoding: chunked'],
    ['4', 'Transfer-Encoding: xchunked'],
    ['4', 'Transfer-Encoding: identity'],
    ['4', 'Transfer-Encoding : chunked'],
    ['4', 'Transfer-Encoding:\tchunked'],
    ['4', 'Transfer-Encoding:\r\n chunked'],
    ['4', 'Transfer_Encoding: chunked'],
    ['4', 'a: b\nTransfer-Encoding: chunked'],
    ['4', 'a: b\rTransfer-Encoding: chunked'],
    ['4', 'a: b\0c'],
    ['4', 'a: b\r\n c'],
    ['4', 'Content-Length: 4'],
    ['4', 'Content-Length: 0'],
    ['4', 'Content_Length: 0'],
    ['4', 'Host: elsewhere'],
    [undefined, 'Content-Length:\r\n 4'],
    [undefined, 'Content-Length: 4, 4'],
    [undefined, 'Content-Length: +4'],
    [undefined, 'Content-Length: 0x4'],
    [undefined, 'Transfer-Encoding: chunked'],
    [undefined, 'Transfer-Encoding: chunked, identity'],
    [undefined, 'Transfer-Encoding: gzip, chunked'],
  ])('a length of %s and %j', async (length, line) => {
    const headers = length === undefined ? {} : { 'content-length': length };
    const { head } = sign(edge.port, { method: 'PUT', path: '/plain/k', headers });
    const text = `${ended(head, line)}0\r\n\r\n${behind}`;
    expect([400, 411]).toContain(statusIn(await talk(edge.port, [Buffer.from(text, 'latin1')])));
    expect(store.seen).toEqual([]);
  });

  test.each(['GET', 'HEAD', 'DELETE'])(
    'a body of %s, which S3 knows none of, is none for the store',
    async (method) => {
      const headers = { 'content-length': String(behind.length) };
      const { head } = sign(edge.port, { method, path: '/plain/k', headers });
      const answer = await talk(edge.port, [head, behind], (text) => text.includes('\r\n\r\n'));
      expect(statusIn(answer)).toBe(200);
      expect(store.seen.map(({ url, body }) => [url, body.length])).toEqual([['/plain/k', 0]]);
      expect(store.seen[0]?.headers).not.toHaveProperty('content-length');
      expect(store.seen[0]?.headers).not.toHaveProperty('transfer-encoding');
    },
  );
});

test('headers beyond ASCII pass byte for byte, in both directions and any order', async () => {
  const text = Buffer.from('attachment; filename="ü€.txt"', 'utf8').toString('latin1');
  store.reply = {
    raw: `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Disposition: ${text}\r\nX-Amz-Meta-N: ${text}\r\n\r\nok`,
  };
  const answer = await put('/plain/k', { headers: { 'content-disposition': text, 'x-amz-meta-n': text } });
  expect([store.seen[0]?.headers['content-disposition'], store.seen[0]?.headers['x-amz-meta-n']]).toEqual([text, text]);
  expect(statusIn(answer)).toBe(200);
  expect(answer).toContain(`content-disposition: ${text}\r\n`);
  expect(answer).toContain(`x-amz-meta-n: ${text}\r\n`);
});

test('an answer on its way is never mixed with an error about what the client sends next', async () => {
  const size = 30_000_000;
  store.reply = { status: 200, headers: { 'content-length': String(size) }, body: 'x'.repeat(size) };
  const socket = connect(edge.port, '127.0.0.1');
  socket.write(sign(edge.port, { method: 'GET', path: '/plain/k' }).head);
  const answer: Buffer[] = [];
  await new Promise((resolve) => socket.once('readable', resolve));
  socket.write('no \0 request\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  await new Promise((resolve) => socket.on('close', resolve));
  const [head = '', ...body] = Buffer.concat(answer).toString('latin1').split('\r\n\r\n');
  expect(statusIn(head)).toBe(200);
  expect(body.join('\r\n\r\n')).toMatch(/^x*$/u);
});
