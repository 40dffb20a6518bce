import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { gather } from '../bodies/byte-source.ts';
import { clientBytes } from './client-bytes.ts';

const HEAD = 'PUT /k HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n';

/** The request as a server gets it; the client sends `text` and is in the test's hands. */
async function arrived(text: string) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // A TCP server has an address object.
  client.write(text);
  const [incoming] = (await once(server, 'request')) as [IncomingMessage];
  const close = (): void => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  };
  return { client, incoming, close };
}

async function codeOfReading(incoming: IncomingMessage, idleMs: number): Promise<unknown> {
  try {
    await gather(clientBytes(incoming, idleMs));
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test('a client that left before its body was read, or while it is, ends the body with an error', async () => {
  for (const before of [true, false]) {
    const { client, incoming, close } = await arrived(`${HEAD}abc`);
    const closed = once(incoming, 'close').catch(() => undefined);
    incoming.on('error', () => undefined);
    const reading = before ? undefined : codeOfReading(incoming, 10_000);
    client.destroy();
    await closed;
    expect(await (reading ?? codeOfReading(incoming, 10_000))).toBe('ERR_S3_INCOMPLETE_BODY');
    close();
  }
});

test('a client that stops sending is given up', async () => {
  const { incoming, close } = await arrived(`${HEAD}abc`);
  incoming.on('error', () => undefined);
  expect(await codeOfReading(incoming, 20)).toBe('ERR_S3_REQUEST_TIMEOUT');
  close();
});

test('a whole body is its pieces', async () => {
  const { incoming, close } = await arrived(`${HEAD}0123456789`);
  const whole = await gather(clientBytes(incoming, 10_000));
  expect(Buffer.from(whole).toString()).toBe('0123456789');
  close();
});

test('a taker that waits gets all of a body, and is not taken for a silent client', async () => {
  const { incoming, close } = await arrived(`${HEAD}0123456789`);
  const pieces: Uint8Array[] = [];
  await clientBytes(incoming, 20).pour((taken) => {
    pieces.push(...taken);
    return new Promise((resolve) => setTimeout(resolve, 60));
  });
  expect(Buffer.concat(pieces).toString()).toBe('0123456789');
  close();
});

test('a taker that fails ends the reading with its error, and leaves the connection to whoever answers', async () => {
  const { client, incoming, close } = await arrived(`${HEAD}abc`);
  const failure = new Error('enough');
  const pouring = clientBytes(incoming, 10_000).pour(() => {
    throw failure;
  });
  await expect(pouring).rejects.toBe(failure);
  expect([client.destroyed, incoming.destroyed, incoming.isPaused()]).toEqual([false, false, true]);
  close();
});

test('a taker that fails does not stop whoever reads the rest to answer', async () => {
  const { client, incoming, close } = await arrived(`${HEAD}abc`);
  let isOver = false;
  const pouring = clientBytes(incoming, 10_000).pour(() => {
    if (isOver) throw new Error('the request to the storage has ended');
    return undefined;
  });
  await once(incoming, 'data');
  isOver = true;
  incoming.on('data', () => undefined);
  client.write('0123456');
  await expect(pouring).rejects.toThrow();
  await once(incoming, 'end');
  close();
});
