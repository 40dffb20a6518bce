/** Answers that come while the client still sends: it reads them, and its sending never ends in a broken pipe. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { startRecordingStore, type RecordingStore } from '../../support/s3/recording-store.ts';
import { isWhole, sign, statusIn } from '../../support/s3/raw-s3.ts';
import { S3RVER_CAPABILITIES, startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { startKms } from '../../support/kms/edge.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(256 * 1024, 'x');

let store: RecordingStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startRecordingStore();
  edge = await startEdge({ store, capabilities: S3RVER_CAPABILITIES });
});

afterAll(async () => {
  await edge.close();
  await store.close();
});

/** Sends the head, waits for the whole answer, then sends `bytes` of body; both are over when the other side has closed. */
async function sendAfterTheAnswer(port: number, head: string, bytes: number, ca?: string) {
  const place = { port, host: '127.0.0.1', noDelay: true };
  const socket = ca === undefined ? connect(place) : connectTls({ ...place, ca });
  const broken: string[] = [];
  let text = '';
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (isWhole(text)) resolve();
    });
  });
  socket.on('error', (error: NodeJS.ErrnoException) => broken.push(error.code ?? error.message));
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.write(head);
  await answered;
  let sent = 0;
  for (; sent < bytes && !socket.destroyed; sent += PIECE.length) await write(socket, PIECE.subarray(0, bytes - sent));
  await closed;
  return {
    status: statusIn(text),
    closing: /^connection: close\r$/imu.test(text),
    broken,
    sent: Math.min(sent, bytes),
  };
}

async function write(socket: Socket, piece: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  // A reset that is on its way is seen before more is sent.
  await setImmediate();
}

const forged = (method: string, headers: Record<string, string>, path = '/bkt/k'): string =>
  sign(edge.port, { method, path, headers }).head.replace(/Signature=\w{4}/u, 'Signature=0000');

test.each([1, 1000, 64 * 1024, 8 * MIB, 100 * MIB])(
  'A refused body of %i bytes may be sent to its end',
  async (bytes) => {
    const head = forged('PUT', { 'content-length': String(bytes) });
    const seen = await sendAfterTheAnswer(edge.port, head, bytes);
    expect(seen).toEqual({ status: 403, closing: true, broken: [], sent: bytes });
  },
);

test('also over TLS', async () => {
  const tls = { cert: PROXY_CERTIFICATE_PEM, key: PROXY_KEY_PEM };
  const secure = await startEdge({ store, capabilities: S3RVER_CAPABILITIES, tls });
  try {
    const head = forged('PUT', { 'content-length': String(8 * MIB) });
    const seen = await sendAfterTheAnswer(secure.port, head, 8 * MIB, TEST_CA_PEM);
    expect(seen).toEqual({ status: 403, closing: true, broken: [], sent: 8 * MIB });
  } finally {
    await secure.close();
  }
});

test('also a form, whose fields are refused before its file has come', async () => {
  const fields = ['key', 'file'].map((name) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n`);
  const form = fields.join('k\r\n');
  const length = form.length + 8 * MIB;
  const named = `content-type: multipart/form-data; boundary=x\r\ncontent-length: ${length}\r\n`;
  const head = `POST /bkt HTTP/1.1\r\nhost: 127.0.0.1\r\n${named}\r\n${form}`;
  const seen = await sendAfterTheAnswer(edge.port, head, 8 * MIB);
  expect(seen).toEqual({ status: 403, closing: true, broken: [], sent: 8 * MIB });
});

test('also one whose client asked whether it may send', async () => {
  const expecting = forged('PUT', { 'content-length': '5000', expect: '100-continue' });
  expect(await sendAfterTheAnswer(edge.port, expecting, 5000)).toMatchObject({ status: 403, broken: [], sent: 5000 });
});

test('One that does not end is cut off', async () => {
  const bytes = 256 * MIB;
  const seen = await sendAfterTheAnswer(edge.port, forged('PUT', { 'content-length': String(bytes) }), bytes);
  expect(seen.status).toBe(403);
  expect(seen.broken).toHaveLength(1);
  expect(seen.sent).toBeLessThan(bytes);
});

test('The key manager lets a refused body be sent too', async () => {
  await using kms = await startKms();
  const bytes = 1_500_000;
  const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: TrentService.Encrypt\r\ncontent-length: ${bytes}\r\n\r\n`;
  const seen = await sendAfterTheAnswer(kms.port, head, bytes);
  expect(seen).toMatchObject({ closing: true, broken: [], sent: bytes });
  expect(seen.status).toBeGreaterThanOrEqual(400);
});
