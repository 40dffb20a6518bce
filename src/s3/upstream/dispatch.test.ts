import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { sourceOf, type ByteSource } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import { dispatch } from './dispatch.ts';
import { freeingConnector, StreamedPieces } from './freeing-socket.ts';
import { OutgoingStream, watched } from './outgoing-stream.ts';

const BODY = randomBytes(4 * 2 ** 20);
const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n`;

/** A store that answers each connection's first request by `serve`. */
async function store(serve: (socket: Socket) => void) {
  const closings: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    // `once` would fail with the reset.
    closings.push(new Promise((resolve) => socket.on('close', resolve)));
    socket.on('error', () => undefined);
    socket.once('data', () => {
      serve(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // As the signing client has it: pieces are freed, and reads given on at once.
  const agent = new Agent({ pipelining: 1, connections: 1, connect: freeingConnector({}, new StreamedPieces()) });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // A TCP server has an address object.
  const get = (signal?: AbortSignal) => dispatch(agent, { origin, path: '/', method: 'GET' }, signal);
  const put = (body: OutgoingStream, signal?: AbortSignal) =>
    dispatch(agent, { origin, path: '/', method: 'PUT', headers: { 'content-length': '1000000' }, body }, signal);
  const close = async (): Promise<void> => {
    await agent.destroy();
    server.close();
  };
  return { get, put, closings, close };
}

test('who takes slowly, and gives each read back, gets all of an answer in order', async () => {
  const { get, close } = await store((socket) => {
    socket.write(HEAD);
    socket.write(BODY);
  });
  const { body } = await get();
  const received: Buffer[] = [];
  let isTaking = false;
  await body.pour((pieces) => {
    expect(isTaking).toBe(false);
    for (const piece of pieces) {
      received.push(Buffer.from(piece));
      freeBytes(piece);
    }
    if (received.length % 3 === 0) return undefined;
    isTaking = true;
    return new Promise((resolve) => {
      setTimeout(() => {
        isTaking = false;
        resolve();
      }, 1);
    });
  });
  expect(Buffer.concat(received).equals(BODY)).toBe(true);
  await close();
});

test.each(['at once', 'later'])(
  'a taker that fails %s ends the answer with its error, and its connection',
  async (when) => {
    const { get, closings, close } = await store((socket) => {
      socket.write(HEAD);
      socket.write(BODY);
    });
    const { body } = await get();
    const failure = new Error('taken enough');
    const pouring = body.pour(() => {
      if (when === 'at once') throw failure;
      return Promise.reject(failure);
    });
    await expect(pouring).rejects.toBe(failure);
    await Promise.all(closings);
    await body.release();
    await close();
  },
);

test('an answer that breaks off is an error, though its taker was at work', async () => {
  const { get, close } = await store((socket) => {
    socket.write(HEAD);
    socket.write(BODY.subarray(0, 1_000_000), () => socket.destroy());
  });
  const { body } = await get();
  const pouring = body.pour(() => new Promise((resolve) => setTimeout(resolve, 5)));
  await expect(pouring).rejects.toMatchObject({ code: 'ERR_S3_UPSTREAM_UNREACHABLE' });
  await close();
});

test('a request that waits for a connection ends when it is given up, and is never sent', async () => {
  const sockets: Socket[] = [];
  const { get, put, close } = await store((socket) => sockets.push(socket));
  const first = get();
  await expect.poll(() => sockets.length).toBe(1);
  const given = new AbortController();
  const second = get(given.signal);
  const unread = new OutgoingStream({ pour: () => Promise.reject(new Error('it was read')) }, () => undefined);
  const third = put(unread, given.signal);
  const reason = new Error('given up');
  given.abort(reason);
  await expect(second).rejects.toBe(reason);
  await expect(third).rejects.toBe(reason);
  await expect(get(given.signal)).rejects.toBe(reason);
  const later: string[] = [];
  sockets[0]?.on('data', (bytes) => {
    later.push(bytes.toString());
    sockets[0]?.write('HTTP/1.1 204 No Content\r\n\r\n');
  });
  sockets[0]?.write('HTTP/1.1 204 No Content\r\n\r\n');
  expect((await first).status).toBe(204);
  // The only connection is there for who comes next.
  expect((await get()).status).toBe(204);
  expect([sockets.length, later.length, unread.errored]).toEqual([1, 1, null]);
  await close();
});

test('a body that fails ends its request with its own error, and the connection', async () => {
  const { put, closings, close } = await store(() => undefined);
  const failure = new Error('does not verify');
  const failing: ByteSource = {
    pour: async (take) => {
      await take([randomBytes(65_536)]);
      throw failure;
    },
  };
  const body = watched(failing);
  const sent = put(new OutgoingStream(body.stream as ByteSource, () => undefined)); // It was no array.
  await expect(sent).rejects.toBe(failure);
  expect(body.failure()).toBe(failure);
  await Promise.all(closings);
  await close();
});

test('a body whose request has ended is no longer read, and is not what failed', async () => {
  const { put, close } = await store((socket) => socket.destroy());
  let given = 0;
  const endless = function* (): Generator<Uint8Array> {
    for (;;) {
      given += 1;
      yield randomBytes(65_536);
    }
  };
  const body = watched(sourceOf(endless()));
  const stream = new OutgoingStream(body.stream as ByteSource, () => undefined); // It was no array.
  await expect(put(stream)).rejects.toThrow();
  await expect.poll(() => stream.destroyed).toBe(true);
  const sofar = given;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(given - sofar).toBeLessThanOrEqual(1);
  expect(body.failure()).toBe(undefined);
  await close();
});
