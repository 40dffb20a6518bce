import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type NetConnectOpts, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { freeBytes } from '../bodies/spent-bytes.ts';
import { readDirectly } from './direct-reads.ts';
import { dispatch, type DispatchedAnswer } from './dispatch.ts';
import { freeingConnector, StreamedPieces } from './freeing-socket.ts';

const BODY = randomBytes(300_000);

async function listening(serve: (socket: Socket) => void): Promise<{ port: number; close: () => void }> {
  const server = createServer({ noDelay: true }, (socket) => {
    serve(socket.on('error', () => undefined));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }; // A TCP server has an address object.
}

test('who listens is told in the turn of each read, and gets what it left before what came after', async () => {
  const { port, close } = await listening((socket) => socket.end(BODY));
  const socket = connect(port, '127.0.0.1');
  readDirectly(socket);
  const received: Buffer[] = [];
  let turns = 0;
  let isReading = true;
  socket.on('readable', () => {
    turns += 1;
    if (!isReading) return;
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      const taken = randomInt(chunk.length) + 1;
      received.push(Buffer.from(chunk.subarray(0, taken)));
      if (taken === chunk.length) continue;
      // As undici does where it pauses.
      socket.unshift(chunk.subarray(taken));
      isReading = false;
      setImmediate(() => {
        isReading = true;
        socket.emit('readable');
      });
      return;
    }
  });
  await once(socket, 'end');
  expect(Buffer.concat(received).equals(BODY)).toBe(true);
  expect(turns).toBeGreaterThan(2);
  close();
});

test('what is not taken is kept, and nothing more is read than a stream keeps', async () => {
  const much = randomBytes(16 * 2 ** 20);
  const { port, close } = await listening((socket) => socket.end(much));
  // An option of every stream, which the types of sockets do not name.
  const options: NetConnectOpts & { highWaterMark: number } = { port, host: '127.0.0.1', highWaterMark: 128 * 1024 };
  const socket = connect(options);
  readDirectly(socket);
  socket.on('readable', () => undefined);
  await expect.poll(() => socket.readableLength).toBeGreaterThanOrEqual(128 * 1024);
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect(socket.readableLength).toBeLessThanOrEqual(192 * 1024);
  const received: Buffer[] = [];
  socket.on('readable', () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
      received.push(chunk);
  });
  received.push(socket.read() as Buffer);
  await once(socket, 'end');
  expect(Buffer.concat(received).equals(much)).toBe(true);
  close();
});

const FRAMES = {
  'of known length': (body: Buffer) => [
    Buffer.from(`HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
  ],
  chunked: (body: Buffer) => [
    Buffer.from(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ],
  'after an interim one': (body: Buffer) => [
    Buffer.from(`HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
  ],
} as const;

/** Sends `bytes` in pieces cut anywhere, each in a packet of its own. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const size = randomInt(10) === 0 ? randomInt(100_000) : randomInt(40);
    const end = at < 200 ? at + 1 : at + 1 + size;
    await new Promise((written) => socket.write(bytes.subarray(at, end), written));
    if (randomInt(4) === 0) await nextTurn();
    at = end;
  }
}

async function bodyOf({ body }: DispatchedAnswer, isSlow: boolean): Promise<Buffer> {
  const received: Buffer[] = [];
  await body.pour((pieces) => {
    for (const piece of pieces) {
      received.push(Buffer.from(piece));
      freeBytes(piece);
    }
    return isSlow && randomInt(3) === 0 ? sleep(randomInt(2)) : undefined;
  });
  return Buffer.concat(received);
}

test.each(Object.keys(FRAMES) as (keyof typeof FRAMES)[])(
  'answers %s, split anywhere, one after another on one connection, come whole to fast and slow takers',
  async (frame) => {
    const bodies = [BODY, randomBytes(3), randomBytes(70_000)];
    let connections = 0;
    const { port, close } = await listening((socket) => {
      connections += 1;
      let asked = 0;
      socket.on('data', () => {
        void trickle(socket, Buffer.concat(FRAMES[frame](bodies[asked++ % bodies.length] ?? BODY)));
      });
    });
    const connector = freeingConnector({}, new StreamedPieces());
    const agent = new Agent({ pipelining: 1, connections: 1, connect: connector, keepAliveTimeout: 600_000 });
    const options = { origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' } as const;
    for (const isSlow of [false, true]) {
      for (const body of bodies) {
        const answer = await dispatch(agent, options, undefined);
        expect(answer.status).toBe(200);
        expect((await bodyOf(answer, isSlow)).equals(body)).toBe(true);
      }
    }
    expect(connections).toBe(1);
    await agent.destroy();
    close();
  },
);

test('an answer without a length that ends with its connection comes whole, though its taker is behind', async () => {
  const { port, close } = await listening((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n');
      socket.end(BODY);
    });
  });
  const agent = new Agent({ pipelining: 1, connect: freeingConnector({}, new StreamedPieces()) });
  const options = { origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' } as const;
  const answer = await dispatch(agent, options, undefined);
  await sleep(20);
  expect((await bodyOf(answer, true)).equals(BODY)).toBe(true);
  await agent.destroy();
  close();
});
