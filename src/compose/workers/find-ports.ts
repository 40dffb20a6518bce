/**
 * The ports that workers are to share, had by this process alone for a moment.
 *
 * Threat: whoever listens so that others may, may find others there: a second Sealgate on the same port, or S3 and PostgreSQL on one,
 * would take half of the connections, and neither would say a word. So each port has to be free for one who shares it with nobody, and
 * all of them at once.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Config, PostgresConfig } from '../../config/config.ts';
import { listening } from '../listening.ts';
import type { Ports } from './control.ts';

/** Errors: ERR_CLI_LISTEN. */
export async function findPorts({ s3, postgres }: Config): Promise<Ports> {
  const held: Server[] = [];
  try {
    return {
      ...(s3 === undefined ? {} : { s3: await holdPort('s3', s3.listen, held) }),
      ...(postgres === undefined ? {} : { postgres: await holdPort('postgres', tcpOf(postgres.listen), held) }),
    };
  } finally {
    await Promise.all(held.map(release));
  }
}

/** With several workers there is no Unix socket, which is what could stand alone. */
function tcpOf({ host = '127.0.0.1', port }: PostgresConfig['listen']): {
  readonly host: string;
  readonly port: number;
} {
  return { host, port };
}

async function holdPort(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
  held: Server[],
): Promise<number> {
  return listening(name, { host, port }, async () => {
    const server = createServer((socket) => socket.destroy());
    server.listen({ host, port });
    await once(server, 'listening');
    held.push(server);
    // A listening TCP server has an address object.
    return (server.address() as AddressInfo).port;
  });
}

async function release(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
