/** What the gateway sends again when the storage has heard it and the answer is lost: what may be done twice, and nothing else. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { statusIn, sign, talk, type RawRequest } from '../../support/s3/raw-s3.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';

let backend: Server;
let edge: TestEdge;
/** Requests that came whole. */
const heard: IncomingMessage[] = [];

beforeAll(async () => {
  backend = createServer((incoming) => {
    incoming.resume();
    incoming.on('end', () => {
      heard.push(incoming);
      incoming.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`; // A listening TCP server has an address object.
  edge = await startEdge({ store: { url, accessKeyId: 'UP', secretAccessKey: 'up' } });
});
afterEach(() => {
  heard.length = 0;
});
afterAll(async () => {
  await edge.close();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

const KIB = 1024;

test.each([
  ['a read', { method: 'GET' }, 0, 3],
  ['a PUT of few bytes', { method: 'PUT' }, KIB, 3],
  ['a deletion', { method: 'DELETE' }, 0, 3],
  ['a read on a condition', { method: 'GET', headers: { 'if-match': '"a"' } }, 0, 3],
  ['a PUT of many bytes', { method: 'PUT' }, 3 * KIB * KIB, 1],
  ['a PUT where nothing was', { method: 'PUT', headers: { 'if-none-match': '*' } }, KIB, 1],
  ['a PUT over what was seen', { method: 'PUT', headers: { 'if-match': '"a"' } }, KIB, 1],
  ['a deletion of what was seen', { method: 'DELETE', headers: { 'if-match': '"a"' } }, 0, 1],
  ['an upload begun', { method: 'POST', query: 'uploads=' }, 0, 1],
  ['an upload completed', { method: 'POST', query: 'uploadId=a' }, KIB, 1],
] as const)('%s', async (_what, request: Partial<RawRequest> & { readonly method: string }, length, times) => {
  const headers = { 'content-length': String(length), ...request.headers };
  const { head } = sign(edge.port, { path: '/plain/k', ...request, headers });
  const answer = await talk(edge.port, [head, randomBytes(length)]);
  expect([statusIn(answer), answer.includes('<Code>ServiceUnavailable</Code>')]).toEqual([503, true]);
  expect(heard.map(({ method }) => method)).toEqual(Array.from({ length: times }, () => request.method));
});
