import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { findPorts } from './find-ports.ts';

const listening = (s3: number, postgres: number): Config => {
  const listen = (port: number) => ({ listen: { host: '127.0.0.1', port, tls: undefined } });
  // What else a config has is not looked at.
  return { s3: listen(s3), postgres: listen(postgres) } as unknown as Config;
};

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('One port for S3 and PostgreSQL is refused: workers would share it, and connections come to one or the other', async () => {
  const port = await freePort();
  await expect(findPorts(listening(port, port))).rejects.toMatchObject({ code: 'ERR_CLI_LISTEN' });
  // Nothing is held after it.
  expect(await findPorts(listening(port, 0))).toMatchObject({ s3: port });
});

test('Ports left open are found, a different one for each, and free afterwards', async () => {
  const { s3 = 0, postgres = 0 } = await findPorts(listening(0, 0));
  expect(s3).not.toBe(postgres);
  expect(await findPorts(listening(s3, postgres))).toEqual({ s3, postgres });
});
