import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { S3RVER_CAPABILITIES, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startS3rver } from '../../support/s3/s3rver.ts';

let backend: Server;
let url: string;
let edge: TestEdge;
let answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void;

beforeEach(async () => {
  backend = createServer((incoming, outgoing) => answer(incoming, outgoing));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  edge = await startEdge({ store: { url, accessKeyId: 'UP', secretAccessKey: 'up' } });
});

afterEach(async () => {
  await edge.close();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

const get = (): string => sign(edge.port, { method: 'GET', path: '/bkt/k' }).head;
const until = async (holds: () => boolean): Promise<void> => expect.poll(holds, { interval: 5 }).toBe(true);

describe('when one side goes away', () => {
  test('a client that leaves ends the upstream request, and gives its memory back', async () => {
    let gone = false;
    answer = (_incoming, outgoing) => {
      outgoing.on('close', () => (gone = true));
      outgoing.writeHead(200, { 'content-length': String(1024 ** 3) });
      outgoing.write(Buffer.alloc(1024));
    };
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(get());
    await new Promise((resolve) => socket.once('data', resolve));
    expect(edge.gateway.governor.usedBytes).toBeGreaterThan(0);
    socket.destroy();
    await until(() => gone);
    await until(() => edge.gateway.governor.usedBytes === 0);
  });

  test('an upstream that breaks off within its answer leaves the client a truncated answer, never a whole one', async () => {
    answer = (_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '1000' });
      outgoing.write(Buffer.alloc(10), () => outgoing.destroy());
    };
    const text = await talk(edge.port, [get()], () => false);
    expect(text).toMatch(/content-length: 1000/u);
    expect(text.length).toBeLessThan(1000);
    await expect.poll(() => edge.outcomes.at(-1)?.code).toBe('ERR_S3_UPSTREAM_UNREACHABLE');
  });

  test('an upstream that closes a kept connection is asked again, and one that is away is a 503', async () => {
    let asked = 0;
    answer = (incoming, outgoing) => {
      asked += 1;
      if (asked === 2) incoming.socket.destroy();
      else outgoing.writeHead(200, { 'content-length': '0' }).end();
    };
    expect([statusIn(await talk(edge.port, [get()])), statusIn(await talk(edge.port, [get()]))]).toEqual([200, 200]);
    expect(asked).toBe(3);
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
    const away = await talk(edge.port, [get()]);
    expect([statusIn(away), away.includes('<Code>ServiceUnavailable</Code>')]).toEqual([503, true]);
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  });
});

test('a slow reader holds the upstream back: what is in flight stays bounded', async () => {
  let written = 0;
  answer = (_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-length': String(1024 ** 3) });
    const chunk = Buffer.alloc(1024 * 1024);
    const more = (): void => {
      written += chunk.length;
      if (outgoing.write(chunk)) setImmediate(more);
      else outgoing.once('drain', more);
    };
    more();
  };
  const socket = connect(edge.port, '127.0.0.1');
  socket.pause();
  socket.write(get());
  let before = -1;
  // It stops by itself: the buffers of two sockets (megabytes on loopback) and of the streams are full.
  for (let same = 0; same < 20; same = written === before ? same + 1 : 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(written).toBeLessThan(64 * 1024 * 1024);
  socket.destroy();
});

test('a draining gateway ends what it began, closes kept connections, and takes no new ones', async () => {
  let finish: (() => void) | undefined;
  answer = (_incoming, outgoing) => {
    finish = () => outgoing.writeHead(200, { 'content-length': '2' }).end('ok');
  };
  const running = talk(edge.port, [get()]);
  await until(() => finish !== undefined);
  const closed = edge.close();
  finish?.();
  expect(await running).toMatch(/200 OK[\s\S]*connection: close[\s\S]*ok$/iu);
  await closed;
  expect(await talk(edge.port, [get()])).toBe('');
});

test('a backend that takes no unsigned payloads gets signed chunks that verify there', async () => {
  const store = await startS3rver({ buckets: ['plain'] });
  const signing = await startEdge({ store, capabilities: { ...S3RVER_CAPABILITIES, unsignedPayload: false } });
  const body = randomBytes(3 * 1024 * 1024 + 17);
  const head = { method: 'PUT', path: '/plain/k', headers: { 'content-length': String(body.length) } };
  expect(statusIn(await talk(signing.port, [sign(signing.port, head).head, body]))).toBe(200);
  const back = await signing.gateway.upstream.send({ method: 'GET', bucket: 'plain', key: 'k' });
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  expect(hash(await back.body.bytes(body.length))).toBe(hash(body));
  await signing.close();
  await store.close();
});
