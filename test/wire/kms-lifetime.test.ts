import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CALLER, send, signKms, startKms, type TestKms } from '../support/kms-edge.ts';
import { talk } from '../support/raw-s3.ts';

const head = (kms: TestKms, length: number): string => {
  const headers = { ...signKms(kms.port, Buffer.from('{}'), {}), 'content-length': String(length) };
  return `POST / HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
};
const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; !holds() && tries < 400; tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(holds()).toBe(true);
};

describe('who is too slow', () => {
  test('with headers or body is told so, and the connection is closed', async () => {
    await using kms = await startKms({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    for (const sent of ['POST / HT', head(kms, 2)])
      expect(await talk(kms.port, [sent])).toMatch(/^HTTP\/1\.1 408 .*RequestTimeoutException/su);
    expect((await kms.call('ListKeys')).status).toBe(200);
  });
});

describe('bodies of all requests together', () => {
  test('have a bound: one more is told to slow down, and the memory comes back', async () => {
    await using kms = await startKms({ limits: { bodiesBytes: 10_000 } });
    const held = connect(kms.port, '127.0.0.1');
    held.write(head(kms, 9_000));
    held.write(Buffer.alloc(8_999, ' '));
    const large = `{}${' '.repeat(1_500)}`;
    let answer = await kms.call('ListKeys', large);
    for (let tries = 0; answer.status === 200 && tries < 400; tries += 1) answer = await kms.call('ListKeys', large);
    expect([answer.status, answer.json?.['__type']]).toEqual([400, 'ThrottlingException']);
    held.destroy();
    for (let tries = 0; answer.status !== 200 && tries < 400; tries += 1) answer = await kms.call('ListKeys', large);
    expect(answer.status).toBe(200);
  });
});

describe('the end', () => {
  test('A request under way is answered, its connection closed, and no new one is taken', async () => {
    await using kms = await startKms();
    const socket = connect(kms.port, '127.0.0.1');
    socket.write(head(kms, 2));
    await until(() => socket.bytesWritten > 0);
    await once(socket, 'connect').catch(() => undefined);
    // Idle connections are closed at once, this one has a request under way.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closing = kms.server.close(5_000);
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
    socket.write('{}');
    await once(socket, 'close');
    await closing;
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/isu);
    await expect(send({ port: kms.port, tls: false }, {}, Buffer.alloc(0))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test('Who does not finish in time is cut off', async () => {
    await using kms = await startKms();
    const socket = connect(kms.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head(kms, 2));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = once(socket, 'close');
    await kms.server.close(50);
    await closed;
  });

  test('A port that is taken is said to be', async () => {
    await using kms = await startKms();
    const { KmsServer } = await import('../../src/kms/server.ts');
    const realm = { region: 'x', account: '000000000000' };
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const second = new KmsServer({
      ...{ host: '127.0.0.1', port: kms.port, tls: undefined, accessKeys: [CALLER], certificates: [] },
      ...{ realm, keys: kms.keys, log, now: Date.now },
    });
    await expect(second.listen()).rejects.toMatchObject({ code: 'ERR_KMS_LISTEN' });
  });
});

describe('the key manager fails', () => {
  test('Closed, it is unavailable, which clients try again; the reason stays in the log', async () => {
    await using kms = await startKms();
    await kms.keys.close();
    const answer = await kms.call('ListKeys');
    expect([answer.status, answer.json]).toEqual([
      503,
      { __type: 'DependencyTimeoutException', message: 'The key manager cannot serve now.' },
    ]);
  });

  test('What no error of ours describes is an internal error without a text of its own', async () => {
    const authorizer = {
      decide: () => {
        throw new Error('a bug with a secret in its text');
      },
    };
    await using kms = await startKms({ ports: { authorizer } });
    const answer = await kms.call('ListKeys');
    expect([answer.status, answer.json]).toEqual([
      500,
      { __type: 'KMSInternalException', message: 'An internal error occurred.' },
    ]);
  });
});
