/**
 * The ports that workers are to share, had by this process alone for a moment.
 *
 * Threat: whoever listens so that others may, may find others there: a second Sealgate on the same port would take half of the
 * connections, and neither would say a word. So the port has to be free for one who shares it with nobody.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Config } from '../../config/config.ts';
import { listening } from '../listening.ts';
import type { Ports } from './control.ts';

/** Errors: ERR_CLI_LISTEN. */
export async function findPorts({ s3, postgres }: Config): Promise<Ports> {
  return {
    ...(s3 === undefined ? {} : { s3: await findPort('s3', s3.listen) }),
    ...(postgres === undefined ? {} : { postgres: await findPort('postgres', postgres.listen) }),
  };
}

async function findPort(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return listening(name, { host, port }, async () => {
    const server = createServer((socket) => socket.destroy());
    server.listen({ host, port });
    await once(server, 'listening');
    // A listening TCP server has an address object.
    const found = (server.address() as AddressInfo).port;
    server.close();
    await once(server, 'close');
    return found;
  });
}
