import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CALLER, send, signKms, startKms, type TestKms } from '../../support/kms/edge.ts';
import { talk } from '../../support/s3/raw-s3.ts';

const head = (kms: TestKms, length: number, more: Readonly<Record<string, string>> = {}): string => {
  const headers = { ...signKms(kms.port, Buffer.from('{}'), {}), 'content-length': String(length), ...more };
  return `POST / HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
};
/** A request of which the server has taken the head, since it asks for the body. */
async function begun(kms: TestKms): Promise<Socket> {
  const socket = connect(kms.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(head(kms, 2, { expect: '100-continue' }));
  const [interim] = (await once(socket, 'data')) as [Buffer];
  expect(interim.toString('latin1')).toMatch(/^HTTP\/1\.1 100 /u);
  return socket;
}

describe('who is too slow', () => {
  test('with headers or body is told so, and the connection is closed', async () => {
    await using kms = await startKms({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    for (const sent of ['POST / HT', head(kms, 2)])
      expect(await talk(kms.port, [sent])).toMatch(/^HTTP\/1\.1 408 .*RequestTimeoutException/su);
    // So short a time is over for others too where the machine is busy.
    await expect.poll(async () => (await kms.call('ListKeys')).status).toBe(200);
  });
});

describe('bodies of all requests together', () => {
  test('have a bound: one more is told to slow down, and the memory comes back', async () => {
    await using kms = await startKms({ limits: { bodiesBytes: 10_000 } });
    const held = connect(kms.port, '127.0.0.1');
    held.write(head(kms, 9_000));
    held.write(Buffer.alloc(8_999, ' '));
    const large = `{}${' '.repeat(1_500)}`;
    const asked = async (): Promise<unknown> => {
      const { status, json } = await kms.call('ListKeys', large);
      return [status, json?.['__type']];
    };
    await expect.poll(asked).toEqual([400, 'ThrottlingException']);
    held.destroy();
    await expect.poll(asked).toEqual([200, undefined]);
  });
});

describe('the end', () => {
  test('A request under way is answered, its connection closed, and no new one is taken', async () => {
    await using kms = await startKms();
    // Idle connections are closed at once, this one has a request under way.
    const socket = await begun(kms);
    const closing = kms.server.close(60_000);
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
    const socket = await begun(kms);
    const closed = once(socket, 'close');
    await kms.server.close(50);
    await closed;
  });

  test('A port that is taken is said to be', async () => {
    await using kms = await startKms();
    const { KmsServer } = await import('../../../src/kms/server.ts');
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
