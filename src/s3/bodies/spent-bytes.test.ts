import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { StreamedPieces } from '../upstream/freeing-socket.ts';
import { freeBytes } from './spent-bytes.ts';

test('what owns its memory is empty afterwards; a view of a part of it is left alone', () => {
  const whole = new Uint8Array(65_536);
  const other = new Uint8Array(65_536).fill(7);
  const view = other.subarray(0, 65_535);
  freeBytes(whole);
  freeBytes(view);
  expect(whole.length).toBe(0);
  expect(view.length).toBe(65_535);
  expect(other.every((byte) => byte === 7)).toBe(true);
});

test('small buffers, which share a pool, are left alone', () => {
  const small = Buffer.from('pooled');
  freeBytes(small);
  expect(small.toString()).toBe('pooled');
});

async function pair(): Promise<{ near: Socket; far: Socket; close: () => void }> {
  const server = createServer();
  const connected = once(server.listen(0, '127.0.0.1'), 'listening').then(() => once(server, 'connection'));
  await once(server, 'listening').catch(() => undefined);
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server has an address object.
  const [far] = (await connected) as [Socket];
  const close = (): void => {
    near.destroy();
    far.destroy();
    server.close();
  };
  return { near, far, close };
}

test('a streamed piece is freed only when it was written, and arrives whole though the reader is slow', async () => {
  const { near, far, close } = await pair();
  const pieces = new StreamedPieces();
  pieces.freeAfterWrite(near);
  // More than the kernel takes at once: the write is still going on when `write` returns.
  const piece = randomBytes(16 * 2 ** 20);
  const copy = Buffer.from(piece);
  pieces.add(piece);
  near.write(piece);
  await new Promise((resolve) => setImmediate(resolve));
  expect(piece.length).toBe(copy.length);
  const received: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of far as AsyncIterable<Buffer>) {
    received.push(chunk);
    bytes += chunk.length;
    if (bytes === copy.length) break;
  }
  expect(Buffer.concat(received).equals(copy)).toBe(true);
  await expect.poll(() => piece.length).toBe(0);
  close();
});

test('what was not said to be streamed is never freed, nor what could not be written', async () => {
  const { near, close } = await pair();
  const pieces = new StreamedPieces();
  pieces.freeAfterWrite(near);
  near.on('error', () => undefined);
  const kept = Buffer.alloc(65_536, 1);
  const unsent = Buffer.alloc(64 * 2 ** 20, 2);
  await new Promise((resolve) => near.write(kept, resolve));
  pieces.add(unsent);
  const closed = once(near, 'close');
  near.write(unsent);
  near.destroy();
  await closed;
  expect(kept.length).toBe(65_536);
  expect(unsent.length).toBe(64 * 2 ** 20);
  close();
});
